# SPDX-License-Identifier: MIT
"""Writes help_patches/torchdrum-panel-help.pd, which Help on the panel opens.

python tools/panel_help.py            after this file or the panel's size changed
python tools/panel_help.py --check    exit 1 when the help patch is not what this would write
"""

from __future__ import annotations

import sys

from example_patches import LEFT, closing, opening, played_drum, to_both_ears, to_drum
from panel_patch import HEIGHT, OUTPUT
from pd_canvas import Canvas, write_or_check

NAME = OUTPUT.stem
HOW = (
    "Cyan is what is heard, amber what the stroke does with the drum, white what is set: drag it.",
    "Rise above the white line is a stroke. The triangle is how loud, bright and noisy the last one was.",
    "Each dial shows its value and, in amber, where the network moved it. Click a model or a preset: the next stroke has it.",
)


def panel_help() -> Canvas:
    c, y = opening(
        NAME, "[torchdrum~] with a face",
        f"Create {NAME} in the place of torchdrum~: the arguments, messages and outlets are the same, except -m, for it shows one channel. "
        "Where only the folder above it is searched, its name is torchdrum~/torchdrum-panel. What you set is saved with your patch.",
    )  # fmt: skip
    panel = played_drum(c, LEFT, y, False, words=NAME)
    for k, words in enumerate(HOW):
        c.text(330, y + 36 * k, words, 60)
    to_drum(c, 330, y + 134, *(c.msg(330 + 100 * k, y + 108, words) for k, words in enumerate(("calibrate 10", "depth 2"))))
    y += 160 + HEIGHT
    to_both_ears(c, LEFT, y + 16, panel)
    return closing(c, y + 50, "Go on: examples/ has patches to begin with.", "-path ../pd_external")


if __name__ == "__main__":
    sys.exit(write_or_check(__doc__, OUTPUT.with_name(f"{NAME}-help.pd"), panel_help()))
