# SPDX-License-Identifier: MIT
"""Archives as TorchScript lays them out, made here without torch: good ones, and ones that no program would write.

torch's own are tried in tests/train/test_convert_torch.py.
"""

import io
import struct
import warnings
import zipfile
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Module:
    """An object of the archive's pickle: its class and attributes."""

    kind: str
    state: dict


@dataclass
class Tensor:
    """A tensor of the pickle. Only numbers need be given; everything else is what torch would write, unless it is given."""

    numbers: np.ndarray
    shape: tuple = None
    strides: tuple = None
    offset: int = 0
    count: int = None
    kind: str = None
    key: str = None
    place: str = "cpu"

    def __post_init__(self):
        self.numbers = np.asarray(self.numbers)
        kinds = {"f4": "FloatStorage", "f8": "DoubleStorage", "f2": "HalfStorage", "i8": "LongStorage"}
        self.kind = self.kind or kinds[self.numbers.dtype.str[1:]]
        self.shape = self.numbers.shape if self.shape is None else self.shape
        if self.strides is None:
            self.strides = tuple(int(np.prod(self.shape[i + 1 :])) for i in range(len(self.shape)))
        self.count = self.numbers.size if self.count is None else self.count


@dataclass
class Raw:
    """Instructions that stand in the pickle as they are."""

    code: bytes


@dataclass
class Pickle:
    """Writes the instructions of a pickle and gathers what its tensors hold."""

    storages: dict = field(default_factory=dict)

    def dump(self, value) -> bytes:
        return b"\x80\x02" + self.code(value) + b"."

    def name(self, dotted: str) -> bytes:
        module, _, own = dotted.rpartition(".")
        return f"c{module}\n{own}\n".encode()

    def code(self, value) -> bytes:
        match value:
            case Raw(code):
                return code
            case None | bool():
                return {None: b"N", True: b"\x88", False: b"\x89"}[value]
            case int():
                size = value.bit_length() // 8 + 1
                return b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True)
            case float():
                return b"G" + struct.pack(">d", value)
            case str():
                return b"X" + struct.pack("<I", len(value.encode())) + value.encode()
            case tuple():
                return b"(" + b"".join(map(self.code, value)) + b"t"
            case list():
                return b"](" + b"".join(map(self.code, value)) + b"e"
            case dict():
                return b"}(" + b"".join(self.code(x) for pair in value.items() for x in pair) + b"u"
            case Module(kind, state):
                return self.name(kind) + b")\x81" + self.code(state) + b"b"
            case Tensor():
                key = value.key or str(len(self.storages))
                self.storages[key] = value.numbers.tobytes()
                storage = Raw(self.code(("storage", Raw(self.name(f"torch.{value.kind}")), key, value.place, value.count)) + b"Q")
                backward_hooks = Raw(self.name("collections.OrderedDict") + b")R")
                arguments = (storage, value.offset, value.shape, value.strides, False, backward_hooks)
                return self.name("torch._utils._rebuild_tensor_v2") + self.code(arguments) + b"R"
        raise TypeError(value)


CODE = {
    "__torch__/export.py": """\
class Export(Module):
  __parameters__ = []
  __buffers__ = ["patch", "damp", ]
  patch : Tensor
  damp : Tensor
  model : __torch__.export.Net
  def forward(self: __torch__.export.Export,
    x: Tensor) -> Tensor:
    model = self.model
    damp = self.damp
    row = torch.mul((model).forward(x, ), damp)
    row0 = torch.clamp(row, -1., 1.)
    patch = self.patch
    return torch.cat([row0, patch])
class Net(Module):
  def forward(self: __torch__.export.Net,
    x: Tensor) -> Tensor:
    first = getattr(self, "0")
    x0 = (first).forward(torch.add(x, 0.25), )
    _0 = __torch__.functional.norm
    x1 = torch.relu(_0(x0, [WIDTH], None, None, 1.0000000000000001e-05, ))
    last = getattr(self, "3")
    scale_output = self.scale_output
    if scale_output:
      x2 = torch.tanh((last).forward(x1, ))
    else:
      x2 = (last).forward(x1, )
    return x2
""",
    "__torch__/linear.py": """\
class Linear(Module):
  in_features : Final[int] = 3
  def forward(self: __torch__.linear.Linear,
    input: Tensor) -> Tensor:
    weight = self.weight
    bias = self.bias
    return torch.linear(input, weight, bias)
""",
    "__torch__/functional.py": """\
def norm(input: Tensor,
    shape: List[int],
    weight: Optional[Tensor]=None,
    bias: Optional[Tensor]=None,
    eps: float=1.0000000000000001e-05) -> Tensor:
  return torch.layer_norm(input, shape, weight, bias, eps)
""",
}


