# SPDX-License-Identifier: MIT
"""The same sound in is the same drum out, to the bit: on every compiler and optimisation, and on ARM (tests/test_arm.py).

After a change of the sound that is meant: python tests/test_bits.py writes tests/golden/bits.json anew.
"""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from native import CORE, ROOT, compiler, missing_host

GOLDEN = Path(__file__).parent / "golden" / "bits.json"
RENDER = [ROOT / "tests" / "c" / "render.c", *CORE]
FLAGS = ["-std=gnu11", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", f"-I{ROOT / 'core' / 'include'}"]
CASES = [(rate, detector) for rate in (44100, 48000, 96000) for detector in ("rise", "classic")]
WORDS = {"rise": "0", "classic": "1"}
BUILDS = {"gcc -O0": ["gcc", "-O0"], "gcc, AVX2": ["gcc", "-O3", "-mavx2", "-mfma"], "clang": ["clang", "-O3"]}


def groove(folder: Path) -> Path:
    """Eleven seconds of drums and four of silence, as float32."""
    sounds = [sf.read(ROOT / "tests" / "audio" / f"{name}.flac", dtype="float32")[0] for name in ("loop_compus", "loop_breakbeat")]
    file = folder / "groove.f32"
    np.concatenate([*sounds, 0.05 * sounds[1], np.zeros(4 * 44100, np.float32)]).tofile(file)
    return file


def build(folder: Path, *command: str) -> Path:
    if not shutil.which(command[0]):
        missing_host(command[0])
    program = folder / "render"
    subprocess.run([*command, *FLAGS, *map(str, RENDER), "-o", program, "-lm"], check=True, capture_output=True, text=True)
    return program


def checksums(folder: Path, *command, block: int = 64, cases=CASES) -> dict[str, str]:
    """Of hits, drum and trigger signal of each case, as command plays them."""
    sound, out, sums = groove(folder), folder / "out.f32", {}
    for rate, detector in cases:
        words = [*command, sound, out, rate, block, WORDS[detector]]
        hits = subprocess.run(list(map(str, words)), check=True, capture_output=True).stdout
        assert hits.count(b"\n") > 20
        sums[f"{detector} at {rate} Hz"] = hashlib.sha256(hits + out.read_bytes()).hexdigest()
    return sums


@pytest.mark.parametrize("block", [64, 1, 1000])
def test_the_drum_is_the_golden_one_to_the_bit(tmp_path, block):
    program = build(tmp_path, *compiler(), "-O3")
    assert checksums(tmp_path, program, block=block) == json.loads(GOLDEN.read_text())


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILDS)
def test_no_compiler_and_no_optimisation_changes_a_bit(tmp_path, name):
    if "AVX2" in name and "avx2" not in Path("/proc/cpuinfo").read_text():
        missing_host("a processor with AVX2")
    assert checksums(tmp_path, build(tmp_path, *BUILDS[name])) == json.loads(GOLDEN.read_text())


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as temporary:
        golden = checksums(Path(temporary), build(Path(temporary), *compiler(), "-O3"))
    GOLDEN.write_text(json.dumps(golden, indent=1) + "\n")
