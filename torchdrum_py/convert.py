# SPDX-License-Identifier: MIT
"""Models from and for other programs (docs/convert.md): TorchDrum's drum_mapper.pt, FluCoMa's MLP as JSON, presets as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from . import model_file, torchscript
from ._core import lib
from .audio import same_file, whole_file
from .errors import TorchdrumError, cannot, printable
from .model import SUFFIX, Model
from .params import PARAMS
from .presets import Preset
from .torchscript import Affine

TARGETS = ("flucoma", "preset")  # of a .json file, where the ending does not say enough
TEXTS = ("name", "author", "license", "source")
INPUTS, OUTPUTS = lib.TD_FEATURES, lib.TD_PARAMS
MAX_FILE_BYTES = torchscript.MAX_FILE_BYTES

NO_RANGE = "the source has no range of features, the built-in model's was taken: play it with normalize adapt"

# TorchDrum's recipe trains with the voice at 44100 Hz, and half of that is where its filter's range ends; ours ends at 24000 Hz.
FILTER = "noise_filter_freq"
FILTER_MAX_HZ = 22050.0
EXACT = 1e-7  # of a parameter's range: what a float32 between 0 and 1 tells apart

# FluCoMa's numbers of activations (its reference of fluid.mlpregressor~), those that a model can have
FLUCOMA = {"identity": 0, "relu": 2, "tanh": 3}
SIGMOID = 1


# ---- a network as it can be held ----


@dataclass(frozen=True)
class Network:
    """layers: (weight [out, in], bias [out] or None); activation, norm and output as in spec 5."""

    layers: list[tuple[np.ndarray, np.ndarray | None]]
    activation: str
    norm: str
    output: str

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Outputs [n, out] of inputs [n, in], in double."""
        for i, (weight, bias) in enumerate(self.layers):
            x = x @ np.asarray(weight, np.float64).T + (0.0 if bias is None else bias)
            if i == len(self.layers) - 1:
                break
            if self.norm == "layer":
                x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + torchscript.EPSILON)
            x = np.tanh(x) if self.activation == "tanh" else np.maximum(x, 0.0)
        return np.tanh(x) if self.output == "tanh" else np.clip(x, -1.0, 1.0)


def _merged(steps: Iterable) -> list:
    """Steps in which affine steps in a row are one."""
    merged = []
    for step in steps:
        if isinstance(step, Affine):
            if merged and isinstance(merged[-1], Affine):
                before = merged.pop()
                step = Affine(step.weight @ before.weight, step.weight @ before.bias + step.bias)
            if not all(np.abs(part).max() <= torchscript.LARGEST for part in step):  # so said, NaN is refused, too
                raise TorchdrumError(f"the network holds a number that is not finite or beyond {torchscript.LARGEST:g}")
        merged.append(step)
    return merged


def network_of(steps: Iterable) -> Network:
    """The network that steps make (torchscript.Signal), when it is one of spec 5; the last step is the output's activation."""
    *body, output = _merged(steps)
    hidden, norms, activations = [], set(), set()
    while len(body) > 1:
        match body:
            case [Affine() as layer, "norm", "relu" | "tanh" as activation, *rest]:
                norm = "layer"
            case [Affine() as layer, "relu" | "tanh" as activation, *rest]:
                norm = "none"
            case _:
                break
        hidden.append(layer)
        norms.add(norm)
        activations.add(activation)
        body = rest
    if len(body) != 1 or not isinstance(body[0], Affine) or output not in ("tanh", "clamp"):
        raise TorchdrumError("the network is not layers of weights, each with relu or tanh, and an output with tanh or limits of -1 and 1")
    if len(norms) > 1 or len(activations) > 1:
        raise TorchdrumError("the hidden layers of the network are not of one kind (activation and norm)")
    if len(hidden) > lib.TD_MAX_HIDDEN or any(len(layer.bias) > lib.TD_MAX_WIDTH for layer in hidden):
        raise TorchdrumError(f"the network is larger than {lib.TD_MAX_HIDDEN} hidden layers of {lib.TD_MAX_WIDTH}")
    if len(body[0].bias) != OUTPUTS:
        raise TorchdrumError(f"the network has {len(body[0].bias)} outputs, the 808 has {OUTPUTS} parameters")
    layers = [(layer.weight, layer.bias if layer.bias.any() else None) for layer in (*hidden, *body)]
    return Network(layers, *(activations or {"relu"}), *(norms or {"none"}), output)


