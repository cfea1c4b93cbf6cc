# SPDX-License-Identifier: MIT
"""torchdrum convert: what can be taken over is taken over exactly, and no file, however made, runs, stops or fills the machine."""

import io
import itertools
import json
import os
import pickle
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from archives import CODE, Archive, Module, Pickle, Raw, Tensor

import torchdrum_py as td
from torchdrum_py import convert, model_file

KEYS = [p.key for p in td.PARAMS]
FILTER = [p.name for p in td.PARAMS].index("noise_filter_freq")
X = np.random.default_rng(7).uniform(-1, 1, (200, 3)).astype(np.float32).astype(np.float64)
RANGE = ((-60, 70, -80), (-10, 120, -5), (0.5, 0.25, 0.125))


def normalised(values, filter_max=22050.0):
    """A preset as TorchDrum's training holds it: float32 between 0 and 1, the filter up to half the voice's sample rate."""
    low = np.float32([p.min for p in td.PARAMS])
    high = np.float32([p.max for p in td.PARAMS])
    high[FILTER] = filter_max
    return (np.float32(values) - low) / (high - low)


def layers(*widths, seed=1, bias=True):
    rng = np.random.default_rng(seed)
    shape = [(rng.normal(0, a**-0.5, (b, a)), rng.normal(0, 0.5, b)) for a, b in zip((3, *widths), (*widths, 14), strict=True)]
    return [(np.float32(w), np.float32(b) if bias else None) for w, b in shape]


def write_model(path, shape, preset="snare_2", **metadata):
    metadata = {"name": "mine", "author": "me", "license": "CC0-1.0", "source": "my drums"} | metadata
    path.write_bytes(model_file.to_bytes(shape, td.Preset.load(preset), *RANGE, **metadata))
    return td.Model.from_file(path)


def forward(flucoma, x):
    """What FluCoMa's JSON computes, told by its own words: rows inputs, cols outputs."""
    for layer in flucoma["layers"]:
        weights = np.array(layer["weights"])
        assert weights.shape == (layer["rows"], layer["cols"])
        x = x @ weights + layer["biases"]
        x = {0: lambda v: v, 1: lambda v: 1 / (1 + np.exp(-v)), 2: lambda v: np.maximum(v, 0), 3: np.tanh}[layer["activation"]](x)
    return x


def flucoma(*widths, activation=2, output=3, seed=3):
    """What fluid.mlpregressor~ would write."""
    rng = np.random.default_rng(seed)
    sizes = [3, *widths, 14]
    return {
        "layers": [
            {
                "activation": output if i == len(widths) else activation,
                "biases": rng.normal(0, 0.3, b).tolist(),
                "cols": b,
                "rows": a,
                "weights": rng.normal(0, 0.4, (a, b)).tolist(),
            }
            for i, (a, b) in enumerate(itertools.pairwise(sizes))
        ]
    }


# ---- TorchDrum's archive ----


@pytest.mark.parametrize("scale_output", [True, False], ids=["tanh", "limits only"])
@pytest.mark.parametrize("width", [1, 5, 128])
def test_an_archive_becomes_a_model_with_the_same_answers(run, tmp_path, width, scale_output):
    archive = Archive(width=width, scale_output=scale_output)
    Path("drum_mapper.pt").write_bytes(archive.bytes())
    code, out, err = run("convert", "drum_mapper.pt", "mine.safetensors", "--author", "me")
    assert (code, out) == (0, "") and "normalize adapt" in err and "mine.safetensors written" in err
    model = td.Model.from_file("mine.safetensors")
    if scale_output:
        np.testing.assert_allclose(model.run(X), archive(X)[0], rtol=0, atol=1e-6)
    damping = model.info["preset"].damping.astype(np.float64)
    damping[FILTER] /= (22050 - 20) / (24000 - 20)
    np.testing.assert_allclose(model.run(X) * damping, archive(X)[1], rtol=0, atol=1e-6)
    info = model.info
    assert (info["name"], info["author"], info["source"]) == ("mine", "me", "converted from drum_mapper.pt")
    assert info["reference"].tolist() == [0, 0, 0] and info["detector"] == "classic"
    np.testing.assert_array_equal(info["min"], td.Model.builtin().info["min"])


def test_the_filter_plays_what_it_was_trained_to_play(tmp_path):
    """Base and way of the noise filter in Hz are those of the training, whose range ends at half its sample rate."""
    archive = Archive()
    for end in (22050.0, 24000.0):
        (tmp_path / "a.pt").write_bytes(archive.bytes())
        convert.convert(tmp_path / "a.pt", tmp_path / "a.safetensors", filter_max=end)
        model = td.Model.from_file(tmp_path / "a.safetensors")
        p, preset = td.PARAMS[FILTER], model.info["preset"]
        way = model.run(X)[:, FILTER] * preset.damping[FILTER] * (p.max - p.min)
        np.testing.assert_allclose(way, archive(X)[1][:, FILTER] * (end - 20), rtol=1e-5, atol=1e-2)
        assert preset.value[FILTER] == pytest.approx(20 + archive.weights["patch"][0, FILTER] * (end - 20), rel=1e-5)


@pytest.mark.parametrize("name", td.preset_names())
def test_a_preset_comes_out_of_an_archive_with_the_numbers_of_its_json(tmp_path, name):
    preset = td.Preset.load(name).to_dict()
    (tmp_path / "a.pt").write_bytes(Archive(patch=normalised(list(preset["preset"].values()))[None]).bytes())
    convert.convert(tmp_path / "a.pt", tmp_path / "a.json", to="preset")
    assert json.loads((tmp_path / "a.json").read_text())["preset"] == preset["preset"]


def test_the_ends_of_every_range_survive(tmp_path):
    for x in (np.zeros((1, 14)), np.ones((1, 14))):
        parts = convert.from_torchdrum(Archive(patch=x).bytes())
        ends = [p.max if x.any() else p.min for p in td.PARAMS]
        ends[FILTER] = 22050 if x.any() else 20
        np.testing.assert_array_equal(parts.preset.value, np.float32(ends))


