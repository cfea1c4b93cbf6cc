# SPDX-License-Identifier: MIT
"""What objects cost in real Pd.

    python bench/pd_cost.py [--pd NAME …] [--seconds S] [--rounds N] [--counts N …] [--instructions] [--json FILE]

A patch with one and one with 101 of an object run as fast as they can, without sound card and window; the difference of the processor
times of these processes (user and system), divided by 100, is the cost of one. All hear the same loop of a drum machine, and so play at the
same time. [torchdrum~] with each detector, and in silence, stands beside bonk~, which only detects (apt install puredata-extra; PD_EXTRA
names its folder where Pd does not find it), bench/vanilla_drum.pd, a drum patched by hand, and a gain, the least that an object can cost.
Then 1, 10, 100 and 500 [torchdrum~] in one process. Every patch runs twice, for a short and for a long time, so that starting and creating
do not count; all are run in turns, and medians, least and most of the rounds are told. --instructions counts them by valgrind, one object
beside 11, while the loop is heard once: nearly the same number in every run, whatever else the machine does.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import soundfile as sf
import soxr

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from pd_host import Host, Patch, build_object, find_hosts, run_patch  # noqa: E402

RATE, START_S = 48000, 3.0  # a short run is so long: by then [torchdrum~] is at rest in silence
MANY, MANY_COUNTED = 101, 11
LOOP = ROOT / "tests" / "audio" / "loop_compus.flac"
COUNTER = "valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"
LIMIT_S = 1800  # of a run


@dataclass(frozen=True)
class Object:
    """What is measured. setting: a message that it gets when it is made. sound: the file that it hears."""

    name: str
    words: str
    setting: str = ""
    sound: str = "loop.wav"


OBJECTS = (
    Object("[torchdrum~]", "torchdrum~"),
    Object("[torchdrum~], detector classic", "torchdrum~", "detector classic"),
    Object("[torchdrum~] in silence", "torchdrum~", sound="silence.wav"),
    Object("[bonk~], which only detects", "bonk~"),
    Object("vanilla_drum.pd", "vanilla_drum"),
    Object("[*~ 0.5]", "*~ 0.5"),
)
OWN = OBJECTS[0]


class CannotRun(Exception):
    pass


class Bench:
    """Patches run in one Pd, in a folder that has the object and the sounds."""

    def __init__(self, host: Host, folder: Path):
        self.host, self.folder = host, folder
        self.folders = [folder, ROOT / "bench"]
        if extra := os.environ.get("PD_EXTRA"):
            self.folders.append(Path(extra).resolve())
        build_object(folder, host.double)
        x, rate = sf.read(LOOP, dtype="float32")
        x = soxr.resample(x, rate, RATE, quality="VHQ")
        self.loop_s = len(x) / RATE
        for name, sound in (("loop", x), ("silence", 0.0 * x)):
            sf.write(folder / f"{name}.wav", sound, RATE, subtype="FLOAT")

    def patch(self, what: Object, count: int, seconds: float) -> Patch:
        p = Patch(declare=self.folders)
        start, order = p.obj("loadbang"), p.obj("t b b b b")
        p.cord(start, 0, order)
        p.obj("table sound")
        player, filer, end = p.obj("tabplay~ sound"), p.obj("soundfiler"), p.obj(f"delay {1000 * seconds:g}")
        for outlet, words, to in (
            (3, f"read -resize {what.sound} sound", filer),
            (2, "; pd dsp 1", None),
            (1, "bang", player),
            (0, "bang", end),
        ):
            message = p.msg(words)
            p.cord(order, outlet, message)
            if to is not None:
                p.cord(message, 0, to)
        p.cord(player, 1, player)  # at its end from the beginning
        p.cord(end, 0, p.msg("; pd quit"))
        for _ in range(count):
            box = p.obj(what.words)
            p.cord(player, 0, box)
            if what.setting:  # as a saved patch has it
                p.boxes[box] += f"\n#A {what.setting};"
        return p

    def run(self, what: Object, count: int, seconds: float, before: tuple[str, ...] = ()) -> tuple[float, list[str]]:
        """Processor time in s and the console of one process."""
        begun = resource.getrusage(resource.RUSAGE_CHILDREN)
        log = run_patch(self.host, self.folder, self.patch(what, count, seconds), RATE, before, LIMIT_S)
        done = resource.getrusage(resource.RUSAGE_CHILDREN)
        if wrong := [line for line in log if re.search(r"couldn't create|error:", line)]:
            raise CannotRun(f"{self.host.name} says of {what.name}: {wrong[0]}")
        return done.ru_utime - begun.ru_utime + done.ru_stime - begun.ru_stime, log

    def share(self, what: Object, count: int, seconds: float) -> float:
        """Of a core, that a patch with so many takes."""
        short, long = (self.run(what, count, s)[0] for s in (START_S, START_S + seconds))
        return (long - short) / seconds

    def available(self) -> list[Object]:
        """Those that this Pd can make. Its own ones it must."""
        found = []
        for what in OBJECTS:
            try:
                self.run(what, 1, 0.1)
                found.append(what)
            except CannotRun as error:
                if "bonk~" not in what.words:
                    raise
                print(f"left out: {error}", file=sys.stderr)
        return found

    def costs(self, objects: list[Object], seconds: float, rounds: int) -> list[dict]:
        """ns that one of each object takes for a sample."""
        ns = {what.name: [] for what in objects}
        for _ in range(rounds):
            for what in objects:
                one, many = (self.share(what, count, seconds) for count in (1, MANY))
                ns[what.name].append(1e9 * (many - one) / ((MANY - 1) * RATE))
        return [{"object": name, "ns": statistics.median(of), "least": min(of), "most": max(of)} for name, of in ns.items()]

    def instructions(self, what: Object) -> float:
        """That one object takes for a sample, of those in which the loop is heard once."""
        counts = {}
        for count in (1, MANY_COUNTED):
            for seconds in (START_S, START_S + self.loop_s):
                log = self.run(what, count, seconds, COUNTER)[1]
                found = [match[1] for line in log if (match := re.search(r"I +refs: +([\d,]+)", line))]
                if not found:
                    raise CannotRun(f"valgrind did not count {what.name}: {log[-1] if log else 'it said nothing'}")
                counts[count, seconds > START_S] = int(found[-1].replace(",", ""))
        while_heard = {count: counts[count, True] - counts[count, False] for count in (1, MANY_COUNTED)}
        return (while_heard[MANY_COUNTED] - while_heard[1]) / ((MANY_COUNTED - 1) * RATE * self.loop_s)

    def scaling(self, counts: list[int], seconds: float, rounds: int) -> list[dict]:
        """What so many [torchdrum~] in one process take, beside a patch without any. Few are run for longer: they take so little."""
        lengths = {count: seconds * min(10, max(1, max(counts) // (10 * max(count, 1)))) for count in (0, *counts)}
        shares = {count: [] for count in lengths}
        for _ in range(rounds):
            for count, length in lengths.items():
                shares[count].append(self.share(OWN, count, length))
        rows = []
        for count in counts:
            each = [1e9 * (share - empty) / (count * RATE) for share, empty in zip(shares[count], shares[0], strict=True)]
            rows.append(
                {
                    "objects": count,
                    "share": statistics.median(shares[count]),
                    "ns": statistics.median(each),
                    "least": min(each),
                    "most": max(each),
                }
            )
        return rows


def measure(host: Host, options: argparse.Namespace) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(host, Path(folder))
        objects = bench.available()
        costs = bench.costs(objects, options.seconds, options.rounds)
        if options.instructions:
            for row, what in zip(costs, objects, strict=True):
                row["instructions"] = bench.instructions(what)
        scaling = bench.scaling(options.counts, options.seconds, options.rounds)
    middle = statistics.median(row["ns"] for row in scaling)
    for row in scaling:
        row["deviation"] = row["ns"] / middle - 1
    most = scaling[-1]
    return {"pd": host.name, "rate": RATE, "seconds": options.seconds, "rounds": options.rounds, "costs": costs, "scaling": scaling,
            "in_real_time": int(most["objects"] / most["share"])}  # fmt: skip


def table(result: dict) -> str:
    """The result for people, in Markdown."""
    costs, own = result["costs"], result["costs"][0]["ns"]
    counted = "instructions" in costs[0]
    lines = [f"{result['pd']}, {RATE} Hz, median of {result['rounds']} rounds (least to most)\n"]
    lines.append("| object | ns a sample | of a core | beside [torchdrum~] |" + (" instructions a sample |" if counted else ""))
    lines.append("|---|---|---|---|" + ("---|" if counted else ""))
    for row in costs:
        line = f"| {row['object']} | {row['ns']:.1f} ({row['least']:.1f} to {row['most']:.1f}) "
        line += f"| {row['ns'] * RATE / 1e7:.3f} % | {row['ns'] / own:.2f} |"
        lines.append(line + (f" {row['instructions']:.0f} |" if counted else ""))
    lines.append("\n| [torchdrum~] in one Pd | of a core | ns a sample, each | beside the median |\n|---|---|---|---|")
    for row in result["scaling"]:
        spread = f"{row['ns']:.1f} ({row['least']:.1f} to {row['most']:.1f})"
        lines.append(f"| {row['objects']} | {100 * row['share']:.2f} % | {spread} | {100 * row['deviation']:+.0f} % |")
    lines.append(f"\nBy the last row {result['in_real_time']} play in real time on one core.")
    return "\n".join(lines)


def positive(kind: type):
    def read(text: str):
        if (value := kind(text)) <= 0:
            raise ValueError
        return value

    read.__name__ = f"positive {kind.__name__}"  # argparse says: invalid positive int value
    return read


def main() -> int:
    hosts = find_hosts()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pd", nargs="+", choices=hosts, metavar="NAME", help=f"of {', '.join(hosts) or 'none'} (the first)")
    parser.add_argument("--seconds", type=positive(float), default=6.5, help="of sound in a run (%(default)g: the loop, once)")
    parser.add_argument("--rounds", type=positive(int), default=5, help="of which medians are taken (%(default)s)")
    parser.add_argument("--counts", type=positive(int), nargs="+", default=[1, 10, 100, 500], metavar="N", help="of [torchdrum~] in one Pd")
    parser.add_argument("--instructions", action="store_true", help="count them, too (minutes)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write what was measured")
    options = parser.parse_args()
    if not hosts:
        parser.error("there is no Pd here: apt install puredata-core, or tools/fetch_pd.sh")
    if options.instructions and not shutil.which("valgrind"):
        parser.error("instructions are counted by valgrind, which is not installed: apt install valgrind")
    options.counts.sort()
    results = []
    for name in options.pd or list(hosts)[:1]:
        try:
            results.append(measure(hosts[name], options))
        except CannotRun as error:
            print(error, file=sys.stderr)
            return 1
        print(("\n" if len(results) > 1 else "") + table(results[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