@dataclass(frozen=True)
class Parts:
    """What a model file is written from.

    minimum, maximum (None where the source has no range), reference [3] as in spec 4.3; low, high [3] as in spec 8, where they are known;
    texts and other metadata; notes for the person.
    """

    network: Network
    preset: Preset
    notes: list[str] = field(default_factory=list)
    metadata: dict[str, str | int] = field(default_factory=dict)
    minimum: np.ndarray | None = None
    maximum: np.ndarray | None = None
    reference: np.ndarray = field(default_factory=lambda: np.zeros(INPUTS))
    low: np.ndarray | None = None
    high: np.ndarray | None = None


# ---- TorchDrum ----


def _units(row: np.ndarray, filter_max: float) -> np.ndarray:
    """Preset values in units of TorchDrum's row [14] in 0 … 1: of all numbers that make this float32 the one with the fewest digits, which
    is what stood in the preset's JSON."""
    values = []
    for p, x in zip(PARAMS, row, strict=True):
        span = (filter_max if p.name == FILTER else p.max) - p.min
        digits = (float(f"{p.min + span * x:.{n}g}") for n in range(1, 17))
        values.append(next((v for v in digits if abs((v - p.min) / span - x) <= EXACT), p.min + span * x))
    return np.array(values, np.float32)


def from_torchdrum(data: bytes, preset: Preset | None = None, filter_max: float = FILTER_MAX_HZ) -> Parts:
    """Parts of the bytes of a drum_mapper.pt.

    preset: instead of the archive's own values and damping. filter_max: end of the noise filter's range in training, in Hz.
    """
    mapper = torchscript.read(data, INPUTS)
    match mapper.steps:
        case (*steps, Affine(weight=scale, bias=bias), "clamp") if not bias.any() and np.array_equal(scale, np.diag(np.diag(scale))):
            damping = np.diag(scale)
        case _:
            raise torchscript.refuse("its first row is not the network times damping, clipped to -1 … 1")
    if len(damping) != OUTPUTS:
        raise TorchdrumError(f"the network has {len(damping)} outputs, the 808 has {OUTPUTS} parameters")
    ratio = np.ones(OUTPUTS)
    if preset is None:
        ratio = np.array([(filter_max - p.min) / (p.max - p.min) if p.name == FILTER else 1.0 for p in PARAMS])
        values = _units(mapper.preset, filter_max)
    else:
        values, damping = preset.value, np.float64(preset.damping)
    notes = []
    if (damping > 1).any():
        notes.append("a damping is above 1: TorchDrum clips its effect to a parameter's whole range, so they differ at a depth below 1")
    if steps and steps[-1] not in ("tanh", "clamp"):
        # limited only after damping: the same as damping in the weights, then limits
        steps, damping = [*steps, Affine(np.diag(damping), np.zeros(OUTPUTS)), "clamp"], np.ones(OUTPUTS)
        notes.append("its outputs have no limits of their own: damping went into the weights")
    preset = Preset(values, np.float32(damping * ratio))
    return Parts(network_of(steps), preset, notes, {"detector": "classic"})


# ---- FluCoMa ----


def _array(value, shape: tuple[int, ...], what: str) -> np.ndarray:
    """Nested lists of numbers as float64 of this shape."""

    def fits(value, shape) -> bool:
        if not shape:
            return type(value) in (int, float)
        return type(value) is list and len(value) == shape[0] and all(fits(v, shape[1:]) for v in value)

    try:
        if fits(value, shape):
            return np.array(value, np.float64)
    except OverflowError:  # a whole number of more than 308 digits
        pass
    raise TorchdrumError(f"{what} are not {' × '.join(map(str, shape))} numbers")


def _size(layer: dict, key: str) -> int:
    size = layer.get(key)
    if type(size) is not int or not 1 <= size <= lib.TD_MAX_WIDTH:
        raise TorchdrumError(f"{key} of a layer is not a whole number from 1 to {lib.TD_MAX_WIDTH}")
    return size


