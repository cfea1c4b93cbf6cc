# SPDX-License-Identifier: MIT
"""The parameters of the voice and the controls of the object, read from the core's own tables."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ._core import ffi, lib


def text(c_string) -> str:
    """A C string as a Python one; bytes of a foreign file that are no UTF-8 become signs of replacement."""
    return ffi.string(c_string).decode(errors="replace")


@dataclass(frozen=True)
class Param:
    """A parameter of the 808 (core/src/snare808.def). min, max and default are in unit."""

    name: str
    key: str
    unit: str
    min: float
    max: float
    default: float
    curve: str
    label: str


@dataclass(frozen=True)
class Control:
    """A control of the object (core/src/controls.def). min, max and default are in unit; choices: the words it takes instead of numbers."""

    name: str
    unit: str
    min: float
    max: float
    default: float
    aliases: tuple[str, ...]
    help: str
    choices: tuple[str, ...]


def _rows(entry):
    index = 0
    while entry(index) != ffi.NULL:
        yield entry(index)
        index += 1


def _number(value: float) -> float:
    """A float32 of the table as it is written there: 0.4, not 0.4000000059604645."""
    return float(str(np.float32(value)))


def _range(row) -> dict:
    return dict(min=_number(row.min), max=_number(row.max), default=_number(getattr(row, "def")))


def _choices(control: int) -> tuple[str, ...]:
    word, words = ffi.new(f"char[{lib.TD_WORD_BYTES}]"), []
    while lib.td_control_choice(control, len(words), word):
        words.append(text(word))
    return tuple(words)


PARAMS: tuple[Param, ...] = tuple(
    Param(text(r.name), text(r.key), text(r.unit), **_range(r), curve=text(r.curve), label=text(r.label)) for r in _rows(lib.td_param)
)
CONTROLS: tuple[Control, ...] = tuple(
    Control(text(r.name), text(r.unit), **_range(r), aliases=tuple(text(r.aliases).split()), help=text(r.help), choices=_choices(i))
    for i, r in enumerate(_rows(lib.td_control))
)

_BY_NAME = {name: p for p in PARAMS for name in (p.name, p.key)}
_CONTROL_BY_NAME = {name: c for c in CONTROLS for name in (c.name, *c.aliases)}


def find_param(name: str) -> Param | None:
    """The parameter of a name or preset key, or None."""
    return _BY_NAME.get(name)


def find_control(name: str) -> Control | None:
    """The control of a name or alias, or None."""
    return _CONTROL_BY_NAME.get(name)


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """The end of an error sentence: close names, or all of them."""
    names = list(names)
    close = difflib.get_close_matches(str(name), names, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(names)}"
