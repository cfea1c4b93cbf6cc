# SPDX-License-Identifier: MIT
"""A small training: it learns, and what it writes is what the object plays."""

import functools
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import recordings
import soundfile
import torch

import torchdrum_py as td
from torchdrum_py import data, long_features, train

EPOCHS = 15
STROKES = 80
PRESET = td.Preset.load("808_snare_1")


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
    assert [epoch for epoch, _, _ in losses] == list(range(1, EPOCHS + 1))
    assert min(checked for _, _, checked in losses) < 0.9 * losses[0][2]
    weighted_before, weighted = (np.mean(error / trained.spread.numpy()) for error in (trained.error_before, trained.error))
    assert weighted < 0.5 * weighted_before


def test_with_the_same_noise_the_object_plays_what_training_measured(tmp_path):
    trained, _ = small_training()
    model = trained.write(tmp_path / "m.safetensors", name="m", author="a", license="CC0-1.0", source="s")
    played, drums = train.heard(model, trained.test, seed=5)
    assert played == trained.test
    found = long_features.measure(torch.from_numpy(drums))
    for i, hit in enumerate(played):
        with torch.no_grad():
            modulation = trained.network(torch.from_numpy(trained.scale(hit.features[None])))
            wanted = train.differences(PRESET, torch.zeros(7), modulation, seed=5 + i)[0]
        np.testing.assert_allclose(found[i], wanted, rtol=1e-4, atol=1e-3)


def test_what_is_played_is_what_was_trained(tmp_path):
    """With other noise, too (the mean over four seeds): the object makes the errors that the training reports."""
    trained, _ = small_training()
    model = trained.write(tmp_path / "m.safetensors", name="m", author="a", license="CC0-1.0", source="s")
    errors, follows = zip(*(train.heard_error(trained, model, train.UNSEEN_SEEDS + 1000 * k) for k in range(4)), strict=True)
    played, spread = np.mean(errors, axis=0), trained.spread.numpy()
    assert np.mean(played / spread) == pytest.approx(np.mean(trained.error / spread), rel=0.06)
    assert min(follows) > 0.9


def test_the_written_model_is_the_trained_network(tmp_path):
    trained, _ = small_training()
    trained.write(tmp_path / "m.safetensors", name="m", author="a", license="CC0-1.0", source="s")
    model = td.Model.from_file(tmp_path / "m.safetensors")
    features = np.array([hit.features for hit in hits()])
    x = trained.scale(features)
    with torch.no_grad():
        np.testing.assert_allclose(model.run(x), trained.network(torch.from_numpy(x)).numpy(), rtol=0, atol=3e-6)
    assert model.info["window"] == data.WINDOW and model.info["preroll"] == data.PREROLL
    assert np.array_equal(model.info["preset"].value, PRESET.value)
    engine = td.Engine(data.SAMPLE_RATE, tmp_path / "m.safetensors")
    engine.process(hits()[0].audio)
    params = train.played(PRESET, torch.from_numpy(engine.events[0].modulation[None]))[0]
    np.testing.assert_allclose(engine.events[0].param, params, rtol=1e-6, atol=1e-5)


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
        trained.write(path, name="m", author="a", license="CC0-1.0", source="s")
        files.append(path.read_bytes())
    assert files[0] == files[1] != files[2]


def test_an_interrupted_training_keeps_the_best_network():
    checked = []

    def stop(epoch, _, loss):
        checked.append(loss)
        if epoch == 2:
            raise KeyboardInterrupt

    trained = train.train(hits()[::2], PRESET, epochs=50, progress=stop)
    assert trained.epochs == len(checked) == 2
    assert np.isfinite(trained.error).all()


def test_a_parameter_at_the_end_of_its_range_can_be_moved_back_inside():
    preset = td.Preset.load("808_snare_2")
    index = [p.name for p in td.PARAMS].index("noise_filter_q")
    assert preset.value[index] == td.PARAMS[index].min
    modulation = torch.full((1, len(td.PARAMS)), -0.1, requires_grad=True)
    q = train.played(preset, modulation)[0, index]
    assert q.item() == td.PARAMS[index].min
    (slope,) = torch.autograd.grad(q, modulation, retain_graph=True)
    assert slope[0, index] == 0.0  # towards smaller Q there is nothing
    (slope,) = torch.autograd.grad(-q, modulation)
    assert slope[0, index] < 0.0


def test_the_range_of_the_normaliser_is_never_less_than_a_model_may_have():
    one = np.tile(np.array([-20.0, 90.0, -40.0], np.float32), (10, 1))
    scale = train.Scale.of(one, one[0])
    assert (scale.max - scale.min >= train.LEAST_SPAN).all()
    np.testing.assert_allclose(scale.reference, 0.5, atol=1e-5)


COMMAND = [sys.executable, "-m", "torchdrum_py.train"]


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
    ],
    ids=lambda change: " ".join(*change.items()),
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