@dataclass
class Archive:
    """A mapper of one hidden layer. Every part can be changed before it is written."""

    width: int = 5
    seed: int = 1
    patch: np.ndarray = None
    scale_output: bool = True
    tensors: dict = field(default_factory=dict)  # instead of those of the same name
    code: dict = field(default_factory=dict)  # member: text, instead of CODE's
    pickle: bytes = None  # instead of data.pkl
    members: dict = field(default_factory=dict)  # name: bytes, or None to leave it out; instead of what is there
    compression: int = zipfile.ZIP_STORED
    extra: list = field(default_factory=list)  # (name, bytes): appended even if they stand twice
    root: str = "drum_mapper"

    def __post_init__(self):
        rng = np.random.default_rng(self.seed)
        self.weights = {
            "w0": rng.normal(size=(self.width, 3)),
            "b0": rng.normal(size=self.width),
            "w1": rng.normal(size=(14, self.width)),
            "b1": rng.normal(size=14),
            "damp": rng.uniform(0.1, 1, (1, 14)),
            "patch": rng.uniform(0, 1, (1, 14)) if self.patch is None else self.patch,
        }
        self.weights = {k: np.asarray(v, np.float32) for k, v in self.weights.items()}

    def __call__(self, x):
        """Row 0 before damping, in float64, and what damping makes of it."""
        w = {k: np.asarray(v, np.float64) for k, v in self.weights.items()}
        h = (x + 0.25) @ w["w0"].T + w["b0"]
        h = (h - h.mean(1, keepdims=True)) / np.sqrt(h.var(1, keepdims=True) + 1e-5)
        y = np.maximum(h, 0) @ w["w1"].T + w["b1"]
        y = np.tanh(y) if self.scale_output else y
        return y, np.clip(y * w["damp"], -1, 1)

    def module(self) -> Module:
        t = {k: Tensor(v) for k, v in self.weights.items()} | self.tensors
        linear = [Module("__torch__.linear.Linear", {"training": True, "weight": t[f"w{i}"], "bias": t[f"b{i}"]}) for i in (0, 1)]
        net = Module("__torch__.export.Net", {"scale_output": self.scale_output, "0": linear[0], "3": linear[1]})
        return Module("__torch__.export.Export", {"patch": t["patch"], "damp": t["damp"], "model": net})

    def bytes(self) -> bytes:
        writer, constants = Pickle(), Pickle()
        pickle = writer.dump(self.module()) if self.pickle is None else self.pickle
        files = {"data.pkl": pickle, "constants.pkl": constants.dump(()), "version": b"3\n", "byteorder": b"little"}
        files |= {f"code/{k}": v.replace("WIDTH", str(self.width)).encode() for k, v in (CODE | self.code).items()}
        files |= {f"data/{k}": v for k, v in writer.storages.items()} | self.members
        file = io.BytesIO()
        with warnings.catch_warnings(), zipfile.ZipFile(file, "w", self.compression) as archive:
            warnings.simplefilter("ignore")  # that a name stands twice is sometimes the point
            for name, data in [*files.items(), *self.extra]:
                if data is not None:
                    archive.writestr(f"{self.root}/{name}", data)
        return file.getvalue()
