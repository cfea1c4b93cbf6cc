# SPDX-License-Identifier: MIT
"""Writes help_patches/torchdrum-panel.pd: [torchdrum~] with a face. Parameters, controls, models and presets come from the package.

python tools/panel_patch.py            after a parameter, a control, a model, a preset or this file changed
python tools/panel_patch.py --check    exit 1 when the panel is not what this would write
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

from pd_canvas import Canvas, write_or_check

import torchdrum_py as td

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "help_patches" / "torchdrum-panel.pd"

WIDTH, HEIGHT, TICK_MS = 640, 445, 50
# White is what was set, cyan what is heard, amber what the stroke does with the drum.
GROUND, WELL, LINE, GREY, WHITE, CYAN, AMBER = "#14171a", "#22272c", "#3a424a", "#93a1ad", "#f2f5f7", "#3fc8e8", "#ffb020"
DATA_GREY, DATA_WHITE, DATA_CYAN, DATA_AMBER = 444, 777, 267, 850  # the same for arrays and data structures

FADERS = td.PARAMS
FADER_X, FADER_Y, FADER_HEIGHT, FADER_STEP = 16, 323, 70, 45
CONTROLS = ["depth", "mix", "sensitivity", "hold", "gain"]
CONTROL_X, CONTROL_Y, CONTROL_WIDTH, CONTROL_STEP = 104, 162, 210, 17
COLUMNS, SCOPE, STROKES = 120, (8, 30, 330, 104), 12  # the strokes have a strip below the curves
METERS, METER_LEAST_DB, METER_FALL_DB = {"in": 348, "out": 368}, -60, 2.5
RADAR = (398, 30, 98, 94)
LISTS = {"model": ("load", 506, 46, 126, 225), "preset": ("preset", 398, 171, 98, 70)}
RANGE = (-60, 0, 30, 120, -60, 0)  # of the features, until the object tells its model's
PASSING = "meter get dump bang print trigger latency version state"  # messages that change nothing
OTHER_ANSWERS = "meter level error"  # answers that tell of no change


def model_names() -> list[str]:
    """Those that come with the object, plain ones first."""
    names = [path.stem for path in (ROOT / "models").glob("*.safetensors")]
    return sorted(names, key=lambda name: (f"808_{name}" not in td.preset_names(), name))


def named(name: str) -> str:
    """A name that only this panel has."""
    return f"\\$0-{name}"


# ---- what is seen ----


def box(c: Canvas, x: int, y: int, width: int, height: int, colour: str, receive: str = "empty") -> int:
    return c.obj(x, y, f"cnv 1 {width} {height} empty {receive} empty 0 0 0 10 {colour} {colour} 0")


def label(c: Canvas, x: int, y: int, words: str, size: int = 11, colour: str = GREY, receive: str = "empty") -> int:
    """Text from x on, y is its middle."""
    return c.obj(x, y, f"cnv 1 1 1 empty {receive} {words} 0 0 0 {size} {GROUND} {colour} 0")


def slider(c: Canvas, x: int, y: int, kind: str, size: tuple[int, int], span, log: bool, name: str, knob: str, steady: int) -> int:
    width, height = size
    ends = f"{span[0]:g} {span[1]:g} {int(log)} 0 {named(f'u-{name}')} {named(f'g-{name}')}"
    return c.obj(x, y, f"{kind} {width} {height} {ends} empty 0 0 0 10 {WELL} {knob} {knob} 0 {steady}")


def scale_of(name: str) -> tuple[float, float, bool]:
    """From where to where a slider goes, and whether by ratios."""
    p = next(p for p in (*td.PARAMS, *td.CONTROLS) if p.name == name)
    least = 1 if name == "hold" else p.min
    return least, p.max, name == "hold" or (p.unit in ("Hz", "ms", "Q") and p.min > 0)


def fraction(name: str) -> str:
    """Where on its slider a value stands, 0 to 1."""
    least, most, log = scale_of(name)
    where = f"log(max($f1, {least:g})/{least:g})/{math.log(most / least):.7g}" if log else f"($f1-({least:g}))/{most - least:g}"
    return f"min(max({where}, 0), 1)"


def digits(unit: str) -> int:
    """Behind the point: what an ear can tell."""
    return {"dB": 1, "Q": 1, "ratio": 2, "x": 2}.get(unit, 0)


def face(c: Canvas):
    """Everything that is seen, from the back to the front."""
    box(c, 0, 0, WIDTH, HEIGHT, GROUND, named("ground"))
    label(c, 8, 15, "torchdrum", 15, AMBER)
    label(c, 104, 15, "-", 15, WHITE, named("t-model"))
    label(c, 270, 15, "cpu\\ %", 11)
    label(c, 312, 15, "-", 11, WHITE, named("t-cpu"))

    x, y, width, height = SCOPE
    box(c, x, y, width, height, WELL)
    c.graph(x, y, width, height - STROKES - 3, 0, 100, COLUMNS, [named(name) for name in ("level", "threshold", "rise")], show=False)
    c.graph(x, y + height - STROKES, width, STROKES, 0, 110, COLUMNS, [named("hits")], show=False)
    for words, left, colour in (("input", 0, GREY), ("rise", 50, CYAN), ("threshold", 94, WHITE), ("stroke", 172, AMBER)):
        label(c, x + left, y + height + 12, words, 11, colour)
    for name, left in METERS.items():
        box(c, left, y, 12, height, WELL)
        box(c, left, y + height - 1, 12, 1, CYAN if name == "in" else AMBER, named(f"m-{name}"))
        label(c, left - 1, y + height + 12, name, 11)
    label(c, 384, y + 5, "0", 8)
    for db in (-20, -40):
        label(c, 384, y + round(height * db / METER_LEAST_DB), str(-db), 8)

    for i, name in enumerate(CONTROLS):
        y = CONTROL_Y + CONTROL_STEP * i
        least, most, log = scale_of(name)
        label(c, 8, y + 5, name, 12, WHITE)
        slider(c, CONTROL_X, y, "hsl", (CONTROL_WIDTH, 11), (least, most), log, name, WHITE, 1)
        label(c, CONTROL_X + CONTROL_WIDTH + 8, y + 5, "-", 12, WHITE, named(f"t-{name}"))

    x, y, width, height = RADAR
    box(c, x, y, width, height, WELL)
    c.patch(x, y, radar_window(named("grid"), width, height), named("grid"))
    c.patch(x, y, radar_window(named("radar"), width, height), named("radar"))
    for name, word, left, top in (("loudness", "loud", 4, 9), ("flatness", "noisy", 0, height + 9), ("centroid", "bright", 54, height + 9)):
        label(c, x + left, y + top, word, 10)
        label(c, x + left, y + top + 12, "empty", 10, CYAN, named(f"t-{name}"))

    for kind, (_, x, y, width, height) in LISTS.items():
        names = model_names() if kind == "model" else td.preset_names()
        label(c, x, y - 11, kind, 12, WHITE)
        step = height // len(names)
        slider(c, x, y, "vsl", (width, step * len(names)), (len(names), 0), False, kind, WELL, 0)
        box(c, x, y, 1, 1, WELL, named(f"h-{kind}"))
        for i, name in enumerate(names):
            label(c, x + 5, y + step * i + step // 2, name.removeprefix("808_"), min(10, step), WHITE)

    for i, p in enumerate(FADERS):
        x, y = FADER_X + FADER_STEP * i, FADER_Y
        least, most, log = scale_of(p.name)
        for k, word in enumerate(p.name.split("_")):
            label(c, x - 6, y - 38 + 12 * k, word, 10, WHITE)
        slider(c, x, y, "vsl", (12, FADER_HEIGHT), (least, most), log, p.name, WHITE, 1)
        box(c, x + 16, y - 2, 7, FADER_HEIGHT + 5, WELL)
        box(c, x + 16, y, 7, 2, AMBER, named(f"b-{p.name}"))
        label(c, x - 8, y + FADER_HEIGHT + 14, "-", 11, WHITE, named(f"t-{p.name}"))
        label(c, x - 8, y + FADER_HEIGHT + 28, "empty", 11, AMBER, named(f"q-{p.name}"))
        if p.unit in ("Hz", "ms", "dB"):
            label(c, x + 20, y + FADER_HEIGHT + 41, p.unit, 10)


def radar_window(name: str, width: int, height: int) -> Canvas:
    """A window of -1 to 1 with y upwards, for data structures."""
    c = Canvas(f"700 300 300 300 {name} 0")
    c.after = [f"#X coords -1 1 1 -1 {width} {height} 2 0 0;"]
    return c


# ---- what it does ----


def send(name: str) -> str:
    return f"s {named(name)}"


def receive(name: str) -> str:
    return f"r {named(name)}"


def text_of(c: Canvas, x: int, y: int, source: int, outlet: int, places: int, target: str, width: int = 0, unit: str = ""):
    """A number as a label, drawn again only when it reads differently."""
    rounded = f"expr rint($f1*{10**places})/{10**places}+0"  # + 0: never -0
    form = f"makefilename %{width or ''}.{places}f" + (f"\\ {unit}" if unit else "")
    first, *_ = c.down(x, y, rounded, "change -1e+09", form, "(label \\$1)", send(target))
    c.cord(source, outlet, first)


def latest(c: Canvas, x: int, y: int, name: str) -> int:
    """The last list that came, at the next tick; returns the box it comes out of."""
    came, store = c.down(x, y + 52, "t b l", "list append")
    c.cord(c.obj(x, y + 26, receive(name)), 0, came)
    one = c.msg(x + 150, y + 52, "1")
    new, _, order = c.down(x + 150, y + 104, "f", "sel 1", "t b b")
    c.down(x + 150, y + 78, receive("tick"), new)
    nought = c.msg(x + 220, y + 156, "0")
    c.cord(came, 1, store, 1)
    c.cord(came, 0, one)
    c.cord(one, 0, new, 1)
    c.cord(order, 1, nought)
    c.cord(nought, 0, new, 1)
    c.cord(order, 0, store)
    return store


def fader(p: td.Param, index: int) -> Canvas:
    """One parameter: its fader follows the object and moves it; the bar beside it goes from there to what the last stroke played."""
    c = Canvas(f"200 100 860 460 {p.name} 0")
    c.down(20, 20, receive(f"u-{p.name}"), f"({p.name} \\$1)", send("say"))
    value = c.down(180, 20, receive(f"v-{p.name}"), "change -1e+09", "t f f f")[-1]
    follow, _ = c.down(300, 98, "(set \\$1)", send(f"g-{p.name}"))
    c.cord(value, 2, follow)
    text_of(c, 180, 150, value, 1, digits(p.unit), f"t-{p.name}", 6)
    played = c.down(420, 20, receive(f"p-{p.name}"), "change -1e+09", "t f f")[-1]
    text_of(c, 420, 150, played, 1, digits(p.unit), f"q-{p.name}", 6)
    height = f"{FADER_HEIGHT - 1}*{fraction(p.name)}"
    base, target = c.expr(20, 300, height), c.expr(420, 300, f"1+{height}")  # 0: nothing was played yet
    c.cord(value, 0, base)
    c.cord(played, 0, target)
    order = c.obj(20, 330, "t b f")
    top = f"{FADER_Y + FADER_HEIGHT - 2}-rint(max($f1-1, $f2))"
    both = c.expr(420, 350, f"{top}; if($f1 == 0, 2, rint(abs($f1-1-$f2))+2)")
    c.wire(base, order)
    c.cord(order, 1, both, 1)
    c.cord(order, 0, both)
    c.cord(target, 0, both)
    x = FADER_X + FADER_STEP * index + 16
    place, bar = c.down(420, 400, f"(pos {x} \\$1)", send(f"b-{p.name}"))
    size = c.msg(540, 400, "vis_size 7 \\$1")
    c.wire(both, place)
    c.cord(both, 1, size)
    c.wire(size, bar)
    return c


def control(name: str) -> Canvas:
    c = Canvas(f"300 100 500 330 {name} 0")
    c.down(20, 20, receive(f"u-{name}"), f"({name} \\$1)", send("say"))
    value = c.down(180, 20, receive(f"v-{name}"), "route float", "change -1e+09", "t f f")[-1]  # depth of one parameter is told, too
    follow, _ = c.down(300, 124, "(set \\$1)", send(f"g-{name}"))
    c.cord(value, 1, follow)
    unit = td.find_control(name).unit
    text_of(c, 180, 150, value, 0, digits(unit), f"t-{name}", 0, unit if unit in ("ms", "dB") else "")
    return c


def played() -> Canvas:
    """What the last stroke played, to each of the faders."""
    c = Canvas("20 100 1360 340 played 0")
    split = c.obj(20, 240, "unpack" + " f" * len(FADERS))
    c.cord(latest(c, 20, 20, "params"), 0, split)
    for i, p in enumerate(FADERS):
        c.cord(split, i, c.obj(20 + 92 * i, 280 + 30 * (i % 2), send(f"p-{p.name}")))
    return c


def choice(kind: str) -> Canvas:
    """A list of names: a click sends one, the bar stands where the object is."""
    message, x, y, width, height = LISTS[kind]
    names = model_names() if kind == "model" else td.preset_names()
    step = height // len(names)
    c, foot = Canvas(f"200 60 860 700 {kind} 0"), 180 + 22 * len(names)
    order = c.down(20, 20, receive(f"u-{kind}"), "t f b")[-1]
    row = c.down(20, 72, f"expr min(int($f1), {len(names) - 1})", "change -1", "sel " + " ".join(map(str, range(len(names)))))
    c.wire(order, row[0])
    # a drag sends each name once; clicked again a name is sent again
    c.cord(order, 1, c.down(240, 46, "delay 300", "(set -1)", row[1])[0])
    target = c.obj(20, foot, send("say"))
    for i, name in enumerate(names):
        c.cord(row[-1], i, c.down(20 + 24 * i, 150 + 22 * i, f"({message} {name})", target)[0])
    route = c.down(20, foot + 40, receive(f"v-{kind}"), "route " + " ".join(names))[-1]
    index = c.obj(20, foot + 170, "change -2")
    for i in range(len(names) + 1):
        number = c.msg(20 + 40 * i, foot + 140, str(i if i < len(names) else -1))
        c.cord(route, i, number)
        c.wire(number, index)
    shown, bar = c.obj(20, foot + 196, "moses 0"), c.obj(20, foot + 290, send(f"h-{kind}"))
    c.wire(index, shown)
    c.cord(shown, 0, c.down(20, foot + 230, f"(vis_size 1 1 \\, color {WELL} {WELL})", bar)[0])
    place = f"(color {LINE} {LINE} \\, vis_size {width} {step} \\, pos {x} \\$1)"
    c.cord(shown, 1, c.down(420, foot + 196, f"expr {y}+$f1*{step}", place, bar)[0])
    return c


def title() -> Canvas:
    """The name of the model, without its folder."""
    c = Canvas("300 100 420 300 title 0")
    split = c.down(20, 20, receive("v-model"), "list append", "file splitname")[-1]
    same, order = c.obj(20, 124, "sel -"), c.down(20, 150, "t a a", "makefilename %.20s", "(label \\$1)", send("t-model"))[0]
    c.cord(split, 1, same)
    c.cord(same, 1, order)
    c.cord(order, 1, same, 1)
    return c


def scope() -> Canvas:
    """Level, rise, threshold and strokes of the last seconds. What was the same for a whole width stands still."""
    c = Canvas("60 80 1300 480 scope 0")
    c.down(
        760, 20, "loadbang", "f \\$0",
        f"(\\; \\$1-level color {DATA_GREY} \\; \\$1-threshold color {DATA_WHITE} \\; \\$1-rise color {DATA_CYAN} \\; \\$1-rise width 2 "
        f"\\; \\$1-hits color {DATA_AMBER} \\; \\$1-hits width 2)",
    )  # fmt: skip
    order = c.down(20, 20, receive("tick"), "t b b")[-1]
    c.cord(order, 1, c.down(180, 46, "(meter)", send("ask"))[0])
    meter = c.down(360, 110, receive("v-meter"), "unpack f f f f")[-1]
    c.cord(meter, 3, c.obj(580, 166, send("cpu")))
    c.cord(meter, 0, c.obj(260, 166, send("in")))
    hits = c.obj(20, 208, "f")
    c.cord(c.down(60, 130, receive("hit"), "(100)")[-1], 0, hits, 1)
    nought = c.msg(140, 156, "0")
    c.cord(nought, 0, hits, 1)
    sources = {"level": "100+$f1/0.6", "rise": "$f1*2.5", "threshold": "$f1*2.5", "hits": ""}
    for i, (name, words) in enumerate(sources.items()):
        x = 20 + 320 * ((i + 1) % len(sources))
        if words:
            value = c.expr(x, 208, f"rint(min(max({words}, 0), 100))")
            c.cord(meter, i, value)
            new = c.down(x, 234, "f")[0]
            c.cord(value, 0, new, 1)
        else:
            new = hits
        # another value than before: so many columns until all are the same
        store = c.down(x, 260, new, "t f f f")[-1]
        left, again, moves = c.down(x, 286, f"expr if($f1 != $f2, {COLUMNS}, max($f3-1, 0))", "t f f", "sel 0")
        array = f"array get {named(name)} 1 {COLUMNS - 1}"
        scroll, _, append, _ = c.down(x, 390, "t b b", array, "list append", f"array set {named(name)}")
        c.cord(scroll, 1, c.obj(x + 80, 364, send("scroll")))
        c.cord(order, 0, new)
        c.cord(store, 2, append, 1)
        c.cord(store, 1, left)
        c.cord(store, 0, left, 1)
        c.cord(again, 1, left, 2)
        c.cord(moves, 1, scroll)
    c.cord(order, 0, nought)  # after the strokes were taken
    return c


def meters() -> Canvas:
    """Levels that rise at once and fall slowly, in dB above the least."""
    c = Canvas("300 100 640 420 meters 0")
    top, height = SCOPE[1], SCOPE[3]
    for i, name in enumerate(METERS):
        x = 20 + 300 * i
        fall, keep = c.down(x, 182, f"expr max(min($f1, 0)+{-METER_LEAST_DB}, max($f2-{METER_FALL_DB}, 0))", "t f f")
        order = c.down(x, 234, keep, f"expr rint($f1*{height / -METER_LEAST_DB:.6g})", "change -1", "t f f")[-1]
        target = c.down(x, 312, order, "(vis_size 12 \\$1)", send(f"m-{name}"))[-1]
        c.cord(keep, 1, fall, 1)
        c.cord(order, 1, c.down(x + 140, 286, f"expr {top + height}-max($f1, 1)", f"(pos {METERS[name]} \\$1)", target)[0])
        if name == "in":
            c.down(x, 20, receive("in"), fall)
            continue
        # RMS as it comes, more than once a tick; 100 dB of env~ are full scale
        louder = c.down(x, 20, receive("out"), f"expr max($f1-{100 + METER_LEAST_DB}, $f2)")[-1]
        store = c.down(x, 98, "f", f"+ {METER_LEAST_DB}", fall)[0]
        tick, least = c.down(x + 160, 20, receive("tick"), "t b b")[-1], c.msg(x + 160, 98, "0")
        c.cord(tick, 1, store)
        c.cord(tick, 0, least)
        for new, boxes in ((louder, (store, louder)), (least, (store, louder))):
            for box_ in boxes:
                c.cord(new, 0, box_, 1)
    return c


def cpu() -> Canvas:
    """The object's own, as the mean of a second."""
    c = Canvas("300 100 420 340 cpu 0")
    ticks = 1000 // TICK_MS
    sum_, order = c.down(20, 20, receive("cpu"), "expr $f1+$f2", "t b f f")[1:]
    count, more, full = c.down(20, 98, "f", "+ 1", f"sel {ticks}")
    c.cord(order, 2, sum_, 1)
    c.cord(order, 0, count)
    c.cord(more, 0, count, 1)
    done = c.obj(20, 176, "t b b b")
    c.wire(full, done)
    mean = c.obj(20, 228, f"/ {ticks}")
    total, nought = c.obj(20, 202, "f"), c.msg(120, 202, "0")
    c.cord(order, 1, total, 1)
    c.wire(total, mean)
    c.cord(done, 2, total)
    c.cord(done, 1, nought)
    c.cord(nought, 0, sum_, 1)
    c.cord(nought, 0, count, 1)
    text_of(c, 180, 228, mean, 0, 1, "t-cpu")
    return c


