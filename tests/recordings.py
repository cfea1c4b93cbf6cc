# SPDX-License-Identifier: MIT
"""The committed CC0 recordings of tests/audio and the network files that tests share."""

from __future__ import annotations

import functools
import itertools
from pathlib import Path

import numpy as np
import oracle
import soundfile
import soxr

import torchdrum_py as td

FOLDER = Path(__file__).parent / "audio"
MODELS = Path(__file__).parent.parent / "models"
RATES = (44100, 48000, 88200, 96000)
LOOPS = ("loop_breakbeat", "loop_compus", "loop_tabla")
HITS = (
    "drum_cowbell",
    "drum_cymbal_closed",
    "drum_snare_hard",
    "drum_snare_soft",
    "drum_tom_mid_soft",
    "perc_snap",
    "perc_snap2",
    "tabla_dhec",
    "tabla_ke3",
    "tabla_na",
    "tabla_re",
    "tabla_tas1",
    "tabla_te1",
)


def resampled(x, from_rate: int, to_rate: int) -> np.ndarray:
    return x if from_rate == to_rate else soxr.resample(x, from_rate, to_rate, quality="VHQ")


@functools.cache
def recording(name: str, sr: int) -> np.ndarray:
    """A recording at a sample rate, float32 mono. By way of 48 kHz, so that every rate is a copy of the same signal."""
    x, rate = soundfile.read(FOLDER / f"{name}.flac", dtype="float64")
    y = resampled(resampled(x, rate, 48000), 48000, sr).astype(np.float32)
    y.flags.writeable = False
    return y


def networks():
    """(name, oracle.Model) over every kind of network that a file may hold, with random weights."""
    rng = np.random.default_rng(808)
    shapes = {
        "linear": (),
        "narrow": (1,),
        "one": (32,),
        "wide": (128, 128, 128, 128),
        "three": (64, 64, 64),
        "uneven": (5, 128, 17),
    }
    for shape, hidden in shapes.items():
        for norm in ("none", "layer") if hidden else ("none",):
            for activation in ("relu", "tanh") if hidden else ("relu",):
                for output in ("tanh", "clamp"):
                    widths = (3, *hidden, len(oracle.PARAMS))
                    layers = []
                    for i, (n_in, n_out) in enumerate(itertools.pairwise(widths)):
                        has_bias = {"wide": i % 2 == 1, "uneven": False}.get(shape, True)
                        bias = rng.normal(0, 0.3, n_out) if has_bias else None
                        layers.append((rng.normal(0, 1.2 / np.sqrt(n_in), (n_out, n_in)), bias))
                    preset = np.round(oracle.LOW + (oracle.HIGH - oracle.LOW) * rng.uniform(0.1, 0.6, len(oracle.PARAMS)), 3)
                    yield (
                        f"{shape}-{norm}-{activation}-{output}",
                        oracle.Model(
                            layers=layers,
                            preset=preset,
                            damping=rng.uniform(0, 1.5, len(oracle.PARAMS)),
                            min=np.array([-45.0, 78.0, -65.0]),
                            max=np.array([-12.0, 122.0, -8.0]),
                            reference=np.array([0.55, 0.4, 0.6]),
                            activation=activation,
                            norm=norm,
                            output=output,
                        ),
                    )


NETWORKS = dict(networks())


@functools.cache
def both(name: str):
    """The same network as (oracle.Model, td.Model), both read from one file."""
    data = oracle.write_model(NETWORKS[name])
    return oracle.read_model(data), td.Model.from_bytes(data)


def builtin_file() -> bytes:
    """The file of models/ that is compiled into the core, known by its checksum."""
    crc = td.Model.builtin().info["crc32"]
    (data,) = [d for d in (f.read_bytes() for f in sorted(MODELS.glob("*.safetensors"))) if f'"crc32":"{crc}"'.encode() in d]
    return data
