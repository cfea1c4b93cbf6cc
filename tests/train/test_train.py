# SPDX-License-Identifier: MIT
"""A small training: it learns, and what it writes is what the object plays."""

import dataclasses
import functools
import os
import pickle
import signal
import subprocess
import sys

import numpy as np
import pytest
import recordings
import soundfile
import torch

import torchdrum_py as td
from torchdrum_py import data, judge, long_features, original, recipe, train, training
from torchdrum_py.mapping import played

EPOCHS = 15
STROKES = 80
PRESET = td.Preset.load("808_snare_1")
RECIPE = recipe.DEFAULT
TEXTS = {"name": "m", "author": "a", "license": "CC0-1.0", "source": "s"}


@functools.cache
def strokes() -> list[tuple[str, np.ndarray]]:
    """Drums of the voice itself: the harder, the louder, longer and noisier, and each a little different."""
    rng = np.random.default_rng(8)
    names = [p.name for p in td.PARAMS]
    found = []
    for i in range(STROKES):
        force, chance = rng.random(), rng.normal(size=2)
        change = {
            "tanh_gain": 24 * (force - 0.5),
            "noise_gain": 12 * (force - 0.5) + chance[0],
            "noise_decay": 150 * (force - 0.5) + 15 * chance[1],
            "osc1_decay": 150 * (force - 0.5),
        }
        params = PRESET.value + np.array([change.get(name, 0.0) for name in names], np.float32)
        found.append((f"stroke {i}", td.render_snare808(params, data.SAMPLE_RATE, 4, i, data.SAMPLE_RATE)))
    return found


@functools.cache
def hits() -> list[data.Hit]:
    return [hit for name, x in strokes() for hit in data.cut(x, name, single=True)]


@functools.cache
def small_training():
    losses = []
    trained = train.train(hits(), PRESET, epochs=EPOCHS, progress=lambda *numbers: losses.append(numbers))
    return trained, losses


def test_a_training_comes_nearer_to_strokes_that_it_has_not_seen():
    trained, losses = small_training()
    assert losses == trained.history
    assert [epoch for epoch, _, _ in losses] == list(range(1, EPOCHS + 1))
    checked = [loss for _, _, loss in losses if loss is not None]
    assert min(checked) < 0.9 * checked[0]
    weighted_before, weighted = (np.mean(errors / trained.spread.numpy()) for errors in (trained.errors_before, trained.errors))
    assert weighted < 0.5 * weighted_before


def test_with_the_same_noise_the_object_plays_what_training_measured(tmp_path):
    trained, _ = small_training()
    model = trained.write(tmp_path / "m.safetensors", **TEXTS)
    for i, (hit, answer) in enumerate(zip(trained.test, judge.answers(model, trained.test, seed=5), strict=True)):
        event, drum = answer
        found = long_features.measure(torch.from_numpy(drum)[None])[0]
        with torch.no_grad():
            modulation = trained.network(torch.from_numpy(trained.scale(hit.features[None])))
            wanted = train.differences(PRESET, torch.zeros(7), modulation, RECIPE, seed=5 + i)[0]
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-3)
        assert np.array_equal(event.raw, hit.features)


def test_what_is_played_is_what_was_trained(tmp_path):
    """With other noise, too: the object makes the errors that the training reports. In one noise those of eight strokes vary by 3 %, so
    it is the mean of eight."""
    trained, _ = small_training()
    model = trained.write(tmp_path / "m.safetensors", **TEXTS)
    spread = trained.spread.numpy()
    played = [trained.judged(model, seed=train.UNSEEN_SEEDS + 1000 * (k + 1)) for k in range(8)]
    found = played[0]
    assert np.mean([v.played / spread for v in played]) == pytest.approx(np.mean(found.trained / spread), rel=0.03)
    assert np.mean(found.preset / spread) == pytest.approx(np.mean(trained.errors_before / spread), rel=0.03)
    assert found.loudness > 0.9 and found.dynamics > 0.9


