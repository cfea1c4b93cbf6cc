# SPDX-License-Identifier: MIT
"""The panel for Max: [bpatcher torchdrum.panel], a [torchdrum~] with a face.

What the object is asked twenty times a second stays inside, everything else that it answers goes on to the last outlet.
"""

from __future__ import annotations

import math
from pathlib import Path

from max_patch import LETTER, Patcher

import torchdrum_py as td

ROOT = Path(__file__).resolve().parent.parent
NAME = "torchdrum.panel"
WIDTH, HEIGHT = 644, 420
TICK_MS, SLOW_TICKS = 50, 5  # levels at every tick, everything else at every fifth
OUTLETS = ["drum", "trigger", "a stroke", "features", "parameters", "answers"]
CONTROLS = ["depth", "mix", "sensitivity", "hold", "gain"]
NONE = "-"  # in a menu: what the menu does not have

# White is what was set, cyan what is heard, amber what the stroke does with the drum.
GROUND, WELL, GREY, WHITE, CYAN, AMBER = ("14171a", "22272c", "93a1ad", "f2f5f7", "3fc8e8", "ffb020")
LEAST_DB, MOST_RISE_DB = -60, 40  # of the graph
RADAR, RADIUS = 98, 44  # the side of its square, and how far it reaches, in pixels
CORNERS = {"loudness": (0.0, -1.0), "centroid": (0.866, 0.5), "flatness": (-0.866, 0.5)}
RANGE = (-60, 0, 30, 120, -60, 0)  # of the features, until the object tells its model's


def colour(code: str) -> list[float]:
    return [round(int(code[i : i + 2], 16) / 255, 3) for i in (0, 2, 4)] + [1.0]


def ints(code: str) -> str:
    return " ".join(str(int(code[i : i + 2], 16)) for i in (0, 2, 4))


def models() -> list[str]:
    """Those that come with the object, plain ones first."""
    names = [path.stem for path in (ROOT / "models").glob("*.safetensors")]
    return sorted(names, key=lambda name: (f"808_{name}" not in td.preset_names(), name))


# ---- scales


def scale_of(name: str) -> tuple[float, float, bool]:
    """From where to where a dial goes, and whether by ratios."""
    p = next(p for p in (*td.PARAMS, *td.CONTROLS) if p.name == name)
    least = 1.0 if name == "hold" else p.min
    return least, p.max, name == "hold" or (p.unit in ("Hz", "ms", "Q") and p.min > 0)


def to_fraction(name: str) -> list[str]:
    """Objects that turn a value into 0 to 1. There is no comma in an expr: an object box would read it as its end."""
    least, most, log = scale_of(name)
    if log:
        return [f"maximum {float(least)}", f"expr log10($f1 / {least:.9g}) / {math.log10(most / least):.9g}", "clip 0. 1."]
    return [f"expr ($f1 - {least:.9g}) / {most - least:.9g}", "clip 0. 1."]


def to_value(name: str) -> list[str]:
    least, most, log = scale_of(name)
    line = f"expr {least:.9g} * exp($f1 * {math.log(most / least):.9g})" if log else f"expr {least:.9g} + $f1 * {most - least:.9g}"
    return [line, f"clip {float(least)} {float(most)}"]


def digits(unit: str) -> int:
    """Behind the point: what an ear can tell."""
    return {"dB": 1, "Q": 1, "ratio": 2, "x": 2}.get(unit, 0)


# ---- what is seen


