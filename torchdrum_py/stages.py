# SPDX-License-Identifier: MIT
"""The stages of the core by themselves: onset detection, features, noise, voice. For training, tests and the curious."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ._core import ffi, lib
from .errors import TorchdrumError
from .params import PARAMS, find_control

_SETTINGS = tuple(field for field, _ in ffi.typeof("td_onset_settings").fields)
ONSET_SETTINGS = (*_SETTINGS, "input")


def floats(x) -> np.ndarray:
    """One dimension of contiguous float32."""
    x = np.ascontiguousarray(x, np.float32)
    if x.ndim != 1:
        raise ValueError(f"one channel is needed, not an array of shape {x.shape}")
    return x


def pointer(x: np.ndarray):
    """x as float *; x must stay alive and be contiguous float32."""
    return ffi.from_buffer("float[]", x, require_writable=x.flags.writeable)


def finite(x) -> np.ndarray:
    """floats, with NaN and infinity as 0, as the engine takes them (spec 1)."""
    return np.nan_to_num(floats(x), nan=0.0, posinf=0.0, neginf=0.0)


def clipped(row, value: float | str) -> float:
    """A number for a parameter or control, clipped to its range, or one of the words that it takes; TorchdrumError when it is neither."""
    if choices := getattr(row, "choices", ()):
        if value in choices:
            return float(choices.index(value))
        if value in range(len(choices)):
            return float(value)
        raise TorchdrumError(f"{row.name} is one of {', '.join(choices)}, not {value}")
    try:
        value = float(value)
    except (TypeError, ValueError):
        value = float("nan")
    if not np.isfinite(value):
        raise TorchdrumError(f"{row.name} needs a number from {row.min:.8g} to {row.max:.8g}")
    return min(max(value, row.min), row.max)


def check_rate(sample_rate: float) -> float:
    """The rate, or TorchdrumError when the core does not run at it."""
    if not 8000 <= sample_rate <= 192000:
        raise TorchdrumError(f"a sample rate of {sample_rate:g} Hz is not supported (8000 to 192000): resample the audio first")
    return float(sample_rate)


def scaled(samples_at_48k: int, sample_rate: float) -> int:
    """Samples at a rate of a length given in samples at 48 kHz."""
    return lib.td_scaled(samples_at_48k, sample_rate)


class Onsets(NamedTuple):
    """samples: at which strokes are detected [hits] int64. rise, threshold: the onset function and what it must exceed, dB [n] float32."""

    samples: np.ndarray
    rise: np.ndarray
    threshold: np.ndarray


def onset_settings(settings: dict) -> dict[str, float]:
    """All settings of the detector: the given ones, clipped to their ranges, and what its set-up says (spec 2.1)."""
    if unknown := set(settings) - set(ONSET_SETTINGS):
        raise TorchdrumError(f"the detector has no setting {', '.join(sorted(unknown))}: there are {', '.join(ONSET_SETTINGS)}")
    given = {name: clipped(find_control(name), value) for name, value in settings.items()}
    choice = {name: int(given.get(name, find_control(name).default)) for name in ("detector", "input")}
    values = ffi.new("td_onset_settings *")
    lib.td_onset_setup(choice["detector"], choice["input"], values)
    return {name: given.get(name, getattr(values, name)) for name in _SETTINGS}


def onsets(x, sample_rate: float, window: int = 256, drum=None, **settings: float | str) -> Onsets:
    """Where strokes are detected (spec 2).

    x: [n] float32, one channel. window: at 48 kHz, the least time between strokes. drum: [n] float32, our own output, which may be in x
    and is not to be taken for a stroke (selfmask). settings: detector (rise or classic), input (mic, contact or line), sensitivity %,
    onthreshold dB, offthreshold dB, hold ms, floor dB, highpass Hz, selfmask %. Causal: what is said of sample i depends on x up to i.
    """
    x, values = finite(x), onset_settings(settings)
    drum_at = ffi.NULL
    if drum is not None:
        drum = finite(drum)
        if len(drum) != len(x):
            raise TorchdrumError(f"the drum has {len(drum)} samples, the input {len(x)}: they must be as long")
        drum_at = pointer(drum)
    memory = ffi.new("double[]", lib.td_onset_size() // 8 + 1)
    onset = ffi.cast("td_onset *", memory)
    lib.td_onset_init(onset, check_rate(sample_rate), ffi.new("td_onset_settings *", values), max(1, scaled(window, sample_rate)))
    rise, threshold = np.empty(len(x), np.float32), np.empty(len(x), np.float32)
    found, fired, at = [], ffi.new("int *"), 0
    x_at, rise_at, threshold_at = pointer(x), pointer(rise), pointer(threshold)
    while at < len(x):
        at += lib.td_onset_process(
            onset, x_at + at, drum_at + at if drum_at else ffi.NULL, len(x) - at, rise_at + at, threshold_at + at, fired
        )
        if fired[0]:
            found.append(at - 1)
    return Onsets(np.array(found, np.int64), rise, threshold)


def features(window, sample_rate: float) -> np.ndarray:
    """Loudness dB, centroid semitones, flatness dB of a window (spec 4), float32 [3]. window: at most scaled(256, sample_rate) samples."""
    window, out = finite(window), np.empty(lib.TD_FEATURES, np.float32)
    if lib.td_features(pointer(window), len(window), check_rate(sample_rate), pointer(out)) != lib.TD_OK:
        raise ValueError(f"a window has 1 to {scaled(256, sample_rate)} samples at {sample_rate:g} Hz, not {len(window)}")
    return out


def noise(seed: int, hit: int, first: int, n: int) -> np.ndarray:
    """Samples first … first+n−1 of the noise of a hit (spec 6.3), float32 [n] in [−1, 1)."""
    out = np.empty(n, np.float32)
    lib.td_noise(seed & 0xFFFFFFFF, hit & 0xFFFFFFFF, first & 0xFFFFFFFF, pointer(out), n)
    return out


def render_snare808(params, sample_rate: float, seed: int, hit: int, n: int) -> np.ndarray:
    """n samples of one stroke of the 808 snare with parameters [14] in units (spec 6), float32."""
    params, out = floats(params), np.empty(n, np.float32)
    if len(params) != lib.TD_PARAMS:
        raise ValueError(f"the voice has {lib.TD_PARAMS} parameters, not {len(params)}")
    for param, value in zip(PARAMS, params, strict=True):
        if not param.min <= value <= param.max:
            raise ValueError(f"{param.name} is {param.min:.8g} to {param.max:.8g} {param.unit}, not {value:.8g}")
    lib.td_snare808_render(pointer(params), check_rate(sample_rate), seed & 0xFFFFFFFF, hit & 0xFFFFFFFF, pointer(out), n)
    return out
