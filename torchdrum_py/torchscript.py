# SPDX-License-Identifier: MIT
"""Reads TorchDrum's drum_mapper.pt, a TorchScript archive, without running anything of it and without torch (docs/convert.md).

Three small readers, each of which refuses what it does not know: Archive (the zip), unpickle (the tree of modules and where its tensors
lie) and Reading (the code, followed symbolically: what becomes of the input, not what the classes are called).
"""

from __future__ import annotations

import ast
import io
import pickletools
import struct
import warnings
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ._core import lib
from .errors import TorchdrumError, printable

MAX_FILE_BYTES = 4 << 20  # the largest network of TorchDrum's recipes is 60 kB
MAX_UNPACKED_BYTES = 8 << 20  # of all members that are read
MAX_CODE_BYTES = 64 << 10  # of one source file; theirs have 1 kB
MAX_MEMBERS = 512
MAX_DIMENSION = lib.TD_MAX_WIDTH  # rows and columns of a tensor
MAX_DEPTH, MAX_STEPS = 32, 10000  # of the code that is followed
MAX_OPERATIONS = 64  # on the way from the input to the answer; the largest network that the core takes has 17
LARGEST = 1e6  # of a number, spec 8
EPSILON = 1e-5  # of the layer norm, spec 5

STORAGES = {"Double": "<f8", "Float": "<f4", "Half": "<f2", "BFloat16": "<u2", "Long": "<i8", "Int": "<i4"}


def refuse(why: str) -> TorchdrumError:
    """The sentence for an archive that is not read on; why speaks of it as "it", and may hold names from it, of any length."""
    return TorchdrumError(f"cannot be converted: {printable(why)[:300]}")


# ---- the zip ----


