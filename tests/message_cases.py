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
RESTORE = "preset snare_1, normalize model, enable 1, detector rise, input mic"

# MSP takes the word enable for itself, on every object: in Max it is active. Max's own [preset] sends preset without a name.
IN_MAX = {"preset": SAYS_NOTHING}


def in_max(words: str) -> str:
    """The same messages, or the beginning of a line on the console, in Max's words."""
    parts = words.split(", ")
    return ", ".join("active" + part[6:] if part == "enable" or part.startswith(("enable ", "enable:")) else part for part in parts)
