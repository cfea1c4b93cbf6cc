# SPDX-License-Identifier: MIT
"""A recording through the engine, offline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .engine import MOST_AT_ONCE, Engine, Event

LONGEST_TAIL_S = 3.0  # the longest decay of the voice is 2 s to −60 dB


@dataclass(frozen=True, eq=False)
class Rendering:
    """out and trigger [n, channels] float32; events of each channel; bad NaN or infinite input samples."""

    out: np.ndarray
    trigger: np.ndarray
    events: list[list[Event]]
    bad: int


def ring_out(engine: Engine, step: int) -> tuple[np.ndarray, np.ndarray]:
    """What the engine still plays after the input has ended: until it is silent."""
    outs, triggers = [np.empty(0, np.float32)], [np.empty(0, np.float32)]
    silence = np.zeros(step, np.float32)
    for _ in range(0, int(LONGEST_TAIL_S * engine.sample_rate), step):
        out, trigger = engine.process(silence)
        outs.append(out)
        triggers.append(trigger)
        waits = engine.latency  # a stroke of the last samples may still be in its window
        if len(outs) * step > waits + step and not out.any():
            break
    out, trigger = np.concatenate(outs), np.concatenate(triggers)
    sounding = np.flatnonzero((out != 0) | (trigger != 0))
    end = sounding[-1] + 1 if len(sounding) else 0
    return out[:end], trigger[:end]


def render(
    x: np.ndarray,
    rate: int,
    seed: int = 0,
    tail: float | None = None,
    progress: Callable[[float], None] | None = None,
    **settings,
) -> Rendering:
    """Each channel of x [n, channels] through an engine of its own (noise seed + channel).

    tail: seconds after the end of the input (None: until the last drum is silent). settings: as Engine. progress is told the share that
    is done, 0 … 1.
    """
    outs, triggers, events, bad = [], [], [], 0
    for channel in range(x.shape[1]):
        engine = Engine(rate, seed=seed + channel, **settings)
        parts = []
        for at in range(0, len(x), 16 * MOST_AT_ONCE):
            parts.append(engine.process(x[at : at + 16 * MOST_AT_ONCE, channel]))
            if progress:
                progress((channel + min(1.0, (at + 16 * MOST_AT_ONCE) / len(x))) / x.shape[1])
        rest = engine.process(np.zeros(round(tail * rate), np.float32)) if tail is not None else ring_out(engine, MOST_AT_ONCE)
        out, trigger = (np.concatenate(arrays) for arrays in zip(*parts, rest, strict=True))
        outs.append(out)
        triggers.append(trigger)
        events.append(engine.events)
        bad += engine.bad_samples
    length = max(map(len, outs))
    stack = [np.stack([np.pad(a, (0, length - len(a))) for a in arrays], axis=1) for arrays in (outs, triggers)]
    return Rendering(*stack, events, bad)
