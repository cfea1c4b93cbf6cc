# SPDX-License-Identifier: MIT
"""Writes the example patches help_patches/examples/*.pd.

python tools/example_patches.py            after this file changed
python tools/example_patches.py --check    exit 1 when a patch is not what this would write
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

from help_patch import drummer
from pd_canvas import Canvas, write_or_check

import torchdrum_py as td

FOLDER = Path(__file__).resolve().parent.parent / "help_patches" / "examples"
OBJECT_AT = "-path .. -path ../../pd_external"  # as installed, and as built by make pd
WIDTH, LEFT = 780, 20
GREY, BAND = "#dfdfdf", "#e4e4e4"
OSC_PORT, OSC_REPLY_PORT = 9808, 9809


# ---- what all of them have ----


def spaced(label: str) -> str:
    """A label as one word of Pd's file format."""
    return label.replace(",", "\\,").replace(" ", "\\ ")


def opening(name: str, line: str, words: str) -> tuple[Canvas, int]:
    """Head and explanation; returns the patch and the y below."""
    c = Canvas("")
    c.obj(0, 0, f"cnv 15 {WIDTH} 44 empty empty {name} 20 22 0 20 {BAND} #000000 0")
    c.text(LEFT + 13 * len(name) + 24, 15, f"- {line}", 75)
    c.obj(WIDTH - 80, 13, "tgl 19 0 \\$0-dsp \\$0-dsp-seen DSP 25 10 0 12 #ffffff #000000 #000000 0 1")
    c.text(LEFT, 56, words, 105)
    return c, 56 + 16 * len(textwrap.wrap(words, 104)) + 18


def closing(c: Canvas, y: int, go_on: str, object_at: str = OBJECT_AT) -> Canvas:
    """How to go on, and a foot."""
    c.obj(0, y, f"cnv 1 {WIDTH} 2 empty empty empty 0 0 0 10 #000000 #000000 0")
    c.text(LEFT, y + 12, go_on, 105)
    y += 16 * len(textwrap.wrap(go_on, 104)) + 24
    c.text(LEFT, y, f"torchdrum {td.__version__}, for Pd 0.53 and up. Right click on torchdrum~ and Help tells every message.", 105)
    c.patch(LEFT, y + 24, dsp(), "dsp")
    c.obj(LEFT + 70, y + 24, f"declare {object_at}")
    c.lines[0] = f"#N canvas 140 60 {WIDTH + 24} {y + 76} 12;\n#X declare {object_at};"
    return c


def section(c: Canvas, x: int, y: int, words: str, width: int):
    c.obj(x, y, f"cnv 1 {width} 1 empty empty {spaced(words)} 0 -9 0 12 #7c7c7c #404040 0")


def to_drum(c: Canvas, x: int, y: int, *boxes: int) -> int:
    """Sends to the object what comes out of these boxes."""
    send = c.obj(x, y, "s \\$0-torchdrum")
    for box in boxes:
        c.cord(box, 0, send)
    return send


def slider(c: Canvas, x: int, y: int, label: str, low: float, high: float, at: float, width: int = 121, receive: str = "empty") -> int:
    """Says its value when the patch opens."""
    value = round(100 * (width - 1) * (at - low) / (high - low))
    label = f"{spaced(label)} 2 -9 0 12 {GREY} #000000 #000000"
    return c.obj(x, y, f"hsl {width} 15 {low:g} {high:g} 0 1 empty {receive} {label} {value} 1")


def switch(c: Canvas, x: int, y: int, label: str, on: bool = False, receive: str = "empty") -> int:
    return c.obj(x, y, f"tgl 19 1 empty {receive} {spaced(label)} 25 10 0 12 {GREY} #000000 #000000 {int(on)} 1")


def button(c: Canvas, x: int, y: int, label: str) -> int:
    return c.obj(x, y, f"bng 19 250 50 0 empty empty {spaced(label)} 25 10 0 12 {GREY} #000000 #000000")


def dsp() -> Canvas:
    """The switch in the head, which follows Pd's own."""
    c = Canvas("300 150 430 140 dsp 0")
    c.down(20, 20, "r \\$0-dsp", "(\\; pd dsp \\$1)")
    seen = c.obj(160, 90, "s \\$0-dsp-seen")
    for x, name, on in ((160, "started", 1), (290, "stopped", 0)):
        c.down(x, 20, f"r pd-dsp-{name}", f"(set {on})", seen)
    return c