def test_a_model_that_plays_other_parameters_than_were_trained_is_not_written(tmp_path, monkeypatch):
    trained, _ = small_training()
    path = tmp_path / "m.safetensors"
    other = dataclasses.replace(trained, preset=td.Preset.load("808_snare_3"))
    model = trained.write(path, **TEXTS)
    wrong = judge.disagreement(model, trained.test, np.tile(other.preset.value, (len(trained.test), 1)))
    assert "differ from the trained ones" in wrong
    path.unlink()
    monkeypatch.setattr(judge, "disagreement", lambda *_: wrong)
    with pytest.raises(td.TorchdrumError, match="was not written: from the same samples"):
        trained.write(path, **TEXTS)
    assert not list(tmp_path.iterdir())


def test_the_written_model_is_the_trained_network(tmp_path):
    trained, _ = small_training()
    trained.write(tmp_path / "m.safetensors", **TEXTS)
    model = td.Model.from_file(tmp_path / "m.safetensors")
    features = np.array([hit.features for hit in hits()])
    x = trained.scale(features)
    with torch.no_grad():
        np.testing.assert_allclose(model.run(x), trained.network(torch.from_numpy(x)).numpy(), rtol=0, atol=3e-6)
    assert model.info["window"] == data.WINDOW and model.info["preroll"] == data.PREROLL
    assert np.array_equal(model.info["preset"].value, PRESET.value)
    engine = td.Engine(data.SAMPLE_RATE, tmp_path / "m.safetensors")
    engine.process(hits()[0].audio)
    params = played(PRESET, torch.from_numpy(engine.events[0].modulation[None]))[0]
    np.testing.assert_allclose(engine.events[0].param, params, rtol=1e-6, atol=1e-5)


def test_the_model_tells_where_most_of_the_strokes_lay_that_it_learnt_from(tmp_path):
    trained, _ = small_training()
    learn, choose, _ = data.split(hits(), 0)
    low, high = np.percentile([hit.features for hit in (*learn, *choose)], (10, 90), axis=0)
    info = trained.write(tmp_path / "m.safetensors", **TEXTS).info
    np.testing.assert_allclose([info["low"], info["high"]], [low, high], rtol=1e-5)


def test_the_reference_stroke_gives_the_network_zero():
    trained, _ = small_training()
    learn, _, _ = data.split(hits(), 0)
    inputs = trained.scale(np.array([hit.features for hit in learn]))
    assert np.abs(inputs).max(axis=1).min() < 1e-6


def test_the_same_seed_writes_the_same_file_and_another_another(tmp_path):
    files = []
    for i, seed in enumerate((1, 1, 2)):
        trained = train.train(hits()[::2], PRESET, epochs=1, seed=seed)
        path = tmp_path / f"{i}.safetensors"
        trained.write(path, **TEXTS)
        files.append(path.read_bytes())
    assert files[0] == files[1] != files[2]


def test_disorder_is_what_the_louder_strokes_drum_falls_short_of():
    louder, drum = torch.tensor([10.0, -10.0, 10.0, 0.0]), torch.tensor([-2.0, 1.0, 7.0, 3.0], requires_grad=True)
    loss = train.disorder(louder, drum)
    assert loss.item() == pytest.approx((5 + 2 + 5 + 1) / 4)  # half of 10 dB is asked for; the third has it, and none is louder in the last
    loss.backward()
    assert drum.grad.tolist() == pytest.approx([-1 / 4, 1 / 4, 0.0, 0.0])  # a step against it: the louder stroke's drum gets louder


def promises() -> tuple[train.Promises, torch.Tensor]:
    """With 40 dB from the least to the most loudness and a reference in the middle; and what is drawn."""
    scale = train.Scale(np.float32([-60, 80, -30]), np.float32([-20, 120, -10]), np.float32([0.5, 0.5, 0.5]))
    kept = train.Promises(scale, torch.full((7,), 5.0))
    return kept, kept.draw(torch.Generator().manual_seed(1))


def test_promises_are_drawn_for_the_reference_stroke_and_for_any_stroke_at_two_levels():
    _, drawn = promises()
    assert drawn[0].tolist() == [0, 0, 0] and len(drawn) == 1 + 2 * train.STRANGERS
    some, same = drawn[1:].split(train.STRANGERS)
    assert torch.equal(some[:, 1:], same[:, 1:]) and not (some[:, 0] == same[:, 0]).any()
    assert (drawn.abs() <= 0.5).all()  # within the range of the model