def test_range_reference_preset_and_texts_are_taken(run):
    Path("a.pt").write_bytes(Archive().bytes())
    words = [
        "--range",
        "-60,-10,70,120,-80,-5",
        "--reference",
        "0.5,0.25,0.125",
        "--preset",
        "noisy_snare",
        "--name",
        "n",
        "--license",
        "l",
    ]
    code, _, err = run("convert", "a.pt", "b.safetensors", *words, "--source", "s")
    assert code == 0 and "normalize adapt" not in err
    info = td.Model.from_file("b.safetensors").info
    for key, wanted in zip(("min", "max", "reference"), RANGE, strict=True):
        assert info[key].tolist() == list(wanted)
    assert (info["name"], info["license"], info["source"]) == ("n", "l", "s")
    np.testing.assert_array_equal(info["preset"].value, td.Preset.load("noisy_snare").value)
    np.testing.assert_array_equal(info["preset"].damping, td.Preset.load("noisy_snare").damping)


def test_a_damping_above_1_is_said(tmp_path):
    for factor, said in ((1.0, False), (2.0, True)):
        parts = convert.from_torchdrum(Archive(tensors={"damp": Tensor(np.full((1, 14), factor, np.float32))}).bytes())
        assert any("damping is above 1" in note for note in parts.notes) == said
        assert parts.preset.damping[0] == factor


def transposed(numbers):
    return Tensor(np.ascontiguousarray(numbers.T), shape=numbers.shape, strides=(1, numbers.shape[0]))


def in_a_larger_storage(numbers):
    return Tensor(np.concatenate([np.full(3, np.nan, np.float32), numbers.ravel(), [np.float32(-1e9)]]), shape=numbers.shape, offset=3)


def one_number_for_all(numbers):
    return Tensor(numbers[:1, 0], shape=numbers.shape, strides=(0, 0))


@pytest.mark.parametrize("laid", [transposed, in_a_larger_storage, one_number_for_all])
def test_a_tensor_may_lie_as_torch_lets_it_lie(laid):
    archive = Archive()
    w1 = archive.weights["w1"].copy()
    if laid is one_number_for_all:
        archive.weights["w1"][:] = w1[0, 0]
    archive.tensors = {"w1": laid(w1)}
    np.testing.assert_allclose(convert.from_torchdrum(archive.bytes()).network(X), archive(X)[0], atol=1e-12)


@pytest.mark.parametrize(("dtype", "kind"), [("<f8", None), ("<f2", None), ("<u2", "BFloat16Storage")])
def test_other_floats_are_read_as_what_they_are(dtype, kind):
    archive = Archive()
    numbers = archive.weights["w0"]
    if kind:
        stored = (numbers.view("<u4") >> 16).astype(dtype)
        archive.weights["w0"] = (stored.astype("<u4") << 16).view("<f4")
    else:
        stored = numbers.astype(dtype)
        archive.weights["w0"] = stored.astype("<f4")
    archive.tensors = {"w0": Tensor(stored, kind=kind)}
    np.testing.assert_allclose(convert.from_torchdrum(archive.bytes()).network(X), archive(X)[0], atol=1e-6)


def why_not(data: bytes) -> str:
    with pytest.raises(td.TorchdrumError) as error:
        convert.from_torchdrum(data)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400
    return str(error.value)


def with_tensor(name="w0", **change):
    archive = Archive()
    numbers = change.pop("numbers", archive.weights[name])
    archive.tensors = {name: Tensor(numbers, **change)}
    return archive


def with_code(old, new, file="__torch__/export.py"):
    assert old in CODE[file]
    return Archive(code={file: CODE[file].replace(old, new)})