class Face(Patcher):
    """What is seen stands at the same place in the patching view, so that nothing lies on anything."""

    def __init__(self):
        ground = colour(GROUND)
        super().__init__(
            WIDTH, HEIGHT, openinpresentation=1, bgcolor=ground, locked_bgcolor=ground, editing_bgcolor=ground,
            digest="[torchdrum~] with a face", enablehscroll=0, enablevscroll=0,
        )  # fmt: skip

    def seen(self, maxclass: str, x: float, y: float, width: float, height: float, **more) -> int:
        place = [float(v) for v in (x, y, width, height)]
        quiet = {"parameter_enable": 0} if maxclass not in ("comment", "lcd", "meter~") else {}
        return self.ui(maxclass, *place, presentation=1, presentation_rect=place, **quiet, **more)

    def label(self, x: float, y: float, words: str, width: float = 0, size: float = 10, code: str = GREY, rows: int = 1) -> int:
        width = width or 8 + LETTER * len(words)
        text = {"text": words, "fontsize": float(size), "textcolor": colour(code), "linecount": rows}
        return self.seen("comment", x, y, width, 6 + (size + 2) * rows, **text)

    def number(self, x: float, y: float, width: float, places: int, code: str = WHITE, **more) -> int:
        look = {"bgcolor": colour(WELL), "textcolor": colour(code), "fontsize": 9.0, "triangle": 0, "numdecimalplaces": places}
        return self.seen("flonum", x, y, width, 17, format=6, **look, **more)

    def shown(self, x: float, y: float, width: float, places: int, code: str) -> int:
        """A number that nobody turns."""
        return self.number(x, y, width, places, code, ignoreclick=1)

    def slider(self, x: float, y: float, width: float, height: float, code: str, **more) -> int:
        look = {"orientation": 1, "floatoutput": 1, "size": 1.0, "min": 0.0, "bgcolor": colour(WELL), "elementcolor": colour(WELL)}
        return self.seen("slider", x, y, width, height, knobcolor=colour(code), **look, **more)

    def menu(self, x: float, y: float, width: float, items: list[str]) -> int:
        listed = [part for name in (NONE, *items) for part in (name, ",")][:-1]
        return self.seen("umenu", x, y, width, 20, items=listed, fontsize=10.0, bgfillcolor=colour(WELL), textcolor=colour(WHITE))


def graph(c: Face) -> int:
    """Level, rise, threshold and strokes run through it."""
    colours = {"slidercolor": GREY, "candicane2": CYAN, "candicane3": WHITE, "candicane4": AMBER}
    made = c.seen(
        "multislider", 8, 30, 330, 104, size=4, setstyle=3, settype=1, setminmax=[0.0, 1.0], candycane=4, ignoreclick=1,
        bgcolor=colour(WELL), **{name: colour(code) for name, code in colours.items()},
    )  # fmt: skip
    for words, x, code in (("input", 8, GREY), ("rise", 58, CYAN), ("threshold", 102, WHITE), ("stroke", 180, AMBER)):
        c.label(x, 136, words, code=code)
    return made


def knob_boxes(c: Face, name: str) -> tuple[int, int]:
    """A control: its slider and its number."""
    k, y = td.find_control(name), 162 + 20 * CONTROLS.index(name)
    c.label(8, y, name, 84, code=WHITE)
    slider = c.slider(96, y + 2, 220, 14, WHITE)
    number = c.number(322, y, 56, digits(k.unit), minimum=k.min, maximum=k.max)
    if k.unit in ("ms", "dB", "%"):
        c.label(380, y, k.unit, 30)
    return slider, number


def dial_boxes(c: Face, index: int) -> tuple[int, int, int, int]:
    """A parameter: its dial and number, and where the last stroke had it."""
    p, x = td.PARAMS[index], 7 + 45 * index
    c.label(x, 264, p.name.replace("_", " "), 44, 8, WHITE, 3)
    look = {"bgcolor": colour(WELL), "needlecolor": colour(WHITE), "outlinecolor": colour(GREY), "floatoutput": 1, "size": 1.0}
    dial = c.seen("dial", x + 3, 302, 36, 36, min=0.0, mult=1.0, **look)
    number = c.number(x, 340, 43, digits(p.unit), minimum=p.min, maximum=p.max)
    bar = c.slider(x, 359, 43, 9, AMBER, ignoreclick=1)
    played = c.shown(x, 370, 43, digits(p.unit), AMBER)
    if p.unit in ("Hz", "ms", "dB"):
        c.label(x, 389, p.unit, 43, 8)
    return dial, number, bar, played


# ---- what it does


