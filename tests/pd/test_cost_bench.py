# SPDX-License-Identifier: MIT
"""bench/pd_cost.py: what it compares are the objects that it names, the drum that it compares with plays, and everything gets a cost."""

import json
import subprocess
import sys

import numpy as np
import pytest
from pd_host import ROOT, play
from test_sound_in_pd import recording

import torchdrum_py as td

sys.path.insert(0, str(ROOT / "bench"))
import pd_cost


def test_the_hand_patched_drum_plays_every_stroke_and_is_silent_without_them(host, tmp_path):
    x = np.concatenate([np.zeros(24000, np.float32), recording("loop_compus", seconds=3.0)])
    drum = play(host, ROOT / "bench", tmp_path, x, arguments="", what="vanilla_drum").drum
    heard, played = td.onsets(x, 48000).samples, td.onsets(drum, 48000).samples
    assert np.abs(drum[:24000]).max() < 1e-3
    assert len(heard) > 10 and len(played) == len(heard)
    assert (played - heard).min() > 0 and (played - heard).max() < 0.012 * 48000


def test_the_hand_patched_drum_follows_how_hard_one_plays(host, tmp_path):
    x = recording("loop_compus", seconds=1.0)
    hard, soft = (
        play(host, ROOT / "bench", tmp_path, gain * x, arguments="", what="vanilla_drum").drum for gain in (np.float32(1), np.float32(0.25))
    )
    assert 0.01 < soft.std() < 0.6 * hard.std()


def test_a_setting_arrives_at_the_object(host, where, tmp_path, monkeypatch):
    classic = next(what for what in pd_cost.OBJECTS if what.setting)
    monkeypatch.setattr(pd_cost, "build_object", lambda *folder: None)
    bench = pd_cost.Bench(host, tmp_path)
    bench.folders.append(where)

    def asked(what, count, seconds, patch=bench.patch):
        p = patch(what, count, seconds)
        box, ask, start = next(i for i, words in enumerate(p.boxes) if "torchdrum~" in words), p.msg("get detector"), p.obj("loadbang")
        p.cord(start, 0, ask)
        p.cord(ask, 0, box)
        p.cord(box, 5, p.obj("print info"))
        return p

    monkeypatch.setattr(bench, "patch", asked)
    assert "info: detector classic" in bench.run(classic, 1, 0.1)[1]
    assert "info: detector rise" in bench.run(pd_cost.OWN, 1, 0.1)[1]


def test_what_pd_refuses_is_not_measured(host, where, tmp_path, monkeypatch):
    monkeypatch.setattr(pd_cost, "build_object", lambda *folder: None)
    bench = pd_cost.Bench(host, tmp_path)
    bench.folders.append(where)
    for words in ("torchdrum~ -detector classic", "no_such_object~"):
        with pytest.raises(pd_cost.CannotRun, match=r"-detector is not a flag|couldn't create"):
            bench.run(pd_cost.Object("wrong", words), 1, 0.1)


@pytest.mark.slow
def test_every_object_and_every_number_of_them_has_a_cost(tmp_path):
    command = [sys.executable, ROOT / "bench" / "pd_cost.py", "--seconds", "1", "--rounds", "1", "--json", tmp_path / "cost.json"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    (measured,) = json.loads((tmp_path / "cost.json").read_text())
    names = [row["object"] for row in measured["costs"]]
    assert set(names) >= {what.name for what in pd_cost.OBJECTS if "bonk~" not in what.words}
    assert all(f"| {name} |" in result.stdout for name in names)
    assert [row["objects"] for row in measured["scaling"]] == [1, 10, 100, 500]
    assert measured["in_real_time"] > 0


@pytest.mark.parametrize("option", [["--pd", "pd-9"], ["--rounds", "0"], ["--counts", "x"]])
def test_what_cannot_be_measured_is_said(option):
    result = subprocess.run([sys.executable, ROOT / "bench" / "pd_cost.py", *option], capture_output=True, text=True)
    assert result.returncode == 2 and option[1] in result.stderr and "Traceback" not in result.stderr
