# SPDX-License-Identifier: MIT
"""The command torchdrum. Bad input is one line on stderr and exit code 2."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import sys
from pathlib import Path

import numpy as np

from . import __version__, audio, bench, convert, doctor, experiment, training
from .engine import NORMALIZE, Engine
from .errors import TorchdrumError, cannot, printable
from .model import Model, model_names
from .params import CONTROLS, PARAMS, did_you_mean, find_param
from .plots import plot_onsets
from .presets import preset_names
from .render import render
from .stages import ONSET_SETTINGS, check_rate, onsets

LONG_FILE_S = 5.0  # from here on progress is shown
LISTENING = [name for name in ONSET_SETTINGS if name != "selfmask"]  # there is no drum in a recording
WHOLE = ("on/off", "count")  # units of controls that take whole numbers


def note(line: str):
    """A line beside the result, on stderr."""
    print(f"torchdrum: {printable(line)}", file=sys.stderr)


class Parser(argparse.ArgumentParser):
    """Its errors are one line, like all others."""

    def error(self, message: str):
        note(f"{message} ({self.prog} --help says more)")
        raise SystemExit(2)


class Progress:
    """One line on stderr that counts up to 100 %, when somebody looks at it."""

    def __init__(self, seconds: float, wanted: bool | None):
        self.shown = (sys.stderr.isatty() if wanted is None else wanted) and (wanted or seconds > LONG_FILE_S)
        self.last = -1

    def __call__(self, share: float):
        percent = int(100 * share)
        if self.shown and percent != self.last:
            self.last = percent
            print(f"\r{percent:3d} %", end="\n" if percent >= 100 else "", file=sys.stderr, flush=True)


def add_controls(parser: argparse.ArgumentParser, names=None):
    """An option for each control of the core's table."""
    group = parser.add_argument_group("controls")
    for c in CONTROLS:
        if names is not None and c.name not in names:
            continue
        if c.choices:
            group.add_argument(f"--{c.name}", choices=c.choices, help=f"{c.help} ({c.choices[int(c.default)]})")
            continue
        unit = "" if c.unit in ("ratio", "x", *WHOLE) else f" {c.unit}"
        help_text = f"{c.help} ({c.min:.8g} to {c.max:.8g}{unit}; {c.default:g})"
        group.add_argument(
            f"--{c.name}",
            type=float,
            metavar=c.unit.replace("on/off", "0|1").upper(),
            help=help_text.replace("%", "%%"),
        )


def chosen_controls(args, names=None) -> dict[str, float | str]:
    """Those that were given, in range."""
    chosen = {}
    for c in CONTROLS:
        value = getattr(args, c.name, None)
        if value is None or (names is not None and c.name not in names):
            continue
        if not c.choices and not c.min <= value <= c.max:
            raise TorchdrumError(f"--{c.name} takes a number from {c.min:.8g} to {c.max:.8g}, not {value:g}")
        if c.unit in WHOLE and value != int(value):
            raise TorchdrumError(f"--{c.name} takes a whole number from {c.min:.8g} to {c.max:.8g}, not {value:g}")
        chosen[c.name] = value
    return chosen


def assignment(word: str) -> tuple[str, float]:
    """PARAM=VALUE of --set."""
    name, _, value = word.partition("=")
    param = find_param(name)
    if param is None:
        raise TorchdrumError(f"--set: there is no parameter {name}: {did_you_mean(name, [p.name for p in PARAMS])}")
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not param.min <= number <= param.max:
        raise TorchdrumError(
            f"--set {param.name}=… takes a number from {param.min:g} to {param.max:g} {param.unit}, not {value or 'nothing'}"
        )
    return param.name, number


def cmd_render(args) -> int:
    names = [args.recording, args.output, *([args.trigger] if args.trigger else [])]
    for path in names[1:]:
        audio.check_audio_name(path)
    if any(audio.same_file(a, b) for a, b in itertools.combinations(names, 2)):
        raise TorchdrumError("input and output are the same file: give the output another name")
    x, rate = audio.read_audio(args.recording)
    check_rate(rate)
    settings = chosen_controls(args)
    seed = int(settings.pop("seed", 0))
    settings |= dict(assignment(word) for word in args.set)
    progress = Progress(len(x) / rate * x.shape[1], args.progress)
    result = render(
        x,
        rate,
        seed=seed,
        tail=args.tail,
        progress=progress,
        model=args.model,
        preset=args.preset,
        normalize=args.normalize,
        **settings,
    )
    audio.write_all(dict(zip(names[1:], (result.out, result.trigger), strict=False)), rate)
    if result.bad:
        note(f"{result.bad} samples of {args.recording} were not finite and counted as silence")
    hits = sum(map(len, result.events))
    note(f"{hits} hits, {len(result.out) / rate:.2f} s at {rate} Hz written to {args.output}")
    return 0