SENDS = {2: ("hit", 70, 78), 3: ("features", 110, 54), 5: ("info", 150, 30)}  # outlet: name and place


def drum(c: Canvas, x: int, y: int, *outlets: str, words: str = "torchdrum~") -> int:
    """[torchdrum~], its messages from everywhere in the patch, and what of its answers goes everywhere."""
    box = c.obj(x, y, words)
    c.wire(c.obj(x + 140, y - 30, "r \\$0-torchdrum"), box)
    for outlet, (name, right, below) in SENDS.items():
        if name in outlets:
            c.cord(box, outlet, c.obj(x + right, y + below, f"s \\$0-{name}"))
    return box


def played_drum(c: Canvas, x: int, y: int, microphone: bool, *outlets: str, words: str = "torchdrum~") -> int:
    """The same, played by a microphone or by noise bursts; 260 wide, 250 high."""
    on, mic = switch(c, x, y, "drummer", not microphone), switch(c, x + 110, y, "microphone", microphone)
    player = c.patch(x, y + 32, drummer(), "drummer")
    gate = c.down(x + 110, y + 32, "(\\$1 10)", "line~", "*~")[-1]
    box = drum(c, x, y + 160, *outlets, words=words)
    c.wire(on, player, box)
    c.wire(mic, gate - 2)
    c.cord(c.obj(x + 170, y + 58, "adc~ 1"), 0, gate, 1)
    c.wire(gate, box)
    return box


def output(c: Canvas, x: int, y: int, source: int, label: str = "level", at: float = 0.7, receive: str = "empty", right: int = 60) -> int:
    """A level of its own for what comes from above, 120 high; returns the product."""
    level, product = slider(c, x + right, y, label, 0, 1, at, receive=receive), c.obj(x, y + 84, "*~")
    line = c.down(x + right, y + 26, "(\\$1 20)", "line~")
    c.wire(level, line[0])
    c.cord(line[-1], 0, product, 1)
    c.wire(source, product)
    return product


def to_both_ears(c: Canvas, x: int, y: int, *sources: int):
    dac = c.obj(x, y, "dac~")
    for source in sources:
        for ear in (0, 1):
            c.cord(source, 0, dac, ear)


FEATURES = ("loudness dB", "centroid st", "flatness dB")


def heard(c: Canvas, x: int, y: int):
    """The stroke and its numbers, 350 wide, 80 high."""
    c.wire(c.obj(x, y, "r \\$0-hit"), button(c, x, y + 30, "stroke"))
    split = c.down(x + 90, y, "r \\$0-features", "unpack f f f", step=28)[-1]
    for k, name in enumerate(FEATURES):
        c.cord(split, k, c.number(x + 90 + 95 * k, y + 58, 7))
        c.text(x + 88 + 95 * k, y + 78, name)


# ---- the examples ----


def input_level() -> Canvas:
    c = Canvas("700 200 420 260 input-level 0")
    c.text(180, 20, "asks ten times a second", 24)
    to_drum(c, 20, 98, c.down(20, 20, "loadbang", "metro 100", "(meter)")[-1])
    answer = c.down(20, 140, "r \\$0-info", "route meter", "unpack f", "outlet")[1]
    c.cord(answer, 1, c.obj(140, 218, "outlet"))
    return c


