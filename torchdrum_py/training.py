# SPDX-License-Identifier: MIT
"""The commands hear, train and report: a minute of playing in, a model file out. torch is imported only where it is needed."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import sys
import time
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np

from . import __version__, data, model_file
from .audio import whole_file
from .errors import TorchdrumError, printable
from .model import SUFFIX, Model
from .params import PARAMS
from .presets import Preset, preset_names

CARD = ".md"
MOST_EPOCHS = 100000
MOST_DYNAMICS = 100
CHECKPOINT = ".training"  # ending of the file beside the model that --resume and report read
WINDOWS = (64, 128, 256)
KINDS = {"linear": (), "mlp": (32,), "large": (64, 64, 64)}  # widths of the hidden layers
RECIPES = ("default", "original")
NO_TORCH = 'training needs PyTorch: install it with pip install "torchdrum[train]", here with make test-train'


def add_recordings(parser: argparse.ArgumentParser):
    parser.add_argument("audio", nargs="+", metavar="AUDIO", help="recordings of any format and sample rate, or folders of them")
    parser.add_argument(
        "--single", action="store_true", help="every recording is one stroke of a sample library (…_rr1, …_rr2 belong together)"
    )


def add_hear(parser: argparse.ArgumentParser):
    add_recordings(parser)
    parser.add_argument("--plot", metavar="FILE", help="draw the strokes by loudness, centroid and flatness (.png, .pdf, .svg)")


def add_train(parser: argparse.ArgumentParser):
    add_recordings(parser)
    parser.add_argument(
        "--preset", required=True, metavar="NAME|FILE", help=f"the sound to start from: {', '.join(preset_names())}, or a file"
    )
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help=f"the model to write, {SUFFIX}")
    parser.add_argument("--resume", action="store_true", help=f"go on from the {CHECKPOINT} file beside the output")
    parser.add_argument("--epochs", type=int, metavar="N", help="passes over the strokes, at most (as the recipe has it)")
    parser.add_argument("--model", choices=KINDS, default="mlp", help="kind of network (%(default)s)")
    parser.add_argument("--window", type=int, choices=WINDOWS, default=data.WINDOW, help="samples that it hears of a stroke (%(default)s)")
    parser.add_argument("--recipe", choices=RECIPES, default=RECIPES[0], help="original: as TorchDrum is trained, for comparison")
    parser.add_argument(
        "--levels",
        type=float,
        metavar="SHARE",
        help="of the strokes that is learnt louder or softer than it was played (as the recipe has it; more for a model that others play)",
    )
    parser.add_argument(
        "--dynamics",
        type=float,
        metavar="WEIGHT",
        help="of: a louder stroke is a louder drum, whatever the recordings say (0; 4 for strokes whose first 5 ms tell little of it)",
    )
    parser.add_argument("--folds", type=int, metavar="N", help="train N times more, each without a part of the strokes, to test on all")
    parser.add_argument("--seed", type=int, default=0, help="of split, first weights, noise (%(default)s)")
    parser.add_argument("--device", default="cpu", help="of PyTorch (%(default)s, which is quick enough)")
    parser.add_argument("--card", metavar="FILE", help="also write the model's card: data, command, errors (.md)")
    for key in ("name", "author", "license", "source"):
        parser.add_argument(f"--{key}", default="", help="for people, in the model")


def hear(args) -> int:
    heard = data.load(args.audio, args.single)
    print("\n".join(map(printable, heard.lines())))
    if args.plot:
        from .plots import plot_strokes

        plot_strokes(heard.features, args.plot)
    heard.check()
    return 0


def tell(line: str, end: str = "\n"):
    """A line on stderr; nobody needs to read it."""
    with contextlib.suppress(BrokenPipeError):
        print(line, end=end, file=sys.stderr, flush=True)


class Progress:
    """One line for each epoch, on stderr; on a terminal one line in all."""

    def __init__(self, epochs: int):
        self.epochs, self.start, self.first = epochs, time.monotonic(), None
        self.end = "\r" if sys.stderr.isatty() else "\n"

    def __call__(self, epoch: int, learned: float, checked: float | None):
        self.first = self.first or epoch
        left = (time.monotonic() - self.start) / (epoch - self.first + 1) * (self.epochs - epoch)
        error = "finish" if checked is None else f"error {checked:.3f}"
        line = f"epoch {epoch}/{self.epochs}  {error} (training {learned:.3f})"
        tell(f"{line}  {int(left) // 60}:{int(left) % 60:02d} left", self.end)


def check_device(device: str):
    import torch

    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, ImportError, NotImplementedError):
        raise TorchdrumError(f"PyTorch has no device {device} here: leave out --device") from None


def train(args) -> int:
    output = Path(args.output)
    if args.epochs is not None and not 1 <= args.epochs <= MOST_EPOCHS:
        raise TorchdrumError(f"--epochs is 1 to {MOST_EPOCHS}")
    if not 0 <= args.seed < 2**31:
        raise TorchdrumError("--seed is a whole number from 0 to 2147483647")
    if args.levels is not None and not 0.0 <= args.levels <= 1.0:
        raise TorchdrumError("--levels is 0 to 1")
    if args.levels is not None and args.recipe == "original":
        raise TorchdrumError("--recipe original learns strokes as they are: leave out --levels")
    if args.dynamics is not None and not 0.0 <= args.dynamics <= MOST_DYNAMICS:
        raise TorchdrumError(f"--dynamics is 0 to {MOST_DYNAMICS}")
    if args.dynamics is not None and args.recipe == "original":
        raise TorchdrumError("--recipe original knows no dynamics: leave out --dynamics")
    for path, suffix in ((output, SUFFIX), *([(Path(args.card), CARD)] if args.card else [])):
        if path.suffix != suffix or path.is_dir():
            raise TorchdrumError(f"{path}: give the file the ending {suffix}")
        if not path.parent.is_dir():
            raise TorchdrumError(f"there is no folder {path.parent}")
    preset = Preset.load(args.preset)
    texts = {key: getattr(args, key) for key in ("author", "license", "source")} | {"name": args.name or output.stem}
    nothing = [(np.zeros((len(PARAMS), 3)), None)], preset, [-60, 60, -60], [0, 120, 0], [0.5] * 3
    Model(model_file.to_bytes(*nothing, **texts), str(output))  # what the texts do to a model is better known before the training
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError:
        raise TorchdrumError(NO_TORCH) from None
    from . import original
    from .recipe import DEFAULT
    from .train import Checkpoint, cross_validated
    from .train import train as fit

    check_device(args.device)
    heard = data.load(args.audio, args.single, args.window)
    tell("\n".join(map(printable, heard.lines())))
    heard.check()
    if args.folds is not None and not 2 <= args.folds <= len({hit.group for hit in heard.hits}):
        raise TorchdrumError("--folds is 2 to the number of different strokes")
    if args.recipe == "original" and args.device != "cpu":
        raise TorchdrumError("--recipe original runs on the cpu only: leave out --device")
    recipe, checkpoint = original.RECIPE if args.recipe == "original" else DEFAULT, output.with_suffix(CHECKPOINT)
    if args.levels is not None:
        recipe = replace(recipe, moved=args.levels)
    if args.dynamics is not None:
        recipe = replace(recipe, dynamics=args.dynamics)
    if checkpoint.exists() and not args.resume:
        tell(f"{checkpoint} is begun again (--resume goes on from it)")
    how = {"epochs": args.epochs, "hidden": KINDS[args.model], "seed": args.seed, "device": args.device}
    trained = fit(
        heard.hits,
        preset,
        recipe,
        **how,
        progress=Progress(args.epochs or recipe.epochs),
        checkpoint=checkpoint,
        resume=args.resume,
        audio=[str(Path(path).resolve()) for path in args.audio],
        single=args.single,
    )
    if not trained.history:
        raise KeyboardInterrupt
    model = trained.write(output, **texts)
    tell(f"written: {output}. In Pd: load {output.name}. To see and hear what it learnt: torchdrum report {output}")
    if args.folds:
        errors = cross_validated(heard.hits, preset, recipe, args.folds, **how, progress=Progress(args.epochs or recipe.epochs))
    else:
        errors = trained.judged(model)
    Checkpoint(checkpoint, {}).note(
        model=model.info["crc32"], reached={key: np.asarray(value, float).tolist() for key, value in asdict(errors).items()}
    )
    print(table(errors))
    if args.card:
        with whole_file(args.card) as temporary:
            temporary.write_text(card(args, heard, trained, model, errors), encoding="utf-8")
    return 0


def add_report(parser: argparse.ArgumentParser):
    parser.add_argument("model", metavar="MODEL", help=f"the {SUFFIX} file that train wrote, with its {CHECKPOINT} file beside it")
    parser.add_argument(
        "audio", nargs="*", metavar="AUDIO", help="other recordings to play it to, or folders of them (those it was trained with)"
    )
    parser.add_argument("--single", action="store_true", help="every one of these recordings is one stroke of a sample library")
    parser.add_argument("-o", "--output", metavar="FILE", help="the page to write (beside the model, with the ending .html)")


def report(args) -> int:
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError:
        raise TorchdrumError(NO_TORCH) from None
    from . import judge, train
    from . import report as page

    model, state = Model.load(args.model), {}
    beside = Path(args.model).with_suffix(CHECKPOINT)
    if not args.audio:
        if not beside.exists():
            raise TorchdrumError(f"there is no {beside} that tells what {args.model} was trained with: name recordings to play it to")
        state = train.Checkpoint.read(beside)
        if not all(isinstance(path, str) for path in state.get("audio") or [None]):
            raise TorchdrumError(f"{beside} does not tell what {args.model} was trained with: name recordings to play it to")
    output = args.output or str(Path(args.model).with_suffix(page.SUFFIX))
    page.check(output)
    heard = data.load(args.audio or state["audio"], args.single or state.get("single", False), model.info["window"])
    tell("\n".join(map(printable, heard.lines())))
    if not heard.hits:
        raise TorchdrumError("there is no stroke to play the model to")
    hits, test, facts = heard.hits, list(range(len(heard.hits))), {}
    if state:
        if state["made_of"].get("strokes") != train.fingerprint(hits) or state.get("model", model.info["crc32"]) != model.info["crc32"]:
            raise TorchdrumError(f"{beside} is of another training or its recordings have changed: name recordings to play the model to")
        unseen = {id(hit) for hit in data.split(hits, state["made_of"]["seed"])[2]}
        test = [i for i, hit in enumerate(hits) if id(hit) in unseen]
        facts = {"seed": state["made_of"]["seed"], "recipe": state["made_of"]["recipe"], "epochs": len(state["history"])}
    if "reached" in state:
        errors = judge.Errors(*(np.array(state["reached"][field.name]) for field in fields(judge.Errors)))
    else:
        errors = train.judged(model, [hits[i] for i in test])
    page.write(output, model, hits, test, [tuple(line) for line in state.get("history", [])], errors, facts)
    tell(f"written: {output}")
    return 0


def card(args, heard: data.Heard, trained, model: Model, errors) -> str:
    """What a model was made of and what it reaches, as Markdown: all that is needed to make it again from the same recordings."""
    files = data.recordings(args.audio)
    sums = "".join(f"{hashlib.sha256(Path(file).read_bytes()).hexdigest()}  {Path(file).name}\n" for file in files)
    options = {"preset": trained.preset.name, "model": args.model, "window": args.window, "recipe": args.recipe, "seed": args.seed}
    options |= {key: value for key in ("epochs", "levels", "dynamics", "folds") if (value := getattr(args, key)) is not None}
    given = " ".join(f"--{key} {value}" for key, value in options.items()) + " --single" * args.single
    info, finish = model.info, sum(checked is None for _, _, checked in trained.history)
    tested = f"On {len(trained.test)} strokes that it was not trained with:"
    if args.folds:
        tested = f"On all strokes, each by the one of {args.folds} other such trainings that did not have it:"
    return f"""# {info["name"]}

