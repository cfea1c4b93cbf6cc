# SPDX-License-Identifier: MIT
"""Writes docs/messages.md: every message, outlet, control and parameter of [torchdrum~], from the words of the help and the core's tables.

python tools/message_reference.py            after a control, a parameter or words.py changed
python tools/message_reference.py --check    exit 1 when the file is not what this would write
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from words import INTRODUCTION, MESSAGES, MODEL_ARGUMENT, OUTLETS, control_help, param_help

import torchdrum_py as td

OUTPUT = Path(__file__).resolve().parent.parent / "docs" / "messages.md"
HEAD = """# Every message

Made by `tools/message_reference.py`; the same words are in the help of Pd and of Max. {introduction}

One inlet takes the sound and every message. A message that is not understood, lacks its number or has one out of range
gives one line in the console; a number out of range is clipped to it (not by `store` and `recall`). [playing.md](playing.md) says when
to use what.
"""


def table(*rows: tuple[str, ...]) -> str:
    """Markdown; the first row is the head."""

    def cell(words: str) -> str:
        words = words.replace("|", r"\|")
        return words if words.startswith("`") else words.replace("<", "&lt;")

    lines = [f"| {' | '.join(map(cell, row))} |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def text() -> str:
    messages = [(" ".join(f"`{word} {arguments}`".replace(" `", "`") for word in words), words_) for words, arguments, words_ in MESSAGES]
    parts = [
        HEAD.format(introduction=INTRODUCTION),
        table(("message", "what it does"), *messages),
        "\n## Controls\n\nEach is a message with its value; in Max also an attribute (`enable` is called `active` there).\n",
        table(("control", "what it does"), *((f"`{k.name}`", control_help(k)) for k in td.CONTROLS)),
        "\n## Parameters of the 808\n\n"
        "Each is a message with its value in its unit, which replaces the preset's; the network moves it from there.\n",
        table(("parameter", "what it is"), *((f"`{p.name}`", param_help(p)) for p in td.PARAMS)),
        "\n## Outlets, from left to right\n",
        table(("kind", "what comes out"), *OUTLETS),
        f"\n## Arguments\n\n`[torchdrum~ <model>]`: {MODEL_ARGUMENT} In Pd flags go before it: "
        "`-m` one engine for each channel of the input (Pd 0.54 and newer; hits, features and params then begin with the number of the "
        "channel), `-d` starts disabled, `-seed <n>` fixes the noise. In Max: attributes.\n",
    ]
    return "\n".join(parts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        OUTPUT.write_text(text(), encoding="utf-8")
        return 0
    if OUTPUT.exists() and OUTPUT.read_text(encoding="utf-8") == text():
        return 0
    print(f"{OUTPUT} is old: run python tools/message_reference.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
