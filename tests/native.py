# SPDX-License-Identifier: MIT
"""Small C programs of tests/c, compiled when a test asks for them."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = sorted((ROOT / "core" / "src").glob("*.c"))


def compiler() -> list[str]:
    return shlex.split(os.environ.get("CC", "cc"))


def compile_c(target: Path, sources, *flags: str) -> Path:
    """Compiles with the core's own flags. A compiler that fails is a failure of the test."""
    include = [f"-I{ROOT / 'core' / part}" for part in ("include", "src")]
    command = [*compiler(), "-std=c11", "-O2", "-ffp-contract=off", *include, *flags, "-o", target, *sources, "-lm"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return target


def instructions(program: Path, *arguments: str, only: str) -> int:
    """That the C function `only` takes with all that it calls, counted by valgrind's callgrind."""
    if shutil.which("valgrind") is None:
        missing_host("valgrind")
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--toggle-collect={only}", f"--callgrind-out-file={folder}/out", program, *arguments]
        run = subprocess.run(command, check=True, capture_output=True, text=True)
    (collected,) = re.findall(r"Collected : (\d+)", run.stderr)
    return int(collected)


def missing_host(what: str):
    """A tool that a user's machine may lack: a visible skip there, a failure where TD_REQUIRE_HOSTS=all."""
    if os.environ.get("TD_REQUIRE_HOSTS") == "all":
        pytest.fail(f"{what} is needed here (TD_REQUIRE_HOSTS=all)")
    pytest.skip(f"needs {what}")


class FloatMode:
    """The calling thread's FTZ and DAZ bits."""

    def __init__(self, folder: Path):
        source = Path(__file__).parent / "c" / "float_mode.c"
        self._c = ctypes.CDLL(str(compile_c(folder / "float_mode.so", [source], "-shared", "-fPIC")))
        self.known = bool(self._c.float_mode_known())

    @contextlib.contextmanager
    def flushing(self, on: bool):
        before = self._c.float_mode_flushes()
        self._c.float_mode_flush(int(on))
        try:
            assert self._c.float_mode_flushes() == int(on)
            yield
            assert self._c.float_mode_flushes() == int(on)  # nobody in between changed it
        finally:
            self._c.float_mode_flush(before)

    def met_denormals(self, work) -> bool:
        """Whether work() touched a denormal number or made one."""
        with self.flushing(False):
            self._c.float_mode_clear_flags()
            work()
            return bool(self._c.float_mode_met_denormals())


@functools.cache
def float_mode() -> FloatMode:
    """Skips where this processor's control word is not known to tests/c/float_mode.c."""
    with tempfile.TemporaryDirectory() as folder:
        mode = FloatMode(Path(folder))
    if not mode.known:
        missing_host("an x86 processor (FTZ and DAZ)")
    return mode
