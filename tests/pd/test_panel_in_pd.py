# SPDX-License-Identifier: MIT
"""torchdrum-panel.pd is [torchdrum~] with a face: what comes out is the same, and the face knows and moves the object."""

import re
import shutil

import numpy as np
import pytest
from pd_host import ROOT, Patch, play, run_patch
from test_sound_in_pd import recording

import torchdrum_py as td

PANEL = ROOT / "help_patches" / "torchdrum-panel.pd"
MODEL = ROOT / "models" / "open_snare.safetensors"
BUILT_IN = "snare_1"
FIRST, SECOND = 1004, 1005  # $0 of the first panels in a patch, which itself has 1003


@pytest.fixture
def folder(tmp_path):
    shutil.copy(PANEL, tmp_path)
    return tmp_path


def panel(p: Patch, name: str, arguments: str = "") -> int:
    box = p.obj(f"torchdrum-panel {arguments}")
    p.cord(box, 5, p.obj(f"print {name}"))
    return box


def run(host, folder, p: Patch, steps=(), listen=(), length: float = 300) -> list[str]:
    """steps: (ms, box or None, words). listen: receive names whose messages are printed."""
    start, order = p.obj("loadbang"), p.obj("t b b")
    p.cord(start, 0, order)
    for at, box, words in (*steps, (length, None, "; pd quit")):
        message, delay = p.msg(words), p.obj(f"delay {at}")
        p.cord(order, 0, delay)
        p.cord(delay, 0, message)
        if box is not None:
            p.cord(message, 0, box)
    for name in listen:
        p.cord(p.obj(f"r {name}"), 0, p.obj(f"print {name}"))
    return run_patch(host, folder, p)


def said(log, name):
    return [line.removeprefix(f"{name}: ").replace("\\", "") for line in log if line.startswith(f"{name}: ")]


def complaints(log):
    return [line for line in log if re.search(r"error|couldn't|can't|no such|no method|torchdrum~:|\.\.\.", line)]


@pytest.mark.parametrize("arguments", ["", "open_snare", "-d -seed 7 open_snare"])
def test_the_panel_loads_without_a_word_and_with_its_arguments(host, where, folder, arguments):
    shutil.copy(MODEL, folder)
    p = Patch(declare=[where])
    box = panel(p, "info", arguments)
    log = run(host, folder, p, [(200, box, "get model, get enable, get seed")], [f"{FIRST}-t-model"])
    assert not complaints(log), log
    model = "open_snare" if arguments else BUILT_IN
    assert f"model {model}" in said(log, "info") and f"label {model}" in said(log, f"{FIRST}-t-model")
    assert f"enable {0 if '-d' in arguments else 1}" in said(log, "info")
    assert ("seed 7" in said(log, "info")) == ("-seed" in arguments)


def test_what_comes_out_of_the_panel_is_what_comes_out_of_the_object(host, where, folder):
    x = recording("loop_compus", seconds=2.0)
    asked = [(0, "seed 5"), (0, "preset noisy_snare"), (500, "depth 2"), (800, "dump"), (900, "meter")]
    looks = [(50 * k, f"; {FIRST}-tick bang") for k in range(1, 40)]
    alone = play(host, where, folder, x, arguments="", messages=asked)
    seen = play(host, where, folder, x, arguments="", messages=asked + looks, what="torchdrum-panel")
    assert not seen.errors and np.abs(seen.drum).max() > 0.1
    np.testing.assert_array_equal(seen.drum, alone.drum)
    np.testing.assert_array_equal(seen.trigger, alone.trigger)
    for name in ("hit:", "bang:", "features:", "params:"):
        assert seen.said(name) == alone.said(name) and len(seen.said(name)) > 3
    # the panel asked for the meter, too, so the last question has another answer
    ours, theirs = ([line for line in r.said("info:") if not line.startswith("meter")] for r in (seen, alone))
    assert ours == theirs and len(ours) > 30


def test_moving_a_control_moves_the_object(host, where, folder):
    p = Patch(declare=[where])
    box = panel(p, "info")
    moves = {**{c: 0.5 for c in ("depth", "mix")}, "sensitivity": 70, "hold": 50, "gain": -6}
    moves |= {q.name: round(0.3 * q.min + 0.7 * q.max, 3) for q in td.PARAMS}
    steps = [(100, None, "".join(f"; {FIRST}-g-{name} {value}" for name, value in moves.items()))]
    steps += [(200, None, f"; {FIRST}-g-preset 0"), (220, box, "get osc1_freq"), (240, None, f"; {FIRST}-g-osc1_freq 300")]
    log = run(host, folder, p, [*steps, (110, box, "dump"), (260, box, "get osc1_freq")])
    assert not complaints(log), log
    told = dict(line.split(" ", 1) for line in reversed(said(log, "info")))
    for name, value in moves.items():
        assert float(told[name]) == pytest.approx(value, rel=2e-3, abs=2e-3), name
    values = [float(line.split()[1]) for line in said(log, "info") if line.startswith("osc1_freq")]
    assert values[1] != pytest.approx(values[0]) and values[2] == pytest.approx(300, rel=1e-3)


def test_a_click_on_a_list_loads_once(host, where, folder):
    for name in ("noisy_snare", "open_snare"):
        shutil.copy(ROOT / "models" / f"{name}.safetensors", folder)
    p = Patch(declare=[where])
    panel(p, "info")
    log = run(host, folder, p, [(100 + k, None, f"; {FIRST}-g-model {at}") for k, at in enumerate((1.2, 1.4, 1.6))], [f"{FIRST}-h-model"])
    assert said(log, "info") == ["loaded open_snare"] and not complaints(log)
    assert re.search(r"pos \d+ \d+", "".join(said(log, f"{FIRST}-h-model")))