def from_flucoma(data: dict, preset: Preset) -> Parts:
    """Parts of what fluid.mlpregressor~ writes: {"layers": [{activation, rows, cols, weights [rows][cols], biases [cols]}, …]}, rows being
    a layer's inputs and cols its outputs."""
    layers, names, steps, width = data.get("layers"), {v: k for k, v in FLUCOMA.items()}, [], INPUTS
    if type(layers) is not list or not layers or not all(type(layer) is dict for layer in layers):
        raise TorchdrumError("FluCoMa's layers are missing")
    if len(layers) > torchscript.MAX_OPERATIONS:
        raise TorchdrumError(f"the network has more than {torchscript.MAX_OPERATIONS} layers")
    for layer in layers:
        rows, columns = _size(layer, "rows"), _size(layer, "cols")
        if rows != width:
            raise TorchdrumError(f"a layer has {rows} inputs where {width} are given")
        activation, width = layer.get("activation"), columns
        if activation == SIGMOID:
            raise TorchdrumError("a layer has the activation sigmoid, a model of ours has relu or tanh")
        if type(activation) is not int or activation not in names:
            raise TorchdrumError("the activation of a layer is none of FluCoMa's (0 to 3)")
        weight = _array(layer.get("weights"), (rows, columns), "weights of a layer").T
        steps += [Affine(weight, _array(layer.get("biases"), (columns,), "biases of a layer")), names[activation]]
    notes = []
    if steps[-1] == "identity":
        steps[-1] = "clamp"
        notes.append("FluCoMa's output has no limits, the model's ends at -1 and 1")
    elif steps[-1] == "relu":
        raise TorchdrumError("the output has the activation relu, a model of ours has tanh or (from identity) limits of -1 and 1")
    return Parts(network_of(step for step in steps if step != "identity"), preset, notes)


def to_flucoma(network: Network) -> dict:
    """What fluid.mlpregressor~ reads. A layer's numbers are the model's float32, exactly."""
    if network.norm != "none":
        raise TorchdrumError("the network has a layer norm, which FluCoMa's has not")
    layers = []
    for i, (weight, bias) in enumerate(network.layers):
        outputs, inputs = weight.shape
        last = i == len(network.layers) - 1
        activation = FLUCOMA[network.activation if not last else "identity" if network.output == "clamp" else network.output]
        biases, weights = np.asarray(np.zeros(outputs) if bias is None else bias, np.float32), np.asarray(weight, np.float32)
        layers.append(dict(activation=activation, biases=biases.tolist(), cols=outputs, rows=inputs, weights=weights.T.tolist()))
    return {"layers": layers}


# ---- files ----


