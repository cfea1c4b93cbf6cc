# SPDX-License-Identifier: MIT
"""Every message of [torchdrum~] with right, wrong and missing arguments, and what it answers: one table for all hosts."""

import torchdrum_py as td

SAYS_NOTHING = ([], [])

# Messages, separated by commas → (what the info outlet gives, what the console says), each a list of beginnings
CASES = {
    "version": ([f"version {td.__version__}"], []),
    "version 1": ([], ["version: takes no argument"]),
    "latency": (["latency 240 5"], []),
    "latency 3": ([], ["latency: takes no argument"]),
    "get osc1_freq": (["osc1_freq 180"], []),
    "get thresh": ([f"onthreshold {td.find_control('onthreshold').default:g}"], []),
    "detector classic, get thresh": (["onthreshold 16"], []),
    "detector classic, detector 0, get detector": (["detector rise"], []),
    "detector 2": ([], ["detector: give one of rise, classic"]),
    "input contact, input mic, get input": (["input mic"], []),
    "meter": (["meter -120 0 "], []),
    "meter 1": ([], ["meter: takes no argument"]),
    "get model": (["model snare_1"], []),
    "get normalize": (["normalize model"], []),
    "get nothing": ([], ["get: there is nothing called nothing"]),
    "get": ([], ["get: give the name"]),
    "get mix gain": ([], ["get: takes one name"]),
    "set osc1_freq 200, get osc1_freq": (["osc1_freq 200"], []),
    "osc1_freq 250, get osc1_freq": (["osc1_freq 250"], []),
    "set osc1.freq 300, get osc1_freq": (["osc1_freq 300"], []),
    "set osc1_freq 9999, get osc1_freq": (["osc1_freq 2000"], ["osc1_freq: 9999 is out of range (20 to 2000 Hz), taken as 2000"]),
    "set osc1_freq": ([], ["osc1_freq: give one number, 20 to 2000 Hz"]),
    "set osc1_freq high": ([], ["osc1_freq: give one number"]),
    "set osc9_freq 3": ([], ["set: there is no parameter osc9_freq"]),
    "set": ([], ["set: give a parameter"]),
    "preset snare_3, get osc1_freq": (["osc1_freq 173"], []),
    "preset 808_noisy_snare, get osc2_freq": (["osc2_freq 700"], []),
    "preset nonsense": ([], ["preset: give one of 808_noisy_snare, 808_open_snare"]),
    "preset": ([], ["preset: give one of"]),
    "preset 1": ([], ["preset: give one of"]),
    "normalize adapt, get normalize": (["normalize adapt"], []),
    "normalize model": SAYS_NOTHING,
    "normalize": ([], ["normalize: give model or adapt"]),
    "normalize 1": ([], ["normalize: give model or adapt"]),
    "trigger": SAYS_NOTHING,
    "trigger 0.5 0.5 0.5": SAYS_NOTHING,
    "trigger 0.5 0.5 7": ([], ["trigger flatness: 7 is out of range (0 to 1), taken as 1"]),
    "trigger 0.5": ([], ["trigger: give nothing or three numbers"]),
    "trigger a b c": ([], ["trigger loudness: give one number"]),
    "reset": SAYS_NOTHING,
    "reset now": ([], ["reset: takes no argument"]),
    "reload": (["loaded snare_1"], []),
    "reload again": ([], ["reload: takes no argument"]),
    "load snare_1": (["loaded snare_1"], []),
    "load snare_1 keep": (["loaded snare_1"], []),
    "load snare_1 please": ([], ["load: only the word keep"]),
    "load": ([], ["load: give the name"]),
    "load 5": ([], ["load: give the name"]),
    "load nothere": (["error load nothere"], ["load: nothere: there is no such model"]),
    "print 5": ([], ["print: takes no argument"]),
    "dump all": ([], ["dump: takes no argument"]),
    "nonsense": ([], ["no message nonsense"]),
    "1 2 3": ([], ["no message list"]),
    "symbol a": ([], ["no message symbol"]),
}
_names = [p.name for p in td.PARAMS]
_bits = " ".join(str(int(name == "osc1_mod")) for name in _names)
CASES |= {
    "mask osc1_mod 1, get mask": ([f"mask {_bits}"], []),
    "mask all 1, mask all 0, get mask": ([f"mask{' 0' * len(_names)}"], []),
    "mask osc1_mod 7": ([], ["mask: 7 is out of range (0 to 1), taken as 1"]),
    "mask osc1_mod": ([], ["mask: give a name and a number, such as mask osc1_mod 1"]),
    "mask osc9_mod 1": ([], [f"mask: give a name and a number, such as mask osc1_mod 1 ({', '.join(_names)}, all)"]),
    "mask 1": ([], ["mask: give a name"]),
    "mask": ([], ["mask: give a name"]),
    "depth osc1_freq 0.5": SAYS_NOTHING,
    "depth osc1_freq 9": ([], ["depth: 9 is out of range (0 to 4), taken as 4"]),
    "depth osc9_freq 1": ([], ["depth: give a name and a number, such as depth osc1_freq 0.5"]),
    "scale centroid 2, offset flatness -0.5, get scale, get offset": (["scale 1 2 1", "offset 0 0 -0.5"], []),
    "scale all -1, get scale": (["scale -1 -1 -1"], []),
    "scale loudness 100, get scale": (["scale 4 1 1"], ["scale: 100 is out of range (-4 to 4), taken as 4"]),
    "offset loudness -100, get offset": (["offset -2 0 0"], ["offset: -100 is out of range (-2 to 2), taken as -2"]),
    "scale brightness 1": ([], ["scale: give a name and a number, such as scale centroid 0.5 (loudness, centroid, flatness, all)"]),
    "offset 1": ([], ["offset: give a name and a number"]),
    "scale": ([], ["scale: give a name and a number"]),
    "offset": ([], ["offset: give a name and a number"]),
}
_preset = " ".join(str(p.default) for p in td.PARAMS) + " 1" * len(_names)
_hint = "morph: give two models and a number 0 to 1"
CASES |= {
    "morph snare_1 snare_1 0.25, get morph, morph 0.5, get morph, morph off, get morph": (
        ["loaded snare_1 snare_1", "morph snare_1 snare_1 0.25", "morph snare_1 snare_1 0.5", "morph off"],
        [],
    ),
    "morph snare_1 snare_1 2, get morph": (["loaded snare_1 snare_1", "morph snare_1 snare_1 1"], ["morph: 2 is out of range (0 to 1)"]),
    "morph snare_1 snare_1 0.5, reload, get morph": (
        ["loaded snare_1 snare_1", "loaded snare_1 snare_1", "morph snare_1 snare_1 0.5"],
        [],
    ),
    "morph snare_1 snare_1 0.5, load snare_1, get morph": (["loaded snare_1 snare_1", "loaded snare_1", "morph off"], []),
    "morph snare_1 nothere 0.5": (["error morph nothere"], ["morph: nothere: there is no such model"]),
    "morph snare_1 snare_1 high": ([], ["morph: give one number, 0 to 1"]),
    "morph 1 2 3": ([], [_hint]),
    "morph 0.5": ([], ["morph: there is one model only"]),
    "morph snare_1": ([], [_hint]),
    "morph": ([], [_hint]),
    "calibrate, calibrate 8, calibrate off, get calibrate": (["calibrate 0 10", "calibrate 0 8", "calibrate off"], []),
    "calibrate 12 -40 -20 70 90 -70 -50, get calibrate": (["calibrate 12 -40 -20 70 90 -70 -50"], []),
    "calibrate 12 -20 -40 70 90 -70 -50": ([], ["calibrate: the low loudness is above the high one"]),
    "calibrate 12 -40 -20 70 90 -70 loud": ([], ["flatness: give one number"]),
    "calibrate 1": (["calibrate 0 4"], ["calibrate: 1 is out of range (4 to 256), taken as 4"]),
    "calibrate 10, calibrate done, calibrate off, calibrate done": (
        ["calibrate 0 10"],
        ["calibrate: play at least 4 strokes", "calibrate: it is not listening"],
    ),
    "calibrate now": ([], ["calibrate: give a number of strokes"]),
    "calibrate 1 2": ([], ["calibrate: give a number of strokes"]),
    "osc1_freq 250, store 3, osc1_freq 300, recall 3, get osc1_freq, get stored": (["osc1_freq 250", "stored 3"], []),
    "recall 4": ([], ["recall: nothing is stored there"]),
    "recall": ([], ["recall: give one number, 1 to 16"]),
    "store 17": ([], ["store: give one number, 1 to 16"]),
    "store": ([], ["store: give one number, 1 to 16"]),
    "store a": ([], ["store: give one number, 1 to 16"]),
    f"preset {_preset}, get osc1_freq": ([f"osc1_freq {td.PARAMS[0].default:g}"], []),
    f"store 5 {_preset}, recall 5, get osc1_freq": ([f"osc1_freq {td.PARAMS[0].default:g}"], []),
    f"preset {_preset} 1": ([], ["preset: give one of"]),
    f"preset {_preset.rsplit(' ', 1)[0]} high": ([], ["damping: give one number, 0 to 10"]),
    "write": ([], ["write: give the name of a file"]),
    "write a b": ([], ["write: takes one name"]),
    "write nowhere/to/be/found": (["error write nowhere/to/be/found.json"], ["write: nowhere/to/be/found.json: "]),
    "read": ([], ["read: give a preset file"]),
    "read a b": ([], ["read: takes one name"]),
    "read nothere": (["error read nothere"], ["read: nothere: there is no such preset file"]),
    "osc1_freq 217.25, write kept, osc1_freq 99, read kept, get osc1_freq": (
        ["written kept.json", "read kept", "osc1_freq 217.25"],
        [],
    ),
    "state 1": ([], ["state: takes no argument"]),
    "get range": (["range -"], []),
}  # fmt: skip
for control in td.CONTROLS:
    for name in (control.name, *control.aliases):
        if control.choices:
            for word in control.choices:
                CASES[f"{name} {word}, get {control.name}"] = ([f"{control.name} {word}"], [])
            for words in ("", " loud", " -1", " 1 2"):
                CASES[f"{name}{words}"] = ([], [f"{name}: give one of {', '.join(control.choices)}"])
            continue
        middle = 1 if control.unit == "on/off" else round((control.min + control.max) / 2)
        CASES[f"{name} {middle}, get {control.name}"] = ([f"{control.name} {middle}"], [])
        CASES[f"{name}"] = ([], [f"{name}: give one number, {control.min:.8g} to {control.max:.8g}"])
        CASES[f"{name} loud"] = ([], [f"{name}: give one number"])
        CASES[f"{name} 20000000, get {control.name}"] = ([f"{control.name} {control.max:.8g}"], [f"{name}: 20000000 is out of range"])
        CASES[f"{name} -20000000, get {control.name}"] = ([f"{control.name} {control.min:.8g}"], [f"{name}: -20000000 is out of range"])

# After each case, so that the next finds the object as the first did.
RESTORE = (
    "preset snare_1, normalize model, enable 1, detector rise, input mic, mask all 0, depth all 1, scale all 1, offset all 0, "
    "morph off, calibrate off, gain 0"
)

# MSP takes the word enable for itself, on every object: in Max it is active. Max's own [preset] sends preset without a name.
IN_MAX = {"preset": SAYS_NOTHING}


def in_max(words: str) -> str:
    """The same messages, or the beginning of a line on the console, in Max's words."""
    parts = words.split(", ")
    return ", ".join("active" + part[6:] if part == "enable" or part.startswith(("enable ", "enable:")) else part for part in parts)
