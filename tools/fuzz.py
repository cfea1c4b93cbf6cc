#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fuzzes everything that reads what others made: models, JSON, presets, messages and sound (libFuzzer, needs clang), files to convert
(atheris, from PyPI).

What breaks a target is kept in tests/fuzz/found and tried again by every test run. What was learnt about the readers is kept in
build/fuzz/corpus, where the next run begins. Exit status 1 when something was found.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGETS = ROOT / "tests" / "fuzz"
FOUND = TARGETS / "found"
BUILD = ROOT / "build" / "fuzz"
C_TARGETS = ("model", "json", "preset", "object")
MODELS = sorted((ROOT / "models").glob("*.safetensors"))
PRESETS = sorted((ROOT / "models" / "presets").glob("*.json"))
FLAGS = ["-std=gnu11", "-g", "-O1", "-ffp-contract=off", "-fno-math-errno", f"-I{ROOT / 'core' / 'include'}",
         "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all"]  # fmt: skip


def seeds(target: str) -> list[bytes]:
    """Inputs to begin with: good ones, so that the fuzzer is past the first checks."""
    if target == "model":
        return [file.read_bytes() for file in MODELS]
    if target == "preset":
        return [file.read_bytes() for file in PRESETS]
    if target == "json":
        headers = [data[8 : 8 + int.from_bytes(data[:8], "little")] for data in map(Path.read_bytes, MODELS)]
        return [bytes([room]) + text for room in (3, 200) for text in (*headers, *(file.read_bytes() for file in PRESETS))]
    if target == "convert":
        return convert_seeds()
    return []


def convert_seeds() -> list[bytes]:
    sys.path.insert(0, str(ROOT / "tests"))
    from archives import CODE, Archive, Pickle
    from test_convert import flucoma

    archive = Archive(width=2)
    texts = [json.dumps(flucoma(4)).encode(), *(file.read_bytes() for file in PRESETS)]
    code = [text.replace("WIDTH", "2").encode() for text in CODE.values()]
    kinds = [
        [archive.bytes()],
        [Pickle().dump(archive.module())],
        code,
        texts,
        [MODELS[0].read_bytes()],
    ]  # as tests/fuzz/convert.py has them
    return [bytes([kind]) + data for kind, of_kind in enumerate(kinds) for data in of_kind]


def build(target: Path, folder: Path) -> Path:
    """The libFuzzer program of a target."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / target.stem
    sources = [target, *sorted((ROOT / "core" / "src").glob("*.c"))]
    made = subprocess.run(["clang", *FLAGS, *map(str, sources), "-o", program, "-lm"], capture_output=True, text=True)
    if made.returncode:
        sys.exit(f"{target.name} does not compile:\n{made.stderr}")
    return program


def command_of(name: str) -> tuple[str, list[str], dict[str, str]]:
    """Name, command and environment of a target: one of ours, or a C file."""
    if name == "convert":
        environment = {"ASAN_OPTIONS": "detect_leaks=0"}
        return name, [sys.executable, str(TARGETS / "convert.py")], environment
    target = Path(name) if name.endswith(".c") else TARGETS / f"{name}.c"
    return target.stem, [str(build(target, BUILD))], {}


def fuzz(name: str, options: argparse.Namespace) -> tuple[str, int, list[Path]]:
    """Runs one target; returns its name, the number of executions and what it found."""
    name, command, environment = command_of(name)
    corpus, artifacts = BUILD / "corpus" / name, BUILD / "artifacts" / name
    for folder in (corpus, artifacts):
        folder.mkdir(parents=True, exist_ok=True)
    for data in seeds(name):
        (corpus / hashlib.sha1(data).hexdigest()).write_bytes(data)
    limits = [f"-runs={options.runs}"] if options.runs else [f"-max_total_time={options.seconds}"]
    run = subprocess.run(
        [*command, *limits, f"-seed={options.seed}", "-max_len=8192", "-timeout=20", "-rss_limit_mb=2000", "-print_final_stats=1",
         "-verbosity=1", f"-artifact_prefix={artifacts}/", str(corpus)],
        capture_output=True, text=True, errors="replace", env=os.environ | environment,
    )  # fmt: skip
    counts = re.findall(r"number_of_executed_units: *(\d+)|Done (\d+) ", run.stderr)
    executions = max((int(number) for pair in counts for number in pair if number), default=0)
    found = []
    for artifact in sorted(artifacts.iterdir()):
        kept = options.found / f"{name}-{artifact.name}"
        options.found.mkdir(parents=True, exist_ok=True)
        shutil.move(artifact, kept)
        found.append(kept)
    if run.returncode and not found:
        sys.exit(f"{name} did not run:\n{run.stderr[-2000:]}")
    if found:
        print(run.stderr[-4000:], file=sys.stderr)
    return name, executions, found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join((*C_TARGETS, 'convert'))} (all), or a C file")
    parser.add_argument("--seconds", type=int, default=120, help="for each target (%(default)s)")
    parser.add_argument("--runs", type=int, help="executions of each target, instead of a time")
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time (%(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="targets at once (%(default)s)")
    parser.add_argument("--found", type=Path, default=FOUND, help="folder for what breaks a target (tests/fuzz/found)")
    options = parser.parse_args()
    if not shutil.which("clang"):
        sys.exit("fuzzing needs clang with libFuzzer: apt install clang")
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda name: fuzz(name, options), options.targets or [*C_TARGETS, "convert"]))
    for name, executions, found in results:
        print(f"{name:10} {executions:12,} executions, {len(found)} found {' '.join(map(str, found))}")
    return any(found for *_, found in results)


if __name__ == "__main__":
    sys.exit(main())
