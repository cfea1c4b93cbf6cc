# SPDX-License-Identifier: MIT
"""Writes model files (spec 8). The public safetensors writer orders metadata at random; this one gives the same bytes every time."""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Callable

import numpy as np

from ._core import ffi, lib
from .audio import whole_file
from .errors import TorchdrumError
from .model import Model
from .params import text
from .presets import Preset

FORMAT, VOICE, FEATURES = "torchdrum 1", "snare808", "onset3-1"
CRC_MARK = b'"crc32":"'
TOLERANCE = 3e-6  # between the network as trained and as the core runs it


def table_hash(count: int) -> str:
    """Hash of the first count rows of the parameter table (spec 8.1)."""
    out = ffi.new("char[9]")
    lib.td_param_table_hash(count, out)
    return text(out)


def to_bytes(
    layers: list[tuple[np.ndarray, np.ndarray | None]],
    preset: Preset,
    minimum,
    maximum,
    reference,
    *,
    low=None,
    high=None,
    name: str,
    activation: str = "relu",
    norm: str = "none",
    output: str = "tanh",
    window: int = 256,
    preroll: int = 16,
    detector: str = "rise",
    sample_rate: int = 48000,
    author: str = "",
    license: str = "",
    source: str = "",
) -> bytes:
    """The bytes of a model file.

    layers: (weight [out, in], bias [out] or None) from the input to the output. preset: base values and damping of the parameters.
    minimum, maximum, reference: of the three features (spec 4.3). low, high: their 10th and 90th percentile over the strokes that were
    learnt from, if known. window, preroll: samples at 48 kHz.
    """
    tensors = {}
    for i, (weight, bias) in enumerate(layers):
        tensors[f"layers.{i}.weight"] = weight
        if bias is not None:
            tensors[f"layers.{i}.bias"] = bias
    count = len(layers[-1][0])
    tensors |= {"preset": preset.value[:count], "damping": preset.damping[:count]}
    tensors |= {"min": minimum, "max": maximum, "reference": reference}
    if low is not None:
        tensors |= {"low": low, "high": high}
    metadata = dict(
        format=FORMAT, voice=VOICE, parameters=table_hash(count), features=FEATURES, detector=detector, window=str(window),
        preroll=str(preroll), sample_rate=str(sample_rate), activation=activation, norm=norm, output=output, name=name, author=author,
        license=license, source=source, crc32="0" * 8,
    )  # fmt: skip
    header, data = {"__metadata__": dict(sorted(metadata.items()))}, b""
    for key in sorted(tensors):
        array = np.ascontiguousarray(tensors[key], "<f4")
        header[key] = {
            "dtype": "F32",
            "shape": list(array.shape),
            "data_offsets": [len(data), len(data) + array.nbytes],
        }
        data += array.tobytes()
    # surrogateescape: what a person typed and is no UTF-8 stays so, and the core says it
    head = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode(errors="surrogateescape")
    head += b" " * (-len(head) % 8)
    file = struct.pack("<Q", len(head)) + head + data
    at = file.index(CRC_MARK) + len(CRC_MARK)
    return file[:at] + f"{zlib.crc32(file):08x}".encode() + file[at + 8 :]


def _tensors(data: bytes) -> dict[str, np.ndarray]:
    start = 8 + struct.unpack("<Q", data[:8])[0]
    found = {}
    for name, row in json.loads(data[8:start]).items():
        if name != "__metadata__":
            begin, end = row["data_offsets"]
            found[name] = np.frombuffer(data[start + begin : start + end], "<f4").reshape(row["shape"])
    return found


def read_layers(data: bytes) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """layers, as to_bytes takes them, of the bytes of a model file that Model has read: nothing is checked again here."""
    tensors = _tensors(data)
    count = sum(name.endswith(".weight") for name in tensors)
    return [(tensors[f"layers.{i}.weight"], tensors.get(f"layers.{i}.bias")) for i in range(count)]


def read_strokes(data: bytes) -> tuple[np.ndarray | None, np.ndarray | None]:
    """low and high, as to_bytes takes them, of such a file."""
    tensors = _tensors(data)
    return tensors.get("low"), tensors.get("high")


def write(
    path: str | os.PathLike,
    layers,
    preset: Preset,
    minimum,
    maximum,
    reference,
    *,
    inputs,
    outputs,
    check: Callable[[Model], str] | None = None,
    **metadata,
) -> Model:
    """Writes a model file, after the core has read it and agreed.

    inputs [n, 3] and outputs [n, params]: what the network as trained answers; TorchdrumError, and no file, when the core's answer differs
    by more than TOLERANCE. check: told the model as the core reads it, says what is wrong with it, if anything. Other arguments as
    to_bytes. Returns the model as the core reads it.
    """
    data = to_bytes(layers, preset, minimum, maximum, reference, **metadata)
    model = Model(data, os.path.basename(os.fspath(path)))
    answers = model.run(np.atleast_2d(inputs))[:, : model.info["params"]]
    if np.shape(outputs) != answers.shape or not answers.size:
        raise ValueError(f"outputs has the shape {np.shape(outputs)}, the network answers {answers.shape}")
    worst = float(np.abs(answers - np.asarray(outputs)).max())
    if not worst <= TOLERANCE:
        raise TorchdrumError(f"{path} was not written: the core's network differs from the trained one by {worst:.1e}")
    if check and (wrong := check(model)):
        raise TorchdrumError(f"{path} was not written: {wrong}")
    with whole_file(path) as temporary:
        temporary.write_bytes(data)
    return model
