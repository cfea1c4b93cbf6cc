# SPDX-License-Identifier: MIT
"""What a training step costs, part by part: as the original takes it (bench/reference/training.py), with its features computed the short
way (torchdrum_py/original.py), and with our own features. CPU milliseconds, forwards and backwards, the least of several runs.

    python bench/training.py [--batch N] [--threads N] [--runs N]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import torch

from torchdrum_py import long_features, mapping, original, synth
from torchdrum_py.presets import Preset
from torchdrum_py.recipe import DEFAULT, Recipe

sys.path.insert(0, str(Path(__file__).parent / "reference"))
import training as literal


class OurStep:
    """literal.Step by a recipe of ours, with the voice in C."""

    def __init__(self, preset: Preset, recipe: Recipe):
        self.preset, self.recipe = preset, recipe
        self.network = recipe.network((32,), torch.Generator().manual_seed(0))
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=5e-4)

    def drum(self, inputs: torch.Tensor) -> torch.Tensor:
        params = mapping.played(self.preset, self.network(inputs))
        return synth.render(params, self.recipe.drum_rate, *self.recipe.noise(1, range(len(params))), long_features.SAMPLES)

    def __call__(self, inputs: torch.Tensor, targets: torch.Tensor):
        loss = (self.recipe.measure(self.drum(inputs)) - targets).abs().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


def least(runs: int, work) -> float:
    """CPU milliseconds."""
    work()
    spent = []
    for _ in range(runs):
        start = time.process_time()
        work()
        spent.append(1e3 * (time.process_time() - start))
    return min(spent)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=7)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    preset = Preset.load("808_snare_1")
    long_way = literal.Step((torch.from_numpy(preset.value) - literal.LOW) / (literal.HIGH - literal.LOW), torch.from_numpy(preset.damping))
    short_way, our_way = OurStep(preset, original.RECIPE), OurStep(preset, DEFAULT)
    inputs, targets = torch.rand(args.batch, 3) - 0.5, torch.randn(args.batch, 7)

    def both(make, *given):
        return least(args.runs, lambda: make(*given).sum().backward())

    second = literal.drum(long_way.parameters(inputs), long_way.noise).detach().requires_grad_()
    read = our_way.drum(inputs).detach().requires_grad_()
    ours = original, long_features
    rows = {"the drum": [both(lambda: literal.drum(long_way.parameters(inputs), long_way.noise))]}
    rows["the drum"] += [both(way.drum, inputs) for way in (short_way, our_way)]
    rows["loudness"] = [both(literal.framed, second, literal.loudness), *(both(m.frame_loudness, read) for m in ours)]
    rows["centroid and flatness"] = [sum(both(literal.framed, second, one) for one in (literal.centroid, literal.flatness))]
    rows["centroid and flatness"] += [both(lambda m=m: sum(m.frame_timbre(read))) for m in ours]
    rows["temporal centroid"] = [both(lambda: literal.temporal_centroid(second[:, None, : literal.TEMPORAL]))]
    rows["temporal centroid"] += [both(m.temporal_centroid, read) for m in ours]
    rows["a step"] = [least(args.runs, lambda step=step: step(inputs, targets)) for step in (long_way, short_way, our_way)]
    print(f"{'ms of CPU':24}{'original':>10}{'short way':>11}{'ours':>8}{'ratio':>8}")
    for name, times in rows.items():
        print(f"{name:24}{times[0]:10.1f}{times[1]:11.1f}{times[2]:8.1f}{times[0] / times[2]:8.1f}")


if __name__ == "__main__":
    main()
