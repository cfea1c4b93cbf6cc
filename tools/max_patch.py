# SPDX-License-Identifier: MIT
"""Writes Max patchers: boxes with their inlets and outlets, cords, subpatchers as tabs."""

from __future__ import annotations

import json
import re
from itertools import pairwise

# Inlets, and what the outlets give; objects with arguments that change this are below.
OBJECTS = {
    "torchdrum~": (1, ["signal", "signal", "bang", "list", "list", ""]), "adc~": (1, ["signal"]), "noise~": (1, ["signal"]),
    "onepole~": (2, ["signal"]), "line~": (2, ["signal", "bang"]), "*~": (2, ["signal"]), "metro": (2, ["bang"]), "random": (2, ["int"]),
    "mtof": (1, [""]), "+": (2, ["int"]), "/": (2, ["float"]), "*": (2, ["float"]), "prepend": (1, [""]),
    "counter": (5, ["int", "", "", "int"]), "qmetro": (2, ["bang"]), "loadmess": (1, [""]), "loadbang": (1, ["bang"]),
    "patcherargs": (1, ["", ""]), "clip": (3, [""]), "maximum": (2, ["", "int"]), "change": (1, ["", "int", "int"]), "dbtoa": (1, [""]),
    "speedlim": (2, [""]), "slide": (3, [""]), "pattr": (1, ["", "", ""]), "opendialog": (1, ["", ""]), "sfrecord~": (1, ["signal"]),
    "pcontrol": (1, [""]),
}  # fmt: skip
UI = {
    "toggle": (1, ["int"]), "button": (1, ["bang"]), "message": (2, [""]), "comment": (1, []), "flonum": (1, ["", "bang"]),
    "number": (1, ["", "bang"]), "gain~": (1, ["signal", ""]), "ezdac~": (2, []), "attrui": (1, [""]), "dropfile": (1, ["", ""]),
    "multislider": (1, ["", ""]), "scope~": (2, []), "jsui": (1, [""]), "dial": (1, ["float"]), "slider": (1, [""]),
    "umenu": (1, ["int", "", ""]), "lcd": (1, ["list", "list", "int", ""]), "meter~": (1, ["float"]),
}  # fmt: skip
LETTER, LINE = 6.6, 15  # of the text font, in pixels


def ports(text: str) -> tuple[int, list[str]]:
    """Inlets and outlets of what is written in an object box."""
    word, *arguments = text.split()
    match word:
        case "t":
            return 1, [{"b": "bang", "f": "float", "i": "int", "l": ""}.get(a, "int") for a in arguments]
        case "pack":
            return len(arguments), [""]
        case "gate":
            return 2, [""] * int(arguments[0])
        case "expr":
            return max(int(n) for n in re.findall(r"\$[fi](\d)", text)), [""]
        case "unpack":
            return 1, ["float"] * len(arguments)
        case "route":
            return 1, [""] * (len(arguments) + 1)
        case "select":
            return 1, ["bang"] * len(arguments) + [""]
        case "*" | "+" if any("." in a for a in arguments):
            return 2, ["float"]
    return OBJECTS[word]


class Patcher:
    """A patcher that is written box by box; every method that makes a box returns its number, which cord takes."""

    def __init__(self, width: int = 860, height: int = 640, is_tab: bool = False, **more):
        self.boxes, self.lines, self.rect, self.is_tab = [], [], [100.0, 100.0, float(width), float(height)], is_tab
        self.more = more

    def box(self, maxclass: str, x: float, y: float, width: float, height: float, inlets: int, outlets: list[str], **more) -> int:
        number = len(self.boxes) + 1
        box = {"id": f"obj-{number}", "maxclass": maxclass, "numinlets": inlets, "numoutlets": len(outlets)}
        if outlets:
            box["outlettype"] = outlets
        self.boxes.append({"box": box | {"patching_rect": [float(x), float(y), float(width), float(height)]} | more})
        return number

    def obj(self, x: float, y: float, text: str, width: float = 0) -> int:
        return self.box("newobj", x, y, width or 14 + LETTER * len(text), 22, *ports(text), text=text)

    def sub(self, x: float, y: float, name: str, inside: Patcher) -> int:
        outlets = sum(b["box"]["maxclass"] == "outlet" for b in inside.boxes)
        inlets = sum(b["box"]["maxclass"] == "inlet" for b in inside.boxes)
        more = {"text": f"p {name}", "patcher": inside.patcher()}
        return self.box("newobj", x, y, 24 + LETTER * len(name), 22, inlets, [""] * outlets, **more)

    def ui(self, maxclass: str, x: float, y: float, width: float = 24, height: float = 24, **more) -> int:
        return self.box(maxclass, x, y, width, height, *UI[maxclass], **more)

    def inlet(self, x: float, y: float, words: str = "") -> int:
        return self.box("inlet", x, y, 30, 30, 0, [""], comment=words)

    def outlet(self, x: float, y: float, words: str = "") -> int:
        return self.box("outlet", x, y, 30, 30, 1, [], comment=words)

    def chain(self, x: float, y: float, *texts: str) -> list[int]:
        """Objects under each other, each first outlet to the next one's first inlet; messages are in parentheses."""
        made = []
        for i, text in enumerate(texts):
            is_message = text.startswith("(")
            made.append(self.msg(x, y + 30 * i, text[1:-1]) if is_message else self.obj(x, y + 30 * i, text))
        for a, b in pairwise(made):
            self.cord(a, 0, b)
        return made

    def msg(self, x: float, y: float, text: str) -> int:
        return self.ui("message", x, y, 14 + LETTER * len(text), 22, text=text)

    def attr(self, x: float, y: float, name: str) -> int:
        return self.ui("attrui", x, y, 220, 22, attr=name)

    def comment(self, x: float, y: float, text: str, width: float = 0) -> float:
        """Returns the y below."""
        width = width or 12 + LETTER * len(text)
        rows, room = 1, width - 8
        for word in text.split():
            room -= LETTER * (len(word) + 1)
            if room < -LETTER:
                rows, room = rows + 1, width - 8 - LETTER * (len(word) + 1)
        self.ui("comment", x, y, width, 7 + LINE * rows, text=text, linecount=rows)
        return y + 7 + LINE * rows

    def title(self, text: str) -> float:
        self.ui("comment", 20, 14, 400, 30, text=text, fontsize=18.0, fontface=1)
        return 50

    def move(self, number: int, x: float, y: float):
        self.boxes[number - 1]["box"]["patching_rect"][:2] = [float(x), float(y)]

    def cord(self, a: int, outlet: int, b: int, inlet: int = 0):
        self.lines.append({"patchline": {"source": [f"obj-{a}", outlet], "destination": [f"obj-{b}", inlet]}})

    def patcher(self) -> dict:
        version = {"major": 8, "minor": 5, "revision": 0, "architecture": "x64", "modernui": 1}
        tab = {"showontab": 1} if self.is_tab else {}
        return {
            "fileversion": 1,
            "appversion": version,
            "classnamespace": "box",
            "rect": self.rect,
            **tab,
            **self.more,
            "boxes": self.boxes,
            "lines": self.lines,
        }

    def text(self) -> str:
        return json.dumps({"patcher": self.patcher()}, indent=1, ensure_ascii=False) + "\n"