def microphone() -> Canvas:
    c, y = opening(
        "microphone", "a drum, a table or a mouth plays the 808",
        "Turn DSP on and play into the first input of your sound card. Strokes are missed: more sensitivity. One stroke gives two: less. "
        "A contact microphone on the rim or a line from a drum machine: click its input. No microphone at hand: turn the drummer on. "
        "The 808 that comes back from loudspeakers is not taken for a stroke, but headphones are better.",
    )  # fmt: skip
    source = played_drum(c, LEFT, y, True, "hit", "features", "info")
    to_both_ears(c, LEFT, y + 394, output(c, LEFT, y + 276, source))
    x, y = 320, y - 30
    section(c, x, y + 40, "hear every stroke", 430)
    amount = slider(c, x, y + 80, "sensitivity, %", 0, 100, 50)
    message = c.down(x, y + 128, c.number(x, y + 104, 5), "(sensitivity \\$1)")[-1]
    c.wire(amount, message - 1)
    to_drum(c, x, y + 156, message)
    for k, column in enumerate((("input mic", "input contact", "input line"), ("calibrate 10", "calibrate done", "calibrate off"))):
        left = x + 155 + 145 * k
        to_drum(c, left, y + 156, *(c.msg(left + 8 * i, y + 72 + 26 * i, words) for i, words in enumerate(column)))
    c.text(x + 298, y + 180, "learns this drum from", 22)
    c.text(x + 298, y + 195, "10 strokes, any level", 22)
    section(c, x, y + 236, "what it hears", 430)
    heard(c, x, y + 250)
    meter = c.patch(x, y + 366, input_level(), "input-level")
    c.wire(meter, c.obj(x, y + 400, "vu 15 80 empty empty 0 -8 0 10 #404040 #000000 0 0"))
    c.text(x + 22, y + 430, "input")
    answers = c.down(x + 130, y + 366, "list prepend set", "list trim", "()")
    c.cord(meter, 1, answers[0])
    c.text(x + 126, y + 446, "what the object answers", 26)
    return closing(
        c, y + 506,
        "Go on: depth 2 goes further with your hand, preset noisy_snare is another sound, normalize adapt takes the range of your own "
        "playing: send them as messages, as here. features.pd gives your strokes to any other synthesizer.",
    )  # fmt: skip


STEPS, STEP_WIDTH = 16, 36
ROWS = {  # drawn from 0 to 1
    "loudness": [0.92, 0, 0.5, 0, 0.8, 0, 0.55, 0.6, 0, 0.5, 0.88, 0, 0.8, 0, 0.62, 0.55],
    "brightness": [0.55, 0.5, 0.4, 0.5, 0.8, 0.5, 0.35, 0.6, 0.5, 0.4, 0.6, 0.5, 0.85, 0.5, 0.7, 0.3],
    "noisiness": [0.4, 0.5, 0.6, 0.5, 0.6, 0.5, 0.7, 0.8, 0.5, 0.6, 0.35, 0.5, 0.65, 0.5, 0.9, 0.7],
}
REST = 0.03  # less loudness than the mouse can hit


def row(c: Canvas, x: int, y: int, height: int, name: str, values: list[float]):
    """An array to draw in, a bar for each step, saved with the patch."""
    c.lines.append("#N canvas 0 50 450 300 (subpatch) 0;")
    c.lines += [f"#X array \\$0-{name} {STEPS} float 11 black black;", f"#A 0 {' '.join(f'{v:g}' for v in values)};"]
    c.lines.append(f"#X coords 0 1 {STEPS} 0 {STEP_WIDTH * STEPS} {height} 1 0 0;")
    c.add(f"#X restore {x} {y} graph;")


def clock() -> Canvas:
    """Pairs of steps: the first on the tick of the metronome, the second after its share of the pair."""
    c = Canvas("300 150 720 420 clock 0")
    words = "Two steps at each tick: one at once, one after its share of the pair, the swing. "
    c.text(300, 14, words + "Times of messages in Pd are exact, and trigger plays on that very sample.", 54)
    both = c.down(20, 90, "inlet", "metro 250", "t b b", step=30)[-1]
    tempo = c.down(140, 20, "inlet", "max 20", "expr 30000/$f1", "t f f", step=30)[-1]
    swing = c.down(430, 90, "inlet", "max 50", "min 75", "/ 100", "t b f", step=30)[-1]
    late = c.obj(220, 250, "*")
    c.cord(tempo, 1, both - 1, 1)
    c.cord(tempo, 0, late)
    c.cord(swing, 1, late, 1)
    c.cord(swing, 0, late)
    count, order = c.down(20, 190, "f", "t f f", step=30)
    more = c.down(60, 250, "+ 2", f"mod {STEPS}")
    delay, kept, second = c.down(140, 284, "delay 125", "f", "+ 1")
    step = c.obj(20, 374, "outlet")
    for a, outlet, b, inlet in (
        (both, 1, delay, 0), (both, 0, count, 0), (late, 0, delay, 1), (order, 1, more[0], 0), (more[1], 0, count, 1),
        (order, 0, kept, 1), (order, 0, step, 0), (second, 0, step, 0),
        (c.down(560, 90, "inlet", "/ 2", "int", "* 2", step=30)[-1], 0, count, 1),
    ):  # fmt: skip
        c.cord(a, outlet, b, inlet)
    return c