FLOATS = np.zeros(15, np.float32)
WRONG_TENSORS = {
    "2 GB declared": (with_tensor(numbers=FLOATS, shape=(5, 3), count=1 << 29), "declares 536870912 numbers, its data have 15"),
    "2 GB in shape": (with_tensor(numbers=FLOATS, shape=(1 << 29, 1), count=1 << 29), "is empty, has more"),
    "beyond the storage": (with_tensor(numbers=FLOATS, shape=(5, 3), offset=1), "beyond the end"),
    "stride beyond the storage": (with_tensor(numbers=FLOATS, shape=(5, 3), strides=(4, 1)), "beyond the end"),
    "stride of 2^62": (with_tensor(numbers=FLOATS, shape=(5, 3), strides=(1 << 62, 1)), "beyond the end"),
    "stride of 2^70": (with_tensor(numbers=FLOATS, shape=(5, 3), strides=(1 << 70, 1)), "beyond the end"),
    "stride below 0": (with_tensor(numbers=FLOATS, shape=(5, 3), strides=(3, -1)), "described wrongly"),
    "offset below 0": (with_tensor(numbers=FLOATS, shape=(5, 3), offset=-1), "described wrongly"),
    "offset that is a truth": (with_tensor(numbers=FLOATS, shape=(2, 3), offset=True), "described wrongly"),
    "size of 0": (with_tensor(numbers=FLOATS, shape=(0, 3)), "is empty, has more"),
    "size below 0": (with_tensor(numbers=FLOATS, shape=(-5, 3)), "described wrongly"),
    "size that is a text": (with_tensor(numbers=FLOATS, shape=("5", 3), strides=(3, 1)), "described wrongly"),
    "three dimensions": (with_tensor(numbers=FLOATS, shape=(5, 3, 1)), "is empty, has more"),
    "strides that are too few": (with_tensor(numbers=FLOATS, shape=(5, 3), strides=(1,)), "is empty, has more"),
    "whole numbers of 8 bits": (with_tensor(numbers=np.zeros(15, np.int8), shape=(5, 3), kind="CharStorage"), "has the type Char"),
    "no type at all": (with_tensor(numbers=FLOATS, shape=(5, 3), kind="Storage"), "has the type "),
    "another machine": (with_tensor(numbers=FLOATS, shape=(5, 3), place="cuda:0"), "lies nowhere"),
    "not a number": (with_tensor(numbers=np.full((5, 3), np.nan, np.float32)), "not finite"),
    "infinite": (with_tensor("damp", numbers=np.full((1, 14), np.inf, np.float32)), "not finite"),
    "too large a damping": (with_tensor("damp", numbers=np.full((1, 14), 1e300)), "beyond 1e+06"),
    "too large a preset": (with_tensor("patch", numbers=np.full((1, 14), 1e300)), "beyond 1e+06"),
    "too large": (with_tensor(numbers=np.full((5, 3), 1e7, np.float32)), "beyond 1e+06"),
    "two inputs": (with_tensor(numbers=np.zeros((5, 2), np.float32)), "do not fit together"),
    "a bias of another size": (with_tensor("b0", numbers=np.zeros(4, np.float32)), "bias of its network has the wrong size"),
    "13 dampings": (with_tensor("damp", numbers=np.zeros((1, 13), np.float32)), "wrong size"),
    "a column of dampings": (with_tensor("damp", numbers=np.zeros((14, 1), np.float32)), "wrong size"),
    "two presets": (with_tensor("patch", numbers=np.zeros((2, 14), np.float32)), "not modulations and a preset"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_TENSORS)
def test_a_tensor_that_is_described_wrongly_is_refused(name):
    archive, says = WRONG_TENSORS[name]
    assert says in why_not(archive.bytes())


def test_numbers_are_taken_from_the_archive_and_from_nowhere_else(tmp_path, monkeypatch):
    """A storage's name is a name in the zip, whatever it looks like."""
    monkeypatch.chdir(tmp_path)
    Path("outside").write_bytes(bytes(60))
    for key in ("../outside", "../../../outside", str(Path("outside").resolve()), "*", ""):
        archive = with_tensor(numbers=FLOATS, shape=(5, 3), key=key or "/")
        archive.members = {f"data/{key or '/'}": None}
        assert "is missing" in why_not(archive.bytes())


def test_a_preset_out_of_range_and_a_damping_below_0_write_nothing(run):
    for name, numbers, says in (("patch", np.full((1, 14), 1.5), "out of range"), ("damp", np.full((1, 14), -0.5), "damping holds")):
        Path("a.pt").write_bytes(Archive(tensors={name: Tensor(np.float32(numbers))}).bytes())
        code, _, err = run("convert", "a.pt", "b.safetensors")
        assert code == 2 and says in err and not Path("b.safetensors").exists()


def without_damping() -> Archive:
    """Its last layer, without bias, stands where damping is expected."""
    archive = with_code("torch.mul((model).forward(x, ), damp)", "(model).forward(x, )")
    archive.scale_output, archive.tensors = False, {"b1": Tensor(np.zeros(14, np.float32))}
    return archive


WRONG_CODE = {
    "another activation": (with_code("torch.relu(", "torch.gelu("), "torch.gelu"),
    "sigmoid": (with_code("torch.tanh(", "torch.sigmoid("), "torch.sigmoid"),
    "in place": (with_code("torch.relu(", "torch.relu_("), "torch.relu_"),
    "noise": (with_code("torch.relu(", "torch.dropout("), "torch.dropout"),
    "a residual": (with_code("torch.relu(_0(", "torch.add(x0, _0("), "added that is no number"),
    "another epsilon": (with_code("None, 1.0000000000000001e-05", "None, 0.1"), "epsilon"),
    "a norm over less": (with_code("[WIDTH]", "[4]"), "not over all units"),
    "a norm with weights": (with_code("[WIDTH], None", "[WIDTH], x0"), "weights of its own"),
    "a norm over a tensor": (with_code("[WIDTH]", "first.weight"), "torch.layer_norm"),
    "a tensor as epsilon": (with_code("None, 1.0000000000000001e-05", "None, first.weight"), "torch.layer_norm"),
    "tensors as limits": (with_code("-1., 1.", "damp, damp"), "torch.clamp"),
    "a tensor as dimension": (with_code("patch])", "patch], damp)"), "torch.cat"),
    "a network as a number": (with_code("torch.mul((model).forward(x, ), damp)", "torch.mul((model).forward(x, ), x)"), "no number"),
    "a module as a limit": (with_code("-1., 1.", "-1., model"), "other limits than -1 and 1"),
    "too many arguments": (with_code("torch.relu(", "torch.relu(x0, "), "torch.relu"),
    "other limits": (with_code("-1., 1.", "0., 1."), "other limits than -1 and 1"),
    "no limits": (with_code("torch.clamp(row, -1., 1.)", "row"), "times damping, clipped"),
    "a matrix in place of damping": (without_damping(), "times damping, clipped"),
    "no damping": (with_code("torch.mul((model).forward(x, ), damp)", "(model).forward(x, )"), "times damping, clipped"),
    "rows the wrong way": (with_code("[row0, patch]", "[patch, row0]"), "not modulations and a preset"),
    "one row": (with_code("torch.cat([row0, patch])", "row0"), "does not return two rows"),
    "side by side": (with_code("[row0, patch])", "[row0, patch], 1)"), "not modulations and a preset"),
    "a choice by the input": (with_code("if scale_output", "if x1"), "no constant"),
    "a loop": (with_code("    scale_output = self.scale_output", "    while True:\n      scale_output = True"), "while True"),
    "an import": (with_code("    damp = self.damp", "    import os\n    damp = self.damp"), "import os"),
    "a call of the machine": (with_code("    damp = self.damp", '    damp = os.system("touch ran")'), "os.system"),
    "a call in a default": (with_code("x: Tensor) -> Tensor:\n    model", 'x=os.system("touch ran")):\n    model'), "os.system"),
    "a hidden attribute": (with_code("self.damp", "self.__class__"), "reads __class__"),
    "getattr of more": (with_code('getattr(self, "0")', 'getattr(self, "__init__")'), "reads __init__"),
    "another name": (with_code("torch.mul(", "torch.ops.mul("), "torch.ops.mul"),
    "a keyword": (with_code("-1., 1.", "min=-1., max=1."), "min="),
    "no forward": (with_code("def forward(self: __torch__.export.Net", "def backward(self: __torch__.export.Net"), "has no forward"),
    "itself": (with_code("(first).forward(torch.add(x, 0.25), )", "self.forward(x)"), "longer or deeper"),
    "attributes made by code": (with_code("class Net(Module):", "class Net(Module):\n  def __setstate__(self):\n    return 1"), "by code"),
    "two of one name": (with_code("class Net(Module)", "class Export(Module)"), "twice"),
    "what is missing": (with_code("__torch__.functional.norm", "__torch__.functional.morn"), "lacks __torch__.functional.morn"),
    "a file that is missing": (with_code("__torch__.functional.norm", "__torch__.other.norm"), "code/__torch__/other.py is missing"),
    "a constant that is missing": (with_code("torch.add(x, 0.25)", "torch.add(x, CONSTANTS.c0)"), "constant c0"),
    "a number too large": (with_code("0.25", "1e300"), "too large"),
    "a damping too large": (with_code(", damp)", ", -1e300)"), "too large"),
    "layers without end": (with_code("return x2", "return " + "torch.add(" * 30 + "x2" + ", 1)" * 30), "longer or deeper"),
    "too many operations": (with_code("return x2", "x2 = torch.tanh(x2)\n    " * 70 + "return x2"), "more than 64 operations"),
    "no Python": (with_code("return x2", "return x2 +"), "cannot be read"),
    "a null byte": (with_code("return x2", "return x2 # \0"), "cannot be read"),
    "no text": (Archive(members={"code/__torch__/export.py": b"\xff\xfe"}), "cannot be read"),
    "far too long": (with_code("return x2", "return x2\n" + "#" * 65536), "larger than 64 kB"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_CODE)
def test_code_that_is_not_a_network_of_ours_is_refused_and_not_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    archive, says = WRONG_CODE[name]
    assert says in why_not(archive.bytes())
    assert list(tmp_path.iterdir()) == []


# what stands before, how often, what stands inside, what stands after as often
DEEP = {
    "brackets": ("(", 30000, "y", ")"),
    "minus": ("-", 60000, "1", ""),
    "not": ("not ", 15000, "x", ""),
    "points": ("", 30000, "x", ".y"),
    "calls": ("", 30000, "x", "()"),
    "plus": ("", 30000, "x", "+x"),
    "lambda": ("lambda:", 9000, "x", ""),
    "choices": ("x if x else ", 5000, "x", ""),
    "lists": ("[", 15000, "x", "]"),
    "networks": ("torch.relu(", 5000, "x1", ")"),
}


@pytest.mark.parametrize("name", DEEP)
@pytest.mark.parametrize("share", [1, 10, 30, 100])
def test_code_of_any_depth_is_refused(name, share):
    """The depths between are those that Python's parser still reads."""
    once, times, last, back = DEEP[name]
    text = once * (times // share) + last + back * (times // share)
    why_not(with_code("return x2", f"return {text}").bytes())


def test_code_that_would_take_for_ever_is_refused():
    """Each function calls the one before twice: 2^40 calls."""
    text = "def f0(x):\n  return torch.relu(x)\n"
    text += "".join(f"def f{i}(x):\n  return __torch__.bomb.f{i - 1}(__torch__.bomb.f{i - 1}(x))\n" for i in range(1, 41))
    bomb = with_code("return x2", "return __torch__.bomb.f20(x2)")
    bomb.code["__torch__/bomb.py"] = text
    assert "longer or deeper" in why_not(bomb.bytes())


class Bait:
    """Leaves a file when it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch ran",)


def test_a_pickle_that_runs_something_is_refused_without_running_it(refused, tmp_path):
    bait = pickle.dumps({"state": Bait()}, protocol=2)
    Path(tmp_path / "ran").unlink(missing_ok=True)
    for name, data in (("pickle.pt", bait), ("archive.pt", Archive(pickle=bait).bytes()), ("newest.pt", pickle.dumps(Bait()))):
        (tmp_path / name).write_bytes(data)
        assert "cannot be converted" in refused("convert", name, "out.safetensors")
        assert not Path("ran").exists()
    pickle.loads(bait)
    assert Path("ran").exists()  # the bait would have


def module(code: bytes) -> bytes:
    return b"\x80\x02" + code + b"."


STATE = Pickle().code({"patch": 1})
WRONG_PICKLES = {
    "a call": (module(b"cposix\nsystem\n(X\x01\0\0\0xtR"), "calls posix system (nothing was run)"),
    "a call of a builtin": (module(b"cbuiltins\neval\n(X\x01\0\0\x001tR"), "calls builtins eval"),
    "a name with a line of its own": (module(b"cposix\\nx\nsystem\n)R"), "calls posix?x system"),
    "a name of 1 MB": (module(b"c" + b"x" * (1 << 20) + b"\nsystem\n)R"), "calls xxx"),
    "a call by INST": (module(b"(X\x01\0\0\0xiposix\nsystem\n"), "instruction INST"),
    "a call by OBJ": (module(b"(cposix\nsystem\nX\x01\0\0\0xo"), "instruction OBJ"),
    "a call by NEWOBJ": (module(b"cposix\nsystem\n(X\x01\0\0\0xt\x81"), "no module of the archive"),
    "a call by NEWOBJ without arguments": (module(b"cposix\ngetpid\n)\x81"), "no module of the archive"),
    "a call by BUILD": (module(b"cposix\nsystem\n" + STATE + b"b"), "no module"),
    "a call by an extension": (module(b"\x82\x01"), "instruction EXT1"),
    "a global from the stack": (b"\x80\x04X\x05\0\0\0posixX\x06\0\0\0system\x93.", "instruction STACK_GLOBAL"),
    "a module with arguments": (module(b"c__torch__\nNet\n(K\x01t\x81" + STATE + b"b"), "no module of the archive"),
    "attributes twice": (module(b"c__torch__\nNet\n)\x81" + STATE + b"b" + STATE + b"b"), "no module"),
    "an attribute twice": (module(b"}(X\x01\0\0\0aK\x01X\x01\0\0\0aK\x02u"), "stands twice"),
    "an attribute without a name": (module(b"}(K\x01K\x02u"), "no name"),
    "an odd dictionary": (module(b"}(X\x01\0\0\0au"), "damaged"),
    "a tensor of nothing": (module(b"ctorch._utils\n_rebuild_tensor_v2\n(NNNNNNtR"), "holds no module"),
    "a storage of nothing": (module(b"NQ"), "lies nowhere"),
    "a tensor of a number": (module(b"ctorch._utils\n_rebuild_tensor_v2\nK\x01R"), "calls torch._utils _rebuild_tensor_v2"),
    "a text as a module": (module(b"X\x01\0\0\0x"), "holds no module"),
    "more than one": (module(b"NN"), "damaged"),
    "nothing": (b"", "damaged"),
    "no end": (b"\x80\x02}", "damaged"),
    "an empty stack": (module(b"\x85"), "damaged"),
    "a mark that is missing": (module(b"t"), "damaged"),
    "below a mark": (module(b"K\x01(\x85t"), "damaged"),
    "a memory that is missing": (module(b"h\x05"), "damaged"),
    "a list that is none": (module(b"NNa"), "damaged"),
    "a text of 4 GB": (module(b"X\xff\xff\xff\xffx"), "damaged"),
    "a text that is no UTF-8": (module(b"X\x01\0\0\0\xff"), "damaged"),
    "a zip": (Archive().bytes(), "damaged"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_PICKLES)
def test_a_pickle_that_torchscript_does_not_write_is_refused(name):
    data, says = WRONG_PICKLES[name]
    assert says in why_not(Archive(pickle=data).bytes())


def test_a_pickle_of_any_depth_is_refused_or_harmless():
    for code in (b"(" * 100000 + b"t" * 100000, b"N" + b"\x85" * 300000, b"]" * 100000 + b"a" * 99999, b"(" * 300000):
        why_not(Archive(pickle=module(code)).bytes())


def test_a_chain_of_modules_is_followed_to_its_end():
    """The reader goes where the code goes: attributes that it does not ask for cost nothing, however deep."""
    inner = b"N"
    for _ in range(2000):
        inner = b"c__torch__.export\nNet\n)\x81}X\x01\0\0\0a" + inner + b"sb"
    archive = Archive()
    mapper = archive.module()
    mapper.state["unused"] = Raw(inner)
    writer = Pickle()
    archive.pickle = writer.dump(mapper)
    archive.members = {f"data/{k}": v for k, v in writer.storages.items()}
    assert convert.from_torchdrum(archive.bytes()).network.layers


def deflated(name: str, data: bytes) -> bytes:
    """An archive in which one member is compressed."""
    file = io.BytesIO(Archive(members={name: None}).bytes())
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"drum_mapper/{name}", data)
    return file.getvalue()


def test_a_zip_that_unpacks_to_far_more_is_refused_in_little_memory():
    bomb = deflated("data.pkl", bytes(256 << 20))
    assert len(bomb) < 1 << 20
    # declared as 1000 bytes, unpacks to 256 MB
    lie = bomb.replace((256 << 20).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    tracemalloc.start()
    try:
        assert "unpacks to more than 8 MB" in why_not(bomb)
        assert "damaged" in why_not(lie)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_a_member_that_is_shorter_than_declared_is_refused():
    pickled = Pickle().dump(Archive().module())
    data = deflated("data.pkl", pickled)
    size = len(pickled).to_bytes(4, "little")
    assert data.count(size) >= 2
    assert "cut short" in why_not(data.replace(size, (len(pickled) + 1).to_bytes(4, "little")))


def test_members_that_are_large_only_together_are_refused():
    code = Archive().module()
    names = [f"{i}" for i in range(20)]
    writer = Pickle()
    big = {f"x{n}": Tensor(np.zeros(1 << 17, np.float32), shape=(1,), strides=(1,)) for n in names}
    code.state |= big
    text = CODE["__torch__/export.py"].replace(
        "    damp = self.damp", "".join(f"    x{n} = self.x{n}\n" for n in names) + "    damp = self.damp"
    )
    data = writer.dump(code)
    archive = Archive(pickle=data, code={"__torch__/export.py": text}, compression=zipfile.ZIP_DEFLATED)
    archive.members = {f"data/{k}": v for k, v in writer.storages.items()}
    assert "unpacks to more than 8 MB" in why_not(archive.bytes())


def test_a_storage_that_many_tensors_share_is_unpacked_once():
    """3 MB, read by four tensors; 8 MB may be unpacked."""
    archive = Archive()
    numbers = np.zeros(786432, np.float32)
    for i, name in enumerate(("w0", "b0", "w1", "b1")):
        at, count = 1000 * i, archive.weights[name].size
        numbers[at : at + count] = archive.weights[name].ravel()
        archive.tensors[name] = Tensor(numbers, shape=archive.weights[name].shape, offset=at, key="shared")
    np.testing.assert_allclose(convert.from_torchdrum(archive.bytes()).network(X), archive(X)[0], atol=1e-12)


def test_compressed_members_are_read_as_torch_compresses_code():
    np.testing.assert_array_equal(
        convert.from_torchdrum(Archive(compression=zipfile.ZIP_DEFLATED).bytes()).network(X),
        convert.from_torchdrum(Archive().bytes()).network(X),
    )


def nested() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("drum_mapper/drum_mapper.pt", Archive().bytes())
    return file.getvalue()


def two_models() -> bytes:
    file = io.BytesIO(Archive().bytes())
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("other/data.pkl", b"")
    return file.getvalue()


def encrypted() -> bytes:
    data = bytearray(Archive().bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + flags] |= 1
            at = data.find(mark, at + 1)
    return bytes(data)


WRONG_ZIPS = {
    "a zip in a zip": (nested(), "has not one folder"),
    "no pickle": (Archive(members={"data.pkl": None}).bytes(), "has not one folder"),
    "two models": (two_models(), "has not one folder"),
    "one name twice": (Archive(extra=[("data.pkl", b"")]).bytes(), "two of its members have one name"),
    "weights without code": (Archive(members={f"code/{k}": None for k in CODE}).bytes(), "weights but no code"),
    "too many members": (Archive(extra=[(f"x/{i}", b"") for i in range(600)]).bytes(), "more than 512"),
    "big-endian": (Archive(members={"byteorder": b"big"}).bytes(), "not little-endian"),
    "another compression": (Archive(compression=zipfile.ZIP_LZMA).bytes(), "packed in a way"),
    "encrypted": (encrypted(), "encrypted"),
    "a storage that is missing": (Archive(members={"data/2": None}).bytes(), "data/2 is missing"),
    "a storage that is cut": (Archive(members={"data/2": b"abc"}).bytes(), "declares"),
    "only a beginning": (b"PK\x03\x04", "damaged"),
    "too large": (b"PK" + bytes(5 << 20), "larger than 4 MB"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_ZIPS)
def test_a_zip_that_is_no_archive_of_torchscript_is_refused(name):
    data, says = WRONG_ZIPS[name]
    assert says in why_not(data)


def same_or_refused(data: bytes) -> bool:
    """Whether a damaged archive is refused; anything but a sentence or a sound network is a failure."""
    try:
        parts = convert.from_torchdrum(data)
    except td.TorchdrumError as error:
        assert "\n" not in str(error)
        return True
    assert np.isfinite(parts.network(X)).all()
    return False


def test_every_truncation_of_an_archive_is_refused():
    data = Archive(width=1).bytes()
    assert all(same_or_refused(data[:n]) for n in range(len(data)))


def test_damage_anywhere_is_a_sentence():
    """Random bytes of the zip, and of the pickle and the code inside a zip that is right."""
    rng = np.random.default_rng(11)

    def damaged(data: bytes) -> bytes:
        data = bytearray(data)
        for at in rng.integers(0, len(data), rng.integers(1, 4)):
            data[at] = rng.integers(0, 256)
        return bytes(data)

    archive = Archive(width=1)
    whole, pickled = archive.bytes(), Pickle().dump(archive.module())
    code = {k: v.replace("WIDTH", "1").encode() for k, v in CODE.items()}
    outcomes = {"zip": [], "pickle": [], "code": []}
    for _ in range(400):
        outcomes["zip"].append(same_or_refused(damaged(whole)))
        outcomes["pickle"].append(same_or_refused(Archive(width=1, members={"data.pkl": damaged(pickled)}).bytes()))
        members = {f"code/{k}": damaged(v) for k, v in code.items()}
        outcomes["code"].append(same_or_refused(Archive(width=1, members=members).bytes()))
    assert all(np.mean(refused) > 0.3 for refused in outcomes.values())


# ---- FluCoMa ----

KINDS = [(a, o) for a in ("relu", "tanh") for o in ("tanh", "clamp")]


@pytest.mark.parametrize(("activation", "output"), KINDS)
@pytest.mark.parametrize("widths", [(), (1,), (1, 1), (32,), (7, 128, 3, 5)], ids=str)
def test_a_model_goes_to_flucoma_and_back(run, tmp_path, widths, activation, output):
    model = write_model(tmp_path / "a.safetensors", layers(*widths), activation=activation, output=output)
    assert run("convert", "a.safetensors", "a.json", "--to", "flucoma")[0] == 0
    written = json.loads(Path("a.json").read_text())
    limits = (lambda v: np.clip(v, -1, 1)) if output == "clamp" else (lambda v: v)
    np.testing.assert_allclose(limits(forward(written, X)), model.run(X), rtol=0, atol=1e-6)
    assert list(written["layers"][0]) == ["activation", "biases", "cols", "rows", "weights"]
    assert run("convert", "a.json", "b.safetensors", "--preset", "snare_2")[0] == 0
    back = td.Model.from_file("b.safetensors")
    np.testing.assert_array_equal(back.run(X), model.run(X))
    assert back.info["output"] == output


def test_a_model_without_biases_goes_to_flucoma_with_zeros(run, tmp_path):
    model = write_model(tmp_path / "a.safetensors", layers(4, bias=False))
    assert run("convert", "a.safetensors", "a.json", "--to", "flucoma")[0] == 0
    written = json.loads(Path("a.json").read_text())
    assert not np.any(written["layers"][0]["biases"])
    np.testing.assert_allclose(forward(written, X), model.run(X), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("activation", "output"), [(2, 3), (3, 3), (0, 3), (2, 0), (3, 0), (0, 0)])
@pytest.mark.parametrize("widths", [(), (6,), (9, 4)], ids=str)
def test_a_network_of_flucoma_becomes_a_model_with_the_same_answers(run, widths, activation, output):
    source = flucoma(*widths, activation=activation, output=output)
    Path("f.json").write_text(json.dumps(source, indent=2))
    code, _, err = run("convert", "f.json", "m.safetensors", "--preset", "open_snare")
    assert code == 0 and "normalize adapt" in err and ("FluCoMa's output has no limits" in err) == (output == 0)
    model = td.Model.from_file("m.safetensors")
    wanted = forward(source, X)
    np.testing.assert_allclose(model.run(X), np.clip(wanted, -1, 1), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(model.info["preset"].value, td.Preset.load("open_snare").value)
    assert len(model.info["hidden"]) == (0 if activation == 0 else len(widths))  # without an activation two layers are one


def changed(layer=0, **entries):
    source = flucoma(6, 5)
    source["layers"][layer] |= entries
    return source


WRONG_NETWORKS = {
    "sigmoid": (changed(activation=1), "sigmoid"),
    "sigmoid at the end": (changed(2, activation=1), "sigmoid"),
    "relu at the end": (changed(2, activation=2), "output has the activation relu"),
    "an unknown activation": (changed(activation=7), "none of FluCoMa's"),
    "an activation that is a truth": (changed(activation=True), ""),
    "two activations": (changed(activation=3), "not of one kind"),
    "four inputs": (changed(rows=4), "4 inputs where 3"),
    "layers that do not fit": (changed(1, rows=7), "7 inputs where 6"),
    "15 outputs": (changed(2, cols=15, biases=[0] * 15, weights=[[0] * 15] * 5), "15 outputs"),
    "129 units": (changed(cols=129), "1 to 128"),
    "no units": (changed(cols=0), "1 to 128"),
    "half a unit": (changed(cols=6.0), "1 to 128"),
    "a row too few": (changed(weights=[[0] * 6] * 2), "not 3 × 6 numbers"),
    "a ragged row": (changed(weights=[[0] * 6, [0] * 5, [0] * 6]), "not 3 × 6 numbers"),
    "a text among the weights": (changed(weights=[[0] * 6, [0] * 6, ["0"] * 6]), "not 3 × 6 numbers"),
    "a truth among the biases": (changed(biases=[True] * 6), "not 6 numbers"),
    "no biases": (changed(biases=None), "not 6 numbers"),
    "too large a weight": (changed(biases=[1e7] * 6), "beyond 1e+06"),
    "a weight of 10^400": (changed(biases=[10**400] * 6), ""),
    "no layers": ({"layers": []}, "layers are missing"),
    "layers that are none": ({"layers": [1]}, "layers are missing"),
    "something else": ({"cols": 3, "data": {}}, "layers are missing"),
    "a list": ([flucoma(6)], "neither"),
    "five hidden layers": (flucoma(2, 2, 2, 2, 2), "larger than 4 hidden layers"),
    "65 layers": (flucoma(*[2] * 64), "more than 64 layers"),
    "products too large": ({"layers": [changed(cols=1, weights=[[1e5]] * 3, biases=[0], activation=0)["layers"][0]] + [
        {"activation": 0, "biases": [0], "cols": 1, "rows": 1, "weights": [[1e5]]} for _ in range(60)]}, "beyond 1e+06"),
    "a classifier": ({"labels": {}, "mlp": flucoma(6)}, "classifier"),
    "a preset": (td.Preset.load("snare_1").to_dict(), "give it with --preset"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_NETWORKS)
def test_a_network_that_cannot_be_held_is_refused_with_its_reason(refused, name):
    source, says = WRONG_NETWORKS[name]
    Path("f.json").write_text(json.dumps(source))
    assert says in refused("convert", "f.json", "m.safetensors", "--preset", "snare_1")


TEXT = json.dumps(flucoma(6))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (TEXT[:-1], "cannot be read"),
        (TEXT[: len(TEXT) // 2], "cannot be read"),
        (TEXT + "}", "cannot be read"),
        (TEXT.replace('"rows"', '"cols"'), "twice"),
        (TEXT.replace('"biases": [', '"biases": [NaN, '), "NaN is no number"),
        (TEXT.replace('"biases": [', '"biases": [-Infinity, '), "-Infinity is no number"),
        (TEXT.replace('"biases": [', '"biases": [1e999, '), "not 6 numbers"),
        ('{"layers": ' + "[" * 100000, "cannot be read"),
        ("{\udcff}", "cannot be read"),
        ("", "neither"),
        (" " * 20, "neither"),
        ("a text", "neither"),
        ("{" + " " * (5 << 20), "larger than 4 MB"),
    ],
    ids=lambda v: v[:12],
)
def test_a_json_that_is_none_is_refused(refused, text, says):
    Path("f.json").write_bytes(text.encode(errors="surrogateescape"))
    assert says in refused("convert", "f.json", "m.safetensors", "--preset", "snare_1")


def test_every_truncation_of_a_json_is_refused(tmp_path):
    path = tmp_path / "f.json"
    text = json.dumps(flucoma())
    for n in range(len(text)):
        path.write_text(text[:n])
        with pytest.raises(td.TorchdrumError):
            convert.read(path, "snare_1")


def test_what_flucoma_cannot_hold_is_refused(refused, tmp_path):
    write_model(tmp_path / "norm.safetensors", layers(8), norm="layer")
    assert "layer norm" in refused("convert", "norm.safetensors", "a.json", "--to", "flucoma")
    Path("a.pt").write_bytes(Archive().bytes())
    assert "layer norm" in refused("convert", "a.pt", "a.json", "--to", "flucoma")
    Path("f.json").write_text(TEXT)
    assert "give one with --preset" in refused("convert", "f.json", "m.safetensors")


# ---- presets and models ----


@pytest.mark.parametrize("name", td.model_names())
def test_a_models_preset_goes_to_a_file_and_into_another_model(run, name):
    folder = Path(td.__file__).parent / "models"
    source = folder / f"{name}.safetensors"
    assert run("convert", source, "sound.json", "--to", "preset")[0] == 0
    model, sound = td.Model.load(name), td.Preset.load("sound.json")
    np.testing.assert_array_equal(sound.value, model.info["preset"].value)
    np.testing.assert_array_equal(sound.damping, model.info["preset"].damping)
    other = folder / f"{'snare_2' if name != 'snare_2' else 'snare_3'}.safetensors"
    assert run("convert", other, "new.safetensors", "--preset", "sound.json")[0] == 0
    new, network = td.Model.from_file("new.safetensors"), td.Model.from_file(other)
    np.testing.assert_array_equal(new.run(X), network.run(X))
    np.testing.assert_array_equal(new.info["preset"].value, sound.value)
    for key in ("name", "author", "license", "source", "detector", "window", "preroll", "sample_rate", "activation", "norm", "output"):
        assert new.info[key] == network.info[key], key
    for key in ("min", "max", "reference", "low", "high"):
        np.testing.assert_array_equal(new.info[key], network.info[key])


def test_a_model_is_known_by_its_header_whatever_its_first_byte_is(run):
    """The first byte is of the header's length, and may be that of a pickle."""
    for more in range(200):
        write_model(Path("m.safetensors"), layers(32), source="x" * more, author="y" * more)
        if Path("m.safetensors").read_bytes()[0] == 0x80:
            break
    assert more < 199 and run("convert", "m.safetensors", "sound.json", "--to", "preset")[0] == 0


def test_a_model_that_is_only_copied_is_the_same_file(run, tmp_path):
    write_model(tmp_path / "a.safetensors", layers(8, 4), norm="layer", window=128, preroll=3, sample_rate=44100, detector="classic")
    assert run("convert", "a.safetensors", "b.safetensors")[0] == 0
    assert Path("a.safetensors").read_bytes() == Path("b.safetensors").read_bytes()


# TorchDrum's 808_snare_2.json in its own form; the numbers are facts, docs/convert.md
ORIGINAL = dict(zip(KEYS, (179.0, 0.1, 366.0, 0.34, 21.59, 133.0, 106.5, 108.0, 2295.0, 0.5, -18.0, -20.0, -10.0, 1.0), strict=True))


def test_a_preset_of_torchdrum_reads_unchanged(run):
    text = json.dumps({"preset": ORIGINAL, "damping": {"osc1.freq": 0.01, "osc2.freq": 0.01}}, indent=4)
    Path("original.json").write_text(text)
    Path("a.pt").write_bytes(Archive().bytes())
    assert run("convert", "a.pt", "a.json", "--to", "preset", "--preset", "original.json")[0] == 0
    found = json.loads(Path("a.json").read_text())
    assert found["preset"] == ORIGINAL
    assert found["damping"] == {key: 0.01 if key in ("osc1.freq", "osc2.freq") else 1.0 for key in KEYS}


# ---- the command ----


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.pt").write_bytes(Archive().bytes())
    (tmp_path / "cut.pt").write_bytes(Archive().bytes()[:-100])
    (tmp_path / "f.json").write_text(TEXT)
    (tmp_path / "sound.json").write_text(json.dumps(td.Preset.load("snare_1").to_dict()))
    write_model(tmp_path / "m.safetensors", layers(8))
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "m.safetensors").read_bytes()[:-1])
    (tmp_path / "none.safetensors").write_bytes((tmp_path / "m.safetensors").read_bytes()[:50])
    (tmp_path / "folder.safetensors").mkdir()
    (tmp_path / "link.safetensors").symlink_to("m.safetensors")
    return tmp_path


BAD = [
    ("a.pt", "--help says more"),
    ("missing.pt out.safetensors", "missing.pt cannot be read"),
    ("folder.safetensors out.safetensors", "folder.safetensors cannot be read"),
    ("a.pt out.pt", "ending .safetensors or .json"),
    ("a.pt out", "ending .safetensors or .json"),
    ("a.pt out.json", "--to flucoma or --to preset"),
    ("a.pt out.safetensors --to preset", "ends in .json"),
    ("a.pt out.json --to pytorch", "flucoma"),
    ("a.pt nowhere/out.safetensors", "there is no folder nowhere"),
    ("a.pt folder.safetensors", "is a folder"),
    ("m.safetensors m.safetensors", "same file"),
    ("m.safetensors ./m.safetensors --preset snare_1", "same file"),
    ("m.safetensors link.safetensors --preset snare_1", "same file"),
    ("link.safetensors m.safetensors --preset snare_1", "same file"),
    ("m.safetensors sound.json --to preset --preset sound.json", "same file"),
    ("f.json f.json --to flucoma --preset snare_1", "same file"),
    ("cut.pt out.safetensors", "damaged or cut short"),
    ("cut.safetensors out.safetensors", "damaged"),
    ("none.safetensors out.safetensors", "cut short"),
    ("sound.json out.safetensors", "give it with --preset"),
    ("a.pt out.safetensors --preset snare_9", "did you mean"),
    ("a.pt out.safetensors --preset f.json", "unknown or repeated entry: layers"),
    ("a.pt out.safetensors --preset missing.json", "missing.json"),
    ("a.pt out.safetensors --reference 0.5,0.5", "--reference takes 3 numbers"),
    ("a.pt out.safetensors --reference 0.5,0.5,1.5", "from 0 to 1"),
    ("a.pt out.safetensors --reference -0.5,0.5,0.5", "from 0 to 1"),
    ("a.pt out.safetensors --reference nan,0,0", "--reference takes 3 numbers"),
    ("a.pt out.safetensors --range 1,2,3", "--range takes 6 numbers"),
    ("a.pt out.safetensors --range a,b,c,d,e,f", "--range takes 6 numbers"),
    ("a.pt out.safetensors --range -60,inf,70,120,-80,-5", "--range takes 6 numbers"),
    ("a.pt out.safetensors --range -60,-58,70,120,-80,-5", "too narrow"),
    ("a.pt out.safetensors --range -10,-60,70,120,-80,-5", "too narrow"),
    ("a.pt out.safetensors --filter-max 20", "--filter-max takes a number from 1000"),
    ("a.pt out.safetensors --filter-max nan", "--filter-max takes a number from 1000"),
    (f"a.pt out.safetensors --name {'n' * 201}", "too long"),
]


@pytest.mark.parametrize(("words", "says"), BAD, ids=[words[:60] for words, _ in BAD])
def test_what_cannot_be_converted_is_one_line_and_leaves_every_file_as_it_was(folder, refused, words, says):
    assert says in refused("convert", *words.split())


def test_a_name_of_control_characters_cannot_move_the_cursor(refused):
    Path("a.pt").write_bytes(Archive(pickle=module(b"cposix\x1b[2J\nsystem\n)R")).bytes())
    assert "\x1b" not in refused("convert", "a.pt", "out.safetensors")


def test_files_of_any_name_can_be_converted(run):
    os.makedirs("folder")
    for name in ("a\nb", "\udcff", "ä" * 120, "n" * 240):
        Path(f"{name}.pt").write_bytes(Archive().bytes())
        code, _, err = run("convert", f"{name}.pt", f"folder/{name}.safetensors")
        assert code == 0, err
        assert len(td.Model.from_file(f"folder/{name}.safetensors").info["name"].encode()) in (3, 1, 200)


def test_a_text_that_is_no_utf8_is_refused(refused):
    Path("a.pt").write_bytes(Archive().bytes())
    assert "UTF-8" in refused("convert", "a.pt", "b.safetensors", "--name", "\udcff")


def test_what_the_parser_remarks_on_code_is_not_the_persons(recwarn):
    convert.from_torchdrum(with_code("class Net(Module):", 'class Net(Module):\n  "\\d"').bytes())
    assert len(recwarn) == 0


def test_an_output_that_is_there_is_replaced_and_nothing_is_left_beside_it(run, folder):
    (folder / "out.safetensors").write_text("old")
    before = {p.name for p in folder.iterdir()}
    assert run("convert", "a.pt", "out.safetensors")[0] == 0
    assert td.Model.from_file("out.safetensors").info["name"] == "out"
    assert {p.name for p in folder.iterdir()} == before


def test_a_name_in_a_pickle_is_not_imported():
    bait = module(b"cthis\ns\n")
    sys.modules.pop("this", None)
    assert "holds no module" in why_not(Archive(pickle=bait).bytes())
    assert "this" not in sys.modules
    pickle.loads(bait)
    assert "this" in sys.modules  # the bait would have been


def test_a_module_of_another_name_is_known_by_what_it_does():
    archive = Archive()
    archive.code = {name: text.replace("Net", "Tangle").replace("Export", "Thing") for name, text in CODE.items()}
    mapper = archive.module()
    mapper.kind = "__torch__.export.Thing"
    mapper.state["model"] = Module("__torch__.export.Tangle", mapper.state["model"].state)
    writer = Pickle()
    archive.pickle = writer.dump(mapper)
    archive.members = {f"data/{k}": v for k, v in writer.storages.items()}
    np.testing.assert_allclose(convert.from_torchdrum(archive.bytes()).network(X), archive(X)[0], atol=1e-12)
