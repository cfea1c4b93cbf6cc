# SPDX-License-Identifier: MIT
"""What the core costs on this machine, part by part, beside the straightforward reference in the same process (core/bench).

Times are medians of processor time, core and reference in turns; only their ratios mean something on another machine. Instructions are
counted by valgrind, the same in every run.
"""

from __future__ import annotations

import importlib.util
import itertools
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import __version__
from ._core import ffi, lib
from .errors import TorchdrumError

RATE = 48000
ROUNDS = 9
NETWORKS = {"network 3-32-14": (32,), "network 3-64-64-64-14": (64, 64, 64)}  # rows of core/bench: widths of the hidden layers
PLAYING = "engine, dense loop, rise"
COUNT_S = 1.0  # of sound, under valgrind


@contextmanager
def begun(seconds: float):
    if not lib.td_bench_begin(seconds):
        raise TorchdrumError("there is not enough memory for the bench")
    try:
        yield
    finally:
        lib.td_bench_end()


def cases() -> Iterator[tuple[int, str]]:
    return ((i, ffi.string(lib.td_bench_name(i)).decode()) for i in range(lib.td_bench_count()))


def _times(case: int, rounds: int) -> list[float | None]:
    """Median ns for a unit, of the core and of the reference."""
    which = [w for w in (lib.TD_BENCH_CORE, lib.TD_BENCH_REFERENCE) if lib.td_bench_has(case, w)]
    ns = {w: [] for w in which}
    for _ in range(rounds):
        for w in which:
            ns[w].append(lib.td_bench_run(case, w) / lib.td_bench_amount(case))
    return [statistics.median(ns[w]) if w in ns else None for w in (lib.TD_BENCH_CORE, lib.TD_BENCH_REFERENCE)]


def torch_network_ns(hidden: tuple[int, ...], runs: int) -> float | None:
    """Median ns of one input through PyTorch's scripted network, as LibTorch would run it; None without PyTorch."""
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    layers = []
    for inputs, outputs in itertools.pairwise([3, *hidden]):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.LayerNorm(outputs), torch.nn.ReLU()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it is what the plugin does
        network = torch.jit.script(torch.nn.Sequential(*layers, torch.nn.Linear(hidden[-1], 14), torch.nn.Tanh()).eval())
    threads, x, times = torch.get_num_threads(), torch.zeros(1, 3), []
    torch.set_num_threads(1)
    try:
        with torch.no_grad():
            for i in range(runs + 50):  # the first ones compile
                begin = time.perf_counter_ns()
                network(x)
                if i >= 50:
                    times.append(time.perf_counter_ns() - begin)
    finally:
        torch.set_num_threads(threads)
    return statistics.median(times)


def instructions() -> list[list[float | None]]:
    """Instructions for a unit of each case, of the core and of the reference, by callgrind in a process of its own."""
    if not shutil.which("valgrind"):
        raise TorchdrumError("instructions are counted by valgrind, which is not installed: apt install valgrind")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", "--toggle-collect=td_bench_run", "--dump-after=td_bench_run", f"--callgrind-out-file={out}",
             sys.executable, "-m", __name__],
            capture_output=True, text=True, cwd=folder,
        )  # fmt: skip
        if run.returncode:
            raise TorchdrumError(f"valgrind could not run Python: {(run.stderr.splitlines() or ['it said nothing'])[-1]}")
        dumps = sorted(Path(folder).glob("out.*"), key=lambda file: int(file.suffix[1:]))
        totals = [float(re.search(r"^(?:totals|summary): (\d+)", file.read_text(), re.M)[1]) for file in dumps]
    amounts = [float(line) for line in run.stdout.split()]
    counts = iter(totals)
    return [[next(counts) / amount if lib.td_bench_has(i, w) else None for w in (0, 1)] for i, amount in enumerate(amounts)]


def _run_each():
    """What instructions() runs under valgrind: each case once; prints the amounts."""
    with begun(COUNT_S):
        for case, _ in cases():
            for which in (lib.TD_BENCH_CORE, lib.TD_BENCH_REFERENCE):
                if lib.td_bench_has(case, which):
                    lib.td_bench_run(case, which)
            print(lib.td_bench_amount(case))


def bench(seconds: float = 10.0, rounds: int = ROUNDS, count: bool = False, progress: Callable[[float], None] = lambda share: None) -> dict:
    """Measures everything.

    Returns version, compiler and rows, each with name, unit, core and reference in ns, ratio (None where there is nothing to compare
    with), and instructions where count is true; torch in ns for networks, None without PyTorch; block: worst and mean of 64 samples in
    ns; instances that play on one core at 48 kHz.
    """
    counted = instructions() if count else None
    rows = []
    with begun(seconds):
        steps = lib.td_bench_count() + 1
        for case, name in cases():
            core, reference = _times(case, rounds)
            row = {"name": name, "unit": ffi.string(lib.td_bench_unit(case)).decode(), "core": core, "reference": reference}
            if name in NETWORKS:
                row["torch"] = torch_network_ns(NETWORKS[name], 1000)
            beside = reference or row.get("torch")
            row["ratio"] = beside and beside / core
            if counted:
                row["instructions"] = dict(zip(("core", "reference"), counted[case], strict=True))
            rows.append(row)
            progress((case + 1) / steps)
        worst, mean, block = ffi.new("double *"), ffi.new("double *"), {}
        for which, key in ((lib.TD_BENCH_CORE, "core"), (lib.TD_BENCH_REFERENCE, "reference")):
            lib.td_bench_blocks(which, worst, mean)
            block[key] = {"worst": worst[0], "mean": mean[0]}
        difference = lib.td_bench_difference()
        progress(1.0)
    playing = next(row["core"] for row in rows if row["name"] == PLAYING)
    compiler = ffi.string(lib.td_bench_compiler()).decode()
    return {"version": __version__, "compiler": compiler, "rows": rows, "block": block, "difference": difference,
            "instances": int(1e9 / RATE / playing)}  # fmt: skip


def table(result: dict) -> str:
    """The result for people."""
    counted = any("instructions" in row for row in result["rows"])
    lines = [f"{'':36} {'core':>10} {'reference':>10} {'ratio':>8}" + ("  instructions, core and reference" if counted else "")]
    for row in result["rows"]:
        beside = row["reference"] or row.get("torch")
        line = f"{row['name']:36} {row['core']:10.2f} " + (f"{beside:10.2f} {row['ratio']:6.1f} x" if beside else " " * 19)
        line += f"  ns/{row['unit']}" + (" (PyTorch's)" if row.get("torch") else "")
        if counted:
            line += "".join(f" {n:10.1f}" if n is not None else "" for n in row["instructions"].values())
        lines.append(line)
    for key, name in (("worst", "worst block of 64"), ("mean", "average block of 64")):
        core, reference = result["block"]["core"][key], result["block"]["reference"][key]
        lines.append(f"{name:36} {core / 1e3:10.2f} {reference / 1e3:10.2f} {reference / core:6.1f} x  µs/block")
    lines.append(
        f"{result['instances']} engines play in real time on one core; core and reference differ by {result['difference']:.1e} at most"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    _run_each()
