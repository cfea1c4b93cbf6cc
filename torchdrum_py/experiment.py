# SPDX-License-Identifier: MIT
"""The table of the paper on one's own recordings: kinds of training × recordings × presets, cross-validated (torchdrum experiment)."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import data
from .errors import TorchdrumError, cannot
from .presets import Preset, preset_names

KINDS = ("direct", "linear", "mlp", "large")
WINDOWS = (256, 2048)
MEASURES = (
    *(f"{part}_{kind}" for part in ("transient", "sustain") for kind in ("loudness", "centroid", "flatness")),
    "temporal_centroid",
)  # long_features.NAMES, which needs torch
DIRECT_STEPS, DIRECT_RATE = 200, 0.03  # of Adam, for each stroke's own modulations


@dataclass(frozen=True, order=True)
class Cell:
    """One training and its test. A row of the table file is a cell and what it gave."""

    recordings: str
    preset: str
    recipe: str
    kind: str
    window: int
    folds: int
    epochs: int  # at most; 0: the recipe's
    seed: int
    fold: int

    def key(self) -> tuple[str, ...]:
        return tuple(map(str, dataclasses.astuple(self)))


def cells(args) -> list[Cell]:
    """All that is asked for, fold by fold, so that an unfinished table is even. Direct optimisation knows neither window nor recipe."""
    found = []
    for seed, fold, folder, preset in itertools.product(range(args.seeds), range(args.folds), args.folders, args.preset):
        name = Preset.load(preset).name
        wanted = name if name in preset_names() else str(Path(preset).resolve())
        for recipe, kind, window in itertools.product(args.recipe, args.kind, args.window):
            what = ("default", kind, data.WINDOW) if kind == "direct" else (recipe, kind, window)
            found.append(Cell(folder, wanted, *what, args.folds, args.epochs or 0, seed, fold))
    return list(dict.fromkeys(found))


def run(cell: Cell, single: bool, device: str) -> dict:
    """Trains and tests one cell on one thread: what a row of the table holds. device: of PyTorch, for networks of the default recipe."""
    import torch

    from . import judge, long_features, train
    from .original import RECIPE as ORIGINAL
    from .recipe import DEFAULT
    from .training import KINDS as widths

    torch.set_num_threads(1)
    start = time.monotonic()
    preset, recipe = Preset.load(cell.preset), ORIGINAL if cell.recipe == ORIGINAL.name else DEFAULT
    hits = data.load([cell.recordings], single, cell.window).hits
    three = data.parts(hits, cell.folds, cell.fold, cell.seed)
    if cell.kind == "direct":
        before, after = direct(*three, preset, cell.seed)
        errors, side = judge.Errors(before, after, after, np.nan, np.nan), "training"
    else:
        how = {"epochs": cell.epochs or None, "hidden": widths[cell.kind], "seed": cell.seed}
        trained = train.train(hits, preset, recipe, parts=three, device=device if recipe is DEFAULT else "cpu", **how)
        side = "training" if cell.recipe == "original" or cell.window > data.WINDOW else "object"
        if side == "training":
            before, after = trained.errors_before.mean(0), trained.errors.mean(0)
            errors = judge.Errors(before, after, after, np.nan, np.nan)
        else:
            with tempfile.TemporaryDirectory() as folder:
                errors = trained.judged(trained.write(Path(folder) / "cell.safetensors", name="cell"))
    row = dataclasses.asdict(cell) | {"judged": side, "strokes": len(hits), "ratio": errors.mean}
    for kind in ("preset", "trained", "played"):
        row |= {f"{kind}_{name}": float(x) for name, x in zip(long_features.NAMES, getattr(errors, kind), strict=True)}
    follows = {key: getattr(errors, key) for key in ("loudness", "brightness", "dynamics")}
    return row | follows | {"seconds": time.monotonic() - start}


def direct(learn, choose, test, preset: Preset, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Each test stroke with modulations of its own, found by descent on its own error and judged in noise that it did not hear: no network
    does much better. Mean errors [7] of the preset and of these.
    """
    import torch

    from . import train
    from .recipe import DEFAULT as recipe

    features, targets = np.array([hit.features for hit in learn]), train.sounds(learn, recipe.measure)
    reference = targets[recipe.reference(features, targets.numpy())]
    spread, wanted = recipe.spread(targets), train.sounds(test, recipe.measure) - reference
    baseline = train.preset_features(preset, recipe, train.UNSEEN_SEEDS)
    moves = torch.zeros(len(test), len(preset.value), requires_grad=True)
    optimizer = torch.optim.Adam([moves], lr=DIRECT_RATE)
    for step in range(DIRECT_STEPS):
        for rows in torch.arange(len(test)).split(16):
            modulation = torch.tanh(moves[rows])
            found = train.differences(preset, baseline, modulation, recipe, seed * DIRECT_STEPS + step, int(rows[0]))
            (((found - wanted[rows]).abs() / spread).mean() * len(rows) / len(test)).backward()
        optimizer.step()
        optimizer.zero_grad()
    with torch.no_grad():
        ends = torch.zeros_like(moves), torch.tanh(moves)
        noises = range(train.UNSEEN_SEEDS + 2, train.UNSEEN_SEEDS + 2 + train.MEASURED_NOISES)
        found = [torch.stack([train.differences(preset, baseline, m, recipe, noise) - wanted for noise in noises]) for m in ends]
    return tuple(differences.abs().mean((0, 1)).numpy() for differences in found)


