#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How far the parameters of a stroke move when the microphone is 18 dB softer, without and with calibrate: docs/playing.md.

    bench/calibration.py HITS… [--models stick_snare_1 …] [--gain -18]

HITS: recordings of single strokes. Every model plays them as they are; then softer, calibrated by the first strokes that a player might
give it. What is told is the mean over strokes and parameters, and the most of any, in shares of the parameter's range.
"""

from __future__ import annotations

import argparse

import numpy as np

import torchdrum_py as td
from torchdrum_py import data

RATE = data.SAMPLE_RATE
SPAN = np.array([p.max - p.min for p in td.PARAMS])


def heard(hits: list[data.Hit], model: str, gain_db: float, calibration: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Features [n, 3] and parameters [n, 14] of every stroke, played alone; NaN where none was heard."""
    features, params = np.full((len(hits), 3), np.nan), np.full((len(hits), len(td.PARAMS)), np.nan)
    for k, hit in enumerate(hits):
        engine = td.Engine(RATE, model)
        if calibration is not None:
            engine.calibrate(calibration)
        engine.process(hit.audio[: data.LEAD_SAMPLES + 4096] * np.float32(10 ** (gain_db / 20)))
        for event in engine.events:
            if abs(event.detected - data.LEAD_SAMPLES) < 480:
                features[k], params[k] = event.raw, event.param
    return features, params


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hits", nargs="+")
    parser.add_argument("--models", nargs="+", default=td.model_names())
    parser.add_argument("--gain", type=float, default=-18.0, help="dB (%(default)s)")
    parser.add_argument("--every", type=int, default=1, help="take one stroke of so many (%(default)s)")
    args = parser.parse_args()
    hits = data.load(args.hits, True).hits[:: args.every]
    print(f"{len(hits)} strokes, {args.gain:g} dB\n")
    print("| model | not calibrated | all strokes | ten, soft to hard | ten of any kind |\n| --- | --- | --- | --- | --- |")
    for name in args.models:
        as_they_are = heard(hits, name, 0.0)[1]
        features, softer = heard(hits, name, args.gain)
        known = features[~np.isnan(features[:, 0])]
        by_level = known[np.argsort(known[:, 0])]
        tenth = (np.arange(10) + 0.5) / 10 * len(known)
        rng = np.random.default_rng(0)
        some = {
            "all": known[rng.permutation(len(known))[:256]],
            "soft to hard": by_level[tenth.astype(int)],
            "any": known[rng.permutation(len(known))[:10]],
        }
        cells = []
        for params in (softer, *(heard(hits, name, args.gain, strokes)[1] for strokes in some.values())):
            moved = np.abs(params - as_they_are) / SPAN
            cells.append(f"{np.nanmean(moved):.3f}, {np.nanmax(moved):.2f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