CORNERS = {"loudness": (0.0, 1.0), "centroid": (0.866, -0.5), "flatness": (-0.866, -0.5)}
RADIUS = 0.82


def radar() -> Canvas:
    """The features of the last stroke, each in the range that the model knows."""
    c = Canvas("100 60 1340 620 radar-of-features 0")
    grid, shape = Canvas(f"700 300 300 200 {named('grid-template')} 0"), Canvas(f"700 300 300 200 {named('radar-template')} 0")
    grid.obj(20, 20, f"struct {named('grid')} float x float y")
    for size in (1, 0.5):
        points = [f"{RADIUS * size * a:.4g} {RADIUS * size * b:.4g}" for a, b in CORNERS.values()]
        grid.obj(20, 46, f"drawpolygon {DATA_GREY} 1 {' '.join([*points, points[0]])}")
    for a, b in CORNERS.values():
        grid.obj(20, 98, f"drawpolygon {DATA_GREY} 1 0 0 {RADIUS * a:.4g} {RADIUS * b:.4g}")
    fields = [f"{axis}{i}" for i in range(3) for axis in "ab"]
    shape.obj(20, 20, f"struct {named('radar')} float x float y {' '.join(f'float {f}' for f in fields)}")
    shape.obj(20, 46, f"filledpolygon {DATA_CYAN} {DATA_CYAN} 2 {' '.join(fields)}")
    c.patch(700, 20, grid, named("grid-template"))
    c.patch(700, 46, shape, named("radar-template"))

    put = c.obj(20, 500, f"set {named('radar')} {' '.join(fields)}")
    for x, name in ((220, "grid"), (20, "radar")):
        where = f"(traverse pd-\\$1-{name} \\, bang)"
        made = c.down(x, 20, "loadbang", "f \\$0", where, "pointer", "t b p", "(0)", f"append {named(name)} x y")
        c.cord(made[4], 1, made[-1], 2)
    c.cord(made[-1], 0, put, len(fields))

    split = c.down(440, 230, latest(c, 440, 20, "features"), "unpack f f f")[-1]
    range_ = c.down(700, 126, receive("v-range"), "unpack f f f f f f")[-1]
    c.down(760, 72, "loadbang", f"({' '.join(map(str, RANGE))})", range_)
    corners = c.expr(20, 360, "; ".join(f"$f{k + 1}*{RADIUS * v:.4g}" for k, ab in enumerate(CORNERS.values()) for v in ab))
    c.cords += [f"#X connect {corners} {k} {put} {k};" for k in range(len(fields))]
    for k, name in enumerate(CORNERS):
        x = 260 + 370 * k
        part = c.down(x, 300, "expr min(max(($f1-$f2)/max($f3-$f2, 0.001), 0.04), 1)")[0]
        c.cord(split, k, part)
        c.cord(range_, 2 * k, part, 1)
        c.cord(range_, 2 * k + 1, part, 2)
        c.cord(part, 0, corners, k)
        text_of(c, x + 120, 400, split, k, 0, f"t-{name}", unit="st" if name == "centroid" else "dB")
    return c


