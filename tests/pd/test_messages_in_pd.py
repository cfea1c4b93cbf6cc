# SPDX-License-Identifier: MIT
"""Every message of [torchdrum~] in real Pd, with right, wrong and missing arguments."""

import re
import shutil

import numpy as np
import pytest
from message_cases import CASES, RESTORE
from pd_host import ROOT, play
from test_sound_in_pd import core, recording

import torchdrum_py as td

MODEL = ROOT / "models" / "snare_1.safetensors"
SILENCE = np.zeros(2400, np.float32)


def normal(words: str) -> str:
    """Pd shows escapes in symbols."""
    return words.replace("\\", "")


def shown(words: str) -> str:
    """Pd shows six digits of a number: 1.67772e+07."""
    return " ".join(f"{float(word):g}" if re.fullmatch(r"-?\d+(\.\d+)?", word) else word for word in words.split(" "))


def test_every_message_answers_as_it_should(host, where, tmp_path):
    """All cases in one run: each between two marks, so that what it says is its own."""
    steps, times = [], {}
    for k, message in enumerate(CASES):
        times[message] = k
        steps.append((1.0 + 2 * k, f"version, {message}, {RESTORE}"))
    length = np.zeros(int(48 * (4 + 2 * len(CASES))), np.float32)
    run = play(host, where, tmp_path, length, messages=steps, tail=0)
    parts = "\n".join(run.log).split(f"info: version {td.__version__}\n")[1:]
    parts = [p for p in parts]
    # the message "version" gives one mark more
    at, wrong = 0, []
    for message, (info, console) in CASES.items():
        part = parts[at]
        at += 1
        if message == "version":
            part = f"info: version {td.__version__}\n" + parts[at]
            at += 1
        lines = [normal(line) for line in part.splitlines()]
        infos = [line.removeprefix("info: ") for line in lines if line.startswith("info: ")]
        said = [line.split("torchdrum~: ", 1)[1] for line in lines if "torchdrum~: " in line]
        fits = len(infos) == len(info) and len(said) == len(console)
        fits = fits and all(i.startswith(shown(w)) for i, w in zip(infos, info, strict=True))
        fits = fits and all(s.startswith(w) for s, w in zip(said, console, strict=True))
        if not fits:
            wrong.append((message, infos, said))
    assert not wrong, wrong
    assert at == len(parts)


@pytest.mark.parametrize("message", ["dump", "bang"])
def test_dump_and_bang_give_everything_on_the_info_outlet(host, where, tmp_path, message):
    run = play(host, where, tmp_path, SILENCE, messages=[(10, message)])
    names = [line.split()[0] for line in run.said("info:")]
    assert names == ["model", *(p.name for p in td.PARAMS), *(c.name for c in td.CONTROLS), "normalize"]


def test_print_shows_everything_on_the_console_with_units(host, where, tmp_path):
    run = play(host, where, tmp_path, SILENCE, messages=[(10, "print")])
    said = run.said("torchdrum~:")
    assert "osc1_freq 180 Hz" in said and "gain 0 dB" in said and len(said) == 2 + len(td.PARAMS) + len(td.CONTROLS)


def test_trigger_plays_without_a_drum_and_its_numbers_drive_the_network(host, where, tmp_path):
    run = play(host, where, tmp_path, SILENCE, messages=[(10, "trigger"), (20, "trigger 0.9 0.2 0.4")])
    engine = td.Engine(48000, seed=5)
    outs = []
    for start, features in ((0, None), (480, None), (960, [0.9, 0.2, 0.4])):
        if start:
            engine.trigger(features)
        outs.append(engine.process(np.zeros({0: 480, 480: 480, 960: 2400 + 24000 - 960}[start], np.float32)))
    drum, trigger = (np.concatenate(a) for a in zip(*outs, strict=True))
    offset = np.flatnonzero(run.trigger)[0] - 480  # a message acts at the start of the block of 64 in which it falls
    assert -64 < offset <= 0
    np.testing.assert_array_equal(np.sort(run.trigger[run.trigger > 0]), np.sort(trigger[trigger > 0]))
    assert len(run.said("bang:")) == 2 and len(run.said("features:")) == 1
    np.testing.assert_array_equal(run.drum[480 + offset : 900 + offset], drum[480:900])


