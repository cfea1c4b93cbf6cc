# SPDX-License-Identifier: MIT
"""What the messages, outlets and arguments of [torchdrum~] mean, for the help of every host. Controls and parameters come from the core."""

import torchdrum_py as td

# Words, what follows them, what they do. The same word may stand in two rows.
MESSAGES = [
    (["signal"], "", "your drum, mouth or table: one microphone, dry."),
    (["load"], "<model>",
     "another model, by name or file: looked for beside the patch, in the search path and among those that came with the object. "
     "The sound goes on, the next stroke has it. Your preset and changes of parameters are dropped: load <model> keep keeps them."),
    (["reload"], "", "read the model's file again (after training), keeping your changes."),
    (["morph"], "<a> <b> <x>",
     "two models at once: both networks hear the stroke, sound and movement lie x (0 to 1) of the way from a to b. morph <x> alone "
     "moves on from the next stroke; morph off or load: one model again."),
    (["preset"], "<name>", f"another sound under the same playing: {', '.join(n.removeprefix('808_') for n in td.preset_names())}."),
    (["set"], "<param> <f>", "a parameter in its unit, by its name below. The word set may be left out."),
    (["get"], "<name>",
     "to the info outlet: a parameter, a control, model, morph, mask, scale, offset, normalize, calibrate, range (least and most loudness, "
     "centroid, flatness) or stored."),
    (["dump", "bang"], "", "model, parameters, controls and mapping to the info outlet. print: the same to the console."),
    (["state"], "", "to the info outlet, as messages: what makes a new object the same as this one."),
    (["store", "recall"], "<n>", "keep the present sound in one of 16 places, take it up again. The patch saves them."),
    (["write", "read"], "<file>", "the present sound as a preset file (.json) beside the patch, and back."),
    (["trigger"], "", "play the preset without a stroke."),
    (["trigger"], "<l c f>",
     "play as a stroke of this loudness, centroid and flatness (0 to 1) would: for sequencers, to the sample at the time of the message."),
    (["calibrate"], "<n>",
     "listen to n strokes (10), soft to hard: then this drum, microphone and room cover the range that the model knows. calibrate done "
     "ends early, calibrate off forgets. The info outlet counts, then gives calibrated, the number, and low and high of each feature."),
    (["normalize"], "<word>", "model: features are measured as in training. adapt: by the range of your own playing."),
    (["mask"], "<param> <0|1>",
     "1: keep the network's hands off this parameter. Players mute pitch first: mask osc1_mod 1. all: every one."),
    (["depth"], "<param> <f>", "how far the network may move this parameter, times depth. all: every one."),
    (["scale", "offset"], "<feature> <f>",
     "bend what the network hears, 0 to 1: times scale (1), plus offset (0), of loudness, centroid, flatness or all."),
    (["reset"], "", "silence in 5 ms, forget strokes and triggers that wait."),
    (["latency", "version"], "", "to the info outlet (latency in samples and ms)."),
    (["meter"], "",
     "to the info outlet, of the time since it was last asked: peak of the input in dBFS, the most that the level rose, "
     "by what it must rise to be a stroke, in dB, and the share of a processor's time that the object took, in %."),
]  # fmt: skip

# What comes out, and what it is.
OUTLETS = [
    ("signal", "the 808."),
    ("signal", "an impulse on the sample on which the 808 starts: its height is the loudness of the stroke, 0 to 1."),
    ("bang", "a stroke was played. The outlets fire from right to left, at the time of the stroke."),
    ("list", "what was heard in the first 5 ms: loudness dB, spectral centroid semitones, flatness dB (not for a plain trigger)."),
    ("list", f"the {len(td.PARAMS)} parameters that the 808 plays, in the order of their list, in units."),
    (
        "anything",
        "info: loaded <model>, read or written <file>, error <message> <file and reason>, level when strokes lie outside the model's "
        "range, what calibrate hears, answers to get, dump, state, latency, meter, version.",
    ),
]

MODEL_ARGUMENT = "model, as for load (default: the built-in one)."

DIGEST = "An 808 that follows your playing"
INTRODUCTION = (
    "[torchdrum~] listens to a drum, a voice or a table. The first 5 ms of every stroke - how loud, how bright, how noisy - "
    "go through a small neural network that moves an 808 snare away from its preset: the drum machine gets the dynamics and the "
    "timbre of the hand."
)


def plain_unit(unit: str) -> str:
    """A unit as it follows a number; nothing for those that say nothing."""
    return "" if unit in ("ratio", "x", "count", "on/off", "Q", "%") else f" {unit}"


def control_help(k: td.Control) -> str:
    """What a control does, with its range, its value at first and its other names."""
    if k.choices:
        return f"{k.help} ({' or '.join(k.choices)}, at first {k.choices[int(k.default)]})"
    also = f". Also {' or '.join(k.aliases)}" if k.aliases else ""
    return f"{k.help} ({k.min:.8g} to {k.max:.8g}{plain_unit(k.unit)}, at first {k.default:g}){also}"


def param_help(p: td.Param) -> str:
    """What a parameter is, with its range."""
    return f"{p.label}: {p.min:g} to {p.max:g}{plain_unit(p.unit)}"
