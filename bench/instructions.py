# SPDX-License-Identifier: MIT
"""Instructions a sample that the engine takes on x86-64, arm64 and armv7, counted by qemu-user: python bench/instructions.py

The program of tests/test_bits.py plays a groove and silence; what is counted is the difference of a long and a short run, so that loading
and setting up do not count. Needs qemu-user and the cross compilers (tools/setup.sh check).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from test_bits import CPUS, WORDS, build, groove

RATE, SHORT, LONG = 48000, 12000, 36000  # Hz, samples
BUILDS = {"x86-64": (["gcc", "-O3", "-static"], ["qemu-x86_64"])} | CPUS


def counted(command: list[str]) -> int:
    """Instructions that a program takes under qemu: it runs one at a time and tells of each."""
    emulator, *rest = command
    run = subprocess.Popen([emulator, "-singlestep", "-d", "exec,nochain", *rest], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    count = sum(line.startswith(b"Trace") for line in run.stderr)
    if run.wait():
        sys.exit(f"{' '.join(command)} did not run")
    return count


def per_sample(command: list[str], sound: np.ndarray, detector: str, folder: Path) -> float:
    counts = []
    for samples in (SHORT, LONG):
        sound[:samples].tofile(folder / "in.f32")
        counts.append(counted([*command, str(folder / "in.f32"), str(folder / "out.f32"), str(RATE), "64", WORDS[detector]]))
    return (counts[1] - counts[0]) / (LONG - SHORT)


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    print("| | " + " | ".join(BUILDS) + " |\n|---|" + "---|" * len(BUILDS))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        programs = {}
        for cpu, (compiler, emulator) in BUILDS.items():
            (folder / cpu).mkdir()
            programs[cpu] = [*emulator, str(build(folder / cpu, *compiler))]
        played = np.fromfile(groove(folder), np.float32)
        for name, sound in {"groove, drum sounding": played, "silence": np.zeros(LONG, np.float32)}.items():
            for detector in WORDS:
                row = [f"{per_sample(command, sound, detector, folder):.0f}" for command in programs.values()]
                print(f"| {name}, {detector} | " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