def cmd_onsets(args) -> int:
    x, rate = audio.read_audio(args.recording)
    check_rate(rate)
    if bad := int(np.size(x) - np.isfinite(x).sum()):
        note(f"{bad} samples of {args.recording} were not finite and counted as silence")
    mono = np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0).mean(axis=1, dtype=np.float64).astype(np.float32)
    found = onsets(mono, rate, **chosen_controls(args, LISTENING))
    if args.plot:
        plot_onsets(mono, rate, found, args.plot)
    sys.stdout.writelines(f"{sample / rate:.6f}\n" for sample in found.samples)
    return 0


def numbers(option: str, word: str | None, count: int) -> list[float] | None:
    """The numbers of an option that takes count of them with commas between; None when it was not given."""
    if word is None:
        return None
    try:
        found = [float(part) for part in word.split(",")]
    except ValueError:
        found = []
    if len(found) != count or not np.isfinite(found).all():
        raise TorchdrumError(f"{option} takes {count} numbers with commas between, not {word or 'nothing'}")
    return found


def cmd_convert(args) -> int:
    reference = numbers("--reference", args.reference, 3)
    if reference and not all(0 <= x <= 1 for x in reference):
        raise TorchdrumError(f"--reference takes numbers from 0 to 1, not {args.reference}")
    if not 1000 <= args.filter_max <= 96000:
        raise TorchdrumError(f"--filter-max takes a number from 1000 to 96000 Hz, not {args.filter_max:g}")
    notes = convert.convert(
        args.source_file,
        args.output,
        to=args.to,
        preset=args.preset,
        reference=reference,
        feature_range=numbers("--range", args.range, 6),
        filter_max=args.filter_max,
        **{key: getattr(args, key) for key in convert.TEXTS},
    )
    for line in notes:
        note(line)
    note(f"{args.output} written")
    return 0


def model_rows(model: Model) -> dict:
    """What inspect shows."""
    info = model.info
    shape = [len(info["reference"]), *info["hidden"], info["params"]]
    rows = {k: info[k] for k in ("name", "author", "license", "source")}
    rows["network"] = " → ".join(map(str, shape)) + f", norm {info['norm']}, {info['activation']}, output {info['output']}"
    rows["window"] = (
        f"{info['window']} samples at 48 kHz, pre-roll {info['preroll']}: latency {(info['window'] - info['preroll']) / 48:g} ms"
    )
    rows["detector"], rows["trained at"] = info["detector"], f"{info['sample_rate']} Hz"
    units = ("loudness dB", "centroid st", "flatness dB")
    for unit, low, high, reference in zip(units, info["min"], info["max"], info["reference"], strict=True):
        rows[unit] = f"{low:.2f} to {high:.2f}, reference at {reference:.3f}"
    rows["crc32"] = info["crc32"]
    return rows


def cmd_inspect(args) -> int:
    if args.model is None:
        print("\n".join(model_names()))
        return 0
    model = Model.load(args.model)
    preset = model.info["preset"]
    if args.json:
        plain = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in model.info.items() if k != "preset"}
        print(json.dumps(plain | preset.to_dict(), indent=1))
        return 0
    for key, value in model_rows(model).items():
        print(f"{key:12} {printable(value)}")
    # how far each parameter moves over the corners of the feature space
    corners = np.array(np.meshgrid(*[[0.0, 1.0]] * 3, indexing="ij")).reshape(3, -1).T - model.info["reference"]
    moves = model.run(corners) * preset.damping
    print(f"\n{'parameter':18} {'preset':>9}  {'unit':6} network moves it by")
    for i, p in enumerate(PARAMS):
        span = p.max - p.min
        print(f"{p.name:18} {preset.value[i]:9.5g}  {p.unit:6} {moves[:, i].min() * span:+.3g} to {moves[:, i].max() * span:+.3g}")
    return 0