def test_promises_are_kept_by_drums_as_loud_as_their_strokes_and_broken_by_softer_ones():
    kept, drawn = promises()
    inputs = torch.cat([torch.tensor([[0.4, 0.0, 0.0], [-0.4, 0.2, 0.1]]), drawn])
    drums = torch.zeros(len(inputs), 7)
    drums[:, train.LOUDNESS] = 40.0 * inputs[:, 0]
    assert kept.broken(inputs, drums) == 0.0
    drums[2] = recipe.LEAST_SPREAD  # the reference stroke's
    assert kept.broken(inputs, drums).item() == pytest.approx(train.HOME)
    drums = torch.zeros(len(inputs), 7, requires_grad=True)
    kept.broken(inputs, drums).backward()
    moved = -drums.grad[:, train.LOUDNESS]
    assert moved[0] > 0 > moved[1]  # the louder stroke's drum gets louder, the softer one's softer
    some, same = moved[3:].split(train.STRANGERS)
    louder = drawn[1:5, 0] > drawn[5:, 0]
    assert ((some > 0) == louder).all() and ((same < 0) == louder).all()
    assert (drums.grad.abs().sum(0) > 0).sum() == 1  # nothing else


def test_dynamics_is_off_unless_asked_for_and_orders_the_drums_when_it_is(monkeypatch):
    """Strokes whose sound says the contrary of what is heard of them: the louder, the softer."""
    backwards = [dataclasses.replace(hit, features=hit.features * np.float32([-1, 1, 1]) - np.float32([50, 0, 0])) for hit in hits()]

    def order(dynamics: float) -> float:
        how = dataclasses.replace(RECIPE, views=0, moved=0.0, dynamics=dynamics)
        trained = train.train(backwards, PRESET, how, epochs=EPOCHS)
        inputs = torch.from_numpy(trained.scale(np.array([hit.features for hit in backwards])))
        with torch.no_grad():
            drums = train.differences(PRESET, trained.baseline, trained.network(inputs), RECIPE, 1)[:, train.LOUDNESS]
        return judge.rank_correlation(inputs[:, 0].numpy(), drums.numpy())

    assert RECIPE.dynamics == original.RECIPE.dynamics == 0.0
    assert order(10.0) > 0.8
    monkeypatch.setattr(train.Promises, "draw", None)
    monkeypatch.setattr(train.Promises, "broken", None)
    assert order(0.0) < -0.8


def test_an_interrupted_training_keeps_the_best_network():
    checked = []

    def stop(epoch, _, loss):
        checked.append(loss)
        if epoch == 2:
            raise KeyboardInterrupt

    trained = train.train(hits()[::2], PRESET, epochs=50, progress=stop)
    assert len(trained.history) == len(checked) == 2
    assert np.isfinite(trained.errors).all()


@pytest.mark.parametrize("stopped", [1, 2, 3])
def test_a_resumed_training_ends_as_one_that_was_not_interrupted(tmp_path, stopped):
    """To the bit, whether it was stopped in the middle, before its finish, in its finish or at its end."""
    straight = train.train(hits()[::2], PRESET, epochs=4, seed=1)
    assert [checked is None for _, _, checked in straight.history] == [False, False, True, True]

    def stop(epoch, *_):
        if epoch == stopped:
            raise KeyboardInterrupt

    path = tmp_path / "m.training"
    train.train(hits()[::2], PRESET, epochs=4, seed=1, checkpoint=path, progress=stop, note="kept")
    assert train.Checkpoint.read(path)["note"] == "kept"
    resumed = train.train(hits()[::2], PRESET, epochs=4, seed=1, checkpoint=path, resume=True)
    assert resumed.history == straight.history
    for a, b in zip(resumed.network.parameters(), straight.network.parameters(), strict=True):
        assert torch.equal(a, b)
    again = train.train(hits()[::2], PRESET, epochs=4, seed=1, checkpoint=path, resume=True)
    assert again.history == straight.history
    assert os.listdir(tmp_path) == ["m.training"]


