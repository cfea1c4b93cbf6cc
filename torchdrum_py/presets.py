# SPDX-License-Identifier: MIT
"""Presets of the voice: by name (built in) or from a JSON file (spec 9)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ._core import ffi, lib
from .errors import TorchdrumError, cannot
from .params import PARAMS, did_you_mean, text


@dataclass(frozen=True, eq=False)
class Preset:
    """value [14] in units and damping [14] factors, float32, in the order of PARAMS."""

    value: np.ndarray
    damping: np.ndarray
    name: str = ""

    @classmethod
    def from_json(cls, json: str | bytes, name: str = "") -> Preset:
        """Reads the text of a preset file; TorchdrumError says what is wrong with it."""
        data = json.encode() if isinstance(json, str) else bytes(json)
        preset, why = ffi.new("td_preset *"), ffi.new("char[]", lib.TD_ERROR_BYTES)
        if lib.td_preset_read(data, len(data), preset, why) != lib.TD_OK:
            raise TorchdrumError(f"{name or 'preset'}: {text(why)}")
        return cls(np.array(list(preset.value), np.float32), np.array(list(preset.damping), np.float32), name)

    @classmethod
    def load(cls, name_or_file: str | os.PathLike) -> Preset:
        """A built-in preset (with or without 808_ in front) or a file."""
        wanted, known = str(name_or_file), _builtin()
        for name in (wanted, f"808_{wanted}"):
            if name in known:
                return cls.from_json(known[name], name)
        path = Path(name_or_file)
        if path.suffix == ".json" or os.path.exists(wanted):
            try:
                return cls.from_json(path.read_bytes(), path.name)
            except OSError as error:
                raise cannot(path, "read", error) from None
        raise TorchdrumError(f"there is no preset {wanted}: {did_you_mean(wanted, known)}")

    def to_dict(self) -> dict[str, dict[str, float]]:
        """As in a preset file, with as many digits as it takes."""
        short = [{p.key: float(str(np.float32(x))) for p, x in zip(PARAMS, a, strict=True)} for a in (self.value, self.damping)]
        return {"preset": short[0], "damping": short[1]}


def _builtin() -> dict[str, bytes]:
    found, name = {}, ffi.new("char const **")
    while (json := lib.td_builtin_preset(len(found), name)) != ffi.NULL:
        found[text(name[0])] = ffi.string(json)
    return found


def preset_names() -> list[str]:
    """Names of the built-in presets."""
    return list(_builtin())
