# SPDX-License-Identifier: MIT
"""Recordings to strokes: what the network will see of each and what it will be compared with, cut where the core hears it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import soxr

from . import audio, long_features
from .errors import TorchdrumError
from .stages import check_rate, features, onsets

SAMPLE_RATE = long_features.SAMPLE_RATE
DETECTOR, WINDOW, PREROLL = "rise", 256, 16  # of every model that is trained here (spec 3); samples
JITTER = 4  # samples either way, for other detectors and other rates
# Kept before a stroke, for a detector to settle. The detection is then the last sample of a quarter of a second, which is a whole number of
# the detector's frames (spec 2.3): the cut stroke is detected where it was in the recording.
LEAD_SAMPLES = SAMPLE_RATE // 4 - 1 - PREROLL
FADE_SAMPLES = SAMPLE_RATE // 200  # 5 ms, where the next stroke would begin


@dataclass(frozen=True, eq=False)
class Hit:
    """A stroke.

    audio: [LEAD_SAMPLES + long_features.SAMPLES] float32; its window begins at LEAD_SAMPLES. Silent from the next stroke on.
    inputs: [2·JITTER + 1, 3] float32, the features (spec 4) of its window moved by −JITTER … JITTER samples.
    group: strokes of one group (the round robins of a sample library) are never on both sides of a split.
    """

    audio: np.ndarray
    inputs: np.ndarray
    group: str

    @property
    def sound(self) -> np.ndarray:
        """From the first sample of its window on, [long_features.SAMPLES]."""
        return self.audio[LEAD_SAMPLES:]

    @property
    def features(self) -> np.ndarray:
        """Of the window that the object sees: loudness dB, centroid semitones, flatness dB."""
        return self.inputs[JITTER]


def read(path: str | os.PathLike) -> np.ndarray:
    """A recording as mono float32 at SAMPLE_RATE. TorchdrumError says what is wrong with the file."""
    x, rate = audio.read_audio(path)
    check_rate(rate)
    if not np.isfinite(x).all():
        raise TorchdrumError(f"{path} holds samples that are not numbers: export it again")
    return soxr.resample(x.mean(axis=1, dtype=np.float64), rate, SAMPLE_RATE, quality="VHQ").astype(np.float32)


def cut(x: np.ndarray, name: str = "", single: bool = False, **settings: float) -> list[Hit]:
    """The strokes of a recording x [n] at SAMPLE_RATE, found by the core's detector (settings as in onsets).

    name: of the recording. single: it is one stroke, whatever else is detected after its beginning.
    """
    before, after = np.zeros(LEAD_SAMPLES + PREROLL + JITTER, np.float32), np.zeros(long_features.SAMPLES, np.float32)
    padded = np.concatenate([before, x, after])
    detected = onsets(padded, SAMPLE_RATE, WINDOW, detector=DETECTOR, **settings).samples
    starts = [int(sample) - PREROLL for sample in detected[: 1 if single else None]]
    groups = [re.sub(r"_rr\d+.*", "", name) if single else f"{name} {i}" for i in range(len(starts))]
    return [_hit(padded, *place) for place in zip(starts, [*starts[1:], len(padded)], groups, strict=False)]


def _hit(x: np.ndarray, start: int, end: int, group: str) -> Hit:
    sound = x[start - LEAD_SAMPLES : start + long_features.SAMPLES].copy()
    if end < start + long_features.SAMPLES:
        stop = LEAD_SAMPLES + end - start
        sound[stop - FADE_SAMPLES : stop] *= np.linspace(1.0, 0.0, FADE_SAMPLES, endpoint=False, dtype=np.float32)
        sound[stop:] = 0.0
    return Hit(sound, _inputs(sound), group)


def _inputs(sound: np.ndarray) -> np.ndarray:
    starts = range(LEAD_SAMPLES - JITTER, LEAD_SAMPLES + JITTER + 1)
    return np.array([features(sound[at : at + WINDOW], SAMPLE_RATE) for at in starts], np.float32)


def at_level(hit: Hit, db: float) -> Hit:
    """The stroke as it would be that much louder: nearer to the microphone."""
    sound = hit.audio * np.float32(10.0 ** (db / 20.0))
    return Hit(sound, _inputs(sound), hit.group)


def load(paths: Iterable[str | os.PathLike], single: bool = False, **settings: float) -> list[Hit]:
    """The strokes of audio files, in the order of the files."""
    return [hit for path in paths for hit in cut(read(path), os.path.basename(os.fspath(path)), single, **settings)]


def split(hits: list[Hit], seed: int) -> tuple[list[Hit], list[Hit], list[Hit]]:
    """About 80 % to train with, 10 % to choose the best network by, 10 % to measure it by; by groups, at random."""
    groups = sorted({hit.group for hit in hits})
    order = np.random.default_rng(seed).permutation(len(groups))
    part = {groups[at]: min(int(10 * place / len(groups)), 9) for place, at in enumerate(order)}
    parts = [[hit for hit in hits if part[hit.group] in wanted] for wanted in (range(2, 10), (0,), (1,))]
    if not all(parts):
        raise TorchdrumError(f"{len(hits)} strokes are too few to learn from: play at least 20, from soft to hard")
    return parts[0], parts[1], parts[2]