def follow() -> Canvas:
    """After anything that may have changed something: asks the object for everything, at the next tick."""
    c = Canvas("60 100 1380 500 follow 0")
    stale, _, order = c.down(20, 46, "f 1", "sel 1", "t b b b b b b")
    c.down(20, 20, receive("clock"), stale)
    one, nought = c.down(160, 20, receive("dirty"), "(1)")[-1], c.msg(420, 150, "0")
    c.cord(one, 0, stale, 1)
    c.cord(order, 5, nought)
    c.cord(nought, 0, stale, 1)
    ask = c.obj(160, 180, send("ask"))
    for outlet, x, words in ((4, 340, "(dump)"), (3, 240, "(get range)"), (1, 160, "(state)")):
        c.cord(order, outlet, c.down(x, 150, words, ask)[0])
    # a state without a preset has none
    preset, none = c.down(20, 180, "list append", "list trim", send("v-preset"))[0], c.down(480, 150, "(none)", "list append")
    c.cord(order, 2, none[0])
    c.cord(order, 0, preset)
    c.cord(none[-1], 0, preset, 1)

    known = ["meter", "range", "model", *CONTROLS, *(p.name for p in FADERS)]
    answers = c.down(20, 280, receive("info"), "route state " + " ".join(known))[-1]
    c.cord(answers, 0, c.obj(480, 280, "route preset"))
    c.cord(c.count - 1, 0, none[-1])
    for i, name in enumerate(known, 1):
        c.cord(answers, i, c.obj(20 + 165 * (i % 8), 380 + 30 * (i // 8), send(f"v-{name}")))
    return c


def state() -> Canvas:
    """Kept with the patch that holds the panel: what the object tells of its state."""
    c = Canvas("300 100 520 360 state 0")
    keep = c.obj(20, 20, "savestate")
    again = c.down(20, 46, keep, "t l b", "list trim", "route kept")
    c.cord(again[1], 1, c.obj(140, 124, send("start")))
    c.cord(again[3], 0, c.down(20, 150, "(0)", send("restored"))[0])
    c.cord(again[3], 1, c.obj(80, 150, send("say")))
    order = c.obj(260, 20, "t b b b b")
    c.cord(keep, 1, order)
    told = c.down(260, 200, receive("info"), "route state", "spigot", "list append", keep)
    for outlet, words, x in ((3, "1", 440), (0, "0", 320)):
        message = c.msg(x, 72, words)
        c.cord(order, outlet, message)
        c.cord(message, 0, told[2], 1)
    c.cord(order, 2, c.down(400, 98, "(kept)", told[3])[0])  # without a change, too
    c.cord(order, 1, c.down(260, 124, "(state)", send("ask"))[0])
    return c


def answers() -> Canvas:
    """What the panel itself asked for stays inside; everything else goes on to the outlet."""
    c = Canvas("300 100 520 330 answers 0")
    inlet = c.obj(20, 20, "inlet")
    inside, _ = c.down(220, 150, "spigot 0", send("info"))
    outside = c.down(20, 150, "spigot 1", "outlet")[0]
    c.wire(inlet, outside)
    c.wire(inlet, inside)
    asked = c.down(220, 20, receive("inside"), "t f f")[-1]
    c.cord(asked, 1, inside, 1)
    c.cord(c.down(120, 98, asked, "== 0")[-1], 0, outside, 1)
    news = c.obj(20, 202, f"route {OTHER_ANSWERS}")
    c.wire(outside, news)
    c.cord(news, len(OTHER_ANSWERS.split()), c.obj(20, 228, send("dirty")))
    return c


def arguments() -> Canvas:
    """As [torchdrum~] takes them: -d, -seed n, a model. Not when the state was kept with the patch: it tells them all."""
    c = Canvas("300 100 780 420 arguments 0")
    order, kept = c.down(20, 20, "loadbang", "t b b", "spigot 1")[1:]
    c.cord(order, 1, c.obj(80, 72, send("start")))
    flags = c.down(20, 98, kept, "(args)", "pdcontrol", "list trim", "route -d -seed -m")[-1]
    c.cord(c.obj(200, 46, receive("restored")), 0, kept, 1)
    say, again = c.obj(20, 300, send("say")), c.obj(400, 150, "list trim")
    c.wire(again, flags)
    off = c.down(20, 202, "t a b", again)[0]
    c.cord(off, 1, c.down(60, 260, "(enable 0)", say)[0])
    seed = c.down(160, 202, "list split 1", "(seed \\$1)", say)[0]
    c.cord(seed, 1, again)
    many = c.down(280, 202, "t a b", again)[0]
    c.cord(many, 1, c.down(320, 272, "(a panel shows one channel: -m is ignored)", "print torchdrum-panel")[0])
    model = c.down(620, 202, "list append", "list split 1", "(load \\$1)", say)[0]
    for outlet, box_ in enumerate((off, seed, many, model)):
        c.cord(flags, outlet, box_)
    return c


def beside() -> Canvas:
    """Models beside the patch that holds the panel are found, as by an object in that patch."""
    c = Canvas("300 100 420 300 beside-the-patch 0")
    once = c.down(
        20, 20, receive("start"), "spigot 1", "t b b", "(dir 1)", "pdcontrol", "list prepend declare -path", "list trim", send("panel")
    )  # fmt: skip
    c.cord(once[2], 1, c.down(160, 98, "(0)")[0])
    c.cord(c.count - 1, 0, once[1], 1)
    return c


def main_patch() -> Canvas:
    c = Canvas("120 40 700 900 12")
    face(c)
    y = HEIGHT + 50
    c.text(20, HEIGHT + 12, "[torchdrum~] with a face: same arguments, inlet and outlets. tools/panel_patch.py writes it.", 95)
    c.obj(540, y - 4, f"namecanvas {named('panel')}")
    clock = c.down(580, y + 26, "loadbang", "metro " + str(TICK_MS), "t b b", "(isvisible)", "pdcontrol", "sel 1", send("tick"))
    c.cord(clock[2], 1, c.obj(660, y + 82, send("clock")))

    inlet = c.obj(20, y, "inlet~ fwd")
    drum = c.obj(20, y + 130, "torchdrum~")
    c.wire(inlet, drum)
    order = c.obj(110, y + 26, "t a a")
    c.cord(inlet, 1, order)
    c.cord(order, 1, drum)
    quiet = c.obj(110, y + 52, f"route {PASSING}")
    c.wire(order, quiet)
    c.cord(quiet, len(PASSING.split()), c.obj(390, y + 98, send("dirty")))
    c.down(110, y + 104, receive("to"), drum)
    for k, name in enumerate(("out", "", "hit", "features", "params")):
        x = 20 + 105 * k
        c.cord(drum, k, c.obj(x, y + 220, "outlet~" if k < 2 else "outlet"))
        if name == "out":
            c.cord(drum, k, c.down(x, y + 160, "env~ 1024 512", send(name))[0])
        elif name:
            c.cord(drum, k, c.obj(x, y + 186, send(name)))
    said = c.patch(545, y + 186, answers(), "answers")
    c.cord(drum, 5, said)
    c.down(545, y + 220, said, "outlet")

    # a change by the panel, and a question
    c.down(20, y + 250, receive("say"), "t b a")
    c.cord(c.count - 1, 1, c.obj(60, y + 302, send("to")))
    c.cord(c.count - 2, 0, c.obj(20, y + 328, send("dirty")))
    c.down(160, y + 250, receive("ask"), "t b a b")
    ask, inside = c.count - 1, c.obj(160, y + 328, send("inside"))
    c.cord(ask, 2, c.down(310, y + 302, "(1)", inside)[0])
    c.cord(ask, 1, c.obj(210, y + 302, send("to")))
    c.cord(ask, 0, c.down(160, y + 302, "(0)", inside)[0])

    x, y = 20, y + 360
    parts = [follow(), state(), arguments(), beside(), title(), scope(), meters(), cpu(), radar(), played()]
    parts += [choice(kind) for kind in LISTS] + [control(name) for name in CONTROLS] + [fader(p, i) for i, p in enumerate(FADERS)]
    for i, part in enumerate(parts):
        c.patch(20 + 165 * (i % 4), y + 28 * (i // 4), part, part.lines[0].split()[-2])
    c.after = [f"#X coords 0 -1 1 1 {WIDTH} {HEIGHT} 2 0 0;"]
    return c


if __name__ == "__main__":
    sys.exit(write_or_check(__doc__, OUTPUT, main_patch()))
