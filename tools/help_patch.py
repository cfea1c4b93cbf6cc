# SPDX-License-Identifier: MIT
"""Writes help_patches/torchdrum~-help.pd; the list of controls and parameters comes from the core's tables.

python tools/help_patch.py            after a control, a parameter or this file changed
python tools/help_patch.py --check    exit 1 when the help patch is not what this would write
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

from pd_canvas import Canvas, write_or_check
from words import INTRODUCTION, MESSAGES, MODEL_ARGUMENT, OUTLETS, control_help, param_help, plain_unit

import torchdrum_py as td

OUTPUT = Path(__file__).resolve().parent.parent / "help_patches" / "torchdrum~-help.pd"
BUTTON = "19 250 50 0 empty empty empty 17 7 0 10 #dfdfdf #000000 #000000"


def drummer() -> Canvas:
    """Noise bursts of random level and brightness: something to play along with when no drum is at hand."""
    c = Canvas("700 150 520 420 drummer 0")
    c.text(20, 14, "a drummer for trying things out: bursts of noise, soft and hard, dull and bright")
    inlet, metro, both = c.obj(20, 50, "inlet"), c.obj(20, 80, "metro 260"), c.obj(20, 110, "t b b")
    level, quotient, square, copy = (
        c.obj(20, 150, "random 100"),
        c.obj(20, 180, "/ 110"),
        c.obj(20, 240, "*"),
        c.obj(20, 210, "t f f"),
    )
    least, envelope, line = c.obj(20, 270, "+ 0.01"), c.msg(20, 300, "\\$1 0.5 \\, 0 90 0.5"), c.obj(20, 330, "vline~")
    pitch, shift, hertz = c.obj(160, 150, "random 48"), c.obj(160, 180, "+ 84"), c.obj(160, 210, "mtof")
    hiss, dull, product, outlet = (
        c.obj(160, 270, "noise~"),
        c.obj(160, 300, "lop~ 3000"),
        c.obj(20, 360, "*~"),
        c.obj(20, 390, "outlet~"),
    )
    for a, outlet_a, b, inlet_b in (
        (inlet, 0, metro, 0), (metro, 0, both, 0), (both, 0, level, 0), (both, 1, pitch, 0), (level, 0, quotient, 0),
        (quotient, 0, copy, 0),
        (copy, 0, square, 0), (copy, 1, square, 1), (square, 0, least, 0), (least, 0, envelope, 0), (envelope, 0, line, 0),
        (pitch, 0, shift, 0), (shift, 0, hertz, 0), (hertz, 0, dull, 1), (hiss, 0, dull, 0), (line, 0, product, 0), (dull, 0, product, 1),
        (product, 0, outlet, 0),
    ):  # fmt: skip
        c.cord(a, outlet_a, b, inlet_b)
    return c


POINTS, TICK_MS = 240, 25  # of the pictures of pd hearing: 6 s
MOST_RISE_DB = 40


def hearing() -> Canvas:
    """What the object hears, as it hears it: why was a stroke lost?"""
    c = Canvas("120 80 620 640 hearing 0")
    c.text(
        20, 14, "Why was a stroke lost? Level of the input, onset function with the threshold that it must exceed, and strokes heard.", 80
    )
    on = c.toggle(20, 60)
    c.text(44, 60, "look (turn DSP on, too)")
    metro, order, request, out = (
        c.obj(20, 90, f"metro {TICK_MS}"),
        c.obj(20, 116, "t b b b"),
        c.msg(60, 142, "meter"),
        c.obj(60, 168, "s \\$0-torchdrum"),
    )
    count, plus, modulo, place = (
        c.obj(180, 116, "f"),
        c.obj(220, 116, "+ 1"),
        c.obj(180, 142, f"mod {POINTS}"),
        c.obj(180, 168, "t f f f f f"),
    )
    meter, split = c.obj(330, 90, "r \\$0-meter"), c.obj(330, 116, "unpack f f f")
    least, most, line = c.obj(300, 142, "max -90"), c.obj(380, 142, f"clip 0 {MOST_RISE_DB}"), c.obj(460, 142, f"min {MOST_RISE_DB}")
    level, rise, threshold = (
        c.obj(300 + 60 * i, 168 + 24 * i, f"tabwrite \\$0-{name}") for i, name in enumerate(("level", "rise", "threshold"))
    )
    hit, one, kept, both = c.obj(20, 200, "r \\$0-hit"), c.msg(60, 226, "1"), c.obj(20, 226, "f"), c.obj(20, 252, "t f b")
    nought, hits = c.msg(100, 226, "0"), c.obj(20, 278, "tabwrite \\$0-hits")
    for a, outlet, b, inlet in (
        (on, 0, metro, 0), (metro, 0, order, 0), (order, 0, kept, 0), (order, 1, request, 0), (request, 0, out, 0), (order, 2, count, 0),
        (count, 0, plus, 0), (plus, 0, count, 1), (count, 0, modulo, 0), (modulo, 0, place, 0), (place, 0, hits, 1), (place, 1, level, 1),
        (place, 2, rise, 1), (place, 3, threshold, 1), (meter, 0, split, 0), (split, 0, least, 0), (split, 1, most, 0), (split, 2, line, 0),
        (least, 0, level, 0), (most, 0, rise, 0), (line, 0, threshold, 0), (hit, 0, one, 0), (one, 0, kept, 1), (kept, 0, both, 0),
        (both, 0, hits, 0), (both, 1, nought, 0), (nought, 0, kept, 1),
    ):  # fmt: skip
        c.cord(a, outlet, b, inlet)
    y = 330
    for names, low, high, height, words in (
        (["level"], -90, 0, 90, "level, -90 to 0 dBFS"),
        (["rise", "threshold"], 0, MOST_RISE_DB, 120, f"onset function and threshold, 0 to {MOST_RISE_DB} dB"),
        (["hits"], 0, 1, 30, "strokes heard"),
    ):
        c.graph(20, y, 560, height, low, high, POINTS, [f"\\$0-{name}" for name in names])
        c.text(20, y + height + 2, words)
        y += height + 56  # the names of the next arrays stand above it
    c.lines[0] = f"#N canvas 120 80 620 {y - 20} hearing 0;"
    return c


PLACES = ["1st", "2nd", "3rd", "4th", "5th", "6th"]

ARGUMENTS = [
    ("symbol -", MODEL_ARGUMENT),
    ("-m -", "one engine for each channel of the input (Pd 0.54 and newer); hits, features and params then begin with the channel."),
    ("-d -", "start disabled. -seed <f>: the same noise every time."),
]


def rows(c: Canvas, y: int, entries, width: int = 66, left: int = 150) -> int:
    """Word and explanation; returns the y below."""
    for word, words in entries:
        c.text(left - 10 - 7 * len(word), y, word)
        c.text(left + 8, y, words, width)
        y += 15 * len(textwrap.wrap(words, width)) + 5
    return y


def reference() -> Canvas:
    c = Canvas("160 40 720 900 reference 0")
    c.obj(20, 14, "torchdrum~")
    c.text(120, 14, "- an 808 that follows your playing.")
    c.rule(5, 46, 700, 3, "INLET:", "#202020")
    y = rows(c, 70, [(f"{', '.join(words)} {arguments + ' ' if arguments else ''}-", text) for words, arguments, text in MESSAGES])
    controls = [(f"{k.name} <{'word' if k.choices else 'f'}> -", control_help(k)) for k in td.CONTROLS]
    y = rows(c, y, controls)
    c.rule(5, y + 6, 700, 3, "OUTLETS:", "#202020")
    y = rows(c, y + 30, [(f"{place}:", f"{kind} - {text}") for place, (kind, text) in zip(PLACES, OUTLETS, strict=True)])
    c.rule(5, y + 6, 700, 3, "ARGUMENTS:", "#202020")
    y = rows(c, y + 30, ARGUMENTS)
    c.rule(5, y + 6, 700, 3, "PARAMETERS:", "#202020")
    y = rows(c, y + 30, [(f"{p.name} -", param_help(p)) for p in td.PARAMS])
    c.rule(5, y + 8, 700, 3)
    c.lines[0] = f"#N canvas 160 40 720 {min(y + 40, 900)} reference 0;"
    return c


def meta() -> Canvas:
    c = Canvas("700 300 420 220 META 0")
    for i, words in enumerate((
        "LIBRARY torchdrum", "AUTHOR the torchdrum authors", "LICENSE MIT", f"VERSION {td.__version__}",
        "DESCRIPTION an 808 that follows your playing", "KEYWORDS signal synthesis analysis drum",
    )):  # fmt: skip
        c.text(20, 20 + 25 * i, words)
    return c


# In two columns; each row a little further right, so that no cord runs through a box.
COLUMNS = [
    ["load snare_1", "load noisy_snare", "reload", "preset noisy_snare", "preset snare_1", "set osc1_freq 250", "trigger",
     "trigger 0.9 0.7 0.6"],
    ["normalize adapt", "normalize model", "bypass \\$1", "enable \\$1", "reset", "latency", "get depth", "dump"],
]  # fmt: skip
SWITCHES = {"bypass \\$1": False, "enable \\$1": True}
NUMBERS = ["depth", "mix", "gain", "sensitivity"]


def messages(c: Canvas, x: int, y: int):
    """What can be clicked, all of it sent to the object."""
    for k, column in enumerate(COLUMNS):
        left = x + 230 * k
        send = c.obj(left, y + 26 * len(column) + 12, "s \\$0-torchdrum")
        for i, words in enumerate(column):
            message = c.msg(left + 8 * i, y + 26 * i, words)
            c.cord(message, 0, send)
            if words in SWITCHES:
                switch = c.toggle(left + 8 * i + 90, y + 26 * i - 6, SWITCHES[words])
                c.cord(switch, 0, message)
    send = c.obj(x, y + 330, "s \\$0-torchdrum")
    for i, name in enumerate(NUMBERS):
        box, message = c.number(x + 110 * i, y + 262), c.msg(x + 110 * i, y + 288, f"{name} \\$1")
        control = td.find_control(name)
        c.text(x + 110 * i + 2, y + 244, f"{control.min:g} to {control.max:g}{plain_unit(control.unit)}")
        c.cord(box, 0, message)
        c.cord(message, 0, send)


def help_patch() -> Canvas:
    c = Canvas("200 60 800 700 12")
    c.obj(20, 12, "torchdrum~")
    c.text(110, 12, "- an 808 that follows your playing")
    c.patch(620, 10, reference(), "reference")
    c.text(712, 10, "<= click")
    c.rule(10, 42, 780, 1, colour="#000000")
    c.text(20, 54, f"{INTRODUCTION} Turn DSP on and listen, then turn the drummer off and the microphone on.", 106)

    on, mic = c.toggle(20, 130, True), c.toggle(120, 130)
    c.text(44, 130, "drummer")
    c.text(144, 130, "microphone")
    player = c.patch(20, 160, drummer(), "drummer")
    ramp, smooth, gate, adc = (
        c.msg(120, 160, "\\$1 10"),
        c.obj(120, 190, "line~"),
        c.obj(120, 220, "*~"),
        c.obj(180, 190, "adc~ 1"),
    )
    receive, drum = c.obj(40, 250, "r \\$0-torchdrum"), c.obj(20, 290, "torchdrum~")
    for a, outlet, b, inlet in (
        (on, 0, player, 0), (player, 0, drum, 0), (mic, 0, ramp, 0), (ramp, 0, smooth, 0), (smooth, 0, gate, 0), (adc, 0, gate, 1),
        (gate, 0, drum, 0), (receive, 0, drum, 0),
    ):  # fmt: skip
        c.cord(a, outlet, b, inlet)
    messages(c, 290, 124)

    volume = c.obj(20, 560, "hsl 120 15 0 1 0 1 empty empty volume 0 -9 0 10 #dfdfdf #000000 #000000 6000 1")
    ramp, line, louder = c.msg(40, 584, "\\$1 20"), c.obj(40, 610, "line~"), c.obj(20, 636, "*~")
    dac = c.obj(20, 666, "dac~")
    for a, outlet, b, inlet in (
        (drum, 0, louder, 0), (volume, 0, ramp, 0), (ramp, 0, line, 0), (line, 0, louder, 1), (louder, 0, dac, 0), (louder, 0, dac, 1),
    ):  # fmt: skip
        c.cord(a, outlet, b, inlet)

    c.patch(470, 500, hearing(), "hearing")
    c.text(550, 500, "<= missed?")
    hit, split = c.obj(290, 500, f"bng {BUTTON}"), c.obj(370, 500, "unpack f f f")
    c.text(314, 500, "stroke")
    c.cord(drum, 2, hit)
    c.cord(hit, 0, c.obj(290, 530, "s \\$0-hit"))
    c.cord(drum, 3, split)
    for k, name in enumerate(("loudness dB", "centroid st", "flatness dB")):
        box = c.number(370 + 100 * k, 528, 7)
        c.cord(split, k, box)
        c.text(368 + 100 * k, 548, name)
    route, meter = c.obj(660, 545, "route meter"), c.obj(660, 570, "s \\$0-meter")
    c.cord(drum, 5, route)
    c.cord(route, 0, meter)
    for source, outlet, y, name in ((drum, 4, 575, "parameters"), (route, 1, 640, "info")):
        prepend, trim, shown = c.obj(290, y, "list prepend set"), c.obj(420, y, "list trim"), c.msg(290, y + 25, "")
        c.text(500, y, name)
        c.cord(source, outlet, prepend)
        c.cord(prepend, 0, trim)
        c.cord(trim, 0, shown)
    switch, message = c.toggle(660, 470), c.msg(660, 500, "\\; pd dsp \\$1")
    c.text(684, 470, "DSP on/off")
    c.cord(switch, 0, message)
    c.rule(10, 694, 780, 1, colour="#000000")
    c.patch(20, 704, meta(), "META")
    c.text(120, 704, "see also:")
    c.obj(194, 704, "threshold~")
    c.text(470, 704, f"torchdrum {td.__version__}, for Pd version 0.53 and up")
    c.lines[0] = "#N canvas 200 40 800 740 12;"
    return c


if __name__ == "__main__":
    sys.exit(write_or_check(__doc__, OUTPUT, help_patch()))