def look_up() -> Canvas:
    c = Canvas("300 150 580 330 look-up 0")
    c.text(240, 20, "A step becomes a list of its loudness, brightness and noisiness. No loudness: no stroke.", 44)
    order = c.down(20, 20, "inlet", "t f f f", step=30)[-1]
    ends = []
    for k, name in enumerate(ROWS):
        first, *_, end = c.down(20 + 180 * k, 110, f"tabread \\$0-{name}", "max 0", "min 1", step=28)
        c.cord(order, k, first)
        ends.append(end)
    rest, pack = c.obj(20, 194, f"moses {REST}"), c.obj(80, 230, "pack f f f")
    c.wire(ends[0], rest)
    c.cord(rest, 1, pack)
    for k in (1, 2):
        c.cord(ends[k], 0, pack, k)
    c.wire(pack, c.obj(80, 264, "outlet"))
    return c


def surprise() -> Canvas:
    c = Canvas("300 150 500 300 surprise 0")
    c.text(150, 20, "another brightness and noisiness for every step", 40)
    order = c.down(20, 20, "inlet", f"({STEPS})", "until", "t b b b", step=28)[-1]
    for k, name in enumerate(list(ROWS)[1:]):
        random, share = c.down(20 + 170 * k, 136, "random 101", "/ 100", step=28)
        write = c.obj(20 + 170 * k, 250, f"tabwrite \\$0-{name}")
        c.wire(share, write)
        c.cord(order, k, random)
        if k == 0:
            count = c.down(360, 136, "f", "+ 1", f"mod {STEPS}", step=28)
            c.cord(order, 2, count[0])
            c.cord(count[2], 0, count[0], 1)
        c.cord(count[2], 0, write, 1)
    return c


def sequencer() -> Canvas:
    c, y = opening(
        "sequencer", "16 steps play the network, without any drum",
        "Turn DSP on, then play. Draw into the rows with the mouse while it runs: how loud, how bright and how noisy a stroke the network "
        "should hear to make an 808 of. A step without loudness rests. Every step comes on its sample. Save the patch under another "
        "name: your rows are kept in it.",
    )  # fmt: skip
    play = switch(c, LEFT, y + 6, "play", receive="sequencer-play")
    tempo = slider(c, LEFT + 110, y + 10, "tempo, beats per minute", 40, 200, 105, 161, "sequencer-tempo")
    swing = slider(c, LEFT + 360, y + 10, "swing, %", 50, 75, 58, 126, "sequencer-swing")
    rows = y + 66
    for k, (name, values) in enumerate(ROWS.items()):
        c.text(LEFT - 2, rows + 70 * k + 22, name)
        row(c, LEFT + 110, rows + 70 * k, 62, name, values)
    y = rows + 212
    c.text(LEFT - 2, y + 10, "step")
    c.text(LEFT + 190, y + 46, "click a step to go there")
    steps = c.obj(LEFT + 110, y, f"hradio {STEP_WIDTH} 1 0 {STEPS} empty \\$0-mark empty 0 -8 0 10 {GREY} #000000 #000000 0")
    c.cord(steps, 0, c.obj(LEFT + 110, y + 46, "s \\$0-jump"))
    for name, box, x in (("play", play, LEFT), ("tempo", tempo, LEFT + 110), ("swing", swing, LEFT + 360)):
        c.cord(box, 0, c.obj(x, rows - 30, f"s \\$0-{name}"))

    y += 86
    section(c, LEFT, y - 10, "how it is done", WIDTH - 2 * LEFT)
    beat, order = c.patch(LEFT, y + 40, clock(), "clock"), c.obj(LEFT, y + 68, "t f f")
    for k, name in enumerate(("play", "tempo", "swing", "jump")):
        c.cord(c.obj(LEFT + (0, 86, 172, 262)[k], y + 8, f"r \\$0-{name}"), 0, beat, k)
    look, mark = c.patch(LEFT, y + 100, look_up(), "look-up"), c.msg(LEFT + 90, y + 68, "set \\$1")
    message = c.msg(LEFT, y + 128, "trigger \\$1 \\$2 \\$3")
    c.cord(order, 1, mark)
    c.wire(mark, c.obj(LEFT + 90, y + 94, "s \\$0-mark"))
    source = c.obj(LEFT, y + 158, "torchdrum~")
    c.wire(beat, order, look, message, source)
    c.wire(c.obj(LEFT + 160, y + 128, "r \\$0-torchdrum"), source)
    to_both_ears(c, LEFT, y + 284, output(c, LEFT, y + 172, source, right=110))
    x = LEFT + 400
    c.wire(button(c, x, y + 10, "surprise"), c.patch(x, y + 40, surprise(), "surprise"))
    depth = c.down(x + 150, y + 56, c.number(x + 150, y + 30, 5), "(depth \\$1)")
    c.wire(slider(c, x + 150, y + 10, "depth", 0, 4, 1), depth[0])
    to_drum(c, x + 150, y + 84, depth[1])
    to_drum(c, x, y + 196, *(c.msg(x + 8 * k, y + 118 + 26 * k, words) for k, words in enumerate(SOUNDS)))
    to_drum(c, x + 180, y + 196, *(c.msg(x + 180 + 8 * k, y + 118 + 26 * k, words) for k, words in enumerate(MODELS)))
    return closing(
        c, y + 322,
        "Go on: play, tempo and swing can be sent from anywhere, so s sequencer-play starts two of them together. Two objects "
        "with two models after one look-up are a drummer with four hands.",
    )  # fmt: skip