def cmd_bench(args) -> int:
    progress = Progress(LONG_FILE_S + 1 if args.seconds >= 1 else 0.0, None)
    result = bench.bench(args.seconds, bench.ROUNDS if args.seconds >= 1 else 3, args.instructions, progress)
    print(json.dumps(result, indent=1) if args.json else bench.table(result))
    return 0


def cmd_doctor(args) -> int:
    if args.install:
        for path in doctor.install(Path(args.source), Path(args.to) if args.to else None):
            print(f"copied   {path}")
    lines, well = doctor.report()
    engine = Engine(48000)
    engine.trigger()
    out, _ = engine.process(np.zeros(4800, np.float32))
    lines.insert(0, f"core     {__version__}, {'sounds' if np.abs(out).max() > 0.01 else 'is silent: please report this'}")
    print("\n".join(lines))
    return 0 if well else 1


def make_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="torchdrum",
        description="An 808 that follows your playing.",
        epilog="torchdrum COMMAND --help tells more about each.",
    )
    parser.add_argument("--version", action="version", version=f"torchdrum {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    p = commands.add_parser(
        "render",
        help="play a recording through the object",
        description="Plays a recording through the same engine as [torchdrum~]. Each channel has a drum of its own.",
    )
    p.add_argument("recording", metavar="IN", help="any audio file that libsndfile reads, 8000 to 192000 Hz")
    p.add_argument("output", metavar="OUT", help="audio file to write, at the input's rate (.wav: 32-bit float)")
    p.add_argument("--model", metavar="NAME|FILE", help="model (a name that inspect lists, or a .safetensors file; snare_1)")
    p.add_argument(
        "--preset",
        metavar="NAME|FILE",
        help=f"sound instead of the model's ({', '.join(preset_names())}, or a .json file)",
    )
    p.add_argument(
        "--set",
        metavar="PARAM=VALUE",
        action="append",
        default=[],
        help="a parameter of the sound, such as osc1_freq=200; may be repeated",
    )
    p.add_argument(
        "--normalize",
        choices=NORMALIZE,
        default=NORMALIZE[0],
        help="range of the features: the model's, or adapting to the playing",
    )
    p.add_argument(
        "--tail",
        type=float,
        metavar="S",
        help="seconds after the end of the input (default: until the last drum is silent)",
    )
    p.add_argument("--trigger", metavar="FILE", help="write the trigger impulses, too")
    p.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="show progress (default: on a terminal, for long files)",
    )
    add_controls(p)
    p.set_defaults(run=cmd_render)

    p = commands.add_parser(
        "onsets",
        help="print when strokes are detected",
        description="Prints the time in seconds at which each stroke is detected, one a line. "
        "Channels are mixed by their mean. Causal: a time depends on nothing that comes later.",
    )
    p.add_argument("recording", metavar="IN", help="any audio file that libsndfile reads, 8000 to 192000 Hz")
    p.add_argument("--plot", metavar="FILE", help="also draw input, onset function, threshold and strokes (.png, .pdf, .svg)")
    add_controls(p, LISTENING)
    p.set_defaults(run=cmd_onsets)

    p = commands.add_parser(
        "inspect",
        help="show what is in a model",
        description="Shows a model: where it comes from, its network, its range of features, its preset and how far each parameter moves.",
    )
    p.add_argument("model", nargs="?", metavar="MODEL", help="a name or a .safetensors file; without it, the names are listed")
    p.add_argument("--json", action="store_true", help="as JSON")
    p.set_defaults(run=cmd_inspect)

    p = commands.add_parser(
        "hear",
        help="show what strokes are in recordings",
        description="Finds the strokes of recordings as train does, and says how many there are and how much they vary.",
    )
    training.add_hear(p)
    p.set_defaults(run=training.hear)

    p = commands.add_parser(
        "train",
        help="train a model on your own strokes (needs torch)",
        description="Trains a model for a preset of the 808 from recordings of strokes. Ctrl-C keeps the best so far, --resume goes on.",
    )
    training.add_train(p)
    p.set_defaults(run=training.train)

    p = commands.add_parser(
        "report",
        help="see and hear what a model has learnt (needs torch and matplotlib)",
        description="Writes one HTML page: how far the drum follows the strokes, what the network does with each parameter, and the sound.",
    )
    training.add_report(p)
    p.set_defaults(run=training.report)

    p = commands.add_parser(
        "experiment",
        help="compare kinds of training on your recordings (needs torch and joblib)",
        description="Cross-validates kinds of training on folders of recordings × presets: error in shares of the plain preset's.",
    )
    experiment.add_arguments(p)
    p.set_defaults(run=experiment.experiment)

    p = commands.add_parser(
        "convert",
        help="take models from and to other programs",
        description="Converts TorchDrum's drum_mapper.pt (nothing of it is run), a network of FluCoMa's fluid.mlpregressor~ (.json) or a "
        "model (.safetensors) to a model, to FluCoMa's JSON or to a preset. docs/convert.md says what is kept.",
    )
    p.add_argument("source_file", metavar="IN", help="what it is, its content says")
    p.add_argument("output", metavar="OUT", help=".safetensors: a model; .json: what --to says")
    p.add_argument("--to", choices=convert.TARGETS, help="what an OUT that ends in .json shall be")
    p.add_argument("--preset", metavar="NAME|FILE", help=f"sound of the new model ({', '.join(preset_names())}, or a .json file; IN's own)")
    p.add_argument(
        "--reference", metavar="L,C,F", help="features of the reference stroke, 0 to 1 (a model's own; else 0,0,0, as TorchDrum plays it)"
    )
    p.add_argument(
        "--range",
        metavar="LMIN,LMAX,CMIN,CMAX,FMIN,FMAX",
        help="range of loudness dB, centroid st, flatness dB (a model's own; else the built-in model's)",
    )
    p.add_argument(
        "--filter-max",
        type=float,
        metavar="HZ",
        default=convert.FILTER_MAX_HZ,
        help="of drum_mapper.pt: half the sample rate that its 808 was trained at (%(default)g)",
    )
    for key in convert.TEXTS:
        p.add_argument(f"--{key}", metavar="TEXT", help="for people, in the model")
    p.set_defaults(run=cmd_convert)

    p = commands.add_parser(
        "bench",
        help="what the core costs on this machine",
        description="Times the core part by part, beside a straightforward reference in the same process, and its network beside PyTorch's "
        "where that is installed. Times are medians; only ratios mean something on another machine.",
    )
    p.add_argument("--json", action="store_true", help="as JSON, times in ns")
    p.add_argument("--instructions", action="store_true", help="also count instructions (needs valgrind, half a minute)")
    p.add_argument("--seconds", type=float, default=10.0, help="of sound in a run (%(default)g; below 1: 1, and fewer runs)")
    p.set_defaults(run=cmd_bench)

    p = commands.add_parser(
        "doctor",
        help="check that [torchdrum~] is where Pd looks",
        description="Finds Pd and the object, and says what is missing (exit code 1 when something is).",
    )
    p.add_argument("--install", action="store_true", help="copy the built object, its help patch and the models to where Pd looks")
    p.add_argument(
        "--from",
        dest="source",
        metavar="FOLDER",
        default="pd_external",
        help="where the object was built (pd_external)",
    )
    p.add_argument("--to", metavar="FOLDER", help=f"folder of externals ({doctor.external_folders()[0]})")
    p.set_defaults(run=cmd_doctor)
    return parser


