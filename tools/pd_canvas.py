# SPDX-License-Identifier: MIT
"""A Pd patch in the making, for the tools that write patches."""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise
from pathlib import Path


def escaped(words: str) -> str:
    """Text as Pd's file format wants it."""
    return words.replace("\\", "\\\\").replace(",", " \\,").replace(";", " \\;").replace("$", "\\$")


class Canvas:
    """A Pd canvas that is written from top to bottom."""

    def __init__(self, header: str):
        self.lines, self.cords, self.after, self.count = [f"#N canvas {header};"], [], [], 0

    def add(self, line: str) -> int:
        self.lines.append(line)
        self.count += 1
        return self.count - 1

    def obj(self, x: int, y: int, words: str) -> int:
        return self.add(f"#X obj {x} {y} {words};")

    def msg(self, x: int, y: int, words: str) -> int:
        return self.add(f"#X msg {x} {y} {words};")

    def text(self, x: int, y: int, words: str, width: int = 0) -> int:
        return self.add(f"#X text {x} {y} {escaped(words)}{f', f {width}' if width else ''};")

    def number(self, x: int, y: int, width: int = 6) -> int:
        return self.add(f"#X floatatom {x} {y} {width} 0 0 0 - - - 0;")

    def toggle(self, x: int, y: int, on: bool = False) -> int:
        return self.obj(x, y, f"tgl 19 {int(on)} empty empty empty 17 7 0 10 #dfdfdf #000000 #000000 {int(on)} 1")

    def rule(self, x: int, y: int, width: int, height: int = 1, label: str = "", colour: str = "#7c7c7c") -> int:
        label = f"{label or 'empty'} 8 12 0 13 {colour} #000000 0"
        return self.obj(x, y, f"cnv {height} {width} {height} empty empty {label}")

    def patch(self, x: int, y: int, inside: Canvas, name: str) -> int:
        self.lines += inside.finished()
        return self.add(f"#X restore {x} {y} pd {name};")

    def graph(self, x: int, y: int, width: int, height: int, low: float, high: float, points: int, names: list[str], show=True) -> int:
        """Arrays of that many points in one frame, from low to high; their names stand above it where they are shown."""
        self.lines.append("#N canvas 0 50 450 300 (subpatch) 0;")
        self.lines += [f"#X array {name} {points} float {0 if show else 8};" for name in names]
        self.lines.append(f"#X coords 0 {high} {points - 1} {low} {width} {height} 1 0 0;")
        return self.add(f"#X restore {x} {y} graph;")

    def cord(self, a: int, outlet: int, b: int, inlet: int = 0):
        self.cords.append(f"#X connect {a} {outlet} {b} {inlet};")

    def wire(self, *boxes: int):
        """Cords from first outlet to first inlet."""
        for a, b in pairwise(boxes):
            self.cord(a, 0, b)

    def down(self, x: int, y: int, *boxes: str | int, step: int = 26) -> list[int]:
        """Boxes below each other, wired. Words in round brackets are a message; a number is a box that is there."""
        made = []
        for box in boxes:
            if isinstance(box, str):
                words = escaped(box) if box.startswith("expr ") else box
                box = self.msg(x, y, words[1:-1]) if words[0] == "(" else self.obj(x, y, words)
                y += step
            made.append(box)
        self.wire(*made)
        return made

    def expr(self, x: int, y: int, words: str) -> int:
        return self.down(x, y, f"expr {words}")[0]

    def finished(self) -> list[str]:
        return self.lines + self.cords + self.after


def write_or_check(description: str, output: Path, canvas: Canvas) -> int:
    """What these tools do when called: write the patch, or with --check say whether it is up to date."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only compare")
    text = "\n".join(canvas.finished()) + "\n"
    if parser.parse_args().check:
        if output.exists() and output.read_text() == text:
            return 0
        print(f"{output.name} is out of date: run python tools/{Path(sys.argv[0]).name}", file=sys.stderr)
        return 1
    output.write_text(text)
    return 0