class Archive:
    """The members of a zip that is held in memory, unpacked up to MAX_UNPACKED_BYTES together."""

    def __init__(self, data: bytes):
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            infos = self._zip.infolist()
        except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, OSError) as error:
            raise refuse(f"the zip is damaged or cut short ({error})") from None
        if len(infos) > MAX_MEMBERS:
            raise refuse(f"it has {len(infos)} members, more than {MAX_MEMBERS}")
        self._infos = {info.filename: info for info in infos}
        if len(self._infos) != len(infos):
            raise refuse("two of its members have one name")
        roots = [name.removesuffix("data.pkl") for name in self._infos if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(roots) != 1:
            raise refuse("a zip that has not one folder with a data.pkl is no TorchScript archive")
        self._root, self._left = roots[0], MAX_UNPACKED_BYTES
        if not any(name.startswith(f"{self._root}code/") for name in self._infos):
            raise refuse("it has weights but no code: what TorchDrum exports is in the folder torchscript of a training")
        if self._root + "byteorder" in self._infos and self.read("byteorder") != b"little":
            raise refuse("its numbers are not little-endian")

    def read(self, name: str) -> bytes:
        """The whole member of a name below the archive's own folder."""
        info = self._infos.get(self._root + name)
        if info is None:
            raise refuse(f"its {name} is missing")
        # these two only: zipfile unpacks the others without a bound on memory
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise refuse(f"its {name} is packed in a way that TorchScript does not use")
        if info.file_size > self._left:
            raise refuse(f"it unpacks to more than {MAX_UNPACKED_BYTES >> 20} MB")
        self._left -= info.file_size
        try:
            with self._zip.open(info) as member:
                data = member.read(info.file_size + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, struct.error, OSError) as error:
            raise refuse(f"its {name} is damaged ({error})") from None
        if len(data) != info.file_size:
            raise refuse(f"its {name} is cut short")
        return data


# ---- the pickle ----


class Global(NamedTuple):
    """A name of a pickle. It stays a name: nothing is imported."""

    name: str


class Storage(NamedTuple):
    """Where numbers lie: the type of torch, the member's name, how many."""

    kind: str
    key: str
    count: int


class TensorAt(NamedTuple):
    """A tensor as a pickle describes it, unchecked."""

    storage: object
    offset: object
    shape: object
    strides: object


@dataclass(eq=False, repr=False)  # of any depth, and may hold itself
class Instance:
    """A module of the archive: its class and its attributes."""

    kind: str
    state: dict = field(default_factory=dict)


def _called(function, arguments):
    """What the only two calls of a TorchScript pickle give."""
    if function == Global("collections OrderedDict") and arguments == ():
        return {}
    if function == Global("torch._utils _rebuild_tensor_v2") and type(arguments) is tuple and len(arguments) == 6:
        return TensorAt(*arguments[:4])
    raise refuse(f"its pickle calls {function.name if isinstance(function, Global) else 'something'} (nothing was run)")


def _storage(identity) -> Storage:
    match identity:
        case ("storage", Global(name=name), str(key), "cpu", int(count)) if name.startswith("torch ") and name.endswith("Storage"):
            return Storage(name.removeprefix("torch ").removesuffix("Storage"), key, count)
    raise refuse("a tensor of its pickle lies nowhere")


def _set_items(target, items):
    if type(target) is not dict or len(items) % 2:
        raise refuse("its pickle is damaged")
    for key, value in zip(items[::2], items[1::2], strict=True):
        if type(key) is not str or key in target:
            raise refuse("an attribute has no name or stands twice")
        target[key] = value


_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_LITERALS = {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE"}
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def unpickle(data: bytes):
    """What a pickle of TorchScript describes: Instance, TensorAt, dict, list, tuple, numbers, texts.

    pickletools cuts it into instructions; those that TorchScript's writer uses are followed here, every other one is refused.
    """
    stack, marks, memo = [], [], {}

    def since_mark() -> list:
        items = stack[marks[-1] :]
        del stack[marks.pop() :]
        return items

    def pop(count: int) -> list:
        if len(stack) - (marks[-1] if marks else 0) < count:
            raise IndexError
        items = stack[len(stack) - count :]
        del stack[len(stack) - count :]
        return items

    try:
        for opcode, argument, _ in pickletools.genops(data):
            match opcode.name:
                case "PROTO":
                    pass
                case "STOP":
                    (result,) = stack
                    return result
                case name if name in _CONSTANTS:
                    stack.append(_CONSTANTS[name])
                case name if name in _LITERALS:
                    stack.append(argument)
                case name if name in _TUPLES:
                    stack.append(tuple(pop(_TUPLES[name])))
                case "GLOBAL":
                    stack.append(Global(argument))
                case "EMPTY_DICT":
                    stack.append({})
                case "EMPTY_LIST":
                    stack.append([])
                case "MARK":
                    marks.append(len(stack))
                case "TUPLE":
                    stack.append(tuple(since_mark()))
                case "APPEND" | "APPENDS":
                    items = since_mark() if opcode.name == "APPENDS" else pop(1)
                    if type(stack[-1]) is not list:
                        raise IndexError
                    stack[-1].extend(items)
                case "SETITEM" | "SETITEMS":
                    items = since_mark() if opcode.name == "SETITEMS" else pop(2)
                    _set_items(stack[-1], items)
                case "BINPUT" | "LONG_BINPUT":
                    memo[argument] = stack[-1]
                case "BINGET" | "LONG_BINGET":
                    stack.append(memo[argument])
                case "BINPERSID":
                    stack.append(_storage(*pop(1)))
                case "REDUCE":
                    stack.append(_called(*pop(2)))
                case "NEWOBJ":
                    kind, arguments = pop(2)
                    if type(kind) is not Global or arguments != () or not kind.name.startswith("__torch__"):
                        raise refuse("its pickle makes something that is no module of the archive (nothing was run)")
                    stack.append(Instance(kind.name.replace(" ", ".")))
                case "BUILD":
                    (state,) = pop(1)
                    if type(stack[-1]) is not Instance or stack[-1].state or type(state) is not dict:
                        raise refuse("its pickle gives attributes to something that is no module (nothing was run)")
                    stack[-1].state = state
                case other:
                    raise refuse(f"its pickle has the instruction {other}, which TorchScript does not write (nothing was run)")
    except (ValueError, IndexError, KeyError, OverflowError, struct.error):
        pass
    raise refuse("its pickle is damaged or cut short")


# ---- tensors ----


def _whole(numbers, least: int) -> bool:
    return type(numbers) is tuple and all(type(n) is int and n >= least for n in numbers)


class Tensors:
    """The tensors of a folder of the archive ("data" or "constants") as float64, each checked before it is taken."""

    def __init__(self, archive: Archive, folder: str):
        self._archive, self._folder = archive, folder
        self._read: dict[Storage, np.ndarray] = {}

    def read(self, tensor: TensorAt) -> np.ndarray:
        """The tensor's numbers, [] to [n, m], in whatever order they lie: offset and strides are resolved by an index, never by a view."""
        storage, offset, shape, strides = tensor
        if type(storage) is not Storage or not _whole((offset, *shape) if type(shape) is tuple else None, 0) or not _whole(strides, 0):
            raise refuse("a tensor is described wrongly")
        if len(shape) > 2 or len(shape) != len(strides) or any(not 1 <= n <= MAX_DIMENSION for n in shape):
            raise refuse(f"a tensor is empty, has more than two dimensions or is larger than {MAX_DIMENSION} × {MAX_DIMENSION}")
        last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
        if not last < storage.count:
            raise refuse("a tensor goes beyond the end of its numbers")
        # last < count ≤ file size: the index cannot overflow
        numbers = self._numbers(storage)
        index = np.array(offset)
        for n, step in zip(shape, strides, strict=True):
            index = index[..., None] + step * np.arange(n)
        found = np.asarray(numbers[index])
        if not (np.abs(found) <= LARGEST).all():  # so said, NaN is refused, too
            raise refuse(f"a tensor holds a number that is not finite or beyond {LARGEST:g}")
        return found

    def _numbers(self, storage: Storage) -> np.ndarray:
        if storage in self._read:
            return self._read[storage]
        if storage.kind not in STORAGES:
            raise refuse(f"a tensor has the type {storage.kind}")
        dtype = np.dtype(STORAGES[storage.kind])
        data = self._archive.read(f"{self._folder}/{storage.key}")
        if len(data) != storage.count * dtype.itemsize:
            raise refuse(f"a tensor declares {storage.count} numbers, its data have {len(data) / dtype.itemsize:g}")
        numbers = np.frombuffer(data, dtype)
        if storage.kind == "BFloat16":  # the upper half of a float32
            numbers = (numbers.astype("<u4") << 16).view("<f4")
        self._read[storage] = numbers.astype(np.float64)
        return self._read[storage]


# ---- the code ----


class Affine(NamedTuple):
    """y = weight·x + bias; weight [out, in], bias [out], float64."""

    weight: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Signal:
    """What has become of the input on its way: steps, each an Affine or one of "norm", "relu", "tanh", "clamp"; width: numbers."""

    width: int
    steps: tuple = ()

    def then(self, step, width: int | None = None) -> Signal:
        if len(self.steps) == MAX_OPERATIONS:
            raise refuse(f"its network has more than {MAX_OPERATIONS} operations")
        return Signal(width or self.width, (*self.steps, step))


@dataclass(frozen=True)
class Mapper:
    """What the archive computes: the steps from the input to row 0, and row 1 [14], the preset in 0 … 1."""

    steps: tuple
    preset: np.ndarray


def _row(value, width: int) -> np.ndarray:
    """A number, [width] or [1, width] as the [width] by which torch adds to or multiplies a row of width numbers."""
    value = np.asarray(value, np.float64)
    if value.shape not in ((), (1,), (1, 1), (width,), (1, width)):
        raise refuse("a tensor that is added or multiplied has the wrong size")
    return np.broadcast_to(value, (1, width))[0]


def _number(value) -> bool:
    return isinstance(value, np.ndarray) or (type(value) in (int, float) and abs(value) <= LARGEST)


def _linear(x: Signal, weight, bias=None) -> Signal:
    if not isinstance(weight, np.ndarray) or weight.ndim != 2 or weight.shape[1] != x.width:
        raise refuse("the layers of its network do not fit together")
    if bias is None:
        bias = np.zeros(len(weight))
    if not isinstance(bias, np.ndarray) or bias.shape != (len(weight),):
        raise refuse("a bias of its network has the wrong size")
    return x.then(Affine(weight, bias), len(weight))


def _layer_norm(x: Signal, shape, weight=None, bias=None, epsilon=EPSILON, _cudnn=True) -> Signal:
    if weight is not None or bias is not None:
        raise refuse("its LayerNorm has weights of its own, ours has none")
    if shape not in ([x.width], (x.width,)) or epsilon != EPSILON:
        raise refuse("its LayerNorm is not over all units of a layer, or with another epsilon than 1e-05")
    return x.then("norm")


def _clamp(x: Signal, low=None, high=None) -> Signal:
    if (low, high) != (-1.0, 1.0):
        raise refuse("its network is clipped to other limits than -1 and 1")
    return x.then("clamp")


def _add(x: Signal, value) -> Signal:
    if not _number(value):
        raise refuse("something is added that is no number, or too large")
    return x.then(Affine(np.eye(x.width), _row(value, x.width)))


def _mul(x: Signal, value) -> Signal:
    if not _number(value):
        raise refuse("something is multiplied that is no number, or too large")
    return x.then(Affine(np.diag(_row(value, x.width)), np.zeros(x.width)))


def _cat(rows, dimension=0) -> Mapper:
    match rows:
        case [Signal() as x, np.ndarray() as preset] if dimension == 0 and preset.shape == (1, x.width):
            return Mapper(x.steps, preset[0])
    raise refuse("its two rows are not modulations and a preset")


# The whole vocabulary: what TorchScript calls torch.NAME. The first argument is the signal (of cat: the list). Nothing that works in
# place (relu_) is here: a Signal is what it was when it was named.
OPERATIONS = {
    "linear": _linear,
    "layer_norm": _layer_norm,
    "relu": lambda x: x.then("relu"),
    "tanh": lambda x: x.then("tanh"),
    "clamp": _clamp,
    "clip": _clamp,
    "add": _add,
    "mul": _mul,
    "cat": _cat,
}


class Function(NamedTuple):
    """A function of the archive's code, by its dotted name."""

    name: str


def _dotted(node: ast.expr) -> str | None:
    """The text of an expression that is nothing but names and points, such as torch.nn.relu, else None."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


class Reading:
    """Follows the code of an archive with a Signal in place of the input. No loop, no import, no attribute but a module's own, and no
    function but the archive's and OPERATIONS: the answer depends on these alone."""

    def __init__(self, archive: Archive):
        self._archive = archive
        self._data, self._constants = Tensors(archive, "data"), Tensors(archive, "constants")
        self._constant_list: tuple | None = None  # read when there is a need: an archive without constants may lack the member
        self._files: dict[str, dict[str, ast.stmt]] = {}
        self._steps = 0

    def mapper(self, inputs: int) -> Mapper:
        """What the archive's module makes of a row of inputs numbers."""
        module = unpickle(self._archive.read("data.pkl"))
        if not isinstance(module, Instance):
            raise refuse("its data.pkl holds no module")
        result = self._method(module, "forward", [Signal(inputs)], 0)
        if not isinstance(result, Mapper):
            raise refuse("it does not return two rows, modulations and preset")
        return result

    def _definition(self, name: str) -> ast.stmt:
        """The class or function of a dotted name, from its source file."""
        module, _, own = name.rpartition(".")
        if module not in self._files:
            path = f"code/{module.replace('.', '/')}.py"
            source = self._archive.read(path)
            if len(source) > MAX_CODE_BYTES:
                raise refuse(f"its {path} is larger than {MAX_CODE_BYTES >> 10} kB")
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # the parser's remarks on another's code
                    body = ast.parse(source).body
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                raise refuse(f"its {path} cannot be read") from None
            found = [node for node in body if isinstance(node, (ast.ClassDef, ast.FunctionDef))]
            self._files[module] = {node.name: node for node in found}
            if len(self._files[module]) != len(found):
                raise refuse(f"its {path} defines something twice")
        if own not in self._files[module]:
            raise refuse(f"its code lacks {name}")
        return self._files[module][own]

    def _method(self, module: Instance, name: str, arguments: list, depth: int):
        # not forward alone: where one module stands several times in a network, tracing gives it forward1, forward2 …
        methods = [m for m in getattr(self._definition(module.kind), "body", ()) if isinstance(m, ast.FunctionDef)]
        if any(m.name == "__setstate__" for m in methods):
            raise refuse(f"{module.kind} makes its attributes by code")
        named = [m for m in methods if m.name == name]
        if len(named) != 1:
            raise refuse(f"{module.kind} has no {name}, or two")
        return self._call(named[0], [module, *arguments], depth)

    def _call(self, function: ast.stmt, arguments: list, depth: int):
        if not isinstance(function, ast.FunctionDef):
            raise refuse(f"its code calls the class {getattr(function, 'name', '')}")
        names = [a.arg for a in function.args.args]
        defaults = [self._value(d, {}, depth) for d in function.args.defaults]
        given = len(names) - len(arguments)
        if not 0 <= given <= len(defaults):
            raise refuse(f"its code calls {function.name} with the wrong number of arguments")
        local = dict(zip(names, [*arguments, *defaults[len(defaults) - given :]], strict=True))
        returned = self._run(function.body, local, depth + 1)
        if returned is None:
            raise refuse(f"{function.name} of its code returns nothing")
        return returned[0]

    def _run(self, body: list[ast.stmt], local: dict, depth: int) -> tuple | None:
        """Follows statements; the returned value in a tuple, None when there was no return."""
        for statement in body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    local[name] = self._value(value, local, depth)
                case ast.Return(value=ast.expr() as value):
                    return (self._value(value, local, depth),)
                case ast.If(test=test, body=then, orelse=otherwise):
                    chosen = self._value(test, local, depth)
                    if type(chosen) is not bool:
                        raise refuse("its code decides by something that is no constant")
                    if (returned := self._run(then if chosen else otherwise, local, depth + 1)) is not None:
                        return returned
                case _:
                    raise self._unknown(statement)
        return None

    @staticmethod
    def _unknown(node: ast.AST) -> TorchdrumError:
        try:
            text = ast.unparse(node).splitlines()[0][:60]
        except RecursionError:
            text = "an expression without end"
        return refuse(f"its code has «{text}», which no network of torchdrum has")

    def _value(self, node: ast.expr, local: dict, depth: int):
        self._steps += 1
        if depth > MAX_DEPTH or self._steps > MAX_STEPS:
            raise refuse("its code is longer or deeper than any network of torchdrum")
        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None as value):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return -value
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [self._value(item, local, depth + 1) for item in items]
            case ast.Name(id=name) if name in local:
                return local[name]
            case ast.Attribute(value=ast.Name(id="CONSTANTS"), attr=attr):
                return self._constant(attr)
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if name in local:
                return self._attribute(local[name], attr)
            case ast.Attribute() if (dotted := _dotted(node)) and dotted.startswith("__torch__."):
                return Function(dotted)
            case ast.Call(func=function, args=arguments, keywords=[]):
                return self._called(node, function, arguments, local, depth + 1)
        raise self._unknown(node)

    def _called(self, node: ast.Call, function: ast.expr, arguments: list[ast.expr], local: dict, depth: int):
        match function, arguments:
            case ast.Name(id="getattr"), [owner, ast.Constant(value=str(attr))]:
                return self._attribute(self._value(owner, local, depth), attr)
            case ast.Attribute(value=ast.Name(id="torch"), attr=name), [_, *_] if name in OPERATIONS:
                first, *rest = (self._value(a, local, depth) for a in arguments)
                if name != "cat" and not isinstance(first, Signal):
                    raise self._unknown(node)
                try:
                    return OPERATIONS[name](first, *rest)
                except (TypeError, ValueError):  # too many arguments, or a Signal or tensor where a number belongs
                    raise self._unknown(node) from None
            case ast.Attribute(value=ast.Name(id="torch")), _:
                raise self._unknown(node)
        values = [self._value(a, local, depth) for a in arguments]
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id in local:
            module = local[function.value.id]
            if isinstance(module, Instance):
                return self._method(module, function.attr, values, depth)
            raise self._unknown(node)
        called = self._value(function, local, depth)
        if not isinstance(called, Function):
            raise self._unknown(node)
        return self._call(self._definition(called.name), values, depth)

    def _attribute(self, owner, name: str):
        if not isinstance(owner, Instance) or name not in owner.state:
            raise refuse(f"its code reads {name}, which is nowhere")
        value = owner.state[name]
        return self._data.read(value) if isinstance(value, TensorAt) else value

    def _constant(self, name: str):
        if self._constant_list is None:
            self._constant_list = unpickle(self._archive.read("constants.pkl"))
        named = {f"c{i}": c for i, c in enumerate(self._constant_list)} if type(self._constant_list) is tuple else {}
        if not isinstance(named.get(name), TensorAt):
            raise refuse(f"its constant {name} is missing or no tensor")
        return self._constants.read(named[name])


def read(data: bytes, inputs: int) -> Mapper:
    """The Mapper of an archive's bytes for rows of inputs numbers. TorchdrumError, one sentence, for everything else."""
    if len(data) > MAX_FILE_BYTES:
        raise refuse(f"it is larger than {MAX_FILE_BYTES >> 20} MB")
    return Reading(Archive(data)).mapper(inputs)