def joined(words: list[str]) -> list[str]:
    """--range -60,-10,… as --range=-60,-10,…: argparse would take the list for an option."""
    words = list(words)
    for i in reversed(range(len(words) - 1)):
        if words[i] in ("--range", "--reference") and words[i + 1][:1] == "-":
            words[i : i + 2] = [f"{words[i]}={words[i + 1]}"]
    return words


def main(argv: list[str] | None = None) -> int:
    """Runs a command; returns the exit code."""
    for name in ("stdout", "stderr"):  # closed: nobody listens
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):  # a terminal without these signs is no reason to stop
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")
    words = sys.argv[1:] if argv is None else argv
    args = make_parser().parse_args(joined(words))
    try:
        if getattr(args, "tail", None) is not None and not 0 <= args.tail <= 60:
            raise TorchdrumError("--tail takes 0 to 60 seconds")
        code = args.run(args)
        sys.stdout.flush()  # here, where a closed pipe is expected
        return code
    except TorchdrumError as error:
        note(str(error))
        return 2
    except MemoryError:
        note("there is not enough memory for this file")
        return 2
    except KeyboardInterrupt:
        note("stopped, nothing was written")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        note(str(cannot(error.filename or "the output", "read or written", error)))
        return 2


if __name__ == "__main__":
    sys.exit(main())