def knob(name: str, is_played: bool) -> Patcher:
    """Inlets: the object's value, the dial, the number and, of a parameter, what was played. Outlets: to the object, to the dial, to the
    number; to the bar and the number of what was played."""
    c = Patcher(1180, 330)
    value, dial, number = (c.inlet(20 + 300 * i, 20, words) for i, words in enumerate(("value", "dial", "number")))
    say, to_dial, to_number = (c.outlet(20 + 300 * i, 290, words) for i, words in enumerate(("to the object", "dial", "number")))

    changed, both = c.chain(20, 60, "change -1000000.", "t f f")
    told = c.chain(20, 130, *to_fraction(name), "prepend set")
    set_number = c.obj(640, 240, "prepend set")
    c.cord(value, 0, changed)
    c.cord(both, 0, told[0])
    c.cord(both, 1, set_number)
    c.cord(told[-1], 0, to_dial)
    c.cord(set_number, 0, to_number)

    turned, _, out = c.chain(320, 60, *to_value(name), "t f f")
    message = c.obj(320, 160, f"prepend {name}")
    c.cord(dial, 0, turned)
    c.cord(out, 0, message)
    c.cord(out, 1, set_number)
    c.cord(message, 0, say)

    typed = c.obj(620, 60, "t f f")
    c.cord(number, 0, typed)
    c.cord(typed, 0, message)
    c.cord(typed, 1, told[0])

    if is_played:
        played, bar, shown = c.inlet(920, 20, "played"), c.outlet(920, 290, "bar"), c.outlet(1090, 290, "number")
        changed, both = c.chain(920, 60, "change -1000000.", "t f f")
        fraction = c.chain(860, 130, *to_fraction(name), "prepend set")
        set_number = c.obj(1080, 240, "prepend set")
        c.cord(played, 0, changed)
        c.cord(both, 0, fraction[0])
        c.cord(both, 1, set_number)
        c.cord(fraction[-1], 0, bar)
        c.cord(set_number, 0, shown)
    return c


def radar() -> Patcher:
    """Inlets: the features of a stroke, the range that the model knows. Outlets: to the [lcd], and the three numbers."""
    c = Patcher(1080, 480)
    heard, known = c.inlet(20, 20, "features"), c.inlet(520, 20, "range")
    outlets = [c.outlet(20 + 260 * i, 430, words) for i, words in enumerate(("lcd", *CORNERS))]
    middle = RADAR / 2
    outer, inner = (" ".join(f"{middle + r * v:.0f}" for x, y in CORNERS.values() for v in (x, y)) for r in (RADIUS, RADIUS / 2))
    spokes = ", ".join(
        f"linesegment {middle:.0f} {middle:.0f} {middle + RADIUS * x:.0f} {middle + RADIUS * y:.0f}" for x, y in CORNERS.values()
    )
    first = " ".join(outer.split()[:2]), " ".join(inner.split()[:2])
    grid = f"brgb {ints(WELL)}, clear, frgb {ints(GREY)}, framepoly {outer} {first[0]}, framepoly {inner} {first[1]}, {spokes}"
    draw = c.ui("message", 20, 370, 900, 37, text=f"{grid}, frgb {ints(CYAN)}, paintpoly $1 $2 $3 $4 $5 $6 $1 $2", linecount=2)
    empty = c.ui("message", 20, 325, 900, 37, text=grid, linecount=2)
    for message in (draw, empty):
        c.cord(message, 0, outlets[0])
    c.cord(c.obj(930, 330, "loadbang"), 0, empty)

    split, pairs = c.obj(20, 60, "unpack 0. 0. 0."), c.obj(520, 62, "unpack 0. 0. 0. 0. 0. 0.")
    c.cord(heard, 0, split)
    c.cord(known, 0, pairs)
    c.cord(c.obj(720, 20, f"loadmess {' '.join(map(str, RANGE))}"), 0, pairs)
    corners = c.obj(20, 290, "pack 0 0 0 0 0 0")
    c.cord(corners, 0, draw)
    for i, (x, y) in enumerate(CORNERS.values()):
        left = 20 + 330 * i
        both = c.obj(left, 100, "t f f")
        part = c.chain(left, 135, "expr ($f1 - $f2) / ($f3 - $f2 + 0.001)", "clip 0.04 1.", "t f f")
        number = c.obj(left + 90, 100, "prepend set")
        c.cord(split, i, both)
        c.cord(both, 0, part[0])
        c.cord(both, 1, number)
        c.cord(number, 0, outlets[1 + i])
        for inlet in (1, 2):
            c.cord(pairs, 2 * i + inlet - 1, part[0], inlet)
        for axis, (way, outlet) in enumerate(((x, 0), (y, 1))):
            point = c.obj(left + 165 * axis, 235, f"expr {middle:.0f} + $f1 * {RADIUS * way:.4g}")
            c.cord(part[-1], outlet, point)
            c.cord(point, 0, corners, 2 * i + axis)
    return c


