# SPDX-License-Identifier: MIT
"""Trains a model: from the first 5 ms of a stroke a small network learns to move the 808 as the whole stroke would have it.

Self-supervised, by differences of features (Shier et al. 2024, "Real-time Timbre Remapping with Differentiable DSP"): as
a stroke differs from a reference stroke, so the 808 shall differ from its preset. Spec 10.6 has the loss.
"""

from __future__ import annotations

import copy
import io
import os
import tempfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from . import data, judge, long_features, model_file, synth
from .audio import whole_file
from .errors import TorchdrumError, cannot
from .mapping import Network, Scale, played
from .model import Model
from .params import PARAMS
from .presets import Preset
from .recipe import DEFAULT, LEAST_SPREAD, Recipe

UNSEEN_SEEDS = 2**31  # noise from here on is never trained with
BASELINE_HITS = 16
MEASURED_NOISES = 4
SMOOTHED = 10  # epochs
CHECKED = 64  # strokes
# With Recipe.dynamics (spec 10.8): of the dB between two strokes what their drums shall have between them at least; pairs of
# strokes of any kind in a step; weight of the reference stroke beside that.
FOLLOWED, STRANGERS, HOME = 0.5, 4, 0.01
LOUDNESS = long_features.NAMES.index("transient_loudness")

Parts = tuple[Sequence[data.Hit], Sequence[data.Hit], Sequence[data.Hit]]


def sounds(hits: Sequence[data.Hit], measure: Callable[[Tensor], Tensor]) -> Tensor:
    """Long features [n, 7] of strokes."""
    with torch.no_grad():
        batches = [torch.from_numpy(np.stack([hit.sound for hit in hits[at : at + 16]])) for at in range(0, len(hits), 16)]
        return torch.cat([measure(x) for x in batches])


class Task:
    """Strokes as a network learns from them: inputs [n, views, 3] and their targets [n, 7], differences from a reference [7]."""

    def __init__(self, hits: Sequence[data.Hit], scale: Scale, reference: Tensor, recipe: Recipe, views: int = 0, seed: int = 0):
        features = data.views(hits, views, seed) if views else np.array([hit.features for hit in hits])[:, None]
        self.inputs = torch.from_numpy(scale(features))
        self.targets = sounds(hits, recipe.measure) - reference

    def __len__(self) -> int:
        return len(self.targets)

    def to(self, device: str):
        """On another device."""
        self.inputs, self.targets = self.inputs.to(device), self.targets.to(device)
        return self


