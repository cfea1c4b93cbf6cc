# SPDX-License-Identifier: MIT
"""[torchdrum~] for Max in the mock host of tests/max: compiles both, writes the host's script, reads its log. It is not Max."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
SDK = ROOT / "tests" / "max" / "sdk"
OBJECT = ROOT / "max_external" / "torchdrum~.c"
PARTS = [*sorted(ROOT.glob("core/host/*.c")), *sorted(ROOT.glob("core/src/*.c"))]
STRICT = [f"-Werror={w}" for w in ("pointer-to-int-cast", "incompatible-pointer-types", "implicit-function-declaration")]
FLAGS = ["-std=gnu11", "-g", "-O1", "-ffp-contract=off", "-fno-math-errno", "-Wall", *STRICT]
SANITIZE = {
    "": [],
    "address": ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
    "thread": ["-fsanitize=thread"],
}


def includes(sdk: Path = SDK) -> list[str]:
    """The include directories of the object, with the headers of that SDK."""
    folders = [ROOT / "core/include", ROOT / "core/host", sdk / "c74support/max-includes", sdk / "c74support/msp-includes"]
    return [f"-I{folder}" for folder in folders]


def build(target: Path, main: str, sanitizer: str = "", compiler: str = "", glue: Path = OBJECT) -> Path:
    """Compiles tests/max/<main>.c with the mock host and the object."""
    sources = [ROOT / "tests" / "max" / f"{name}.c" for name in (main, "mock_max")] + [glue, *PARTS]
    command = [*shlex.split(compiler or os.environ.get("CC", "cc")), *FLAGS, *SANITIZE[sanitizer], *includes(), *sources]
    if not sanitizer and not compiler and sys.platform == "linux":
        command += ["-DMOCK_WATCHES_HEAP", *(f"-Wl,--wrap={name}" for name in ("malloc", "realloc", "free"))]
    command += ["-o", target, "-lm", "-lpthread"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return target


@dataclass(frozen=True, eq=False)
class Log:
    """lines: what was sent and said, in words. drum, trigger: the signals."""

    lines: list[list[str]]
    drum: np.ndarray
    trigger: np.ndarray

    def of(self, kind: str) -> list[list[str]]:
        """The lines of one kind, without it."""
        return [line[1:] for line in self.lines if line[0] == kind]

    def out(self, outlet: int) -> list[list[str]]:
        """What an outlet sent, its selector first."""
        return [words[3:] for words in self.of("out") if words[1] == str(outlet)]

    @property
    def info(self) -> list[str]:
        return [" ".join(words) for words in self.out(5)]

    @property
    def errors(self) -> list[str]:
        return [line[2] for line in self.lines if line[0] == "error"]

    @property
    def said(self) -> list[str]:
        return [line[2] for line in self.lines if line[0] in ("post", "error")]


class Mock:
    """A compiled script host. x is what comes in, float or double. before: the words before the command."""

    def __init__(self, program: Path, search: Sequence[Path] = (), before: Sequence[str] = ()):
        self.command, self.search = [*before, program], list(search)

    def run(self, folder: Path, steps, x=()) -> Log:
        """Steps are words; numbers among them become numbers. Every step that plays adds to drum and trigger."""
        np.asarray(x, np.float64).tofile(folder / "in.f64")
        first = [*(("search", path) for path in (folder, *self.search)), ("input", folder / "in.f64")]
        first.append(("output", folder / "drum.f64", folder / "trigger.f64"))
        script = "".join("\t".join(str(word) for word in step) + "\n" for step in (*first, *steps))
        result = subprocess.run(self.command, input=script, capture_output=True, text=True, encoding="utf-8", timeout=600)
        assert result.returncode == 0, result.stdout[-2000:] + result.stderr
        signals = [np.fromfile(folder / f"{name}.f64") for name in ("drum", "trigger")]
        return Log([line.split("\t") for line in result.stdout.splitlines()], *signals)

    def play(self, folder: Path, x, rate=48000, arguments="@seed 5", messages=(), vector=64, tail=24000, in_place=False) -> Log:
        """One object "x" plays x and a tail of silence. messages: (at which sample, words); those at 0 come before the sound."""
        steps, at = [("new", "x", *arguments.split()), ("dsp", "x", rate)], 0
        for when, words in [*messages, (len(x) + tail, None)]:
            if when > at:
                steps.append(("play", "x", when - at, vector, *(["inplace"] if in_place else [])))
                at = when
            steps += [("send", "x", *message.split()) for message in (words.split(", ") if words else ())]
        return self.run(folder, [*steps, ("pump",)], x)