def levels() -> Patcher:
    """Inlets: what meter answers, strokes. Outlets: to the graph, the level of the input, the processor's share."""
    c = Patcher(760, 330)
    meter, stroke = c.inlet(20, 20, "meter"), c.inlet(620, 20, "stroke")
    outlets = [c.outlet(20 + 250 * i, 290, words) for i, words in enumerate(("graph", "input", "cpu"))]
    split = c.obj(20, 60, "unpack 0. 0. 0. 0.")
    c.cord(meter, 0, split)
    points, order = c.chain(20, 210, "pack 0. 0. 0. 0.", "t b l")
    for i, words in enumerate((f"expr ($f1 - {LEAST_DB}.) / {-LEAST_DB}.", f"expr $f1 / {MOST_RISE_DB}.", f"expr $f1 / {MOST_RISE_DB}.")):
        value = c.chain(20 + 190 * i, 130, words, "clip 0. 1.")
        c.cord(split, i, value[0])
        c.cord(value[-1], 0, points, i)
    c.cord(order, 1, outlets[0])
    one, nought = c.msg(620, 60, "1."), c.msg(150, 250, "0.")
    c.cord(stroke, 0, one)
    c.cord(order, 0, nought)
    for message in (one, nought):
        c.cord(message, 0, points, 3)
    level = c.obj(270, 90, "dbtoa")
    c.cord(split, 0, level)
    c.cord(level, 0, outlets[1])
    share = c.chain(520, 190, "slide 20. 20.", "speedlim 500", "prepend set")
    c.cord(split, 3, share[0])
    c.cord(share[-1], 0, outlets[2])
    return c


def answers() -> Patcher:
    """Inlets: what the object says, where it goes: 1 to the outlet of the panel, 2 inside. The others: meter, range, the model's name,
    state, then the values of controls and parameters, as the dump gives them."""
    names = [*CONTROLS, *(p.name for p in td.PARAMS)]
    c = Patcher(40 + 110 * (5 + len(names)), 260)
    said, where = c.inlet(20, 20, "info"), c.inlet(160, 20, "1 or 2")
    gate = c.obj(20, 70, "gate 2 1")
    c.cord(where, 0, gate)
    c.cord(said, 0, gate, 1)
    sort = c.obj(20, 110, "route meter range model state " + " ".join(names))
    c.cord(gate, 1, sort)
    plain = c.obj(600, 150, "route " + " ".join(p.name for p in td.PARAMS))  # depth of one parameter is told, too
    for i, words in enumerate(("info", "meter", "range", "model", "state", *names)):
        outlet = c.outlet(20 + 110 * i, 210, words)
        if i == 0:
            c.cord(gate, 0, outlet)
        elif words == "depth":
            c.cord(sort, i - 1, plain)
            c.cord(plain, len(td.PARAMS), outlet)
        else:
            c.cord(sort, i - 1, outlet)
    return c


def choice(word: str) -> Patcher:
    """What was chosen in a menu, as a message; the first item is none."""
    c = Patcher(300, 220)
    chosen, out = c.inlet(20, 20, "menu"), c.outlet(20, 170, "to the object")
    sort, message = c.obj(20, 70, f"route {NONE}"), c.obj(20, 110, f"prepend {word}")
    c.cord(chosen, 0, sort)
    c.cord(sort, 1, message)
    c.cord(message, 0, out)
    return c


