# SPDX-License-Identifier: MIT
"""What a model is worth: what the object plays to strokes, measured as a listener would, through the real chain of the core."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch

from . import batch, data, long_features
from .engine import Engine, Event
from .model import Model
from .params import PARAMS, find_control

DETECTED = data.LEAD_SAMPLES + data.PREROLL  # sample of a hit's audio
NEAR = 24  # samples, half a millisecond
TOLERANCE = 1e-5  # of a parameter's range, between object and training


@dataclass(frozen=True)
class Verdict:
    """Of the strokes that the object heard as they were cut: their rows in the given list, their drums' long features [n, 7], and those of
    the preset as it is, played to the same strokes with the same noise [n, 7]."""

    rows: np.ndarray
    drums: np.ndarray
    plain: np.ndarray


def answers(model: Model, hits: Sequence[data.Hit], seed: int = 0, depth: float = 1.0) -> list[tuple[Event, np.ndarray] | None]:
    """What the object makes of strokes, each played to an engine of its own (noise of seed + i): the event and its drum [data.SAMPLES].

    None for a stroke that is not detected within NEAR of where it was in its recording: the detector remembers more than an excerpt has.
    """

    def one(i: int) -> tuple[Event, np.ndarray] | None:
        engine = Engine(data.SAMPLE_RATE, model, seed=seed + i, depth=depth, selfmask=0)  # no drum of ours is in it
        first = DETECTED + NEAR + 1
        before, _ = engine.process(hits[i].audio[:first])
        engine.set("hold", find_control("hold").max)  # one drum for one stroke, whatever is heard in its tail
        after, _ = engine.process(np.append(hits[i].audio[first:], np.zeros(data.WINDOW + NEAR, np.float32)))
        for event in engine.events:
            if abs(event.detected - DETECTED) <= NEAR:
                return event, np.concatenate([before, after])[event.time : event.time + data.SAMPLES]
        return None

    return batch.each(one, range(len(hits)))


def disagreement(model: Model, hits: Sequence[data.Hit], params: np.ndarray) -> str:
    """What is wrong when the object, given strokes' samples, does not play the parameters [n, 14] that were trained; "" when it does."""
    span = np.array([p.max - p.min for p in PARAMS])
    pairs = zip(answers(model, hits), params, strict=True)
    found = [(answer[0].param, wanted) for answer, wanted in pairs if answer and answer[0].detected == DETECTED]
    if not found:
        return "the object hears none of the strokes where they were cut"
    worst = max(float((np.abs(param - wanted) / span).max()) for param, wanted in found)
    return (
        ""
        if worst <= TOLERANCE
        else f"from the same samples the object plays parameters that differ from the trained ones by {worst:.1e} of their range"
    )


def judge(model: Model, hits: Sequence[data.Hit], seed: int, noises: int = 4, measure=long_features.measure) -> Verdict:
    """Plays each stroke with several noises and measures the drums."""
    again = [hit for _ in range(noises) for hit in hits]
    both = [answers(model, again, seed, depth) for depth in (1.0, 0.0)]
    rows = np.array([i for i, pair in enumerate(zip(*both, strict=True)) if all(pair)], int)
    measured = []
    for played in both:
        sounds = np.array([played[i][1] for i in rows], np.float32).reshape(-1, data.SAMPLES)
        with torch.no_grad():
            parts = [measure(torch.from_numpy(sounds[at : at + 16])) for at in range(0, len(sounds), 16)]
        measured.append(torch.cat(parts).numpy() if parts else np.empty((0, len(long_features.NAMES)), np.float32))
    return Verdict(rows % max(len(hits), 1), *measured)


@dataclass(frozen=True, eq=False)
class Errors:
    """What a model reaches on strokes that it did not learn from; NaN where it is not known.

    preset, trained, played: mean absolute error [7] of each long feature (order and units of long_features.NAMES) of the preset as it is,
    of the network in training, and of what the object plays. loudness, brightness: rank correlation of the strokes' and the drums'
    transient loudness and transient centroid, 1 when harder is always louder and brighter always brighter. dynamics: of the loudness that
    the network hears (spec 4.2) and the drums' transient loudness: louder in the first 5 ms is louder.
    """

    preset: np.ndarray
    trained: np.ndarray
    played: np.ndarray
    loudness: float
    brightness: float
    dynamics: float = float("nan")

    def of_preset(self, error: np.ndarray) -> np.ndarray:
        """An error [7] in shares of the preset's; NaN where there is none."""
        preset = np.asarray(self.preset, np.float64)
        return np.asarray(error, np.float64) / np.where(preset > 0.0, preset, np.nan)

    @property
    def mean(self) -> float:
        """Mean of the played errors in shares of the preset's, of those that are known."""
        shares = self.of_preset(self.played)
        return float(shares[np.isfinite(shares)].mean()) if np.isfinite(shares).any() else float("nan")


@dataclass(frozen=True, eq=False)
class Played:
    """Strokes, what their drums should be and what they are: long features [n, 7].

    heard: [n], the loudness that the network hears. plain, drums: of the preset as it is and of the object's drums. trained: errors of the
    network in training; NaN where it is not known.
    """

    heard: np.ndarray
    sounds: np.ndarray
    wanted: np.ndarray
    plain: np.ndarray
    drums: np.ndarray
    trained: np.ndarray

    @classmethod
    def joined(cls, several: Sequence[Played]) -> Played:
        """All strokes of several together."""
        return cls(*(np.concatenate([getattr(one, field.name) for one in several]) for field in fields(cls)))

    def errors(self) -> Errors:
        """What these strokes say of the model or of the models that played them."""
        if not len(self.heard):
            return Errors(*np.full((3, len(long_features.NAMES)), np.nan), np.nan, np.nan)
        preset, played = (np.abs(drums - self.wanted).mean(0) for drums in (self.plain, self.drums))
        places = [long_features.NAMES.index(f"transient_{kind}") for kind in ("loudness", "centroid")]
        follows = [rank_correlation(self.sounds[:, at], self.drums[:, at]) for at in places]
        return Errors(preset, self.trained.mean(0), played, *follows, rank_correlation(self.heard, self.drums[:, places[0]]))


def play(
    model: Model,
    hits: Sequence[data.Hit],
    sounds: np.ndarray,
    wanted: np.ndarray,
    seed: int,
    trained: np.ndarray | None = None,
    measure: Callable[[torch.Tensor], torch.Tensor] = long_features.measure,
) -> Played:
    """Plays strokes with long features sounds [n, 7], whose drums should have the long features wanted [n, 7], to a model.

    trained: errors [n, 7] of the network in training, when they are known. measure: the recipe's long features. Strokes that the object
    does not hear where they were cut are left out; of the others there is a row for each noise.
    """
    verdict = judge(model, hits, seed, measure=measure)
    rows = verdict.rows
    heard = np.array([hits[row].features[0] for row in rows])
    known = np.full_like(wanted, np.nan) if trained is None else trained
    return Played(heard, sounds[rows], wanted[rows], verdict.plain, verdict.drums, known[rows])


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's, of a [n] and b [n]; equal values share their mean rank. NaN when either does not move."""
    if min(len(np.unique(a)), len(np.unique(b))) < 2:
        return float("nan")
    ranks = [np.searchsorted(np.sort(v), v) + np.searchsorted(np.sort(v), v, side="right") for v in (a, b)]
    return float(np.corrcoef(*ranks)[0, 1])
