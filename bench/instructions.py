# SPDX-License-Identifier: MIT
"""Instructions that the core takes on x86-64, arm64 and armv7, counted under qemu-user: python bench/instructions.py

Of armv7 it also tells how many of them work on floats: as vectors (NEON), one by one in single and in double precision (VFP). Needs
qemu-user and the cross compilers (tools/setup.sh check).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from native import EMULATORS, INSTRUCTION_KINDS, cross_build, emulated_instructions


def parts(cpu: str, folder: Path) -> dict[str, dict[str, float]]:
    """Instructions by kind for one sample, stroke, … of each part that core/bench knows."""
    costs, before = {}, None
    for line, count in emulated_instructions(cpu, folder, "bench", "count"):
        if before and line:
            name, unit, amount = line.split("\t")
            costs[f"{name}, a {unit}"] = {kind: (count[kind] - before[kind]) / float(amount) for kind in INSTRUCTION_KINDS}
        before = count
    return costs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flags", default="", help="further flags for the compilers")
    flags = parser.parse_args().flags
    with tempfile.TemporaryDirectory() as folder:
        costs = {cpu: parts(cpu, cross_build(cpu, Path(folder), flags)) for cpu in EMULATORS}
    print("| | x86-64 | arm64 | armv7 | vector | single | double |\n|---|---|---|---|---|---|---|")
    for name, of_armv7 in costs["armv7"].items():
        row = [costs[cpu][name]["all"] for cpu in EMULATORS] + [of_armv7[kind] for kind in INSTRUCTION_KINDS[1:]]
        print(f"| {name} | " + " | ".join(f"{x:.0f}" for x in row) + " |")


if __name__ == "__main__":
    main()
