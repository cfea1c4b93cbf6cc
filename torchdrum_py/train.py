# SPDX-License-Identifier: MIT
"""Trains a model: from the first 5 ms of a stroke a small network learns to move the 808 as the whole stroke would have it.

    torchdrum train AUDIO… --preset 808_snare_1 -o my_drum.safetensors

Self-supervised, by differences of features (Shier et al. 2024, "Real-time Timbre Remapping with Differentiable DSP"): as
a stroke differs from a reference stroke, so the 808 shall differ from its preset. Spec 10.6 has the loss.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

try:
    import torch
except ImportError:
    if __name__ != "__main__":
        raise
    print('torchdrum: training needs PyTorch: pip install "torchdrum[train]"', file=sys.stderr)
    sys.exit(2)
from torch import Tensor, nn

from . import data, long_features, model_file, synth
from .engine import Engine
from .errors import TorchdrumError
from .model import SUFFIX, Model
from .params import PARAMS, find_control
from .presets import Preset, preset_names

LEAST_SPAN = np.array([6.0, 3.0, 6.0])  # of the normaliser, spec 4.3
RANGE_PERCENTILES = (1.0, 99.0)
NEAR_MEDIAN = 0.05  # share of the strokes among which the reference is chosen
# A feature in which the strokes hardly differ shall not count for more than others (spec 10.6).
LEAST_SPREAD = torch.tensor([3.0, 0.1, 3.0, 1.5, 0.1, 3.0, 0.5])
LOUDNESS = long_features.NAMES.index("transient_loudness")
UNSEEN_SEEDS = 2**31  # noise from here on is never trained with
CHARACTER = 0.5  # weight of the modulation's own size: what no feature hears stays as the preset has it
BASELINE_HITS = 16
MEASURED_NOISES = 4
LEVELS_DB = (-12.0, -6.0, 6.0, 12.0)  # that strokes are learnt at, besides their own
DEFAULT_EPOCHS = 60


class Network(nn.Module):
    """The network of spec 5: inputs [n, 3] to modulations [n, 14]."""

    def __init__(self, hidden: tuple[int, ...], generator: torch.Generator):
        super().__init__()
        widths = [3, *hidden, len(PARAMS)]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        with torch.no_grad():
            for layer in self.layers:
                layer.weight.normal_(0.0, layer.in_features**-0.5, generator=generator)
                layer.bias.normal_(0.0, 0.3, generator=generator)
            self.layers[-1].weight.mul_(0.01)  # it starts from the preset as it is
            self.layers[-1].bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = torch.relu(nn.functional.layer_norm(layer(x), (layer.out_features,)))
        return torch.tanh(self.layers[-1](x))


class _ClampToUnit(torch.autograd.Function):
    """Clips to 0 … 1 and lets a gradient through where it leads back inside: a parameter whose preset stands at the end
    of its range, such as Q = ½, would otherwise be lost to the network for good."""

    @staticmethod
    def forward(ctx, u: Tensor) -> Tensor:
        ctx.save_for_backward(u)
        return u.clamp(0.0, 1.0)

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        (u,) = ctx.saved_tensors
        further = ((u <= 0.0) & (grad > 0.0)) | ((u >= 1.0) & (grad < 0.0))
        return grad.masked_fill(further, 0.0)


def played(preset: Preset, modulation: Tensor) -> Tensor:
    """Parameters in units [n, 14] of modulations [n, 14] (spec 5.1 with depth 1)."""
    low = torch.tensor([p.min for p in PARAMS], dtype=torch.float64)
    span = torch.tensor([p.max for p in PARAMS], dtype=torch.float64) - low
    base = (torch.from_numpy(preset.value).double() - low) / span
    u = _ClampToUnit.apply(base + torch.from_numpy(preset.damping).double() * modulation.double())
    return (low + u * span).float()


@dataclass
class Scale:
    """The network's input (spec 4.3): min, max and reference of the three features, float32 [3]."""

    min: np.ndarray
    max: np.ndarray
    reference: np.ndarray

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Network inputs [..., 3] float32 of features [..., 3]."""
        return (self._normalised(features) - self.reference.astype(np.float64)).astype(np.float32)

    def _normalised(self, features: np.ndarray) -> np.ndarray:
        low, high = self.min.astype(np.float64), self.max.astype(np.float64)
        return np.clip((features.astype(np.float64) - low) / (high - low), 0.0, 1.0)

    @classmethod
    def of(cls, features: np.ndarray, reference: np.ndarray) -> Scale:
        """That of the strokes' features [n, 3], centred on a reference [3]."""
        low, high = np.percentile(features.astype(np.float64), RANGE_PERCENTILES, axis=0)
        half = np.maximum(high - low, 1.001 * LEAST_SPAN) / 2.0
        ends = (((low + high) / 2.0 + side * half).astype(np.float32) for side in (-1.0, 1.0))
        scale = cls(*ends, np.zeros(3, np.float32))
        scale.reference = scale._normalised(reference).astype(np.float32)
        return scale


