# SPDX-License-Identifier: MIT
"""bench/pd_cost.py: the drum that it compares with is one that plays, and the comparison runs."""

import json
import subprocess
import sys

import numpy as np
import pytest
from harness import ROOT, play
from test_sound_in_pd import recording


def test_the_hand_patched_drum_plays_strokes_and_is_silent_without_them(host, tmp_path):
    x = np.concatenate([np.zeros(24000, np.float32), recording("loop_compus", seconds=2.0)])
    run = play(host, ROOT / "bench", tmp_path, x, arguments="", what="vanilla_drum")
    assert np.abs(run.drum[:24000]).max() < 1e-3
    assert np.abs(run.drum).max() > 0.1


@pytest.mark.slow
def test_every_object_and_every_number_of_them_has_a_cost(tmp_path):
    result = subprocess.run(
        [sys.executable, ROOT / "bench" / "pd_cost.py", "--seconds", "1", "--rounds", "1", "--json", tmp_path / "cost.json"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    measured = json.loads((tmp_path / "cost.json").read_text())
    assert len(measured["cost"]) == 6 and [row["objects"] for row in measured["scaling"]] == [1, 10, 100, 500]
    assert all(row["share"] >= 0 for row in measured["scaling"])