class Table:
    """The rows so far, in a file that grows with every cell, so that nothing is done twice. A row that was not written whole is lost."""

    KEY = tuple(field.name for field in dataclasses.fields(Cell))
    COLUMNS = (
        *KEY, "judged", "strokes", "ratio", *(f"{kind}_{name}" for kind in ("preset", "trained", "played") for name in MEASURES),
        "loudness", "brightness", "dynamics", "seconds",
    )  # fmt: skip

    def __init__(self, path: Path):
        self.path, self.rows = path, []
        try:
            whole = path.read_text() if path.exists() else ""
            with open(path, "a"):
                pass
        except OSError as error:
            raise cannot(path, "written", error) from None
        except UnicodeDecodeError:
            whole = "\0"
        lines = whole.splitlines(keepends=True)
        if lines and lines[0] != ",".join(self.COLUMNS) + "\n":
            raise TorchdrumError(f"{path} is not the table of an experiment as it is made now: give another --output")
        if lines and not lines[-1].endswith("\n"):
            path.write_text("".join(lines[:-1]))
        self.rows = list(csv.DictReader(line for line in lines if line.endswith("\n")))

    def done(self) -> set[tuple[str, ...]]:
        return {tuple(row[name] for name in self.KEY) for row in self.rows}

    def add(self, row: dict):
        with open(self.path, "a", newline="") as file:
            writer = csv.DictWriter(file, self.COLUMNS, lineterminator="\n")
            if not self.path.stat().st_size:
                writer.writeheader()
            writer.writerow(row)
        self.rows.append({key: str(value) for key, value in row.items()})


def summary(rows: Iterable[dict]) -> str:
    """Mean ratio ± standard deviation over folds and seeds for each kind of training, over recordings × presets and for each."""
    groups: dict[tuple, dict[tuple, list[float]]] = {}
    for row in rows:
        kind = row["recipe"], row["kind"], row["window"], row["judged"]
        groups.setdefault(kind, {}).setdefault((row["recordings"], row["preset"]), []).append(float(row["ratio"]))
    places = sorted({place for grid in groups.values() for place in grid})
    base = os.path.commonpath([os.path.dirname(folder) for folder, _ in places]) if places else ""
    names = (f"{os.path.relpath(folder, base)} {Path(preset).stem.removeprefix('808_')}" for folder, preset in places)
    head = ["training", *names, "mean of all"]
    lines = [head]
    for kind, grid in sorted(groups.items()):
        cells = [f"{np.mean(grid[p]):.3f} ± {np.std(grid[p]):.3f}" if p in grid else "" for p in places]
        lines.append([" ".join(kind[:3]) + f" ({kind[3]})", *cells, f"{np.mean([np.mean(v) for v in grid.values()]):.3f}"])
    return "\n".join("| " + " | ".join(line) + " |" for line in [lines[0], ["---"] * len(head), *lines[1:]])