def clock() -> Patcher:
    """Asks the object. Outlets: where its answers go, what it is asked, before its state is asked."""
    c = Patcher(560, 330)
    gate, ask, fresh = c.outlet(20, 280, "1 or 2"), c.outlet(200, 280, "to the object"), c.outlet(400, 280, "menus")
    # in the queue of the main thread: nobody waits for a picture
    both = c.chain(20, 20, "loadmess 1", f"qmetro {TICK_MS}", "t b b")[-1]
    quick = c.obj(20, 130, "t 1 b 2")
    count, _, slow = c.chain(240, 130, f"counter 0 {SLOW_TICKS - 1}", "select 0", "t 1 b b b 2")
    c.cord(both, 0, quick)
    c.cord(both, 1, count)
    for order in (quick, slow):
        last = 2 if order == quick else 4
        c.cord(order, 0, gate)
        c.cord(order, last, gate)
    questions = [c.msg(80, 170, "meter")]
    c.cord(quick, 1, questions[0])
    for outlet, x, words in ((3, 400, "dump"), (2, 320, "get range"), (1, 250, "state")):
        message = c.msg(x, 225, words)
        questions.append(message)
        c.cord(slow, outlet, message)
    c.cord(slow, 3, fresh)
    for message in questions:
        c.cord(message, 0, ask)
    return c