SOUNDS = ["preset snare_1", "preset noisy_snare", "preset open_snare"]
MODELS = ["load snare_1", "load noisy_snare", "load stick_snare_2"]


def reply() -> Canvas:
    c = Canvas("300 150 680 300 reply 0")
    c.text(20, 14, "strokes, features and answers as OSC, to the port that /torchdrum/reply names", 80)
    form = c.down(20, 150, "list prepend send", "list trim", step=28)
    net = c.obj(20, 240, "netsend -u -b")
    c.wire(form[1], net)
    for k, (name, *more) in enumerate((("hit",), ("features",), ("info", "list"))):
        words = [f"r \\$0-{name}", *more, f"oscformat torchdrum {name}", form[0]]
        c.down(20 + 215 * k, 50, *words, step=28)
    c.down(240, 160, "r \\$0-reply", "(disconnect \\, connect 127.0.0.1 \\$1)", net, step=28)
    return c


def osc() -> Canvas:
    c, y = opening(
        "osc", "played over the network by SuperCollider, TidalCycles, Python, …",
        f"Turn DSP on. Every message of the object is an OSC message to UDP port {OSC_PORT}: /torchdrum/trigger 0.9 0.7 0.6, "
        "/torchdrum/set osc1_freq 250 (or /torchdrum/set/osc1_freq 250), words too: /torchdrum/load open_snare, /torchdrum/preset snare_2. "
        "The files beside this patch do it: osc.py needs nothing but Python, osc.scd is for SuperCollider, osc.tidal for TidalCycles.",
    )  # fmt: skip
    section(c, LEFT, y + 10, "from the network", 330)
    given = c.down(LEFT, y + 24, "loadbang", "f \\$1", "sel 0", f"({OSC_PORT})")
    port = c.number(LEFT + 70, y + 132, 6)
    net = c.down(LEFT, y + 160, "(listen \\$1 127.0.0.1)", "netreceive -u -b", "oscparse", "list trim", "route torchdrum", "route reply")
    c.wire(given[-1], port, net[0])
    c.cord(given[2], 1, port)
    c.text(LEFT + 125, y + 132, "port")
    c.text(LEFT + 100, y + 50, "an argument is another port: [osc 9900]", 24)
    c.wire(c.msg(LEFT + 170, y + 160, f"listen {OSC_PORT}"), net[1])
    c.text(LEFT + 170, y + 184, "not only from this machine", 20)
    c.cord(net[-1], 0, c.obj(LEFT, y + 322, "s \\$0-reply"))
    c.cord(net[-1], 1, c.obj(LEFT + 100, y + 322, "s \\$0-torchdrum"))
    came = c.down(LEFT + 220, y + 322, "list prepend set", "list trim", "()")
    c.cord(net[-1], 1, came[0])
    x = 400
    section(c, x, y + 10, "the 808", 360)
    test = c.msg(x + 140, y + 28, "trigger 0.9 0.7 0.6")
    c.text(x + 288, y + 28, "to test")
    source = drum(c, x, y + 90, "hit", "features", "info")
    c.wire(test, source)
    to_both_ears(c, x, y + 322, output(c, x, y + 204, source))
    c.patch(x + 200, y + 260, reply(), "reply")
    c.text(x + 200, y + 284, f"/torchdrum/reply {OSC_REPLY_PORT} brings back hit, features and info", 24)
    return closing(
        c, y + 412,
        "Go on: OSC from a phone, a game or a sensor needs nothing but these messages. /torchdrum/get depth and /torchdrum/dump answer as "
        "/torchdrum/info where a reply was asked for. Times of OSC bundles are not kept: what comes is played at once.",
    )  # fmt: skip