def test_a_training_of_something_else_is_not_gone_on_with(tmp_path):
    path = tmp_path / "m.training"
    how = {"epochs": 1, "checkpoint": path, "resume": True}
    train.train(hits()[::2], PRESET, seed=1, **how)
    for changed, words in (
        (lambda: train.train(hits()[::2], PRESET, seed=2, **how), "different seed"),
        (lambda: train.train(hits()[::2], PRESET, seed=1, **how | {"epochs": 2}), "different epochs"),
        (lambda: train.train(hits()[1::2], PRESET, seed=1, **how), "different strokes"),
        (lambda: train.train(hits()[::2], td.Preset.load("snare_2"), seed=1, hidden=(), **how), "different preset and model"),
    ):
        with pytest.raises(td.TorchdrumError, match=words):
            changed()
    whole = path.read_bytes()
    for broken in (b"", b"la la la", whole[: len(whole) // 2], pickle.dumps({"format": train.Checkpoint.FORMAT}, 2)):
        path.write_bytes(broken)
        with pytest.raises(td.TorchdrumError, match="not the state of a training"):
            train.train(hits()[::2], PRESET, seed=1, **how)


def test_the_network_that_is_kept_is_the_best_of_several_epochs_not_of_a_lucky_one():
    lucky = [1.0] * 15 + [0.25] + [1.0] * 10 + [0.5] * 10 + [0.75] * 5
    assert train.best_of([(i, 0.0, loss) for i, loss in enumerate(lucky, 1)]) == 15 + 1 + 10 + 10
    assert train.best_of([(1, 0.0, 2.0)]) == 1


def test_a_training_that_learns_no_more_goes_to_its_finish():
    short = dataclasses.replace(RECIPE, stop=2, learning_rate=lambda hidden: 0.0)
    history = train.train(hits()[::2], PRESET, short, epochs=20).history
    assert [checked is None for _, _, checked in history] == [False] * 3 + [True] * 10


def test_the_validation_strokes_are_learnt_from_in_the_finish_and_the_test_strokes_never(monkeypatch):
    learn, choose, test = data.split(hits(), 0)
    drawn, lessons, draw = [], [], train.Lessons.draw
    monkeypatch.setattr(train.Lessons, "draw", lambda self, rows, generator: (drawn.append(rows), draw(self, rows, generator))[1])
    start = train.Lessons.__init__
    monkeypatch.setattr(train.Lessons, "__init__", lambda self, known, *rest: (lessons.append(known), start(self, known, *rest))[1])
    passes = []
    train.train(hits(), PRESET, epochs=2, progress=lambda *_: passes.append(len(drawn)))
    assert [id(hit) for hit in lessons[0]] == [id(hit) for hit in (*learn, *choose)] and len(lessons) == 1 and test
    first, second = (sorted(torch.cat(rows).tolist()) for rows in (drawn[: passes[0]], drawn[passes[0] :]))
    assert first == list(range(len(learn))) and second == list(range(len(learn) + len(choose)))


COMMAND = [sys.executable, "-m", "torchdrum_py.cli", "train"]


def run(folder, *arguments) -> subprocess.CompletedProcess:
    """In a folder without the sources, so that the installed package is the one that runs."""
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=300, cwd=folder)


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """All strokes, one second apart, in one file."""
    path = tmp_path_factory.mktemp("audio") / "playing.wav"
    soundfile.write(path, np.concatenate([x for _, x in strokes()]), data.SAMPLE_RATE, subtype="FLOAT")
    return path


def test_the_command_writes_a_model_that_plays(tmp_path, recording):
    output = tmp_path / "mine.safetensors"
    result = run(tmp_path, recording, "--preset", "snare_3", "-o", output, "--epochs", 1, "--author", "me")
    assert result.returncode == 0, result.stderr
    assert "epoch 1/1" in result.stderr and "left" in result.stderr
    assert all(name.replace("_", " ") in result.stdout for name in long_features.NAMES)
    model = td.Model.from_file(output)
    assert (model.info["name"], model.info["author"]) == ("mine", "me")
    engine = td.Engine(44100, output)
    out, _ = engine.process(recordings.recording("drum_snare_hard", 44100))
    assert np.abs(out).max() > 0.01


def test_ctrl_c_keeps_the_best_so_far(tmp_path, recording):
    output = tmp_path / "mine.safetensors"
    command = [*COMMAND, recording, "--preset", "snare_1", "-o", output, "--epochs", "100000"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=tmp_path)
    try:
        for line in process.stderr:
            if line.startswith("epoch 2/"):
                os.kill(process.pid, signal.SIGINT)
                break
        process.stderr.read()
        assert process.wait(timeout=120) == 0
    finally:
        process.kill()
    assert td.Model.from_file(output).info["name"] == "mine"


def test_a_training_that_was_killed_goes_on_and_ends_as_one_that_was_not(tmp_path, recording):
    how = [recording, "--preset", "snare_1", "--epochs", "2", "--seed", "3"]
    straight, output = tmp_path / "straight.safetensors", tmp_path / "mine.safetensors"
    assert run(tmp_path, *how, "--name", "one", "-o", straight).returncode == 0
    command = [*COMMAND, *map(str, how), "--name", "one", "-o", str(output)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=tmp_path)
    for line in process.stderr:
        if line.startswith("epoch 1/"):
            break
    process.kill()  # SIGKILL: nothing is tidied up
    process.communicate()
    assert not output.exists()
    result = run(tmp_path, *how, "--name", "one", "-o", output, "--resume")
    assert result.returncode == 0, result.stderr
    assert output.read_bytes() == straight.read_bytes()


def test_a_full_disk_ends_a_training_with_a_sentence_and_leaves_the_old_model(tmp_path, recording):
    output = tmp_path / "mine.safetensors"
    output.write_bytes(b"an older model")
    full = ["bash", "-c", 'trap "" XFSZ; ulimit -f 1; exec "$@"', "bash"]  # no file may have more than a kilobyte
    command = [*full, *COMMAND, recording, "--preset", "snare_1", "--epochs", "1", "-o", output]
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert result.returncode == 2 and result.stderr.splitlines()[-1].startswith("torchdrum: "), result.stderr
    assert "Traceback" not in result.stderr and output.read_bytes() == b"an older model"


@pytest.mark.parametrize(
    "change",
    [
        {"audio": "missing.wav"},
        {"audio": "."},
        {"audio": "text.wav"},
        {"audio": "silence.wav"},
        {"--preset": "808_snare_9"},
        {"--epochs": "0"},
        {"-o": "model.txt"},
        {"-o": "nowhere/model.safetensors"},
        {"--card": "model.wav"},
        {"--seed": "-1"},
        {"--epochs": "9" * 400},
        {"--folds": "1"},
        {"--folds": "9999"},
        {"--levels": "1.5"},
        {"--levels": "nan"},
        {"--levels": "0.5", "--recipe": "original"},
        {"--dynamics": "-1"},
        {"--dynamics": "nan"},
        {"--dynamics": "1", "--recipe": "original"},
        {"--device": "moon"},
        {"--name": "a\nb"},
    ],
    ids=lambda change: " ".join(f"{key} {value}" for key, value in change.items()),
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path, recording, change):
    (tmp_path / "text.wav").write_text("la la la")
    soundfile.write(tmp_path / "silence.wav", np.zeros(48000), 48000)
    before = sorted(tmp_path.iterdir())
    chosen = {"audio": str(recording), "--preset": "808_snare_1", "--epochs": "1", "-o": "model.safetensors"} | change
    words = [chosen.pop("audio"), *(word for pair in chosen.items() for word in pair)]
    result = run(tmp_path, *words)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert result.stderr.strip().splitlines()[-1].startswith("torchdrum: ")
    assert sorted(tmp_path.iterdir()) == before


def test_a_cross_validated_card_is_of_all_strokes_each_played_by_a_network_that_did_not_have_it(tmp_path, recording, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = [recording, "--preset", "snare_3", "-o", "mine.safetensors", "--epochs", 1]
    assert run(tmp_path, *words).returncode == 0
    once = (tmp_path / "mine.safetensors").read_bytes()
    result = run(tmp_path, *words, "--folds", 2, "--card", "mine.md")
    assert result.returncode == 0 and (tmp_path / "mine.safetensors").read_bytes() == once
    card = (tmp_path / "mine.md").read_text()
    assert "On all strokes, each by the one of 2 other such trainings that did not have it" in card and "--folds 2" in card
    found = data.load([recording]).hits
    wanted = train.cross_validated(found, td.Preset.load("snare_3"), RECIPE, 2, 0, epochs=1)
    assert training.table(wanted) in card and training.table(wanted) in result.stdout
    played = [train.train(found, td.Preset.load("snare_3"), epochs=1, parts=data.parts(found, 2, fold, 0)).test for fold in (0, 1)]
    assert sorted(hit.group for part in played for hit in part) == sorted(hit.group for hit in found)


def test_an_interrupted_cross_validation_is_no_result():
    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train.cross_validated(hits()[::2], PRESET, RECIPE, 2, 0, epochs=2, progress=stop)


def test_the_report_is_made_of_what_the_training_left(tmp_path, recording):
    output = tmp_path / "mine.safetensors"
    assert run(tmp_path, recording, "--preset", "snare_3", "-o", output, "--epochs", 2).returncode == 0
    command = [sys.executable, "-m", "torchdrum_py.cli", "report"]

    def report(*words) -> subprocess.CompletedProcess:
        return subprocess.run([*command, *map(str, words)], capture_output=True, text=True, timeout=300, cwd=tmp_path)

    result = report(output)
    assert result.returncode == 0, result.stderr
    page = (tmp_path / "mine.html").read_text()
    assert "808_snare_3" in page and f"{STROKES}, " in page and "in epoch" in page
    assert report(output, recording, "-o", tmp_path / "other.html").returncode == 0
    assert "losses are not known" in (tmp_path / "other.html").read_text()
    for words, reason in (
        (["snare_1"], "no snare_1.training"),
        ([output, "-o", "x.pdf"], "ending .html"),
        ([output, tmp_path / "missing.wav"], "missing.wav"),
    ):
        result = report(*words)
        assert result.returncode == 2 and reason in result.stderr and "Traceback" not in result.stderr
    (tmp_path / "mine.training").write_bytes(b"la la la")
    result = report(output)
    assert result.returncode == 2 and "not the state of a training" in result.stderr


@pytest.mark.parametrize("name", recordings.LOOPS)
def test_strokes_of_a_mix_are_judged_as_the_object_hears_them(name):
    """Most are detected where they were cut, and with any drum alike: no drum of ours is in a recording."""
    strokes = data.cut(recordings.recording(name, data.SAMPLE_RATE))
    verdict = judge.judge(td.Model.builtin(), strokes, seed=1, noises=1)
    assert len(verdict.rows) >= 0.8 * len(strokes)
    assert np.isfinite(verdict.drums).all() and np.isfinite(verdict.plain).all()


def test_the_originals_recipe_is_judged_by_its_own_features(tmp_path):
    trained = train.train(hits()[::2], PRESET, original.RECIPE, epochs=1)
    found = trained.judged(trained.write(tmp_path / "m.safetensors", **TEXTS))
    np.testing.assert_allclose(found.preset, trained.errors_before.mean(0), rtol=0.3, atol=0.3)


def test_a_window_of_another_length_is_another_training(tmp_path):
    def strokes_of(window):
        return [hit for name, x in strokes()[::2] for hit in data.cut(x, name, single=True, window=window)]

    how = {"epochs": 1, "checkpoint": tmp_path / "m.training", "resume": True}
    train.train(strokes_of(64), PRESET, **how)
    with pytest.raises(td.TorchdrumError, match="different strokes"):
        train.train(strokes_of(256), PRESET, **how)


def test_a_report_of_recordings_that_have_changed_is_refused(tmp_path, recording):
    folder = tmp_path / "takes"
    folder.mkdir()
    (folder / "b.wav").write_bytes(recording.read_bytes())
    output = tmp_path / "mine.safetensors"
    assert run(tmp_path, folder, "--preset", "snare_3", "-o", output, "--epochs", 1, "--card", "mine.md").returncode == 0
    assert "torchdrum train AUDIO" in (tmp_path / "mine.md").read_text()
    (folder / "a.wav").write_bytes(recording.read_bytes())
    command = [sys.executable, "-m", "torchdrum_py.cli", "report", output]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert result.returncode == 2 and "recordings have changed" in result.stderr
