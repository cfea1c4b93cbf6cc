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


# How a program for each processor runs here. armv7 is that of a Bela: a Cortex-A8 with NEON.
EMULATORS = {"x86-64": ["qemu-x86_64"], "arm64": ["qemu-aarch64"], "armv7": ["qemu-arm", "-cpu", "cortex-a8"]}
CROSS_TOOLS = {"x86-64": "", "arm64": "aarch64-linux-gnu-", "armv7": "arm-linux-gnueabihf-"}


def cross_build(cpu: str, folder: Path, flags: str = "", compiler: str | None = None) -> Path:
    """What make arm builds for a processor, with its flags and more, or with another compiler; the folder where it lies."""
    for tool in (CROSS_TOOLS[cpu] + "gcc", EMULATORS[cpu][0], *(compiler or "").split()[:1]):
        if shutil.which(tool) is None:
            missing_host(tool)
    if not any((Path(place) / "m_pd.h").exists() for place in ("/usr/include", "/usr/include/pd")):
        missing_host("m_pd.h of Pure Data")
    compiler = compiler or ("gcc" if cpu == "x86-64" else None)
    target = ["cross", f"CROSS={compiler}"] if compiler else [cpu]
    command = ["make", "-s", "-C", ROOT, *target, f"OUT={folder / cpu}", f"CROSS_FLAGS={flags}"]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0 and not built.stderr, built.stderr
    return folder / cpu


INSTRUCTION_KINDS = ("all", "vector", "single", "double")  # of float instructions; only all is told of any but armv7


def emulated_instructions(cpu: str, folder: Path, program: str, *arguments) -> list[tuple[str, dict[str, int]]]:
    """What a program of cross_build prints, line by line, with the instructions that it has taken before, by kind, counted under qemu; at
    last "" with those of the whole run. Every line is to be flushed."""
    plugin = folder / "count_instructions.so"
    if not plugin.exists():
        source = ROOT / "tests" / "c" / "count_instructions.c"
        subprocess.run([*compiler(), "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", source, "-o", plugin], check=True)
    command = [*EMULATORS[cpu], "-plugin", plugin, folder / program, *arguments]
    run = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if "plugin" in run.stderr:
        missing_host("a qemu-user that takes plugins of interface 1")
    assert run.returncode == 0, run.stderr
    counts = [dict(zip(INSTRUCTION_KINDS, map(int, line.split()), strict=True)) for line in run.stderr.splitlines()]
    return list(zip([*run.stdout.splitlines(), ""], counts, strict=True))


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
