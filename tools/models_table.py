#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the table of models/README.md from the models' cards."""

import re
from pathlib import Path

MODELS = Path(__file__).resolve().parent.parent / "models"
HEAD = ("model", "strokes", "as trained", "as played", "louder is louder", "brighter is brighter")


def figures(card: str) -> dict[str, str]:
    """What a card says, by the words of HEAD."""

    def find(pattern: str) -> str:
        return re.search(pattern, card, re.MULTILINE)[1]

    trained, played = re.search(r"^mean of all, preset = 1 +1\.00 +(\S+) +(\S+)$", card, re.MULTILINE).groups()
    return {
        "model": f"[`{find(r'^# (.+)$')}`](cards/{find(r'^# (.+)$')}.md)",
        "strokes": find(r"^(\d+) strokes in "),
        "as trained": trained,
        "as played": played,
        "louder is louder": find(r"^of the loudness of the first 5 ms and the drum: (\S+)$"),
        "brighter is brighter": find(r", brightness (\S+);$"),
    }


def table() -> str:
    """Markdown."""
    rows = [figures(path.read_text(encoding="utf-8")) for path in sorted((MODELS / "cards").glob("*.md"))]
    lines = [HEAD, ["---"] * len(HEAD), *([row[key] for key in HEAD] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    print(table())