PLAIN_MODELS = [name for name in td.model_names() if f"808_{name}" in td.preset_names()]


def begin() -> Canvas:
    c = Canvas("300 150 380 180 begin 0")
    order = c.down(20, 20, "loadbang", "t b b")[-1]
    for outlet, x, name in ((1, 180, "open_snare"), (0, 20, "snare_1")):
        c.cord(order, outlet, c.down(x, 76, f"(symbol {name})", "outlet")[0])
    return c


WANDER_S, WANDER_MS = 12, 50


def wander() -> Canvas:
    c = Canvas("300 150 420 240 wander 0")
    c.text(160, 20, f"from a to b and back in {WANDER_S} s", 30)
    count = c.down(20, 20, "inlet", f"metro {WANDER_MS}", "f")[-1]
    step = c.down(60, 98, f"+ {WANDER_MS / 1000 / WANDER_S:.6g}", "wrap")
    c.wire(count, step[0])
    c.cord(step[1], 0, count, 1)
    c.wire(count, c.down(20, 150, "expr 0.5-0.5*cos(6.283185*$f1)", "outlet")[0])
    return c


def morph() -> Canvas:
    c, y = opening(
        "morph", "two models, and everything between them",
        "Turn DSP on: the drummer plays. Move the slider: both networks hear each stroke, and sound and movement lie between the two. The "
        "next stroke has it. Click other models: morph a b x loads both, morph x alone moves. Models that you trained lie beside the patch "
        "and go by their name.",
    )  # fmt: skip
    source = played_drum(c, LEFT, y, False, "info")
    to_both_ears(c, LEFT, y + 350, output(c, LEFT, y + 232, source))
    x = 330
    section(c, x, y + 10, "model a                        model b", 430)
    right, rows = x + 215, 26 * len(PLAIN_MODELS)
    columns = [[c.msg(x_ + 8 * i, y + 26 + 26 * i, f"symbol {name}") for i, name in enumerate(PLAIN_MODELS)] for x_ in (x, right)]
    y += rows + 56
    first, other, pack = c.obj(x, y, "symbol"), c.obj(right, y, "t b s"), c.obj(x, y + 66, "pack s s f")
    start = c.patch(x + 150, y - 36, begin(), "begin")
    for box, column in zip((first, other), columns, strict=True):
        for message in column:
            c.cord(message, 0, box)
    both = c.msg(x, y + 94, "morph \\$1 \\$2 \\$3")
    for a, outlet, b, inlet in (
        (first, 0, pack, 0), (other, 0, pack, 0), (other, 1, pack, 1), (start, 0, first, 0), (start, 1, pack, 1),
        (c.obj(right + 50, y + 36, "r \\$0-amount"), 0, pack, 2), (pack, 0, both, 0),
    ):  # fmt: skip
        c.cord(a, outlet, b, inlet)
    to_drum(c, x, y + 120, both)
    c.down(right, y + 94, "r \\$0-info", "list prepend set", "list trim", "()", step=24)
    y += 214
    section(c, x, y - 4, "and between", 430)
    amount = slider(c, x, y + 82, "a … b", 0, 1, 0, 301, "morph-amount")
    c.wire(switch(c, x, y + 14, "wander"), c.patch(x, y + 40, wander(), "wander"), amount)
    order, message = c.down(x, y + 104, "t f f", "(morph \\$1)")
    c.wire(amount, order)
    c.cord(order, 1, c.obj(x + 100, y + 130, "s \\$0-amount"))
    c.wire(amount, c.number(x + 330, y + 104, 6))
    to_drum(c, x, y + 156, message)
    return closing(
        c, y + 200,
        "Go on: a pedal or a fader can move it (notein, ctlin 1 divided by 127), so can your playing: the loudness of features, scaled to "
        "0 … 1, sends the next stroke further to b after a loud one. morph off plays one model again.",
    )  # fmt: skip


