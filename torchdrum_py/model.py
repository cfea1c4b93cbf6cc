# SPDX-License-Identifier: MIT
"""Trained models: reading (spec 8), looking at and running them."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

import numpy as np

from ._core import ffi, lib
from .errors import TorchdrumError, cannot
from .params import did_you_mean, text
from .presets import Preset

SUFFIX = ".safetensors"


def models_folder():
    """The models that come with the package; in a source folder (pip install -e) they lie beside it."""
    try:
        return resources.files("torchdrum_py.models")
    except ModuleNotFoundError:
        return Path(__file__).resolve().parent.parent / "models"


def model_names() -> list[str]:
    """Names of the models that come with the package."""
    return sorted(entry.name.removesuffix(SUFFIX) for entry in models_folder().iterdir() if entry.name.endswith(SUFFIX))


class Model:
    """A model as the engine uses it.

    info: a dict of everything in the file but the weights: params, hidden (widths), window and preroll (samples at 48 kHz), min, max,
    reference, low, high (float32 [3]), preset (Preset), name, author, license, source, detector, activation, norm, output, sample_rate,
    crc32.
    """

    def __init__(self, data: bytes, where: str = "model"):
        why = ffi.new("char[]", lib.TD_ERROR_BYTES)
        size = lib.td_model_bytes(len(data))
        # ffi memory of doubles: aligned for whatever the core puts there
        self._memory = ffi.new("double[]", size // 8 + 1)
        self.pointer = ffi.cast("td_model *", self._memory)
        if lib.td_model_read(data, len(data), self.pointer, size, why) != lib.TD_OK:
            raise TorchdrumError(f"{where}: {text(why)}")
        self.info = self._describe()

    @classmethod
    def from_bytes(cls, data: bytes) -> Model:
        """Reads a model file that is in memory already."""
        return cls(bytes(data))

    @classmethod
    def from_file(cls, path: str | os.PathLike) -> Model:
        """Reads a model file."""
        try:
            with open(path, "rb") as file:
                data = file.read(lib.TD_MAX_MODEL_BYTES + 1)  # one more than any model has: the core says so
        except OSError as error:
            raise cannot(path, "read", error) from None
        return cls(data, Path(path).name)

    @classmethod
    def builtin(cls) -> Model:
        """The model that is compiled into the core."""
        size = ffi.new("size_t *")
        data = lib.td_builtin_model(size)
        return cls(bytes(ffi.buffer(data, size[0])), "built-in model")

    @classmethod
    def load(cls, name_or_file: str | os.PathLike) -> Model:
        """A model that comes with the package, or a file."""
        wanted, names = str(name_or_file), model_names()
        if wanted in names:
            return cls(models_folder().joinpath(wanted + SUFFIX).read_bytes(), wanted)
        if Path(wanted).suffix == SUFFIX or os.path.exists(wanted):
            return cls.from_file(wanted)
        raise TorchdrumError(f"there is no model {wanted}: {did_you_mean(wanted, names)}")

    def _describe(self) -> dict:
        c = ffi.new("td_model_info *")
        lib.td_model_describe(self.pointer, c)
        info = {k: text(getattr(c, k)) for k in ("name", "author", "license", "source", "detector", "activation", "norm", "output")}
        info |= {"sample_rate": int(text(c.sample_rate)), "crc32": text(c.crc32)}
        info |= {"params": c.params, "hidden": list(c.width)[: c.hidden], "window": c.window, "preroll": c.preroll}
        info |= {k: np.array(list(getattr(c, k)), np.float32) for k in ("min", "max", "reference", "low", "high")}
        info["preset"] = Preset(np.array(list(c.preset.value), np.float32), np.array(list(c.preset.damping), np.float32), info["name"])
        return info

    def run(self, x: np.ndarray) -> np.ndarray:
        """Modulations [14] or [n, 14] in −1 … 1 of network inputs [3] or [n, 3] (spec 4.3 x), float32."""
        x = np.ascontiguousarray(x, np.float32)
        if x.shape[-1:] != (lib.TD_FEATURES,):
            raise ValueError(f"a network input has {lib.TD_FEATURES} numbers, not {x.shape}")
        rows = x.reshape(-1, lib.TD_FEATURES)
        out = np.empty((len(rows), lib.TD_PARAMS), np.float32)
        for row, result in zip(rows, out, strict=True):
            lib.td_model_run(self.pointer, ffi.from_buffer("float[]", row), ffi.from_buffer("float[]", result))
        return out.reshape(*x.shape[:-1], lib.TD_PARAMS)
