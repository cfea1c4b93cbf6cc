# SPDX-License-Identifier: MIT
"""Makes the package of [torchdrum~] for Max: help, reference, examples, models; with the externals that are given.

python tools/max_package.py FOLDER [--externals FOLDER ...] [--zip FILE]

FOLDER becomes the package torchdrum/ (what was there is replaced). What the object has comes from the core's tables, so that a new control
or parameter is in the help and in the reference at once; what it means is in words.py and here.
"""

from __future__ import annotations

import argparse
import json
import shutil
import struct
import sys
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import max_panel
from max_patch import LETTER, Patcher
from words import DIGEST, INTRODUCTION, MESSAGES, MODEL_ARGUMENT, OUTLETS, control_help, param_help

import torchdrum_py as td

ROOT = Path(__file__).resolve().parent.parent
NAME = "torchdrum"
OUTLET_NAMES = ["drum", "trigger", "hit", "features", "params", "info"]
BUILT_IN = td.Model.builtin().info["name"]

# MSP has the word enable on every object, to mute it: the control is called by its other name.
MSP_WORDS = {"enable": "active"}
LISTENING = ["input", "detector", "sensitivity", "onthreshold", "offthreshold", "hold", "floor", "highpass", "selfmask"]


MANY = (
    "Several drums at once: mc.torchdrum~ @chans 4 wraps four of these objects, one detector and one 808 with a noise of its own for every "
    "channel. A message goes to all of them, setvalue 2 load snare_2 to the second alone."
)

# What stands over each tab and example.
TEXT = {
    "play": (
        "A trigger without numbers plays the preset; with loudness, centroid and flatness (0 to 1) it plays as such a stroke "
        "would. The second outlet is an impulse on the very sample on which the drum starts, as high as the stroke was loud."
    ),
    "models": (
        "A model is a network with its preset, trained on somebody's playing. The file is read beside the sound: the old model "
        "plays on until the new one was checked, and the next stroke has it. A load that fails changes nothing."
    ),
    "mapping": (
        "What the network may move, and from where: every parameter of the 808 in its unit. At a stroke each is the value below "
        "plus what the network says, times depth; the fifth outlet gives what was played."
    ),
    "live": (
        "Strokes are missed, or there are too many? First say where the sound comes from, then turn sensitivity; the rest is for "
        "special cases. The meter says why a stroke was lost: the rise must exceed the threshold."
    ),
    "audio-driven": (
        "Play a drum, a table or your mouth into the microphone: the 808 plays with you. The sliders show what it hears of every stroke."
    ),
    "sequencer-driven": (
        "No drum at all: a sequencer says how loud, how bright and how noisy each stroke would be, and the network plays the 808 "
        "as if it had heard it."
    ),
    "with-a-panel": (
        "The object with a face: a bpatcher of torchdrum.panel. What it hears, how far each stroke moves each dial, models and presets. "
        "Its argument is a model, its inlet and outlets are the object's. A pattrstorage in your patcher keeps what it is set to, as "
        "torchdrum::sound, or embed it (inspector)."
    ),
    "train-your-own": (
        "A minute of your playing becomes a model of your own. The training itself is a command of the Python package (pip "
        "install with the extra train); everything else happens here."
    ),
}


def attribute_of(control: td.Control) -> str:
    """The name of a control's attribute in Max."""
    return MSP_WORDS.get(control.name, control.name)


def models() -> list[str]:
    return sorted(path.stem for path in (ROOT / "models").glob("*.safetensors"))


# ---- what the object has


def methods() -> dict[str, tuple[str, str]]:
    """Every message that is no attribute: {word: (arguments, text)}."""
    found: dict[str, tuple[str, str]] = {}
    for words, arguments, text in MESSAGES:
        for word in words:
            if td.find_control(word):
                continue
            before = found.get(word, ("", ""))
            found[word] = (f"{before[0]} {arguments}".strip(), f"{before[1]} {text}".strip())
    found["print"] = ("", "everything to Max's console, with units.")
    found["preset"] = (found["preset"][0], f"{found['preset'][1]} Without a name it is the question of Max's own preset object.")
    aliases = [f"{alias} is {attribute_of(k)}" for k in td.CONTROLS for alias in k.aliases if alias != attribute_of(k)]
    found["anything"] = ("", f"The other names of attributes: {', '.join(aliases)}. What is no message is said in the console.")
    found["enable"] = ("<f>", "MSP's own, as on every object: 0 mutes the object at once. The attribute active stops it without a click.")
    return found