def fm() -> Canvas:
    """Two oscillators, one bending the other; everything dies away from the stroke on."""
    c = Canvas("300 150 660 440 fm 0")
    c.text(400, 20, "level (0 to 1), pitch (Hz), how far one oscillator bends the other, stroke", 30)
    level, pitch, bend, hit = (c.obj(x, 20, "inlet") for x in (20, 110, 210, 330))
    kept, body = c.obj(20, 110, "f"), c.down(20, 140, "(\\$1 1 \\, 0 350 1)", "vline~", step=30)
    order, spark = c.obj(330, 60, "t b b"), c.down(330, 110, "(1 \\, 0 120)", "vline~", step=30)
    second, deep, fade = c.down(110, 200, "* 1.41", "osc~", step=30), c.obj(210, 170, "*"), c.obj(210, 230, "*~")
    bent, carrier, product = c.obj(110, 270, "*~"), c.down(110, 300, "+~", "osc~", step=30), c.down(20, 370, "*~", "outlet~", step=30)
    for a, outlet, b, inlet in (
        (level, 0, kept, 1), (hit, 0, order, 0), (order, 0, kept, 0), (order, 1, spark[0], 0), (kept, 0, body[0], 0),
        (pitch, 0, second[0], 0), (pitch, 0, deep, 0), (bend, 0, deep, 1), (pitch, 0, carrier[0], 1), (deep, 0, fade, 0),
        (spark[1], 0, fade, 1), (second[1], 0, bent, 0), (fade, 0, bent, 1), (bent, 0, carrier[0], 0), (body[1], 0, product[0], 0),
        (carrier[1], 0, product[0], 1),
    ):  # fmt: skip
        c.cord(a, outlet, b, inlet)
    return c


def features() -> Canvas:
    c, y = opening(
        "features", "what the object hears plays somebody else's synthesizer",
        "Turn DSP on: the drummer plays. The fourth outlet tells what was heard in a stroke, then the third gives a bang at the time of "
        "the stroke. Here they play an FM voice: loud strokes are louder, bright ones higher, noisy ones rougher. Turn the 808 down and "
        "your drum plays the voice alone, or play both.",
    )  # fmt: skip
    source = played_drum(c, LEFT, y, False, "hit", "features")
    to_both_ears(c, LEFT, y + 394, output(c, LEFT, y + 276, source, "808", 0.5, "features-808"))
    x = 310
    section(c, x, y + 10, "from features to a voice", 450)
    split = c.down(x, y + 26, "r \\$0-features", "unpack f f f", step=28)[-1]
    columns = (x, x + 160, x + 360)
    steps = (["expr pow(10, $f1/40)", "min 1"], ["expr rint(2.4*int($f1-91))", "max 33", "mtof"], ["expr 4+$f1/5", "max 0"])
    voice = []
    for k, (left, name, boxes) in enumerate(zip(columns, FEATURES, steps, strict=True)):
        number = c.number(left, y + 90, 7)
        c.cord(split, k, number)
        c.text(left - 2, y + 110, name)
        first, *more = c.down(left, y + 136, *boxes)
        c.wire(number, first)
        voice.append((first, *more)[-1])
    c.text(x + 45, y + 162, "level")
    c.text(x + 210, y + 162, "five an octave")
    c.text(x + 415, y + 162, "bend")
    stroke = button(c, x + 360, y + 256, "stroke")
    c.wire(c.obj(x + 360, y + 228, "r \\$0-hit"), stroke)
    player = c.patch(x, y + 292, fm(), "fm")
    for k, box in enumerate((*voice, stroke)):
        c.cord(box, 0, player, k)
    to_both_ears(c, x, y + 442, output(c, x, y + 326, player, "FM", 0.6, "features-fm"))
    return closing(
        c, y + 490,
        "Go on: put your own voice in the place of fm, or send the numbers as MIDI (noteout) or OSC (osc.pd) to another program. The "
        "second outlet of the object is an impulse on the sample on which the 808 starts, for whatever listens to signals.",
    )  # fmt: skip


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    return max(write_or_check(__doc__, FOLDER / f"{make.__name__}.pd", make()) for make in (microphone, sequencer, osc, morph, features))


if __name__ == "__main__":
    sys.exit(main())
