# SPDX-License-Identifier: MIT
"""Instructions that the core takes on x86-64, arm64 and armv7, counted under qemu-user: python bench/instructions.py

What is counted is the difference of five seconds and one of tests/c/cost.c, so that loading and setting up do not count. Of armv7 it also
tells how many instructions work on floats: as vectors (NEON), one by one in single and in double precision (VFP). Needs qemu-user and the
cross compilers (tools/setup.sh check).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from native import EMULATORS, INSTRUCTION_KINDS, cross_build, emulated_instructions

RATE, ROUNDS = 48000, 4
PARTS = {  # name: (part of tests/c/cost.c, word of the detector)
    "engine, strokes and drums, rise": ("dense", 0),
    "engine, strokes and drums, classic": ("dense", 1),
    "engine, silence, rise": ("silence", 0),
    "engine, silence, classic": ("silence", 1),
    "detector rise": ("detector", 0),
    "detector classic": ("detector", 1),
    "voice sounding": ("voice", 0),
}


def per_sample(cpu: str, folder: Path, name: str) -> dict[str, float]:
    """By kind of instruction."""
    few, many = (emulated_instructions(cpu, folder, "cost", *PARTS[name], rounds) for rounds in (1, 1 + ROUNDS))
    return {kind: (many[kind] - few[kind]) / (ROUNDS * RATE) for kind in INSTRUCTION_KINDS}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flags", default="", help="further flags for the compilers")
    flags = parser.parse_args().flags
    print("| | x86-64 | arm64 | armv7 | of these vector | single | double |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        folders = {cpu: cross_build(cpu, Path(temporary), flags) for cpu in EMULATORS}
        for name in PARTS:
            counts = {cpu: per_sample(cpu, folder, name) for cpu, folder in folders.items()}
            row = [counts[cpu]["all"] for cpu in EMULATORS] + [counts["armv7"][kind] for kind in INSTRUCTION_KINDS[1:]]
            print(f"| {name} | " + " | ".join(f"{x:.0f}" for x in row) + " |", flush=True)


if __name__ == "__main__":
    main()