def reference_hit(features: np.ndarray, targets: np.ndarray) -> int:
    """The stroke that all others are compared with: of those nearest to the median loudness the one most usual otherwise.

    features: [n, 3]; targets: long features [n, 7].
    """
    count = max(1, round(NEAR_MEDIAN * len(features)))
    near = np.argsort(np.abs(features[:, 0] - np.median(features[:, 0])), kind="stable")[:count]
    both = np.concatenate([features, targets], axis=1).astype(np.float64)
    unusual = np.abs(both - np.median(both, axis=0)) / (both.std(axis=0) + 1e-9)
    return int(near[unusual[near].sum(axis=1).argmin()])


def sounds(hits: list[data.Hit]) -> Tensor:
    """Long features [n, 7] of strokes."""
    with torch.no_grad():
        return torch.cat([long_features.measure(torch.from_numpy(hit.sound)[None]) for hit in hits])


@dataclass
class Trained:
    """A trained network with what belongs to it.

    error_before, error: mean absolute error [7] of each long feature, of the preset as it is and of the network, on the
    strokes test, which were not trained with, and with noise that was not heard. reference_features, baseline: long
    features [7] of the reference stroke and of the preset.
    """

    network: Network
    preset: Preset
    scale: Scale
    spread: Tensor
    error_before: np.ndarray
    error: np.ndarray
    epochs: int
    test: list[data.Hit]
    reference_features: Tensor
    baseline: Tensor

    def write(self, path: str | os.PathLike, **metadata: str) -> Model:
        """Writes the model file after the core has read it and computes the same. metadata: name, author, license, source."""
        grid = np.linspace(-1.0, 1.0, 7, dtype=np.float32)
        inputs = np.stack(np.meshgrid(grid, grid, grid), axis=-1).reshape(-1, 3)
        with torch.no_grad():
            outputs = self.network(torch.from_numpy(inputs)).numpy()
        layers = [(layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in self.network.layers]
        scale = (self.scale.min, self.scale.max, self.scale.reference)
        made = {"activation": "relu", "norm": "layer", "output": "tanh", "sample_rate": data.SAMPLE_RATE}
        made |= {"window": data.WINDOW, "preroll": data.PREROLL, "detector": data.DETECTOR}
        return model_file.write(path, layers, self.preset, *scale, inputs=inputs, outputs=outputs, **made, **metadata)


class Task:
    """Strokes as a network learns from them: inputs [n, jitter, 3] and their targets [n, 7], differences from a reference."""

    def __init__(self, hits: list[data.Hit], scale: Scale, reference: Tensor):
        self.inputs = torch.from_numpy(scale(np.array([hit.inputs for hit in hits])))
        self.targets = sounds(hits) - reference

    def __len__(self) -> int:
        return len(self.targets)


class Lessons:
    """A task with its strokes at other levels, too: half of what is drawn is as it was played, half is louder or softer.

    Else the network would know each kind of stroke only at the level at which the recording has it, and answer a soft one
    of the loud kind at random.
    """

    def __init__(self, hits: list[data.Hit], scale: Scale, reference: Tensor):
        self.as_played = Task(hits, scale, reference)
        self.others = [Task([data.at_level(hit, db) for hit in hits], scale, reference) for db in LEVELS_DB]
        self.inputs = torch.stack([task.inputs for task in (self.as_played, *self.others)])
        self.targets = torch.stack([task.targets for task in (self.as_played, *self.others)])

    def __len__(self) -> int:
        return len(self.as_played)

    def draw(self, rows: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Inputs and targets of strokes, each at a level and with a jitter by chance."""
        level = torch.randint(2 * len(self.others), rows.shape, generator=generator) + 1
        level = torch.where(level > len(self.others), 0, level)
        jitter = torch.randint(self.inputs.shape[2], rows.shape, generator=generator)
        return self.inputs[level, rows, jitter], self.targets[level, rows]


def differences(preset: Preset, baseline: Tensor, modulation: Tensor, seed: int, first_hit: int = 0) -> Tensor:
    """By how much the 808 of each modulation [n, 14] differs from the preset's: long features [n, 7] less baseline [7]."""
    params = played(preset, modulation)
    rows = range(first_hit, first_hit + len(params))
    return long_features.measure(synth.render(params, data.SAMPLE_RATE, seed, rows, long_features.SAMPLES)) - baseline


def preset_features(preset: Preset, seed: int) -> Tensor:
    """Long features [7] of the preset as it is, the mean over noises."""
    with torch.no_grad():
        rows = played(preset, torch.zeros(BASELINE_HITS, len(PARAMS)))
        y = synth.render(rows, data.SAMPLE_RATE, seed, range(BASELINE_HITS), long_features.SAMPLES)
        return long_features.measure(y).mean(0)


def errors(network: Network, preset: Preset, baseline: Tensor, task: Task, seed: int, batch: int = 16) -> Tensor:
    """Absolute errors [n, 7] of a task's strokes as the object sees them, with the noise of a seed."""
    with torch.no_grad():
        found = [
            differences(preset, baseline, network(part), seed, at * batch)
            for at, part in enumerate(task.inputs[:, data.JITTER].split(batch))
        ]
        return (torch.cat(found) - task.targets).abs()


def train(
    hits: list[data.Hit],
    preset: Preset,
    *,
    epochs: int = DEFAULT_EPOCHS,
    hidden: tuple[int, ...] = (32,),
    batch: int = 16,
    learning_rate: float = 2e-3,
    patience: int = 5,
    seed: int = 0,
    progress: Callable[[int, float, float], None] | None = None,
) -> Trained:
    """Trains a network for a preset on strokes and returns the best one, by strokes that it did not learn from.

    progress: called after each epoch with its number, the training loss and the validation loss (spec 10.6).
    KeyboardInterrupt ends the training and keeps the best network so far. patience: epochs without a better validation
    loss after which the learning rate is halved.
    """
    learn, choose, unseen = data.split(hits, seed)
    features, targets = np.array([hit.features for hit in learn]), sounds(learn)
    reference = reference_hit(features, targets.numpy())
    scale = Scale.of(features, features[reference])
    lessons = Lessons(learn, scale, targets[reference])
    choose, test = (Task(part, scale, targets[reference]) for part in (choose, unseen))
    spread = torch.maximum(targets.std(0, correction=0), LEAST_SPREAD)
    baseline = preset_features(preset, UNSEEN_SEEDS)

    generator = torch.Generator().manual_seed(seed)
    network = Network(hidden, generator)
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=patience)
    best, best_loss, done = {k: v.clone() for k, v in network.state_dict().items()}, float("inf"), 0
    try:
        for epoch in range(1, epochs + 1):
            total = 0.0
            for rows in torch.randperm(len(lessons), generator=generator).split(batch):
                inputs, wanted = lessons.draw(rows, generator)
                noise = int(torch.randint(UNSEEN_SEEDS, (), generator=generator))
                modulation = network(inputs)
                found = differences(preset, baseline, modulation, noise)
                loss = ((found - wanted).abs() / spread).mean()
                optimizer.zero_grad()
                (loss + CHARACTER * modulation.square().mean()).backward()
                optimizer.step()
                total += loss.item() * len(rows)
            checked = float((errors(network, preset, baseline, choose, UNSEEN_SEEDS + 1) / spread).mean())
            plateau.step(checked)
            done = epoch
            if checked < best_loss:
                best, best_loss = {k: v.clone() for k, v in network.state_dict().items()}, checked
            if progress:
                progress(epoch, total / len(lessons), checked)
    except KeyboardInterrupt:
        pass
    network.load_state_dict(best)
    noises = [errors(network, preset, baseline, test, UNSEEN_SEEDS + 2 + i).mean(0) for i in range(MEASURED_NOISES)]
    after = torch.stack(noises).mean(0).numpy()
    before = test.targets.abs().mean(0).numpy()
    return Trained(network, preset, scale, spread, before, after, done, unseen, targets[reference], baseline)


def heard(model: Model, hits: list[data.Hit], seed: int) -> tuple[list[data.Hit], np.ndarray]:
    """What the object plays to strokes, each to an engine of its own: detector, features, network, voice.

    Returns the strokes that it detects where they were cut (not those close behind another) and their drums
    [n, long_features.SAMPLES].
    """
    found, drums = [], []
    for i, hit in enumerate(hits):
        engine = Engine(data.SAMPLE_RATE, model, seed=seed + i, hold=find_control("hold").max)
        out, _ = engine.process(np.append(hit.audio, np.zeros(data.WINDOW, np.float32)))
        for event in engine.events:
            if event.detected == data.LEAD_SAMPLES + data.PREROLL:
                found.append(hit)
                drums.append(out[event.time : event.time + long_features.SAMPLES])
    return found, np.array(drums, np.float32).reshape(-1, long_features.SAMPLES)


def heard_error(trained: Trained, model: Model, seed: int = UNSEEN_SEEDS) -> tuple[np.ndarray, float]:
    """trained.error [7] again, but of what the object plays with the written model, and how well its loudness follows.

    That is the rank correlation of the strokes' loudness (4.2) and the drums' transient loudness, 1 when harder is always
    louder. NaN when the object hears no stroke alone.
    """
    strokes, drums = heard(model, MEASURED_NOISES * trained.test, seed)
    if len(strokes) < 2:
        return np.full(len(long_features.NAMES), np.nan), float("nan")
    played = long_features.measure(torch.from_numpy(drums))
    error = (played - trained.baseline - (sounds(strokes) - trained.reference_features)).abs().mean(0).numpy()
    force, loudness = np.array([hit.features[0] for hit in strokes]), played[:, LOUDNESS].numpy()
    return error, float(np.corrcoef(force.argsort().argsort(), loudness.argsort().argsort())[0, 1])


def table(trained: Trained, model: Model) -> str:
    """The errors of each long feature, for people."""
    error, follows = heard_error(trained, model)
    rows = [f"{'mean error on unseen strokes':28}{'preset':>9}{'trained':>9}{'as played':>11}"]
    for name, *numbers in zip(long_features.NAMES, trained.error_before, trained.error, error, strict=True):
        rows.append(f"{name.replace('_', ' '):28}{numbers[0]:9.2f}{numbers[1]:9.2f}{numbers[2]:11.2f}")
    rows.append(f"harder is louder: rank correlation {follows:.3f} over {len(trained.test)} strokes")
    return "\n".join(rows)


class Progress:
    """One line for each epoch, on stderr."""

    def __init__(self, epochs: int):
        self.epochs, self.start = epochs, time.monotonic()

    def __call__(self, epoch: int, learned: float, checked: float):
        left = (time.monotonic() - self.start) / epoch * (self.epochs - epoch)
        line = f"epoch {epoch}/{self.epochs}  error {checked:.3f} (training {learned:.3f})"
        print(f"{line}  {int(left) // 60}:{int(left) % 60:02d} left", file=sys.stderr, flush=True)


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="torchdrum train",
        description="Trains a model for a preset of the 808 from recordings of strokes. Ctrl-C keeps the best so far.",
    )
    parser.add_argument("audio", nargs="+", metavar="AUDIO", help="recordings, of any sample rate")
    parser.add_argument("--preset", required=True, help=f"{', '.join(preset_names())}, or a file")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help=f"the model to write, {SUFFIX}")
    parser.add_argument("--single", action="store_true", help="every recording is one stroke of a sample library")
    parser.add_argument("--epochs", type=int, default=DEFAULT_EPOCHS, help="%(default)s")
    parser.add_argument("--seed", type=int, default=0, help="of split, first weights, noise (%(default)s)")
    for key in ("name", "author", "license", "source"):
        parser.add_argument(f"--{key}", default="", help="for people, in the model")
    args = parser.parse_args(argv)
    if args.epochs < 1:
        raise TorchdrumError(f"--epochs is at least 1, not {args.epochs}")
    if Path(args.output).suffix != SUFFIX:
        raise TorchdrumError(f"{args.output}: give the model the ending {SUFFIX}")
    if not Path(args.output).parent.is_dir():
        raise TorchdrumError(f"there is no folder {Path(args.output).parent}")
    return args


def run(argv: list[str] | None) -> int:
    args = arguments(argv)
    preset = Preset.load(args.preset)
    hits = data.load(args.audio, args.single)
    print(f"{len(hits)} strokes in {len(args.audio)} recordings", file=sys.stderr, flush=True)
    trained = train(hits, preset, epochs=args.epochs, seed=args.seed, progress=Progress(args.epochs))
    metadata = {key: getattr(args, key) for key in ("author", "license", "source")}
    model = trained.write(args.output, name=args.name or Path(args.output).stem, **metadata)
    print(table(trained, model))
    return 0


def main(argv: list[str] | None = None) -> int:
    try:
        return run(argv)
    except TorchdrumError as error:
        print(f"torchdrum: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("torchdrum: stopped before there was anything to keep", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
