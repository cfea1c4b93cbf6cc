# SPDX-License-Identifier: MIT
"""What objects cost in real Pd: python bench/pd_cost.py [--pd NAME]

A patch with 1 and one with 101 of an object run as fast as they can, without sound card and window; the difference of their processor
times, divided by 100, is the cost of one. [torchdrum~] with each detector, in a loop of drums and in silence, stands beside bonk~, which
only detects, and bench/vanilla_drum.pd, a drum that one would patch by hand. Then 1, 10, 100 and 500 objects in one process. Sizes are run
in turns, each with a short and a long sound, so that starting does not count; medians and the spread are printed. Needs puredata-extra for
bonk~ (apt).
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile as sf

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "pd"))
from harness import Host, Patch, build_object, find_hosts, run_patch  # noqa: E402

RATE, MANY = 48000, 100
FEW = (1, 10, 100, 500)
SILENT = "[torchdrum~] in silence"
OBJECTS = {  # what stands in the patch; where empty, only the player runs
    "[torchdrum~]": "torchdrum~",
    "[torchdrum~ -detector classic]": "torchdrum~ -detector classic",
    SILENT: "torchdrum~",
    "[bonk~], which only detects": "bonk~",
    "vanilla_drum.pd": "vanilla_drum",
    "[*~ 0.5]": "*~ 0.5",
}


def groove(folder: Path):
    x = sf.read(ROOT / "tests" / "audio" / "loop_compus.flac", dtype="float32")[0]
    sf.write(folder / "in.wav", x, RATE, subtype="FLOAT")
    sf.write(folder / "silence.wav", np.zeros(RATE, np.float32), RATE, subtype="FLOAT")


def patch(words: str, count: int, seconds: float, sound: str, folder: Path) -> Patch:
    p = Patch(declare=[folder, ROOT / "bench"])
    start, order = p.obj("loadbang"), p.obj("t b b b b")
    p.cord(start, 0, order)
    filer, table, player = p.obj("soundfiler"), p.obj("table in"), p.obj("tabplay~ in")
    assert table
    end, bye = p.obj(f"del {1000 * seconds:g}"), p.msg("; pd quit")
    for outlet, words_, to in ((3, f"read -resize {sound} in", filer), (2, "; pd dsp 1", None), (1, "bang", player), (0, "bang", end)):
        box = p.msg(words_)
        p.cord(order, outlet, box)
        if to is not None:
            p.cord(box, 0, to)
    p.cord(player, 1, player)  # from the begin again
    p.cord(end, 0, bye)
    for _ in range(count):
        p.cord(player, 0, p.obj(words))
    return p


def cpu_s(host: Host, p: Patch, folder: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    log = run_patch(host, folder, p, RATE, timeout=600)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if wrong := [line for line in log if "couldn't create" in line]:
        sys.exit(f"{host.name} {wrong[0]}: is puredata-extra installed?")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def share(host: Host, words: str, count: int, seconds: float, sound: str, folder: Path) -> float:
    """Of a core that so many objects take: from a run that is so many seconds longer than another one."""
    short, long = (cpu_s(host, patch(words, count, s, sound, folder), folder) for s in (1.0, 1.0 + seconds))
    return (long - short) / seconds


def one_against_many(host: Host, seconds: float, rounds: int, folder: Path) -> list[dict]:
    """Cost of one of each object in ns for a sample: median, least and most of the rounds."""
    costs = {name: [] for name in OBJECTS}
    for _ in range(rounds):
        for name, words in OBJECTS.items():
            sound = "silence.wav" if name == SILENT else "in.wav"
            few, many = (share(host, words, count, seconds, sound, folder) for count in (1, 1 + MANY))
            costs[name].append(1e9 * (many - few) / (MANY * RATE))
    return [{"object": name, "ns": statistics.median(c), "least": min(c), "most": max(c)} for name, c in costs.items()]


def scaling(host: Host, seconds: float, rounds: int, folder: Path) -> list[dict]:
    """Share of a core that so many [torchdrum~] take, and what each takes beside what each of 100 takes."""
    shares = {count: [] for count in (0, *FEW)}
    for _ in range(rounds):
        for count in shares:
            shares[count].append(share(host, "torchdrum~", count, seconds, "in.wav", folder))
    empty, *others = (statistics.median(s) for s in shares.values())
    each = {count: (other - empty) / count for count, other in zip(FEW, others, strict=True)}
    return [{"objects": count, "share": other, "of_100": each[count] / each[100]} for count, other in zip(FEW, others, strict=True)]


def main():
    hosts = find_hosts()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pd", choices=hosts, default=next(iter(hosts), None), help="which of those that are here (%(default)s)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of sound in a run (%(default)g)")
    parser.add_argument("--rounds", type=int, default=3, help="of which medians are taken (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write what was measured")
    options = parser.parse_args()
    if not hosts:
        sys.exit("there is no Pd here: apt install puredata-core")
    host = hosts[options.pd]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        build_object(folder, host.double)
        groove(folder)
        costs = one_against_many(host, options.seconds, options.rounds, folder)
        own = costs[0]["ns"]
        print(f"{host.name}, {RATE} Hz\n\n| object | ns a sample | of a core | beside [torchdrum~] |\n|---|---|---|---|")
        for row in costs:
            print(f"| {row['object']} | {row['ns']:.1f} ({row['least']:.1f} to {row['most']:.1f}) | {row['ns'] * RATE / 1e7:.3f} % "
                  f"| {row['ns'] / own:.2f} |", flush=True)  # fmt: skip
        counts = scaling(host, options.seconds, options.rounds, folder)
        print("\n| [torchdrum~] in one Pd | of a core | each, beside 100 of them |\n|---|---|---|")
        for row in counts:
            print(f"| {row['objects']} | {100 * row['share']:.2f} % | {row['of_100']:.2f} |")
        print(f"\n{FEW[-1] / counts[-1]['share']:.0f} play in real time on one core")
    if options.json:
        options.json.write_text(json.dumps({"pd": host.name, "cost": costs, "scaling": counts}, indent=1) + "\n")


if __name__ == "__main__":
    main()