def panel() -> Patcher:
    c = Face()
    # the face
    c.label(8, 6, "torchdrum", 90, 13, AMBER)
    title = c.label(104, 6, "", 300, 13, WHITE)
    points = graph(c)
    meters = []
    for words, x in (("in", 348), ("out", 368)):
        meters.append(c.seen("meter~", x, 30, 12, 104, orientation=2, interval=TICK_MS))
        c.label(x - 3, 136, words, 19)
    shape = c.seen("lcd", 398, 30, RADAR, RADAR, border=0, local=0, ignoreclick=1)
    heard = []
    for i, (words, code) in enumerate((("loud", CYAN), ("bright", CYAN), ("noisy", CYAN))):
        c.label(398, 136 + 19 * i, words, 48, code=GREY)
        heard.append(c.shown(446, 136 + 19 * i, 50, 0, code))
    c.label(506, 6, "cpu", 30)
    share = c.shown(538, 6, 44, 1, WHITE)
    c.label(584, 6, "%", 20)
    menus = {}
    for kind, y, items in (("model", 30, models()), ("preset", 76, [n.removeprefix("808_") for n in td.preset_names()])):
        c.label(506, y, kind, 60, code=WHITE)
        menus[kind] = c.menu(506, y + 20, 130, items)
    controls = {name: knob_boxes(c, name) for name in CONTROLS}
    dials = [dial_boxes(c, i) for i in range(len(td.PARAMS))]

    # the object, in the middle of what it is sent and what it says
    y = HEIGHT + 30
    inlet = c.inlet(20, y, "(signal) your drum; every message")
    o = c.box("newobj", 20, y + 200, 500, 22, 1, ["signal", "signal", "bang", "list", "list", ""], text="torchdrum~", varname="engine")
    c.cord(inlet, 0, o)
    given, model = c.chain(80, y, "patcherargs", "route bang")
    settings, load = c.obj(200, y + 30, "route done"), c.obj(80, y + 60, "prepend load")
    c.cord(given, 1, settings)
    c.cord(model, 1, load)
    c.cord(load, 0, o)
    c.cord(settings, 1, o)
    c.obj(400, y, "pattr sound @bindto engine")

    outlets = [c.outlet(20 + 100 * i, y + 480, words) for i, words in enumerate(OUTLETS)]
    for i in range(5):
        c.cord(o, i, outlets[i])
    c.cord(o, 0, meters[1])
    ask = c.sub(700, y, "clock", clock())
    said = c.sub(500, y + 240, "answers", answers())
    c.boxes[said - 1]["box"]["patching_rect"][2] = 1400.0
    c.cord(o, 5, said)
    c.cord(ask, 0, said, 1)
    c.cord(ask, 1, o)
    c.cord(said, 0, outlets[5])

    seen = c.sub(20, y + 290, "levels", levels())
    c.cord(said, 1, seen)
    c.cord(o, 2, seen, 1)
    c.cord(seen, 0, points)
    c.cord(seen, 1, meters[0])
    c.cord(seen, 2, share)
    strokes, drawn = c.obj(140, y + 290, f"speedlim {TICK_MS}"), c.sub(140, y + 330, "radar", radar())
    c.cord(o, 3, strokes)
    c.cord(strokes, 0, drawn)
    c.cord(said, 2, drawn, 1)
    for i, box in enumerate((shape, *heard)):
        c.cord(drawn, i, box)

    # menus: the first item, then the right one
    none, order = c.msg(720, y + 330, "set 0"), c.obj(800, y + 290, "t l l b")
    shown, name = c.obj(800, y + 330, "prepend setsymbol"), c.obj(950, y + 330, "prepend set")
    c.cord(said, 3, order)
    c.cord(order, 2, none)
    c.cord(order, 1, shown)
    c.cord(order, 0, name)
    c.cord(none, 0, menus["model"])
    c.cord(shown, 0, menus["model"])
    c.cord(name, 0, title)
    preset, which = c.chain(1100, y + 290, "route preset", "route " + " ".join(td.preset_names()))
    c.cord(said, 4, preset)
    none = c.msg(1100, y + 360, "set 0")
    c.cord(ask, 2, none)
    c.cord(none, 0, menus["preset"])
    for i in range(len(td.preset_names())):
        message = c.msg(1170 + 70 * i, y + 360, f"set {i + 1}")
        c.cord(which, i, message)
        c.cord(message, 0, menus["preset"])
    for x, (kind, word) in zip((840, 980), (("model", "load"), ("preset", "preset")), strict=True):
        chosen = c.sub(x, y, f"choose-{kind}", choice(word))
        c.cord(menus[kind], 1, chosen)
        c.cord(chosen, 0, o)

    # dials
    row = y + 400
    for i, (name, (slider, number)) in enumerate(controls.items()):
        part = c.sub(700 + 110 * i, row, name, knob(name, False))
        c.cord(said, 5 + i, part)
        for box, port in ((slider, 1), (number, 2)):
            c.cord(box, 0, part, port)
            c.cord(part, port, box)
        c.cord(part, 0, o)
    limit = c.obj(20, row - 30, f"speedlim {TICK_MS}")
    split = c.obj(130, row - 30, "unpack" + " 0." * len(td.PARAMS))
    c.cord(o, 4, limit)
    c.cord(limit, 0, split)
    for i, (p, (dial, number, bar, played)) in enumerate(zip(td.PARAMS, dials, strict=True)):
        part = c.sub(700 + 160 * (i % 8), row + 40 * (1 + i // 8), p.name, knob(p.name, True))
        c.cord(said, 5 + len(CONTROLS) + i, part)
        for box, port in ((dial, 1), (number, 2)):
            c.cord(box, 0, part, port)
            c.cord(part, port, box)
        c.cord(split, i, part, 3)
        c.cord(part, 3, bar)
        c.cord(part, 4, played)
        c.cord(part, 0, o)
    c.rect[2:] = [2100.0, float(row + 160)]
    return c


def bpatcher(c: Patcher, x: float, y: float, arguments: tuple[str, ...] = ()) -> int:
    more = {"name": f"{NAME}.maxpat", "args": list(arguments), "offset": [0.0, 0.0], "viewvisibility": 1, "bgmode": 0, "border": 0}
    still = {"clickthrough": 0, "enablehscroll": 0, "enablevscroll": 0, "lockeddragscroll": 0, "lockedsize": 0}
    outlets = ["signal", "signal", "", "", "", ""]
    return c.box("bpatcher", x, y, WIDTH, HEIGHT, 1, outlets, varname="torchdrum", **more, **still)