def test_what_changes_outside_is_followed_within_two_ticks(host, where, folder):
    p = Patch(declare=[where])
    box = panel(p, "info")
    names = ["g-gain", "t-gain", "g-osc1_freq", "t-osc1_freq", "u-gain", "u-osc1_freq", "h-preset"]
    listen = [f"{FIRST}-{name}" for name in names]
    steps = [(100, box, "gain -12, osc1_freq 300"), (210, box, "preset snare_2"), (330, box, "depth osc1_mod 0.5, get depth")]
    log = run(host, folder, p, [*steps, (201, box, "version")], listen, 450)
    assert not complaints(log), log
    before = log[: log.index(f"info: version {td.__version__}")]
    shown = {name: said(before, f"{FIRST}-{name}")[-1] for name in ("g-gain", "t-gain", "g-osc1_freq", "t-osc1_freq")}
    assert shown["g-gain"] == "set -12" and shown["t-gain"] == "label -12.0 dB"
    assert shown["g-osc1_freq"] == "set 300" and shown["t-osc1_freq"].split() == ["label", "300"]
    assert "pos" in said(log, f"{FIRST}-h-preset")[-1]
    # it follows silently, and says nothing twice
    assert not said(log, f"{FIRST}-u-gain") and not said(log, f"{FIRST}-u-osc1_freq")
    assert len(said(log, f"{FIRST}-t-gain")) == 2 and said(log, "info") == [f"version {td.__version__}", "depth 1"]


def test_nothing_is_drawn_when_nothing_happens(host, where, folder):
    p = Patch(declare=[where])
    panel(p, "info")
    seen = sorted(set(re.findall(r"\\\$0-([tgbqmh]-\w+)", PANEL.read_text())))
    ticks = [(200 + k, None, f"; {FIRST}-tick bang") for k in range(140)]
    log = run(host, folder, p, [(50, None, "; pd dsp 1"), *ticks], [f"{FIRST}-{name}" for name in (*seen, "scroll")], 400)
    lines = {name: said(log, f"{FIRST}-{name}") for name in seen}
    for name, drawn in lines.items():
        once = {"g": 1, "t": 1, "b": 2, "q": 0, "m": 2, "h": 3}[name[0]]
        assert len(drawn) <= once or name == "t-cpu", (name, drawn)
    assert sum(map(bool, lines.values())) > 40
    assert said(log, f"{FIRST}-scroll") == ["bang"] * 120  # until the threshold, there since the sound runs, fills the picture


def test_two_panels_share_nothing(host, where, folder):
    text = PANEL.read_text()
    assert len(re.findall(r"^#X obj \d+ \d+ [sr] \\\$0-", text, re.M)) > 100
    assert not re.findall(r"^#X obj \d+ \d+ (?:s|r|send|receive|struct|table|value|v) (?!\\\$0-).*", text, re.M)
    p = Patch(declare=[where])
    one, two = panel(p, "one"), panel(p, "two")
    steps = [(100, one, "gain -12"), (150, None, f"; {SECOND}-g-mix 0.25")] + [(200, box, "get gain, get mix") for box in (two, one)]
    log = run(host, folder, p, steps, [f"{FIRST}-t-gain", f"{SECOND}-t-gain"])
    assert said(log, "one") == ["gain -12", "mix 1"] and said(log, "two") == ["gain 0", "mix 0.25"]
    assert said(log, f"{FIRST}-t-gain")[-1] == "label -12.0 dB" and said(log, f"{SECOND}-t-gain") == ["label 0.0 dB"]


def test_the_state_is_saved_with_the_patch_and_comes_back(host, where, folder):
    shutil.copy(MODEL, folder)
    p = Patch(declare=[where])
    box = panel(p, "info", "-seed 7")
    changes = "load open_snare, osc1_freq 333, gain -9, mask osc1_mod 1, depth osc2_mod 0.5, seed 9"
    log = run(host, folder, p, [(50, box, changes), (150, None, f"; pd-test.pd savetofile saved.pd {folder}")])
    assert not complaints(log)
    kept = re.search(r"torchdrum-panel -seed 7[^;]*;\n(?:#A [^;]*;\n)+", (folder / "saved.pd").read_text())[0]
    p = Patch(declare=[where])
    box = panel(p, "info", "-seed 7")
    p.boxes[box] = f"#X obj 10 10 {kept}".rstrip()
    log = run(host, folder, p, [(150, box, "state")], [f"{FIRST}-t-osc1_freq"])
    assert not complaints(log), log
    lines = {"load open_snare", "osc1_freq 333", "gain -9", "mask osc1_mod 1", "depth osc2_mod 0.5", "seed 9"}
    assert {line.removeprefix("state ") for line in said(log, "info")} == lines
    assert said(log, f"{FIRST}-t-osc1_freq")[-1].split() == ["label", "333"]


def test_a_model_beside_the_patch_is_found_though_the_panel_lies_elsewhere(host, where, tmp_path):
    here, there = tmp_path / "my songs", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    shutil.copy(PANEL, there)
    shutil.copy(MODEL, here / "mine.safetensors")
    p = Patch(declare=[where, there])
    box = panel(p, "info", "mine")
    log = run(host, here, p, [(100, box, "get model")])
    assert said(log, "info")[-1] == "model mine" and not complaints(log), log