def attributes() -> dict[str, str]:
    """{attribute: what it is}"""
    found = {"sound": "model, preset and changed parameters as words and values in turn: what is saved with the patcher as one thing."}
    found |= {p.name: param_help(p) + ". Saved as part of sound." for p in td.PARAMS}
    found |= {attribute_of(k): control_help(k) + (". Saved as part of sound." if k.name == "seed" else "") for k in td.CONTROLS}
    for words, arguments, text in MESSAGES:
        for k in filter(None, map(td.find_control, words)):
            found[attribute_of(k)] += f". {k.name} {arguments}: {text}"
    return found


# ---- help


def drummer() -> Patcher:
    """Noise bursts of random level and brightness: something to play along with when no drum is at hand."""
    c = Patcher(420, 460)
    c.comment(20, 10, "bursts of noise, soft and hard, dull and bright")
    on = c.box("inlet", 20, 40, 30, 30, 0, [""])
    metro, both = c.obj(20, 80, "metro 260"), c.obj(20, 110, "t b b")
    level, part, copy, square = c.obj(20, 150, "random 100"), c.obj(20, 180, "/ 110."), c.obj(20, 210, "t f f"), c.obj(20, 240, "* 0.")
    least, burst, line = c.obj(20, 270, "+ 0.01"), c.msg(20, 300, "$1 0.5 0. 90."), c.obj(20, 330, "line~")
    pitch, shift, hertz = c.obj(200, 150, "random 48"), c.obj(200, 180, "+ 84"), c.obj(200, 210, "mtof")
    hiss, dull, product = c.obj(140, 270, "noise~"), c.obj(140, 330, "onepole~ 3000"), c.obj(20, 370, "*~")
    out = c.box("outlet", 20, 410, 30, 30, 1, [])
    for a, outlet, b, inlet in (
        (on, 0, metro, 0), (metro, 0, both, 0), (both, 0, level, 0), (both, 1, pitch, 0), (level, 0, part, 0), (part, 0, copy, 0),
        (copy, 0, square, 0), (copy, 1, square, 1), (square, 0, least, 0), (least, 0, burst, 0), (burst, 0, line, 0), (pitch, 0, shift, 0),
        (shift, 0, hertz, 0), (hertz, 0, dull, 1), (hiss, 0, dull, 0), (line, 0, product, 0), (dull, 0, product, 1), (product, 0, out, 0),
    ):  # fmt: skip
        c.cord(a, outlet, b, inlet)
    return c


def rig(c: Patcher, y: float, arguments: str = "", has_face: bool = False) -> int:
    """Drummer and microphone, in the left column, for the object or the panel; returns it. place puts it under what it is sent."""
    play, mic = c.ui("toggle", 20, y), c.ui("toggle", 130, y)
    c.comment(48, y, "drummer")
    c.comment(158, y, "microphone")
    drum = c.sub(20, y + 40, "drummer", drummer())
    adc, gate = c.obj(170, y + 40, "adc~ 1"), c.obj(130, y + 70, "*~ 0.")
    text = f"torchdrum~ {arguments}".strip()
    td_object = max_panel.bpatcher(c, 20, y + 120) if has_face else c.obj(20, y + 120, text, 440)
    for a, outlet, b, inlet in (
        (play, 0, drum, 0), (drum, 0, td_object, 0), (mic, 0, gate, 1), (adc, 0, gate, 0), (gate, 0, td_object, 0),
    ):  # fmt: skip
        c.cord(a, outlet, b, inlet)
    return td_object


def place(c: Patcher, td_object: int, y: float) -> float:
    """The object at that height, volume and loudspeaker under it; returns the y for what its other outlets are shown by."""
    c.move(td_object, 20, y)
    y += c.boxes[td_object - 1]["box"]["patching_rect"][3] - 22
    gain, dac = c.ui("gain~", 20, y + 40, 24, 100, parameter_enable=0), c.ui("ezdac~", 56, y + 96, 44, 44)
    c.comment(48, y + 50, "volume")
    c.comment(20, y + 144, "sound on/off")
    for a, outlet, b, inlet in ((td_object, 0, gain, 0), (gain, 0, dac, 0), (gain, 0, dac, 1)):
        c.cord(a, outlet, b, inlet)
    c.rect[3] = max(c.rect[3], y + 180)
    return y + 50


