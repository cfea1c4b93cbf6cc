# SPDX-License-Identifier: MIT
"""How a network is trained: ours, and the original's to compare with (spec 10.6, 10.7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from . import long_features
from .data import SAMPLE_RATE
from .mapping import Network, Scale

# A feature in which the strokes hardly differ shall not count for more than others (spec 10.6).
LEAST_SPREAD = torch.tensor([3.0, 0.1, 3.0, 1.5, 0.1, 3.0, 0.5])
NEAR_MEDIAN = 0.05  # share of the strokes among which the reference is chosen


@dataclass(frozen=True)
class Recipe:
    """What training by one recipe has that another has not."""

    name: str
    measure: Callable[[Tensor], Tensor]  # long features [n, 7] of sounds [n, SAMPLES]
    spread: Callable[[Tensor], Tensor]  # what errors of each feature are divided by, of the targets [n, 7]
    reference: Callable[[np.ndarray, np.ndarray], int]  # which stroke all are compared with, of features [n, 3] and long features [n, 7]
    scale: Callable[[np.ndarray, np.ndarray, int], Scale]  # of features to learn from, of all, of the reference among the former
    drum_rate: float  # that the drum is rendered at, Hz
    noise: Callable[[int, Sequence[int]], tuple[int, Sequence[int]]]  # seed and hits of drums, of those that are asked for
    keep_best: bool  # by validation loss, the mean over SMOOTHED epochs; else the last epoch's network
    finish: float  # share of the epochs, the last ones, that learn from the validation strokes, too, at a rate that falls as a cosine does
    network: Callable[[tuple[int, ...], torch.Generator], Network]  # as it begins
    epochs: int
    batch: int
    learning_rate: Callable[[tuple[int, ...]], float]  # of a network's hidden layers
    patience: int | None  # epochs without a better validation loss after which the learning rate is halved; None: never
    stop: int  # epochs without a better one after which the finish begins
    levels_db: tuple[float, ...]  # that strokes are learnt at, besides their own
    moved: float  # share of the strokes of a step that are learnt at another level
    views: int  # of each stroke at each level (data.views); 0: the window as it is
    character: float  # weight of the modulations' own size: what no feature hears stays as the preset has it
    dynamics: float = 0.0  # weight of train.Promises: a louder stroke shall be a louder drum, whatever the recordings say


def usual(features: np.ndarray, targets: np.ndarray) -> int:
    """Of the strokes nearest to the median loudness the one most usual otherwise. features: [n, 3]; targets: [n, 7]."""
    count = max(1, round(NEAR_MEDIAN * len(features)))
    near = np.argsort(np.abs(features[:, 0] - np.median(features[:, 0])), kind="stable")[:count]
    both = np.concatenate([features, targets], axis=1).astype(np.float64)
    unusual = np.abs(both - np.median(both, axis=0)) / (both.std(axis=0) + 1e-9)
    return int(near[unusual[near].sum(axis=1).argmin()])


DEFAULT = Recipe(
    name="default",
    measure=long_features.measure,
    spread=lambda targets: torch.maximum(targets.std(0, correction=0), LEAST_SPREAD),
    reference=usual,
    scale=lambda learn, _, reference: Scale.of(learn, learn[reference]),
    drum_rate=SAMPLE_RATE,
    noise=lambda seed, hits: (seed, hits),
    keep_best=True,
    finish=0.5,
    epochs=150,
    batch=16,
    learning_rate=lambda hidden: 2e-3,
    network=Network,
    patience=None,
    stop=40,
    levels_db=(-12.0, -6.0, 6.0, 12.0),
    moved=0.25,
    views=16,
    character=0.5,
)
