# SPDX-License-Identifier: MIT
"""The stages of the core by themselves: onset detection, features, noise, voice. For training, tests and the curious."""

from __future__ import annotations

import numpy as np

from ._core import ffi, lib
from .errors import TorchdrumError
from .params import find_control

ONSET_SETTINGS = tuple(field for field, _ in ffi.typeof("td_onset_settings").fields)


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


def clipped(row, value: float) -> float:
    """A number for a parameter or control, clipped to its range; TorchdrumError when it is none."""
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


def onsets(x, sample_rate: float, window: int = 256, **settings: float) -> tuple[np.ndarray, np.ndarray]:
    """Where strokes are detected (spec 2).

    x: [n] float32, one channel. window: at 48 kHz, the least time between strokes. settings: onthreshold dB, offthreshold dB, hold ms,
    floor dB, highpass Hz, clipped to their ranges. Returns detection samples [hits] int64 and the onset function D [n] in dB. Causal:
    D(i) depends on x up to i.
    """
    if unknown := set(settings) - set(ONSET_SETTINGS):
        raise TorchdrumError(f"the detector has no setting {', '.join(sorted(unknown))}: there are {', '.join(ONSET_SETTINGS)}")
    x = finite(x)
    values = {name: clipped(row := find_control(name), settings.get(name, row.default)) for name in ONSET_SETTINGS}
    memory = ffi.new("double[]", lib.td_onset_size() // 8 + 1)
    onset = ffi.cast("td_onset *", memory)
    lib.td_onset_init(onset, check_rate(sample_rate), ffi.new("td_onset_settings *", values), max(1, scaled(window, sample_rate)))
    difference, found, fired, at = np.empty(len(x), np.float32), [], ffi.new("int *"), 0
    x_at, difference_at = pointer(x), pointer(difference)
    while at < len(x):
        at += lib.td_onset_process(onset, x_at + at, len(x) - at, difference_at + at, fired)
        if fired[0]:
            found.append(at - 1)
    return np.array(found, np.int64), difference


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
    if not np.isfinite(params).all():
        raise ValueError("the parameters of the voice are finite numbers")
    lib.td_snare808_render(pointer(params), check_rate(sample_rate), seed & 0xFFFFFFFF, hit & 0xFFFFFFFF, pointer(out), n)
    return out