def _pairs(pairs: list[tuple]) -> dict:
    if len(result := dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice")
    return result


def _no_number(word: str):
    raise ValueError(f"{word} is no number")


def _read_json(data: bytes):
    try:
        return json.loads(data.decode(), object_pairs_hook=_pairs, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise TorchdrumError(f"the JSON cannot be read ({error})") from None


def _is_model(data: bytes) -> bool:
    # its length of the header; the first eight characters of a text make a number of 57 bits and more
    return data[8:9] == b"{" and int.from_bytes(data[:8], "little") < 1 << 56


def read(path: str | os.PathLike, preset: str | None = None, filter_max: float = FILTER_MAX_HZ) -> Parts:
    """Parts of a model, a drum_mapper.pt or FluCoMa's JSON; what a file is, its content says. preset: name or file, instead of its own."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise cannot(path, "read", error) from None
    chosen = Preset.load(preset) if preset else None
    try:
        if len(data) > MAX_FILE_BYTES:
            raise TorchdrumError(f"the file is larger than {MAX_FILE_BYTES >> 20} MB")
        if _is_model(data):
            return _from_model(data, chosen)
        if data.startswith(b"PK"):
            return from_torchdrum(data, chosen, filter_max)
        if data.startswith(b"\x80"):
            raise torchscript.refuse("it is a bare pickle, which can run anything, and is not read")
        if data.lstrip()[:1] != b"{":
            raise TorchdrumError("neither a model, nor TorchDrum's drum_mapper.pt, nor FluCoMa's JSON")
        found = _read_json(data)
        if "preset" in found:
            raise TorchdrumError("a preset without a network: give it with --preset beside a model")
        if "mlp" in found:
            raise TorchdrumError("a classifier of FluCoMa, a regressor is needed")
        if chosen is None:
            raise TorchdrumError("FluCoMa's networks have no preset: give one with --preset")
        return from_flucoma(found, chosen)
    except TorchdrumError as error:
        raise TorchdrumError(f"{path}: {error}") from None


def _from_model(data: bytes, preset: Preset | None) -> Parts:
    info = Model.from_bytes(data).info
    network = Network(model_file.read_layers(data), *(info[key] for key in ("activation", "norm", "output")))
    metadata = {key: info[key] for key in (*TEXTS, "window", "preroll", "detector", "sample_rate")}
    scale = (*(info[key] for key in ("min", "max", "reference")), *model_file.read_strokes(data))
    return Parts(network, preset or info["preset"], [], metadata, *scale)


def check_names(sources: Iterable[str | os.PathLike], target: str | os.PathLike, to: str | None):
    """TorchdrumError unless target is a name that says what is to be written, and another file than the sources."""
    ending = Path(target).suffix
    if ending not in (SUFFIX, ".json"):
        raise TorchdrumError(f"{target}: give the output the ending {SUFFIX} or .json")
    if ending == ".json" and to is None:
        raise TorchdrumError(f"{target}: say what the JSON shall be, --to {' or --to '.join(TARGETS)}")
    if ending == SUFFIX and to is not None:
        raise TorchdrumError(f"{target}: --to {to} needs an output that ends in .json")
    if not Path(target).parent.is_dir():
        raise TorchdrumError(f"{target} cannot be written (there is no folder {Path(target).parent})")
    if any(same_file(source, target) for source in sources):
        raise TorchdrumError("input and output are the same file: give the output another name")


def _text(words: str) -> str:
    """A text of a model from a file's name, which may be of any length and hold anything."""
    return printable(words).encode()[: lib.TD_NAME_BYTES - 1].decode(errors="ignore")


def convert(
    infile: str | os.PathLike,
    outfile: str | os.PathLike,
    *,
    to: str | None = None,
    preset: str | None = None,
    reference=None,
    feature_range=None,
    filter_max: float = FILTER_MAX_HZ,
    **texts: str,
) -> list[str]:
    """Writes outfile from infile and returns what the person should know, a sentence each.

    to: one of TARGETS when outfile is a .json. preset: name or file. reference: [3] in 0 … 1; feature_range: [6], minimum and maximum of
    loudness dB, centroid st, flatness dB. texts: name, author, license, source. TorchdrumError, and no file, when it cannot be done.
    """
    check_names([infile, preset] if preset else [infile], outfile, to)
    parts = read(infile, preset, filter_max)
    if reference is not None:
        parts = replace(parts, reference=np.array(reference))
    if feature_range is not None:
        parts = replace(parts, minimum=np.array(feature_range[::2]), maximum=np.array(feature_range[1::2]), low=None, high=None)
    if to is None:
        if parts.minimum is None:
            info = Model.builtin().info  # learnt from many snares
            parts = replace(parts, minimum=info["min"], maximum=info["max"], notes=[*parts.notes, NO_RANGE])
        metadata = {"name": _text(Path(outfile).stem), "source": _text(f"converted from {Path(infile).name}")} | parts.metadata
        metadata |= {key: text for key, text in texts.items() if text is not None}
        # the corners and the middle of what the network can be given
        x = np.stack(np.meshgrid(*[(-1.0, 0.0, 0.5, 1.0)] * INPUTS), -1).reshape(-1, INPUTS)
        model_file.write(
            outfile, parts.network.layers, parts.preset, parts.minimum, parts.maximum, parts.reference, low=parts.low, high=parts.high,
            inputs=x, outputs=parts.network(x), activation=parts.network.activation, norm=parts.network.norm, output=parts.network.output,
            **metadata,
        )  # fmt: skip
        return parts.notes
    if to == "preset":
        result, notes = parts.preset.to_dict(), parts.notes
    else:
        result = to_flucoma(parts.network)
        notes = [*parts.notes, "FluCoMa's JSON has no preset, damping, range and reference (docs/convert.md)"]
        if parts.network.output == "clamp":
            notes.append("the model's output ends at -1 and 1, FluCoMa's has no limits")
    with whole_file(outfile) as temporary:
        temporary.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return notes
