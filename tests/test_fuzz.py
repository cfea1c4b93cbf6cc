# SPDX-License-Identifier: MIT
"""The fuzz targets of tests/fuzz: what broke one once is tried again, a short run finds nothing, and a planted fault is found."""

import os
import pathlib
import shutil
import subprocess
import sys

import fuzz
import pytest
from native import CORE, ROOT, compile_c, missing_host

SANITIZERS = ["-g", "-fno-math-errno", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
PLANTED = """
#include <stdint.h>
#include <stdlib.h>
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 2 && data[0] == 'F' && data[1] == 'U') return data[size];
    return 0;
}
"""


def run(*command, **environment):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, env=os.environ | environment)


@pytest.mark.parametrize("target", fuzz.C_TARGETS)
def test_what_broke_a_target_once_and_what_is_right_is_survived(target, tmp_path):
    inputs = sorted(fuzz.FOUND.glob(f"{target}-*"))
    for i, data in enumerate([b"", *fuzz.seeds(target)]):
        inputs.append(tmp_path / f"seed{i}")
        inputs[-1].write_bytes(data)
    program = compile_c(tmp_path / target, [fuzz.TARGETS / f"{target}.c", fuzz.TARGETS / "replay.c", *CORE], *SANITIZERS)
    result = run(program, *inputs)
    assert result.returncode == 0, result.stderr
    assert f"{len(inputs)} inputs" in result.stdout


def test_every_file_that_is_kept_belongs_to_a_target():
    assert all(file.name.startswith(tuple(f"{target}-" for target in (*fuzz.C_TARGETS, "convert"))) for file in fuzz.FOUND.iterdir())


def fuzzing(*arguments, found: pathlib.Path):
    if not shutil.which("clang"):
        missing_host("clang with libFuzzer")
    if "convert" in arguments:
        pytest.importorskip("atheris") if os.environ.get("TD_REQUIRE_HOSTS") != "all" else __import__("atheris")
    return run(sys.executable, ROOT / "tools" / "fuzz.py", *arguments, "--found", found)


@pytest.mark.slow
def test_a_planted_fault_is_found_and_kept(tmp_path):
    (tmp_path / "planted.c").write_text(PLANTED)
    result = fuzzing(tmp_path / "planted.c", "--seconds", 60, found=tmp_path / "found")
    assert result.returncode == 1 and "1 found" in result.stdout, result.stdout + result.stderr
    (kept,) = (tmp_path / "found").iterdir()
    assert kept.read_bytes().startswith(b"FU")


@pytest.mark.slow
@pytest.mark.parametrize("target", [*fuzz.C_TARGETS, "convert"])
def test_twelve_seconds_of_fuzzing_find_nothing(target, tmp_path):
    result = fuzzing(target, "--seconds", 12, found=tmp_path / "found")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 found" in result.stdout
