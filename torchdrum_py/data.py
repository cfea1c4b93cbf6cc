# SPDX-License-Identifier: MIT
"""Recordings to strokes: what the network will see of each and what it will be compared with, cut where the core hears it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soxr

from . import audio, batch
from .errors import TorchdrumError, cannot
from .stages import check_rate, onsets

SAMPLE_RATE = 48000
SAMPLES = 35328  # of a stroke: 0.736 s, what the long features read (spec 10.1)
DETECTOR, WINDOW, PREROLL = "rise", 256, 16  # of every model that is trained here (spec 3); samples
# Kept before a stroke, for a detector to know what went before. The detection is then the last sample of a second, which is a whole number
# of the detector's frames (spec 2.3): the cut stroke is detected where it was in the recording.
LEAD_SAMPLES = SAMPLE_RATE - 1 - PREROLL
FADE_IN_SAMPLES = SAMPLE_RATE // 10  # of what goes before: where it begins is no stroke
FADE_SAMPLES = SAMPLE_RATE // 200  # 5 ms, where the next stroke would begin
JITTER = 4  # samples either way that a view's window is moved by, for other detectors and other rates
VIEW_GAIN_DB, VIEW_TILT, VIEW_NOISE_DB = 1.5, 0.1, (-80.0, -55.0)  # of views: how far microphones and rooms differ
CLIPPED, CLIPPED_SAMPLES = 0.999, 3  # so many samples in a row at full scale are no peak
FEWEST_HITS = 10
VALIDATION = 8  # one part of so many of what is not tested, in a cross-validation
LEAST_RANGE_DB, LEAST_RANGE_ST, LITTLE_DB = 3.0, 1.5, 6.0  # with less of both there is nothing to learn
PERCENTILES = (5.0, 95.0)
FOLDERS_HOLD = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3", ".caf", ".w64", ".au")


@dataclass(frozen=True, eq=False)
class Hit:
    """A stroke.

    audio: [LEAD_SAMPLES + SAMPLES] float32; its window begins at LEAD_SAMPLES. Silent from the next stroke on.
    features: float32 [3] of its window (spec 4): loudness dB, centroid semitones, flatness dB.
    group: strokes of one group (the round robins of a sample library) are never on both sides of a split.
    window: length of its window in samples.
    """

    audio: np.ndarray
    features: np.ndarray
    group: str
    window: int = WINDOW

    @property
    def sound(self) -> np.ndarray:
        """From the first sample of its window on, [SAMPLES]."""
        return self.audio[LEAD_SAMPLES:]


@dataclass
class Heard:
    """What was found in recordings: the strokes, and what a player should know of the takes."""

    hits: list[Hit] = field(default_factory=list)
    recordings: int = 0
    silent: list[str] = field(default_factory=list)  # in which there is no stroke
    clipped: list[str] = field(default_factory=list)
    short: int = 0  # strokes whose sound the next one cuts off within the first 50 ms

    @property
    def features(self) -> np.ndarray:
        """[n, 3]: loudness dB, centroid semitones, flatness dB."""
        return np.array([hit.features for hit in self.hits], np.float32).reshape(-1, 3)

    def range(self) -> np.ndarray:
        """[2, 3]: from which to which loudness, centroid and flatness nine of ten strokes lie."""
        return np.percentile(self.features, PERCENTILES, axis=0)

    def lines(self) -> list[str]:
        """For people: how much was heard, how varied it is, and what is wrong with it."""
        lines = [f"{_count(len(self.hits), 'stroke')} in {_count(self.recordings, 'recording')}"]
        if self.hits:
            low, high = self.range()
            lines[0] += f": loudness {low[0]:.0f} to {high[0]:.0f} dB, centroid {_hz(low[1])} to {_hz(high[1])}"
            if high[0] - low[0] < LITTLE_DB:
                lines.append(f"loudness varies by {high[0] - low[0]:.1f} dB only: play from very soft to very hard for a drum that follows")
        if self.short:
            lines.append(f"cut off by the next within 50 ms: {_count(self.short, 'stroke')}; leave some of them alone to ring")
        for names, what in (
            (self.silent, "no stroke is heard"),
            (self.clipped, "the recording clips: play it again with less gain"),
        ):
            if names:
                more = f" and {len(names) - 3} more" if len(names) > 3 else ""
                lines.append(f"{', '.join(names[:3])}{more}: {what}")
        return lines

    def check(self):
        """TorchdrumError when there is too little to learn from."""
        if (different := len({hit.group for hit in self.hits})) < FEWEST_HITS:
            raise TorchdrumError(f"{_count(different, 'different stroke')}: too few to learn from, play at least 20, from soft to hard")
        low, high = self.range()
        if high[0] - low[0] < LEAST_RANGE_DB and high[1] - low[1] < LEAST_RANGE_ST:
            raise TorchdrumError("all strokes sound the same, so there is nothing to follow: play from soft to hard, and in different ways")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"


def _hz(semitones: float) -> str:
    return f"{440.0 * 2.0 ** ((semitones - 69.0) / 12.0):.0f} Hz"


def read(path: str | os.PathLike) -> tuple[np.ndarray, bool]:
    """A recording as mono float32 at SAMPLE_RATE, and whether it clips. TorchdrumError says what is wrong with the file."""
    x, rate = audio.read_audio(path)
    check_rate(rate)
    if not np.isfinite(x).all():
        raise TorchdrumError(f"{path} holds samples that are not numbers: export it again")
    full = np.cumsum(np.pad(np.abs(x).max(axis=1, initial=0.0) >= CLIPPED, (1, 0)))
    clips = bool((full[CLIPPED_SAMPLES:] - full[:-CLIPPED_SAMPLES] == CLIPPED_SAMPLES).any())
    return soxr.resample(x.mean(axis=1, dtype=np.float64), rate, SAMPLE_RATE, quality="VHQ").astype(np.float32), clips


def cut(x: np.ndarray, name: str = "", single: bool = False, window: int = WINDOW, **settings: float) -> list[Hit]:
    """The strokes of a recording x [n] at SAMPLE_RATE, found by the core's detector (settings as in onsets).

    name: of the recording. single: it is one stroke, whatever else is detected after its beginning. window: what the network will see of
    each, samples.
    """
    before, after = np.zeros(LEAD_SAMPLES + PREROLL + JITTER, np.float32), np.zeros(SAMPLES, np.float32)
    padded = np.concatenate([before, x, after])
    detected = onsets(padded, SAMPLE_RATE, window, detector=DETECTOR, **settings).samples
    starts = [int(sample) - PREROLL for sample in detected[: 1 if single else None]]
    rows = window_features(padded, starts, window)
    groups = [re.sub(r"_rr\d+.*", "", name) if single else f"{name} {i}" for i in range(len(starts))]
    ends = [*starts[1:], len(padded)][: len(starts)]
    return [Hit(_excerpt(padded, a, b), row, group, window) for a, b, row, group in zip(starts, ends, rows, groups, strict=True)]


def _excerpt(x: np.ndarray, start: int, end: int) -> np.ndarray:
    sound = x[start - LEAD_SAMPLES : start + SAMPLES].copy()
    sound[:FADE_IN_SAMPLES] *= np.linspace(0.0, 1.0, FADE_IN_SAMPLES, dtype=np.float32)
    if end < start + SAMPLES:
        stop = LEAD_SAMPLES + end - start
        sound[stop - FADE_SAMPLES : stop] *= np.linspace(1.0, 0.0, FADE_SAMPLES, endpoint=False, dtype=np.float32)
        sound[stop:] = 0.0
    return sound


def window_features(x: np.ndarray, starts: Sequence[int], window: int) -> np.ndarray:
    """Features (spec 4), float32 [k, 3], of the windows x[start : start + window] at SAMPLE_RATE.

    Those of the core; windows longer than it takes, for experiments, by the same equations in NumPy.
    """
    if window <= WINDOW:
        return batch.features(x, starts, window, SAMPLE_RATE, threads=1)
    hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(window) / window)
    size = 2 ** int(np.ceil(np.log2(2 * window)))
    frequency = np.arange(size // 2 + 1) * SAMPLE_RATE / size
    used = (frequency > 0.0) & (frequency <= 20000.0)
    rows = []
    for start in starts:
        part = x[start : start + window].astype(np.float64)
        power = np.abs(np.fft.rfft(hann * (part - hann @ part / hann.sum()), size)[used]) ** 2
        floored = np.maximum(power / hann.sum() ** 2, 1e-12)
        loudness = 10.0 * np.log10(max(2.0 * power.sum() / (size * (hann @ hann)), 1e-8))
        hz = frequency[used] @ np.sqrt(floored) / np.sqrt(floored).sum()
        flatness = 20.0 * np.log10(np.exp(np.log(floored).mean()) / floored.mean())
        rows.append((loudness, 12.0 * np.log2(hz / 440.0) + 69.0, flatness))
    return np.array(rows, np.float32).reshape(-1, 3)


def at_level(hit: Hit, db: float) -> Hit:
    """The stroke as it would be that much louder: nearer to the microphone."""
    sound = hit.audio * np.float32(10.0 ** (db / 20.0))
    return Hit(sound, window_features(sound, [LEAD_SAMPLES], hit.window)[0], hit.group, hit.window)


def views(hits: Sequence[Hit], count: int, seed: int) -> np.ndarray:
    """Features [n, count, 3] float32 of the strokes' windows as other detectors, microphones and rooms would have them.

    Each view is moved by −JITTER … JITTER samples, louder or softer by up to VIEW_GAIN_DB, tilted by up to VIEW_TILT (the gains of low and
    high frequencies differ by 1.7 dB at most) and in white noise of a level within VIEW_NOISE_DB dBFS. All by chance.
    """
    rng, shape, window = np.random.default_rng(seed), (len(hits), count), hits[0].window
    starts = LEAD_SAMPLES + rng.integers(-JITTER, JITTER + 1, shape)
    places = starts[..., None] + np.arange(-1, window)
    sounds = np.stack([hit.audio for hit in hits])
    windows = np.take_along_axis(sounds, places.reshape(len(hits), -1), 1).reshape(*shape, window + 1)
    tilt = rng.uniform(-VIEW_TILT, VIEW_TILT, (*shape, 1))
    gain = 10.0 ** (rng.uniform(-VIEW_GAIN_DB, VIEW_GAIN_DB, (*shape, 1)) / 20.0)
    noise = 10.0 ** (rng.uniform(*VIEW_NOISE_DB, (*shape, 1)) / 20.0) * rng.normal(size=(*shape, window))
    seen = gain * (windows[..., 1:] + tilt * windows[..., :-1]) + noise
    flat = seen.reshape(-1).astype(np.float32)
    return window_features(flat, np.arange(0, len(flat), window), window).reshape(*shape, 3)


def _inside(folder: Path) -> list[Path]:
    def refuse(error: OSError):
        raise cannot(error.filename, "read", error)

    walked = os.walk(folder, onerror=refuse)
    return [Path(where, name) for where, _, names in walked for name in names if Path(name).suffix.lower() in FOLDERS_HOLD]


def recordings(paths: Iterable[str | os.PathLike]) -> list[str]:
    """The files, folders replaced by the recordings in them, by name; a file that is named twice counts once."""
    found = []
    for path in map(Path, paths):
        inside = _inside(path) if path.is_dir() else [path]
        if not inside:
            raise TorchdrumError(f"there is no recording in the folder {path}: it needs {', '.join(FOLDERS_HOLD)}")
        found += sorted(map(str, inside))
    first: dict[str, str] = {}
    for path in found:
        first.setdefault(os.path.realpath(path), path)
    return list(first.values())


def load(paths: Iterable[str | os.PathLike], single: bool = False, window: int = WINDOW, **settings: float) -> Heard:
    """The strokes of audio files and of all recordings in folders, in the order of their names; on all cores."""
    files, heard = recordings(paths), Heard()

    def one(path: str) -> tuple[str, bool, list[Hit]]:
        x, clips = read(path)
        return os.path.basename(path), clips, cut(x, path, single, window, **settings)

    for name, clips, hits in batch.each(one, files):
        heard.recordings += 1
        heard.hits += hits
        if not hits:
            heard.silent.append(name)
        if clips:
            heard.clipped.append(name)
        heard.short += sum(not hit.sound[SAMPLE_RATE // 20 :].any() for hit in hits)
    return heard


def folds(hits: Sequence[Hit], count: int, seed: int) -> np.ndarray:
    """A number 0 … count − 1 for each stroke: parts of equal size by groups, each with strokes of all levels."""
    groups: dict[str, list[float]] = {}
    for hit in hits:
        groups.setdefault(hit.group, []).append(float(hit.features[0]))
    by_level = sorted(groups, key=lambda group: (np.mean(groups[group]), group))
    rng, part = np.random.default_rng(seed), {}
    for first in range(0, len(by_level), count):
        part |= zip(by_level[first : first + count], rng.permutation(count).tolist(), strict=False)
    return np.array([part[hit.group] for hit in hits])


def split(hits: Sequence[Hit], seed: int) -> tuple[list[Hit], list[Hit], list[Hit]]:
    """About 80 % to train with, 10 % to choose the best network by, 10 % to measure it by; by groups, by chance, all levels in each."""
    part = folds(hits, 10, seed)
    return tuple([hit for hit, p in zip(hits, part, strict=True) if p in wanted] for wanted in (range(2, 10), (0,), (1,)))


def parts(hits: Sequence[Hit], count: int, part: int, seed: int) -> tuple[list[Hit], list[Hit], list[Hit]]:
    """Strokes to train with, to validate with and to test with: one of count folds is the test, of the rest a share validates."""
    tested = folds(hits, count, seed) == part
    rest = [hit for hit, out in zip(hits, tested, strict=True) if not out]
    inner = folds(rest, min(VALIDATION, len({hit.group for hit in rest})), seed)
    learn, choose = ([hit for hit, p in zip(rest, inner, strict=True) if (p == 0) == held] for held in (False, True))
    return learn, choose, [hit for hit, out in zip(hits, tested, strict=True) if out]