def results(todo: list[Cell], args) -> Iterator[dict]:
    """Rows as they come, from all cores or from a cluster."""
    import joblib

    how = args.single, args.device
    if args.dask:
        try:
            from dask.distributed import Client, as_completed
        except ModuleNotFoundError:
            raise TorchdrumError('--dask needs dask: pip install "torchdrum[experiment]"') from None
        try:
            client = Client(args.dask)
        except (OSError, ValueError) as error:
            raise TorchdrumError(f"there is no Dask scheduler at {args.dask} ({error})") from None
        with client:
            for future in as_completed([client.submit(run, cell, *how, pure=False) for cell in todo]):
                yield future.result()
        return
    work = (joblib.delayed(run)(cell, *how) for cell in todo)
    yield from joblib.Parallel(n_jobs=args.jobs, return_as="generator_unordered")(work)


def add_arguments(parser: argparse.ArgumentParser):
    from .training import RECIPES

    def add(name: str, text: str, **how):
        parser.add_argument(name, help=text + (" (%(default)s)" if "default" in how else ""), **how)

    add("folders", "folders of recordings, one for each drum, or single recordings", nargs="+", metavar="DIR")
    add("--preset", "sounds to start from", nargs="+", default=preset_names()[:3], metavar="NAME")
    add("--kind", "networks, or direct optimisation of each stroke", nargs="+", choices=KINDS, default=["linear", "mlp"])
    add("--recipe", "how they are trained", nargs="+", choices=RECIPES, default=["default"])
    add("--window", "samples that the network hears", nargs="+", type=int, choices=WINDOWS, default=[data.WINDOW])
    add("--folds", "parts of the strokes, each the test once", type=int, default=5)
    add("--seeds", "trainings with other splits, weights and noise", type=int, default=3)
    add("--epochs", "passes over the strokes, at most (as the recipe has it)", type=int, metavar="N")
    add("--device", "of PyTorch, for networks of the default recipe", default="cpu")
    add("--jobs", "trainings at once; -1: as many as there are cores", type=int, default=-1)
    add("--dask", "scheduler of a Dask cluster to work on, which must see the recordings at the same place", metavar="ADDRESS")
    add("--output", "a row for each training; what is in it is not done again", default="experiment.csv", metavar="FILE")
    parser.add_argument("--single", action="store_true", help="every recording is one stroke of a sample library")


def experiment(args) -> int:
    """The command."""
    if args.folds < 2 or args.seeds < 1 or args.jobs == 0 or (args.epochs is not None and args.epochs < 1):
        raise TorchdrumError("--folds is at least 2, --seeds and --epochs are at least 1, --jobs is not 0")
    try:
        import joblib  # noqa: F401
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        raise TorchdrumError(f'experiments need {error.name}: pip install "torchdrum[experiment]"') from None
    from .training import check_device

    check_device(args.device)
    args.folders = [str(Path(folder).resolve()) for folder in args.folders]
    table, todo = Table(Path(args.output)), cells(args)
    for folder in args.folders:
        heard = data.load([folder], args.single)
        print(f"{Path(folder).name}: {heard.lines()[0]}", file=sys.stderr, flush=True)
        heard.check()
        if args.folds > len({hit.group for hit in heard.hits}):
            raise TorchdrumError(f"{folder} has fewer different strokes than there are --folds")
    left = [cell for cell in todo if cell.key() not in table.done()]
    if len(left) < len(todo):
        print(f"{len(todo) - len(left)} of {len(todo)} trainings are in {args.output} already", file=sys.stderr)
    start = time.monotonic()
    try:
        for count, row in enumerate(results(left, args), 1):
            table.add(row)
            minutes = (time.monotonic() - start) / count * (len(left) - count) / 60
            what = f"{Path(row['recordings']).name} {row['preset']} {row['recipe']} {row['kind']}"
            print(f"{count}/{len(left)}  {what}: {row['ratio']:.3f}  {minutes:.0f} min left", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print(f"stopped: {len(table.rows)} trainings are in {args.output}, the same command goes on", file=sys.stderr)
        return 130
    wanted = {cell.key() for cell in todo}
    print(summary(row for row in table.rows if tuple(row[name] for name in table.KEY) in wanted))
    return 0
