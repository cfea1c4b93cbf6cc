# SPDX-License-Identifier: MIT
"""Plays the messages of a Max patcher: as many objects as the panel uses, with Max's order from right to left. It is not Max."""

from __future__ import annotations

import math
import re
from collections.abc import Callable


def number(word: str):
    try:
        return int(word) if re.fullmatch(r"-?\d+", word) else float(word)
    except ValueError:
        return word


class Player:
    """inside: what a subpatcher is inside of. answer: what [torchdrum~] says to a message, as lists."""

    def __init__(self, patcher: dict, answer: Callable[[list], list[list]], arguments: tuple[str, ...] = (), inside=None):
        self.boxes = {e["box"]["id"]: e["box"] for e in patcher["boxes"]}
        self.cords, self.kept, self.got, self.sent, self.out = {}, {}, {}, [], []
        self.answer, self.arguments, self.inside = answer, arguments, inside
        for line in patcher["lines"]:
            (a, outlet), (b, inlet) = line["patchline"]["source"], line["patchline"]["destination"]
            assert outlet < self.boxes[a]["numoutlets"] and inlet < self.boxes[b]["numinlets"], (self.boxes[a], self.boxes[b])
            self.cords.setdefault((a, outlet), []).append((b, inlet))
        for ends in self.cords.values():
            ends.sort(key=lambda end: self.boxes[end[0]]["patching_rect"][:2], reverse=True)
        self.parts = {i: Player(b["patcher"], answer, (), (self, i)) for i, b in self.boxes.items() if "patcher" in b}

    # ---- what a test asks for

    def all(self, maxclass: str) -> list[str]:
        return [i for i, b in self.boxes.items() if b["maxclass"] == maxclass]

    def find(self, text: str) -> str:
        (found,) = [i for i, b in self.boxes.items() if b.get("text") == text]
        return found

    def load(self):
        for part in self.parts.values():
            part.load()
        for i, box in self.boxes.items():
            word, *rest = box.get("text", "").split() or [""]
            if box["maxclass"] == "newobj" and word == "loadmess":
                self.give(i, 0, [number(w) for w in rest])
            elif box["maxclass"] == "newobj" and word == "loadbang":
                self.give(i, 0, ["bang"])
            elif box["maxclass"] == "newobj" and word == "patcherargs":
                self.give(i, 0, list(self.arguments) or ["bang"])

    def tick(self):
        for part in self.parts.values():
            part.tick()
        for i, box in self.boxes.items():
            if box.get("text", "").startswith("qmetro") and self.kept.get(i):
                self.give(i, 0, ["bang"])

    # ---- messages

    def port(self, maxclass: str, index: int) -> str:
        return sorted(self.all(maxclass), key=lambda i: self.boxes[i]["patching_rect"][0])[index]

    def give(self, i: str, outlet: int, atoms: list):
        for b, inlet in self.cords.get((i, outlet), ()):
            self.take(b, inlet, list(atoms))

    def take(self, i: str, inlet: int, atoms: list):
        box = self.boxes[i]
        if i in self.parts:
            part = self.parts[i]
            part.give(part.port("inlet", inlet), 0, atoms)
        elif box["maxclass"] == "newobj":
            word, *arguments = box["text"].split()
            name = {"torchdrum~": "torchdrum"}.get(word, word)
            getattr(self, f"do_{name}")(i, inlet, atoms, [number(w) for w in arguments])
        else:
            getattr(self, "ui_" + box["maxclass"].replace("~", ""))(i, inlet, atoms)

    def ui_outlet(self, i, inlet, atoms):
        index = sorted(self.all("outlet"), key=lambda k: self.boxes[k]["patching_rect"][0]).index(i)
        if self.inside:
            self.inside[0].give(self.inside[1], index, atoms)
        else:
            self.out.append((index, atoms))

    def ui_message(self, i, inlet, atoms):
        assert inlet == 0
        for part in self.boxes[i]["text"].split(", "):
            words = [str(atoms[int(w[1:]) - 1]) if w.startswith("$") else w for w in part.split()]
            self.give(i, 0, [number(w) for w in words])

    def shown(self, i, inlet, atoms):
        self.got.setdefault(i, []).append(atoms)

    ui_lcd = ui_multislider = ui_meter = shown

    def ui_comment(self, i, inlet, atoms):
        assert atoms[0] == "set"
        self.got.setdefault(i, []).append(atoms[1:])

    def ui_dial(self, i, inlet, atoms):
        if atoms[0] == "set":
            self.got.setdefault(i, []).append(atoms[1:])
        else:
            self.give(i, 0, atoms)

    ui_slider = ui_flonum = ui_dial

    def ui_umenu(self, i, inlet, atoms):
        names = self.boxes[i]["items"][::2]
        if atoms[0] == "set":
            self.got.setdefault(i, []).append([names[atoms[1]]])
        elif atoms[0] == "setsymbol":
            self.got.setdefault(i, []).extend([[atoms[1]]] if atoms[1] in names else [])
        else:
            self.give(i, 1, [names[atoms[0]]])

    def do_torchdrum(self, i, inlet, atoms, arguments):
        self.sent.append(atoms)
        for line in self.answer(atoms):
            self.give(i, 5, line)

    def do_t(self, i, inlet, atoms, arguments):
        for k in reversed(range(len(arguments))):
            word = arguments[k]
            out = {"b": ["bang"], "l": atoms, "f": atoms[:1]}.get(word, [word])
            assert word != "f" or isinstance(atoms[0], int | float)
            self.give(i, k, out)

    def do_unpack(self, i, inlet, atoms, arguments):
        assert len(atoms) == len(arguments) and not [a for a in atoms if isinstance(a, str)], atoms
        for k in reversed(range(len(atoms))):
            self.give(i, k, [float(atoms[k])])

    def do_pack(self, i, inlet, atoms, arguments):
        values = self.kept.setdefault(i, list(arguments))
        values[inlet] = type(arguments[inlet])(atoms[0])
        if inlet == 0:
            self.give(i, 0, values)

    def do_expr(self, i, inlet, atoms, arguments):
        text = self.boxes[i]["text"].removeprefix("expr ")
        assert "," not in text and isinstance(atoms[0], int | float)
        values = self.kept.setdefault(i, [0.0] * self.boxes[i]["numinlets"])
        values[inlet] = float(atoms[0])
        if inlet == 0:
            python = re.sub(r"\$f(\d)", lambda m: f"({values[int(m[1]) - 1]!r})", text)
            self.give(i, 0, [eval(python, {"log10": math.log10, "exp": math.exp})])

    def do_clip(self, i, inlet, atoms, arguments):
        self.give(i, 0, [min(max(atoms[0], arguments[0]), arguments[1])])

    def do_maximum(self, i, inlet, atoms, arguments):
        assert isinstance(arguments[0], float)  # else it would give whole numbers
        self.give(i, 0, [max(atoms[0], arguments[0])])

    def do_change(self, i, inlet, atoms, arguments):
        assert isinstance(atoms[0], int | float), atoms
        if self.kept.get(i, arguments[0]) != atoms[0]:
            self.kept[i] = atoms[0]
            self.give(i, 0, atoms)

    def do_prepend(self, i, inlet, atoms, arguments):
        self.give(i, 0, [*arguments, *atoms])

    def do_route(self, i, inlet, atoms, arguments):
        if atoms[0] in arguments:
            self.give(i, arguments.index(atoms[0]), atoms[1:] or ["bang"])
        else:
            self.give(i, len(arguments), atoms)

    def do_select(self, i, inlet, atoms, arguments):
        self.give(i, *((arguments.index(atoms[0]), ["bang"]) if atoms[0] in arguments else (len(arguments), atoms)))

    def do_counter(self, i, inlet, atoms, arguments):
        assert atoms == ["bang"]
        least, most = arguments
        now = self.kept.get(i, least)
        self.kept[i] = least if now == most else now + 1
        self.give(i, 0, [now])

    def do_gate(self, i, inlet, atoms, arguments):
        if inlet == 0:
            self.kept[i] = atoms[0]
        elif self.kept.get(i, arguments[1]):
            self.give(i, self.kept.get(i, arguments[1]) - 1, atoms)

    def do_qmetro(self, i, inlet, atoms, arguments):
        self.kept[i] = atoms[0]

    def do_dbtoa(self, i, inlet, atoms, arguments):
        self.give(i, 0, [10 ** (atoms[0] / 20)])

    def do_speedlim(self, i, inlet, atoms, arguments):
        self.give(i, 0, atoms)

    do_slide = do_speedlim