@pytest.mark.parametrize("arguments", ["-d", "-d -seed 5 snare_1"])
def test_flag_d_starts_disabled_and_silent(host, where, tmp_path, arguments):
    x = recording("loop_compus", seconds=1.0)
    assert np.abs(play(host, where, tmp_path, x, arguments=arguments).drum).max() == 0
    woken = play(host, where, tmp_path, x, arguments=arguments, messages=[(100, "enable 1")])
    assert np.abs(woken.drum).max() > 0.1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [("-x", "-x is not a flag"), ("-seed", "-seed is not a flag"), ("nothere", "load: nothere"), ("snare_1 b", "only one model")],
)
def test_wrong_creation_arguments_are_said_and_the_object_sounds_all_the_same(host, where, tmp_path, arguments, says):
    run = play(host, where, tmp_path, recording("loop_compus", seconds=1.0), arguments=arguments)
    assert any(says in line for line in run.errors)
    assert np.abs(run.drum).max() > 0.1


@pytest.fixture
def bad_models(tmp_path):
    data = MODEL.read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(data[:700])
    (tmp_path / "bit.safetensors").write_bytes(data[:-3] + bytes([data[-3] ^ 4]) + data[-2:])
    (tmp_path / "text.safetensors").write_text("this is no model\n" * 20)
    (tmp_path / "empty.safetensors").write_bytes(b"")
    (tmp_path / "folder.safetensors").mkdir()
    (tmp_path / "large.safetensors").write_bytes(b"\0" * (1 << 21))
    return ["cut", "bit", "text", "empty", "folder", "large", "missing"]


def test_a_load_that_fails_says_why_and_changes_nothing(host, where, tmp_path, bad_models):
    x = recording("loop_compus", seconds=2.0)
    _, drum, _ = core(x)
    run = play(host, where, tmp_path, x, messages=[(100 + 200 * k, f"load {name}") for k, name in enumerate(bad_models)])
    np.testing.assert_array_equal(run.drum, drum)
    said = [line for line in run.errors if "load: " in line]
    assert len(said) == len(bad_models) and all("the model is unchanged" in line for line in said)
    assert len(run.said("info: error load")) == len(bad_models)


def test_models_are_found_beside_the_patch_in_folders_of_it_and_in_models_beside_the_object(host, where, tmp_path):
    shutil.copy(MODEL, tmp_path / "mine.safetensors")
    (tmp_path / "deep er").mkdir()
    shutil.copy(MODEL, tmp_path / "deep er" / "ünder.safetensors")
    (where / "models").mkdir(exist_ok=True)
    shutil.copy(MODEL, where / "models" / "shipped.safetensors")
    names = ["mine", "mine.safetensors", "deep\\ er/ünder", "shipped", str(tmp_path / "mine.safetensors")]
    run = play(host, where, tmp_path, SILENCE, messages=[(5 * k + 1, f"load {name}") for k, name in enumerate(names)])
    assert not run.errors
    assert len(run.said("info: loaded")) == len(names)


def test_a_load_clears_changes_of_the_sound_and_keep_or_reload_keep_them(host, where, tmp_path):
    shutil.copy(MODEL, tmp_path / "mine.safetensors")
    messages = ["set osc1_freq 500, load mine keep, get osc1_freq", "reload, get osc1_freq", "load snare_1, get osc1_freq"]
    run = play(host, where, tmp_path, SILENCE, messages=[(5 * k + 1, m) for k, m in enumerate(messages)])
    assert run.said("info: osc1_freq") == ["500", "500", "180"]
