# SPDX-License-Identifier: MIT
"""How far a model's parameters move when the same strokes come louder, softer or at another sample rate: the mean over strokes and
parameters, in shares of each range. "shifted": with the model's range of loudness moved by the gain, as a calibration does.

    python bench/robustness.py RECORDINGS… [--single] [--model snare_1]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import soxr

from torchdrum_py import PARAMS, Engine, Model, batch, data, model_file
from torchdrum_py.model import SUFFIX, models_folder

GAINS_DB = (-12.0, -6.0, 6.0)
RATES = (44100, 96000)
SPAN = np.array([p.max - p.min for p in PARAMS])


def moved(model: Model, file: bytes, gain_db: float) -> Model:
    """The model with its range of loudness where a gain puts it."""
    info, by = model.info, np.array([gain_db, 0.0, 0.0], np.float32)
    words = {key: info[key] for key in ("activation", "norm", "output", "window", "preroll", "detector", "sample_rate")}
    layers = model_file.read_layers(file)
    return Model.from_bytes(
        model_file.to_bytes(layers, info["preset"], info["min"] + by, info["max"] + by, info["reference"], name="moved", **words)
    )


def played(model: Model, sounds: list[np.ndarray], rate: int) -> list[np.ndarray | None]:
    """Parameters [14] of the stroke in each sound; None when it is not heard where it is."""
    expected = (data.LEAD_SAMPLES + data.PREROLL) * rate / data.SAMPLE_RATE

    def one(x: np.ndarray) -> np.ndarray | None:
        engine = Engine(rate, model)
        engine.process(x)
        near = [event.param for event in engine.events if abs(event.detected - expected) < 1e-3 * rate]
        return near[0] if near else None

    return batch.each(one, sounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("audio", nargs="+")
    parser.add_argument("--single", action="store_true")
    parser.add_argument("--model", default="snare_1", help="name or file")
    args = parser.parse_args()
    model, heard = Model.load(args.model), data.load(args.audio, args.single)
    path = Path(args.model)
    file = (path if path.suffix else models_folder() / f"{args.model}{SUFFIX}").read_bytes()
    sounds = [hit.audio[: data.LEAD_SAMPLES + data.SAMPLE_RATE // 4] for hit in heard.hits]
    base = played(model, sounds, data.SAMPLE_RATE)

    def row(title: str, found: list[np.ndarray | None]):
        moves = [np.abs(a - b) / SPAN for a, b in zip(base, found, strict=True) if a is not None and b is not None]
        print(f"{title:28}{np.mean(moves):8.4f}{np.percentile([m.mean() for m in moves], 95):8.4f}{len(moves):6} of {len(base)}")

    print(f"{len(base)} strokes\n{'':28}{'mean':>8}{'95 %':>8}{'heard in both':>18}")
    for gain in GAINS_DB:
        louder = [x * np.float32(10.0 ** (gain / 20.0)) for x in sounds]
        row(f"{gain:+.0f} dB, shifted", played(moved(model, file, gain), louder, data.SAMPLE_RATE))
        row(f"{gain:+.0f} dB", played(model, louder, data.SAMPLE_RATE))
    for rate in RATES:
        row(f"{rate} Hz", played(model, [soxr.resample(x, data.SAMPLE_RATE, rate, quality="VHQ") for x in sounds], rate))


if __name__ == "__main__":
    main()