{heard.lines()[0]}.

| | |
|---|---|
| preset | {trained.preset.name} |
| data | {info["source"] or "not told"} |
| SHA-256 of the `sha256sum` lines of its {len(files)} files | `{hashlib.sha256(sums.encode()).hexdigest()}` |
| licence, author | {info["license"] or "not told"}, {info["author"] or "not told"} |
| crc32 of the model | `{info["crc32"]}` |
| command | `torchdrum train AUDIO… {given}`, torchdrum {__version__} |
| epochs | {len(trained.history)}, {f"the last {finish} with the validation strokes, too" if finish else f"the best is {trained.epoch}"} |

{tested}

```
{table(errors)}
```
"""


def table(errors) -> str:
    """judge.Errors, for people."""
    from .long_features import NAMES

    rows = [f"{'mean error on unseen strokes':30}{'preset':>9}{'trained':>9}{'as played':>11}"]
    for name, *numbers in zip(NAMES, errors.preset, errors.trained, errors.played, strict=True):
        rows.append(f"{name.replace('_', ' '):30}{numbers[0]:9.2f}{numbers[1]:9.2f}{numbers[2]:11.2f}")
    rows.append(f"{'mean of all, preset = 1':30}{1:9.2f}{np.mean(errors.trained / errors.preset):9.2f}{errors.mean:11.2f}")
    rows.append(f"rank correlation of stroke and drum: loudness {errors.loudness:.3f}, brightness {errors.brightness:.3f};")
    rows.append(f"of the loudness of the first 5 ms and the drum: {errors.dynamics:.3f}")
    return "\n".join(rows)
