# SPDX-License-Identifier: MIT
"""A long night of tests/c/soak.c. TD_SOAK_HOURS says how long, in hours of audio (1); make soak sets 10."""

import os
import subprocess

import numpy as np
import pytest
import soundfile as sf
from native import CORE, ROOT, compile_c

HOURS = float(os.environ.get("TD_SOAK_HOURS", "1"))
PASSES_PER_HOUR = 12
GROOVES = ("loop_tabla", "loop_compus", "loop_breakbeat")


@pytest.fixture(scope="module")
def soak(tmp_path_factory):
    folder = tmp_path_factory.mktemp("soak")
    program = compile_c(folder / "soak", [ROOT / "tests" / "c" / "soak.c", *CORE], "-O3", "-fno-math-errno", "-fno-trapping-math")
    grooves = [sf.read(ROOT / "tests" / "audio" / f"{name}.flac", dtype="float32")[0] for name in GROOVES]
    np.concatenate(grooves).tofile(folder / "groove.f32")
    return [program, ROOT / "models" / "stick_snare_2.safetensors", folder / "groove.f32", str(max(4, round(HOURS * PASSES_PER_HOUR)))]


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["random"]], ids=["the same every pass", "random messages"])
def test_a_long_night_stays_as_it_began(soak, more):
    result = subprocess.run(list(map(str, [*soak, *more])), capture_output=True, text=True)
    print(result.stdout.splitlines()[-1])
    assert result.returncode == 0, result.stdout[-500:] + result.stderr
