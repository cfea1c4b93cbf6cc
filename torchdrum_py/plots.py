# SPDX-License-Identifier: MIT
"""Pictures of what was heard and why (they need matplotlib)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .errors import TorchdrumError, cannot
from .stages import Onsets

POINTS = 4000  # of the curves: each shows the extremes of what lies between two
SHOWN_DB = 45.0


def _extremes(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Samples, least and largest of at most POINTS equal parts."""
    step = max(1, len(values) // POINTS)
    parts = values[: len(values) // step * step].reshape(-1, step)
    return np.arange(len(parts)) * step, parts.min(axis=1), parts.max(axis=1)


def _pyplot():
    try:
        import matplotlib

        matplotlib.use("Agg")
        import matplotlib.pyplot as plt
    except ModuleNotFoundError:
        raise TorchdrumError('--plot needs matplotlib: pip install "torchdrum[plot]"') from None
    plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    return plt


def _save(figure, path: str):
    if not Path(path).suffix:  # matplotlib would add one
        raise TorchdrumError(f"--plot: {path} needs an ending such as .png, .pdf or .svg")
    try:
        figure.savefig(path, dpi=110)
    except ValueError as error:  # a format that matplotlib does not know
        raise TorchdrumError(f"--plot: {str(error).splitlines()[0]}") from None
    except OSError as error:
        raise cannot(path, "written", error) from None


def plot_onsets(x: np.ndarray, sample_rate: float, found: Onsets, path: str):
    """Writes a picture: x [n] with the strokes found, and the onset function with the threshold that it must exceed."""
    plt = _pyplot()
    figure, (wave, curve) = plt.subplots(2, 1, figsize=(12, 5), sharex=True, layout="constrained")
    at, low, high = _extremes(x)
    wave.fill_between(at / sample_rate, low, high, color="0.4", lw=0.4)
    wave.set(ylabel="input", title=f"{len(found.samples)} strokes")
    at, _, high = _extremes(found.rise)
    curve.plot(at / sample_rate, np.clip(high, 0, SHOWN_DB), color="tab:blue", lw=1.2, label="onset function, dB")
    at, low, _ = _extremes(found.threshold)
    curve.plot(at / sample_rate, np.minimum(low, SHOWN_DB), color="black", lw=1, ls="--", label="what it must exceed")
    curve.set(xlabel="s", ylim=(0, SHOWN_DB))
    curve.legend(loc="upper right", frameon=False)
    for axis, height in ((wave, wave.get_ylim()[1]), (curve, 0.97 * SHOWN_DB)):
        axis.plot(found.samples / sample_rate, np.full(len(found.samples), height), "v", color="tab:red", ms=5, clip_on=False)
    _save(figure, path)


def plot_strokes(features: np.ndarray, path: str):
    """Writes a picture of strokes by their features [n, 3]: brightness and noisiness against loudness."""
    plt = _pyplot()
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.5), sharex=True, layout="constrained")
    for axis, column, name in zip(axes, (1, 2), ("centroid, semitones (69 = 440 Hz)", "flatness, dB"), strict=True):
        axis.plot(features[:, 0], features[:, column], "o", color="tab:blue", alpha=0.6, ms=5)
        axis.set(xlabel="loudness, dBFS", ylabel=name)
    figure.suptitle(f"{len(features)} strokes, as the network hears them")
    _save(figure, path)