class Lessons:
    """A task with its strokes at other levels, too: a share of what is drawn is louder or softer than it was played.

    Else the network would know each kind of stroke only at the level at which the recording has it, and answer a soft one
    of the loud kind at random.
    """

    def __init__(self, hits: Sequence[data.Hit], scale: Scale, reference: Tensor, recipe: Recipe, seed: int):
        at_levels = [hits, *([data.at_level(hit, db) for hit in hits] for db in recipe.levels_db)]
        tasks = [Task(part, scale, reference, recipe, recipe.views, seed) for part in at_levels]
        self.inputs = torch.stack([task.inputs for task in tasks])
        self.targets = torch.stack([task.targets for task in tasks])
        self.moved = recipe.moved

    def __len__(self) -> int:
        return self.targets.shape[1]

    def to(self, device: str):
        """On another device."""
        self.inputs, self.targets = self.inputs.to(device), self.targets.to(device)
        return self

    def draw(self, rows: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Inputs and targets of strokes, each at a level and as seen by chance."""
        others = len(self.targets) - 1
        moved = torch.rand(rows.shape, generator=generator) < self.moved
        level = torch.where(moved, 1 + torch.randint(max(others, 1), rows.shape, generator=generator), 0)
        view = torch.randint(self.inputs.shape[2], rows.shape, generator=generator)
        return self.inputs[level, rows, view], self.targets[level, rows]


def differences(preset: Preset, baseline: Tensor, modulation: Tensor, recipe: Recipe, seed: int, first_hit: int = 0) -> Tensor:
    """By how much the 808 of each modulation [n, 14] differs from the preset's: long features [n, 7] less baseline [7]."""
    params = played(preset, modulation)
    seed, hits = recipe.noise(seed, range(first_hit, first_hit + len(params)))
    return recipe.measure(synth.render(params, recipe.drum_rate, seed, hits, data.SAMPLES)) - baseline


def preset_features(preset: Preset, recipe: Recipe, seed: int) -> Tensor:
    """Long features [7] of the preset as it is, the mean over noises."""
    with torch.no_grad():
        return differences(preset, torch.zeros(7), torch.zeros(BASELINE_HITS, len(PARAMS)), recipe, seed).mean(0)


def errors(network, preset: Preset, baseline: Tensor, task: Task, recipe: Recipe, seed: int, batch: int = 16) -> Tensor:
    """Absolute errors [n, 7] of a task's strokes with the noise of a seed. network: inputs [n, 3] to modulations [n, 14]."""
    with torch.no_grad():
        found = [
            differences(preset, baseline, network(part), recipe, seed, at * batch) for at, part in enumerate(task.inputs[:, 0].split(batch))
        ]
        return (torch.cat(found) - task.targets).abs()


def disorder(louder: Tensor, drum: Tensor) -> Tensor:
    """By how many dB, in the mean over pairs of strokes, the drum of the louder one falls short of FOLLOWED times what it is louder. By how
    much one stroke of each pair is louder than the other, and its drum than the other's: dB, of any shape."""
    return torch.relu(FOLLOWED * louder.abs() - louder.sign() * drum).mean()


class Promises:
    """What a model keeps whatever the recordings say (spec 10.8): a louder stroke is a louder drum, the reference stroke the preset."""

    def __init__(self, scale: Scale, spread: Tensor):
        self.reference, self.spread = torch.from_numpy(scale.reference), spread[LOUDNESS]
        self.decibels = float(scale.max[0] - scale.min[0])

    def draw(self, generator: torch.Generator) -> Tensor:
        """Inputs [1 + 2 STRANGERS, 3]: of the reference stroke, of strokes of any kind, and of these at another level."""
        some = torch.rand(STRANGERS, 3, generator=generator)
        same = torch.cat([torch.rand(STRANGERS, 1, generator=generator), some[:, 1:]], dim=1)
        return torch.cat([torch.zeros(1, 3), torch.cat([some, same]) - self.reference])

    def broken(self, inputs: Tensor, drums: Tensor) -> Tensor:
        """How far the drums are from it. inputs [n, 3]: of strokes, then those drawn; drums [n, 7]: differences from the preset."""
        level, loud = self.decibels * inputs[:, 0], drums[:, LOUDNESS]
        strokes = len(inputs) - 2 * STRANGERS - 1
        (x, _, one, other), (y, _, drum, others) = (v.split([strokes, 1, STRANGERS, STRANGERS]) for v in (level, loud))
        order = disorder(x[:, None] - x, y[:, None] - y) + disorder(one - other, drum - others)
        return order / self.spread + HOME * (drums[strokes].abs() / LEAST_SPREAD.to(drums.device)).mean()


@dataclass
class Trained:
    """A trained network with what belongs to it.

    errors_before, errors: absolute error [n, 7] of each long feature, of the preset as it is and of the network, on the n
    strokes test, which were not trained with, the mean over noises that were not heard. test_features, reference_features, baseline: long
    features [n, 7] of these, [7] of the reference stroke and of the preset. history: (epoch, training loss,
    validation loss) of each, the last None once the validation strokes are learnt from, too; epoch: the one whose network was kept.
    checked: strokes by which the written model is compared with the network.
    """

    network: Network
    preset: Preset
    recipe: Recipe
    scale: Scale
    spread: Tensor
    errors_before: np.ndarray
    errors: np.ndarray
    history: list[tuple[int, float, float | None]]
    epoch: int
    test: Sequence[data.Hit]
    checked: Sequence[data.Hit]
    test_features: Tensor
    reference_features: Tensor
    baseline: Tensor

    def write(self, path: str | os.PathLike, **metadata: str) -> Model:
        """Writes the model file after the core has read it, computes the same and plays strokes, from their samples, with the same
        parameters. metadata: name, author, license, source."""
        grid = np.linspace(-1.0, 1.0, 7, dtype=np.float32)
        inputs = np.stack(np.meshgrid(grid, grid, grid), axis=-1).reshape(-1, 3)
        with torch.no_grad():
            outputs = self.network(torch.from_numpy(inputs)).numpy()
            seen = torch.from_numpy(self.scale(np.array([hit.features for hit in self.checked])))
            params = played(self.preset, self.network(seen)).numpy()
        scale = (self.scale.min, self.scale.max, self.scale.reference)
        strokes = {"low": self.scale.low, "high": self.scale.high}
        made = {"activation": "relu", "norm": "layer" if len(self.network.layers) > 1 else "none", "output": self.network.output}
        made |= {"sample_rate": data.SAMPLE_RATE, "window": self.test[0].window, "preroll": data.PREROLL, "detector": data.DETECTOR}
        answer = {"inputs": inputs, "outputs": outputs, "check": lambda model: judge.disagreement(model, self.checked, params)}
        return model_file.write(path, self.network.weights(), self.preset, *scale, **strokes, **answer, **made, **metadata)

    def played(self, model: Model, seed: int = UNSEEN_SEEDS) -> judge.Played:
        """The test strokes, played to the written model by the object."""
        sounds = self.test_features.numpy()
        wanted = sounds + (self.baseline - self.reference_features).numpy()
        return judge.play(model, self.test, sounds, wanted, seed, self.errors, self.recipe.measure)

    def judged(self, model: Model, seed: int = UNSEEN_SEEDS) -> judge.Errors:
        """What the written model reaches on the test strokes, when the object plays it."""
        return self.played(model, seed).errors()


class Checkpoint:
    """The state of a training in a file, whole after each epoch: to go on later as if nothing had been, and for the report.

    made_of: what a training must share to go on from it, of plain values.
    """

    FORMAT = "torchdrum training 1"

    def __init__(self, path: str | os.PathLike, made_of: dict):
        self.path, self.made_of = path, made_of

    @classmethod
    def read(cls, path: str | os.PathLike) -> dict:
        """What a file holds; TorchdrumError says what is wrong with it. Nothing in it is executed."""
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise cannot(path, "read", error) from None
        try:
            state = torch.load(io.BytesIO(content), weights_only=True)
        except Exception:  # whatever torch makes of a foreign or truncated file
            state = None
        kinds = {"made_of": dict, "network": dict, "best": dict, "history": list, "best_epoch": int}
        if (
            not isinstance(state, dict)
            or state.get("format") != cls.FORMAT
            or any(not isinstance(state.get(key), kind) for key, kind in kinds.items())
        ):
            raise TorchdrumError(f"{path} is not the state of a training: leave out --resume to begin again")
        return state

    def load(self) -> dict | None:
        """The state to go on from; None when there is none yet."""
        if not os.path.exists(self.path):
            return None
        state = self.read(self.path)
        if other := [key for key, value in self.made_of.items() if state["made_of"].get(key) != value]:
            raise TorchdrumError(f"{self.path} is of a training with different {' and '.join(other)}: leave out --resume to begin again")
        return state

    def save(self, **state):
        """Replaces the state."""
        self._write({"format": self.FORMAT, "made_of": self.made_of, **state})

    def note(self, **more):
        """Adds to the state that is there."""
        self._write(self.read(self.path) | more)

    def _write(self, state: dict):
        with whole_file(self.path) as temporary, open(temporary, "wb") as file:
            torch.save(state, file)


def fingerprint(hits: Sequence[data.Hit]) -> str:
    """Eight hex digits that strokes share only when they, their windows and their groups are the same."""
    order = {group: i for i, group in enumerate(dict.fromkeys(hit.group for hit in hits))}
    crc = 0
    for hit in hits:
        crc = zlib.crc32(hit.audio.tobytes() + b"%d %d" % (hit.window, order[hit.group]), crc)
    return f"{crc:08x}"


def best_of(history: Sequence[tuple[int, float, float]]) -> int:
    """The epoch at which the validation loss, as the mean of SMOOTHED epochs, is least: a dozen strokes alone are a noisy judge."""
    losses = [line[2] for line in history]
    means = [np.mean(losses[max(0, end - SMOOTHED) : end]) for end in range(1, len(losses) + 1)]
    return int(np.argmin(means)) + 1


def train(
    hits: Sequence[data.Hit],
    preset: Preset,
    recipe: Recipe = DEFAULT,
    *,
    epochs: int | None = None,
    hidden: tuple[int, ...] = (32,),
    seed: int = 0,
    parts: Parts | None = None,
    progress: Callable[[int, float, float | None], None] | None = None,
    checkpoint: str | os.PathLike | None = None,
    resume: bool = False,
    interruptible: bool = True,
    device: str = "cpu",
    **noted,
) -> Trained:
    """Trains a network for a preset on strokes and returns the best one, by strokes that it did not learn from.

    epochs: None for the recipe's. parts: strokes to learn from, to choose the best network by and to measure it by (data.split of hits when
    None). progress: called after each epoch with its number, the training loss and the validation loss (spec 10.6).
    checkpoint: a file that holds the state after each epoch, with what is noted; resume: go on from it, to the result of a training that
    was not interrupted. interruptible: KeyboardInterrupt ends the training and keeps the best network so far.
    """
    learn, choose, unseen = parts or data.split(hits, seed)
    last = epochs or recipe.epochs
    finish = int(recipe.finish * last)
    known = [*learn, *choose] if finish else learn
    features, targets = np.array([hit.features for hit in known]), sounds(known, recipe.measure)
    reference = recipe.reference(features, targets.numpy())
    scale = recipe.scale(features, np.array([hit.features for hit in (*learn, *choose, *unseen)]), reference)
    lessons = Lessons(known, scale, targets[reference], recipe, seed).to(device)
    choose, test = (Task(part, scale, targets[reference], recipe).to(device) for part in (choose, unseen))
    spread, zero = recipe.spread(targets).to(device), targets[reference]
    baseline = preset_features(preset, recipe, UNSEEN_SEEDS).to(device)
    promises = Promises(scale, spread)

    generator = torch.Generator().manual_seed(seed)
    network = recipe.network(hidden, generator).to(device)
    best, best_epoch, history = copy.deepcopy(network.state_dict()), 0, []

    def means(finishing: bool) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
        """What a network learns by, from the start of a stage."""
        optimizer = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate(hidden))
        if finishing:
            return optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, finish)
        patience = recipe.patience if recipe.patience is not None else last
        return optimizer, torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=patience)

    def finished() -> int:
        return sum(checked is None for _, _, checked in history)

    optimizer, rate = means(False)
    sort = {"preset": preset.to_dict(), "recipe": recipe.name, "model": list(hidden), "seed": seed, "epochs": last, "levels": recipe.moved}
    sort |= {"dynamics": recipe.dynamics, "strokes": fingerprint(hits)}
    keeper = Checkpoint(checkpoint, sort) if checkpoint else None
    if keeper and resume and (state := keeper.load()):
        try:
            best, best_epoch, history = state["best"], state["best_epoch"], [tuple(line) for line in state["history"]]
            optimizer, rate = means(finished() > 0)
            for part, key in ((network, "network"), (optimizer, "optimizer"), (rate, "rate")):
                part.load_state_dict(state[key])
            generator.set_state(state["generator"])
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError):
            raise TorchdrumError(f"{checkpoint} is damaged: leave out --resume to begin again") from None

    def learn_from(count: int) -> float:
        """One pass over the first of the lessons."""
        total = 0.0
        for rows in torch.randperm(count, generator=generator).split(recipe.batch):
            inputs, wanted = lessons.draw(rows, generator)
            noise = int(torch.randint(UNSEEN_SEEDS, (), generator=generator))
            if recipe.dynamics:
                inputs = torch.cat([inputs, promises.draw(generator).to(device)])
            modulation = network(inputs)
            found = differences(preset, baseline, modulation, recipe, noise)
            loss = ((found[: len(rows)] - wanted).abs() / spread).mean()
            if recipe.dynamics:
                loss = loss + recipe.dynamics * promises.broken(inputs, found)
            optimizer.zero_grad()
            (loss + recipe.character * modulation[: len(rows)].square().mean()).backward()
            optimizer.step()
            total += loss.item() * len(rows)
        return total / count

    def note(learned: float, checked: float | None):
        nonlocal best, best_epoch
        history.append((len(history) + 1, learned, checked))
        if not recipe.keep_best or checked is None or len(history) == best_of(history):
            best, best_epoch = copy.deepcopy(network.state_dict()), len(history)
        if keeper:
            parts_of = {"network": network, "optimizer": optimizer, "rate": rate, "generator": generator}
            states = {key: part.get_state() if key == "generator" else part.state_dict() for key, part in parts_of.items()}
            keeper.save(**states, best=best, best_epoch=best_epoch, history=history, **noted)
        if progress:
            progress(*history[-1])

    try:
        while not finished() and len(history) < last - finish and len(history) - best_epoch < recipe.stop:
            learned = learn_from(len(learn))
            checked = float((errors(network, preset, baseline, choose, recipe, UNSEEN_SEEDS + 1) / spread).mean())
            rate.step(checked)
            note(learned, checked)
        if finish and not finished():
            network.load_state_dict(best)
            optimizer, rate = means(True)
        while finished() < finish:
            learned = learn_from(len(known))
            rate.step()
            note(learned, None)
    except KeyboardInterrupt:
        if not interruptible:
            raise
    network.load_state_dict(best)

    def measured(net) -> np.ndarray:
        noises = [errors(net, preset, baseline, test, recipe, UNSEEN_SEEDS + 2 + i) for i in range(MEASURED_NOISES)]
        return torch.stack(noises).mean(0).cpu().numpy()

    before, after = measured(lambda x: x.new_zeros(len(x), len(PARAMS))), measured(network)
    sounds_of_test = test.targets.cpu() + zero
    made = network.cpu(), preset, recipe, scale, spread.cpu(), before, after, history, best_epoch
    checked = [*unseen, *learn][: max(len(unseen), CHECKED)]
    return Trained(*made, unseen, checked, sounds_of_test, zero, baseline.cpu())


def judged(model: Model, hits: Sequence[data.Hit], seed: int = UNSEEN_SEEDS) -> judge.Errors:
    """What a model reaches on strokes, of whose training nothing is known: the reference is the stroke nearest to the model's."""
    info = model.info
    features = Scale(info["min"], info["max"], info["reference"])(np.array([hit.features for hit in hits]))
    heard = sounds(hits, DEFAULT.measure).numpy()
    baseline = preset_features(info["preset"], DEFAULT, seed).numpy()
    return judge.play(model, hits, heard, heard - heard[np.abs(features).sum(1).argmin()] + baseline, seed).errors()


def cross_validated(hits: Sequence[data.Hit], preset: Preset, recipe: Recipe, folds: int, seed: int, **how) -> judge.Errors:
    """What such trainings reach on all strokes, each played by the network of the one of folds trainings that did not have it."""
    found = []
    for fold in range(folds):
        three = data.parts(hits, folds, fold, seed)
        trained = train(hits, preset, recipe, seed=seed, parts=three, interruptible=False, **how)
        with tempfile.TemporaryDirectory() as folder:
            found.append(trained.played(trained.write(Path(folder) / "fold.safetensors", name="fold")))
    return judge.Played.joined(found).errors()