def tab(title: str, words: str, arguments: str = "") -> tuple[Patcher, int, float]:
    """A tab with the rig; the patcher, its object, and the y under the text."""
    c = Patcher(height=480, is_tab=True)
    y = c.comment(20, c.title(title), words, 800) + 14
    return c, rig(c, y, arguments), y


def buttons(c: Patcher, x: float, y: float, to: int, rows: list[tuple[str, str]]) -> float:
    """Messages with what they do beside them, sent to the object; returns the y below."""
    for message, words in rows:
        c.cord(c.msg(x, y, message), 0, to)
        y = max(y + 30, c.comment(x + 180, y, words, min(360, 12 + LETTER * len(words))))
    return y


def attributes_of(c: Patcher, x: float, y: float, to: int, names: list[str], columns: int = 2) -> float:
    for i, name in enumerate(names):
        c.cord(c.attr(x + 270 * (i % columns), y + 28 * (i // columns), name), 0, to)
    return y + 28 * -(-len(names) // columns)


def answers(c: Patcher, o: int, x: float, y: float, words: str):
    """What the info outlet said last."""
    shown = c.obj(x, y, "prepend set")
    c.cord(o, 5, shown)
    c.cord(shown, 0, c.msg(x, y + 30, words))


def numbers(c: Patcher, source: int, outlet: int, x: float, y: float, names: tuple[str, ...]):
    """A list of numbers, each with its name."""
    split = c.obj(x, y, "unpack" + " 0." * len(names))
    c.cord(source, outlet, split)
    for i, words in enumerate(names):
        c.cord(split, i, c.ui("flonum", x + 95 * i, y + 34, 70, 22, format=6))
        c.comment(x + 95 * i, y + 58, words)


def basic() -> Patcher:
    c, o, y = tab("torchdrum~", f"{INTRODUCTION} Turn the sound on, then the drummer; then the drummer off and the microphone on.")
    below = buttons(c, 280, y, o, [
        ("trigger", "the preset without a stroke"), ("trigger 0.9 0.7 0.6", "loudness, brightness, noisiness by hand, 0 to 1"),
        ("preset noisy_snare", "another sound under the same playing"), ("preset snare_1", "and back"),
    ])  # fmt: skip
    c.comment(280, below + 4, "How far may the network move the sound, and how soft a stroke is heard:", 560)
    below = place(c, o, attributes_of(c, 280, below + 32, o, ["depth", "sensitivity"]) + 20)
    stroke = c.ui("button", 190, below)
    c.comment(170, below + 28, "a stroke")
    c.cord(o, 2, stroke)
    numbers(c, o, 3, 280, below, ("loudness dB", "centroid st", "flatness dB"))
    answers(c, o, 600, below, "what the object answers")
    return c


def play() -> Patcher:
    c, o, y = tab("play", TEXT["play"])
    clock, beat = c.ui("toggle", 280, y), c.obj(280, y + 34, "metro 125")
    steps, at = c.obj(280, y + 66, "counter 0 7"), c.obj(280, y + 98, "select 0 2 3 6")
    for a, b in ((clock, beat), (beat, steps), (steps, at)):
        c.cord(a, 0, b)
    for i, words in enumerate(("trigger 0.95 0.5 0.5", "trigger 0.4 0.8 0.7", "trigger 0.3 0.3 0.3", "trigger 0.8 0.9 0.9")):
        message = c.msg(280 + 24 * i, y + 132 + 28 * i, words)
        c.cord(at, i, message)
        c.cord(message, 0, o)
    c.comment(312, y, "a sequencer drives the network: no drum at all")
    below = buttons(c, 280, y + 252, o, [
        ("reset", "silence in 5 ms, forget what waits"), ("seed 5", "the noise from its start, always the same"),
        ("store 1", "keep this sound in one of 16 places; the patcher saves them"), ("recall 1", "take it up again"),
        ("write my_snare", "the same as a preset file"), ("read my_snare", "and back"),
    ])  # fmt: skip
    below = attributes_of(c, 280, below + 6, o, ["mix", "gain", "bypass", "active", "depth", "seed"])
    below = place(c, o, below + 20)
    pulse = c.ui("scope~", 190, below, 180, 100)
    c.cord(o, 1, pulse)
    c.comment(190, below + 104, "the trigger outlet")
    c.comment(400, below, MANY, 400)
    return c


UNIT = {"orientation": 1, "floatoutput": 1, "size": 1.0, "parameter_enable": 0}  # of a slider that goes from 0 to 1


def models_tab() -> Patcher:
    c, o, y = tab("models", TEXT["models"], "snare_2")
    rows = [(f"load {name}", "built in" if name == BUILT_IN else "in this package") for name in models()]
    rows += [("load snare_3 keep", "keeps the parameters that you changed"), ("reload", "read the file again, after training")]
    rows += [
        ("normalize adapt", "by the range of your own playing"),
        ("normalize model", "as in training"),
        ("get model", "which one is it?"),
        ("morph snare_1 snare_3 0.5", "two at once, halfway"),
        ("morph off", "the first one alone"),
    ]
    below = buttons(c, 280, y, o, rows)
    drop, load = c.ui("dropfile", 640, y, 160, 60), c.obj(640, y + 76, "prepend load")
    c.comment(640, y + 104, "or drop a model file above", 200)
    c.cord(drop, 0, load)
    c.cord(load, 0, o)
    slide, morph = c.ui("slider", 640, y + 206, 160, 22, **UNIT), c.obj(640, y + 238, "prepend morph")
    c.comment(640, y + 150, "once there are two models: how far from the first to the second", 200)
    c.cord(slide, 0, morph)
    c.cord(morph, 0, o)
    below = place(c, o, below + 10)
    sort = c.obj(280, below, "route loaded error")
    c.cord(o, 5, sort)
    for i, words in enumerate(("loaded", "error")):
        shown = c.obj(280 + 200 * i, below + 34, "prepend set")
        c.cord(sort, i, shown)
        c.cord(shown, 0, c.msg(280 + 200 * i, below + 64, words))
    return c


def mapping() -> Patcher:
    c, o, y = tab("mapping", TEXT["mapping"])
    below = attributes_of(c, 280, y, o, [*(p.name for p in td.PARAMS), "depth", "loudness"])
    below = buttons(c, 280, below + 10, o, [
        ("set osc1_freq 250", "one parameter; the word set may be left out"), ("get osc1_freq", "one value, from the info outlet"),
        ("dump", "everything, from the info outlet"), ("print", "the same in the console, with units"),
        ("mask osc1_mod 1", "keep the network's hands off one parameter"), ("mask all 0", "it may move every one"),
        ("depth osc1_freq 0.5", "this one half as far as the others"), ("depth all 1", "every one as far"),
        ("scale centroid 2", "bright and dull further apart"), ("offset loudness -0.25", "every stroke a little softer"),
        ("scale all 1", "as it was"), ("offset all 0", "as it was"), ("state", "what makes a new object the same as this one"),
    ])  # fmt: skip
    below = place(c, o, below + 10)
    played = c.ui("multislider", 190, below, 280, 80, size=len(td.PARAMS), setminmax=[-60.0, 2000.0], parameter_enable=0)
    c.cord(o, 4, played)
    c.comment(190, below + 84, "what was played")
    answers(c, o, 500, below, "what the object answers")
    return c


def live() -> Patcher:
    c, o, y = tab("live", TEXT["live"])
    known = [attribute_of(k) for k in td.CONTROLS]
    below = attributes_of(c, 280, y, o, [name for name in LISTENING if name in known])
    below = buttons(c, 280, below + 8, o, [
        ("input mic", "a microphone near the drum"), ("input contact", "a contact microphone or trigger"),
        ("input line", "a drum machine, a recording"), ("detector classic", "as TorchDrum hears strokes"), ("detector rise", "as we do"),
        ("latency", "samples and ms from stroke to drum"), ("meter", "why a stroke was lost"),
        ("calibrate 10", "listen to ten strokes, soft to hard: your drum gets the whole range"), ("calibrate done", "after fewer"),
        ("calibrate off", "forget it"), ("get range", "least and most loudness, centroid, flatness"),
    ])  # fmt: skip
    look, ask, request = c.ui("toggle", 280, below), c.obj(314, below, "metro 100"), c.msg(400, below, "meter")
    c.comment(460, below, "all the time")
    for a, b in ((look, ask), (ask, request), (request, o)):
        c.cord(a, 0, b)
    below = place(c, o, below + 40)
    sort = c.obj(280, below, "route meter latency calibrate")
    c.cord(o, 5, sort)
    numbers(c, sort, 0, 280, below + 34, ("level dBFS", "rise dB", "threshold dB", "cpu %"))
    for outlet, y, words in ((1, 34, "samples, ms"), (2, 104, "strokes heard, of"), (3, 174, "calibrated, range, input")):
        shown = c.obj(645, below + y, "prepend set")
        c.cord(sort, outlet, shown)
        c.cord(shown, 0, c.msg(645, below + y + 30, words))
    c.rect[3] = max(c.rect[3], below + 250)
    return c


def everything() -> Patcher:
    """The tab ?: every message and every attribute, with what it does."""
    c = Patcher(860, 640, is_tab=True)
    y = c.title("every message and attribute")
    for head, rows in (
        ("inlet", [(f"{word} {arguments}".strip(), text) for word, (arguments, text) in methods().items()]),
        ("attributes, which are messages, too", list(attributes().items())),
        ("outlets, from left to right", [(f"{name} ({kind})", text) for name, (kind, text) in zip(OUTLET_NAMES, OUTLETS, strict=True)]),
        ("argument", [("<model>", MODEL_ARGUMENT)]),
    ):
        c.ui("comment", 20, y + 8, 400, 22, text=head, fontface=1)
        y += 34
        for word, text in rows:
            c.comment(20, y, word, 200)
            y = c.comment(230, y, text, 600) + 2
    c.rect[3] = float(y + 20)
    return c


TABS = {"basic": basic, "play": play, "models": models_tab, "mapping": mapping, "live": live, "?": everything}


def help_patch() -> Patcher:
    c = Patcher(880, 700)
    c.ui("jsui", 20, 20, 400, 60, filename="helpname.js", jsarguments=["torchdrum~"], ignoreclick=1, parameter_enable=0)
    for i, (name, make) in enumerate(TABS.items()):
        c.sub(20 + 110 * i, 100, name, make())
    return c


# ---- reference

SYMBOLS = ("model", "name", "param", "word", "a", "b", "file", "feature")  # arguments of messages that are words


def reference() -> str:
    root = ET.Element("c74object", name="torchdrum~", module="msp", category="MSP Synthesis, MSP Analysis")

    def add(parent: ET.Element, tag: str, text: str = "", **more: str) -> ET.Element:
        element = ET.SubElement(parent, tag, more)
        element.text = text or None
        return element

    def explain(parent: ET.Element, text: str):
        add(parent, "digest", text.split(". ")[0].rstrip("."))
        add(parent, "description", text)

    add(root, "digest", DIGEST)
    add(root, "description", INTRODUCTION)
    meta = add(root, "metadatalist")
    for name, value in (("author", "the torchdrum authors"), ("tag", "MSP"), ("tag", "drum"), ("tag", "808"), ("tag", "onset detection")):
        add(meta, "metadata", value, name=name)
    inlets = add(root, "inletlist")
    explain(add(inlets, "inlet", id="0", type="signal/message"), "The drum that is listened to, and every message")
    outlets = add(root, "outletlist")
    for i, (kind, text) in enumerate(OUTLETS):
        explain(add(outlets, "outlet", id=str(i), type=kind), f"{OUTLET_NAMES[i]}: {text}")
    arguments = add(root, "objarglist")
    explain(add(arguments, "objarg", name="model", optional="1", type="symbol"), MODEL_ARGUMENT)
    listed = add(root, "methodlist")
    for word, (given, text) in methods().items():
        method = add(listed, "method", name=word)
        names = add(method, "arglist")
        for argument in given.replace(">", "").split("<")[1:]:
            kind = "symbol" if argument.strip() in SYMBOLS else "float"
            add(
                names,
                "arg",
                name=argument.strip(),
                optional=str(int(word in ("trigger", "preset", "calibrate"))),
                type="list" if " " in argument.strip() else kind,
            )
        explain(method, text)
    listed = add(root, "attributelist")
    tables = {p.name: p for p in td.PARAMS} | {attribute_of(k): k for k in td.CONTROLS}
    for name, text in attributes().items():
        thing = tables.get(name)
        choices = getattr(thing, "choices", ())
        whole = thing is not None and thing.unit in ("on/off", "count")
        kind = "atom" if thing is None else "symbol" if choices else "atom_long" if whole else "float64"
        attribute = add(listed, "attribute", name=name, get="1", set="1", type=kind, size="1" if thing else "0")
        explain(attribute, text)
        if choices:
            values = add(attribute, "enumlist")
            for choice in choices:
                explain(add(values, "enum", name=choice), f"{name} {choice}")
    add(add(root, "seealsolist"), "seealso", name="mc.torchdrum~")
    ET.indent(root, "\t")
    head = '<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<?xml-stylesheet href="./_c74_ref.xsl" type="text/xsl"?>\n'
    return head + ET.tostring(root, encoding="unicode") + "\n"


# ---- examples


def audio_driven() -> Patcher:
    c = Patcher(860, 480)
    y = c.comment(20, c.title("audio-driven"), TEXT["audio-driven"], 800) + 14
    o = rig(c, y)
    c.comment(280, y, "Where does the sound come from, and how soft a stroke is heard?", 560)
    below = attributes_of(c, 280, y + 28, o, ["input", "sensitivity", "depth", "mix"])
    below = place(c, o, buttons(c, 280, below + 10, o, [(f"load {name}", "another model") for name in models()]) + 10)
    heard = c.ui("multislider", 190, below, 270, 80, size=3, setminmax=[-90.0, 130.0], parameter_enable=0)
    c.cord(o, 3, heard)
    c.comment(190, below + 84, "loudness, centroid, flatness of the last stroke", 340)
    return c


def sequencer_driven() -> Patcher:
    c = Patcher(860, 480)
    y = c.comment(20, c.title("sequencer-driven"), TEXT["sequencer-driven"], 800) + 14
    on, beat, steps = c.ui("toggle", 20, y), c.obj(20, y + 34, "metro 110"), c.obj(20, y + 66, "counter 0 15")
    at = c.obj(20, y + 98, "select 0 3 4 6 8 11 12 14 15")
    for a, b in ((on, beat), (beat, steps), (steps, at)):
        c.cord(a, 0, b)
    c.comment(50, y, "start")
    o = c.obj(20, y, "torchdrum~", 440)
    for i, loudness in enumerate((0.4, 0.3, 0.95, 0.35, 0.5, 0.3, 1.0, 0.4, 0.6)):
        message = c.msg(20 + 190 * (i % 4), y + 140 + 34 * (i // 4), f"trigger {loudness} {0.2 + 0.08 * i:.2f} {0.9 - 0.07 * i:.2f}")
        c.cord(at, i, message)
        c.cord(message, 0, o)
    c.comment(20, y + 244, "Click one to hear it; change its numbers: loudness, centroid, flatness, each 0 to 1.", 640)
    below = attributes_of(c, 20, y + 272, o, ["depth", "gain", *(p.name for p in td.PARAMS[:4])], 3)
    place(c, o, below + 10)
    return c


def train_your_own() -> Patcher:
    c = Patcher(860, 480)
    y = c.title("train your own")
    y = c.comment(20, y, TEXT["train-your-own"], 800) + 10
    c.comment(
        20,
        y,
        "1  Record a minute of strokes: soft and hard, everywhere on your drum. Choose a file, then switch recording on and off.",
        800,
    )
    choose, switch = c.msg(40, y + 34, "open wave"), c.ui("toggle", 140, y + 34)
    adc, record = c.obj(200, y + 34, "adc~ 1"), c.obj(40, y + 70, "sfrecord~ 1")
    for a, b in ((adc, record), (choose, record), (switch, record)):
        c.cord(a, 0, b)
    y = (
        c.comment(20, y + 104, "2  In a terminal, in the folder of the recording (training takes minutes, and says how it is going):", 800)
        + 4
    )
    y = c.comment(40, y, "torchdrum train recording.wav --preset snare_1 -o mine.safetensors", 700) + 10
    y = c.comment(20, y, "3  Choose the model that came out. After another training, reload reads the same file again. 4  Play.", 800) + 4
    choose, dialog, load = c.ui("button", 20, y), c.obj(20, y + 34, "opendialog"), c.obj(20, y + 66, "prepend load")
    again, back, mic = c.msg(200, y + 34, "reload"), c.msg(300, y + 34, f"load {BUILT_IN}"), c.obj(440, y + 34, "adc~ 1")
    o = c.obj(20, y, "torchdrum~", 440)
    for a, b in ((choose, dialog), (dialog, load), (load, o), (again, o), (back, o), (mic, o)):
        c.cord(a, 0, b)
    answers(c, o, 400, place(c, o, y + 106), "loaded, or what is wrong")
    return c


def with_a_panel() -> Patcher:
    c = Patcher(860, 480)
    y = c.comment(20, c.title("with a panel"), TEXT["with-a-panel"], 800) + 14
    o = rig(c, y, has_face=True)
    buttons(c, 280, y, o, [("trigger 0.9 0.7 0.6", "it takes every message of the object"), ("latency", "and answers")])
    answers(c, o, 190, place(c, o, y + 110), "what the object answers")
    return c


EXAMPLES = {
    "audio-driven": audio_driven,
    "sequencer-driven": sequencer_driven,
    "with-a-panel": with_a_panel,
    "train-your-own": train_your_own,
}


def overview() -> Patcher:
    c = Patcher(620, 360)
    y = c.comment(20, c.title("torchdrum"), f"{DIGEST}. {INTRODUCTION}", 570) + 14
    control = c.obj(20, y + 140, "pcontrol")
    for i, (name, words) in enumerate((
        ("audio-driven", "play into a microphone"), ("sequencer-driven", "no drum at all"),
        ("with-a-panel", "the object with a face"), ("train-your-own", "a model of your playing"),
    )):  # fmt: skip
        c.cord(c.msg(20, y + 30 * i, f"load {name}.maxpat"), 0, control)
        c.comment(240, y + 30 * i, words, 340)
    c.comment(20, y + 174, "And the help of the object: create torchdrum~, then right click, Open Help.", 570)
    c.obj(20, y + 206, "torchdrum~", 200)
    return c


# ---- the rest of the package


def picture(size: int = 256) -> bytes:
    """The icon as PNG: a drum from the side, and the wave that comes out of it."""
    samples = 3
    skin, shell, paper, stroke = (244, 239, 226), (196, 62, 44), (32, 34, 40), (246, 186, 66)

    def colour(x: float, y: float) -> tuple[int, int, int]:
        if ((x - 0.5) / 0.34) ** 2 + ((y - 0.4) / 0.12) ** 2 < 1:
            return skin
        if abs(x - 0.5) < 0.34 and y > 0.4 and ((x - 0.5) / 0.34) ** 2 + max(0.0, (y - 0.72) / 0.12) ** 2 < 1:
            rope = abs(((x - 0.16) * 8 + (y - 0.4) * 5) % 2 - 1) < 0.1 or abs(((x - 0.16) * 8 - (y - 0.4) * 5) % 2 - 1) < 0.1
            return skin if rope else shell
        if abs(x * 0.62 + y - 0.66) < 0.018 and 0.56 < x < 0.92 and y < 0.36:
            return stroke
        return paper

    rows = b""
    for row in range(size):
        rows += b"\0"
        for column in range(size):
            parts = [
                colour((column + (i + 0.5) / samples) / size, (row + (j + 0.5) / samples) / size)
                for i in range(samples)
                for j in range(samples)
            ]
            rows += bytes(sum(part[k] for part in parts) // len(parts) for k in range(3))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def package_info() -> dict:
    return {
        "name": NAME, "displayname": "torchdrum", "version": td.__version__, "author": "the torchdrum authors",
        "description": f"{DIGEST}. {INTRODUCTION}", "tags": ["drum", "808", "synthesis", "onset detection", "machine learning"],
        "website": "", "max_version_min": "8.5", "homepatcher": f"{NAME}.maxpat",
        "os": {"macintosh": {"platform": ["x64", "aarch64"], "min_version": "10.13"},
               "windows": {"platform": ["x64"], "min_version": "10"}},
        "package_extra": {"reverse_domain": "org.torchdrum", "copyright": "Copyright (c) the torchdrum authors, MIT licence"},
    }  # fmt: skip


def readme(externals: list[str]) -> str:
    there = ", ".join(externals) if externals else "none: this package was made without them, see docs/max.md of the sources"
    return f"""# torchdrum {td.__version__} for Max

{DIGEST}. {INTRODUCTION}

`[bpatcher torchdrum.panel]` is the object with a face.

Put this folder into Documents/Max 8/Packages (or Max 9/Packages), restart Max, create `torchdrum~`, right click, Open Help. The overview is
in the Extras menu.

Externals in this package: {there}.

macOS: these builds are not signed by a registered developer. If Max cannot load the object, run once in a terminal

    xattr -r -d com.apple.quarantine "torchdrum/externals/torchdrum~.mxo"
    codesign --force --deep -s - "torchdrum/externals/torchdrum~.mxo"

What has been tested, and what has not: the object was run in a mock host that stands in for Max. Whether anybody has run it in Max itself
is written in the README of the sources.

`media/` has the models (`load snare_2`) and the presets as JSON (they are built in: `preset noisy_snare`). MIT licence; models and presets
CC0.
"""


def write(folder: Path, externals: Sequence[Path] = ()) -> list[Path]:
    """Writes the package into folder, which is emptied before; returns the externals that were found."""
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("help", "docs", "examples", "extras", "init", "media", "patchers", "externals"):
        (folder / part).mkdir(parents=True)
    (folder / "help" / "torchdrum~.maxhelp").write_text(help_patch().text(), encoding="utf-8")
    (folder / "docs" / "torchdrum~.maxref.xml").write_text(reference(), encoding="utf-8")
    for name, make in EXAMPLES.items():
        (folder / "examples" / f"{name}.maxpat").write_text(make().text(), encoding="utf-8")
    (folder / "patchers" / f"{max_panel.NAME}.maxpat").write_text(max_panel.panel().text(), encoding="utf-8")
    (folder / "extras" / f"{NAME}.maxpat").write_text(overview().text(), encoding="utf-8")
    (folder / "init" / f"{NAME}-objectmappings.txt").write_text("max objectfile mc.torchdrum~ mc.wrapper~ torchdrum~;\n", encoding="utf-8")
    for path in [*(ROOT / "models").glob("*.safetensors"), *(ROOT / "models" / "presets").glob("*.json")]:
        shutil.copy(path, folder / "media")
    built = (path for where in externals for path in where.iterdir() if path.suffix in (".mxo", ".mxe64"))
    found = sorted(built, key=lambda path: path.name)
    for path in found:
        target = folder / "externals" / path.name
        shutil.copytree(path, target, symlinks=True) if path.is_dir() else shutil.copy(path, target)
    (folder / "package-info.json").write_text(json.dumps(package_info(), indent=4) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(readme([path.name for path in found]), encoding="utf-8")
    shutil.copy(ROOT / "LICENSE", folder / "license.md")
    (folder / "icon.png").write_bytes(picture())
    return found


def pack(folder: Path, target: Path, top: str = NAME):
    """Into an archive in which the folder is called top. The same files give the same archive."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo(f"{top}/{path.relative_to(folder).as_posix()}")
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = path.stat().st_mode << 16
            archive.writestr(entry, path.read_bytes())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--externals", type=Path, nargs="*", default=[], help="folders with torchdrum~.mxo or torchdrum~.mxe64")
    parser.add_argument("--zip", type=Path)
    options = parser.parse_args()
    missing = [folder for folder in options.externals if not folder.is_dir()]
    if missing:
        print(f"there is no folder {missing[0]}", file=sys.stderr)
        return 2
    found = write(options.folder, options.externals)
    if options.zip:
        pack(options.folder, options.zip)
    print(f"{options.zip or options.folder}: {', '.join(path.name for path in found) or 'without externals: nobody can play this yet'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
