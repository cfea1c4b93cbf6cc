# SPDX-License-Identifier: MIT
"""How a network is trained: ours, and the original's to compare with (spec 10.6, 10.7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from . import long_features
from .mapping import Network

# A feature in which the strokes hardly differ shall not count for more than others (spec 10.6).
LEAST_SPREAD = torch.tensor([3.0, 0.1, 3.0, 1.5, 0.1, 3.0, 0.5])
NEAR_MEDIAN = 0.05  # share of the strokes among which the reference is chosen


@dataclass(frozen=True)
class Recipe:
    """measure: long features [n, 7] of sounds [n, SAMPLES]. spread: what errors of each feature are divided by, of the targets [n, 7].
    reference: which stroke all others are compared with, of features [n, 3] and targets. Other fields as in RECIPES.
    """

    name: str
    measure: Callable[[Tensor], Tensor]
    spread: Callable[[Tensor], Tensor]
    reference: Callable[[np.ndarray, np.ndarray], int]
    network: Callable[[tuple[int, ...], torch.Generator], Network]  # as it begins
    epochs: int
    batch: int
    learning_rate: Callable[[tuple[int, ...]], float]  # of a network's hidden layers
    patience: int  # epochs without a better validation loss after which the learning rate is halved
    stop: int  # and after which the training ends
    range: tuple[float, float]  # percentiles of the training strokes that the scale goes from and to
    levels_db: tuple[float, ...]  # that strokes are learnt at, besides their own
    views: int  # of each stroke at each level (data.views); 0: the window as it is
    character: float  # weight of the modulations' own size: what no feature hears stays as the preset has it


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
    epochs=60,
    batch=16,
    learning_rate=lambda hidden: 2e-3,
    network=Network,
    patience=5,
    stop=1000,
    range=(1.0, 99.0),
    levels_db=(-12.0, -6.0, 6.0, 12.0),
    views=16,
    character=0.5,
)

RECIPES = {recipe.name: recipe for recipe in (DEFAULT,)}
