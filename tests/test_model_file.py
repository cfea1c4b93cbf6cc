# SPDX-License-Identifier: MIT
"""Model files: what is written is what any tool reads, and what is not as spec 8 says is refused with a reason."""

import itertools
import json
import struct
import zlib

import numpy as np
import oracle
import pytest
from safetensors import safe_open
from safetensors.numpy import load

import torchdrum_py as td
from torchdrum_py import model_file

PRESET = td.Preset.load("snare_2")
COUNT = len(td.PARAMS)


def layers(*widths, seed=1):
    rng = np.random.default_rng(seed)
    widths = (3, *widths, COUNT)
    return [
        (rng.normal(0, a**-0.5, (b, a)).astype(np.float32), rng.normal(0, 0.5, b).astype(np.float32)) for a, b in itertools.pairwise(widths)
    ]


def file(shape=None, preset=PRESET, minimum=(-60, 70, -80), maximum=(-10, 120, -5), reference=(0.5, 0.5, 0.5), **metadata):
    metadata = {"name": "a test", "author": "us", "license": "CC0-1.0", "source": "none"} | metadata
    return model_file.to_bytes(shape or layers(8), preset, minimum, maximum, reference, **metadata)


def parts(data):
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def assemble(header, body):
    """A file of a changed header, with the checksum made right."""
    header["__metadata__"]["crc32"] = "0" * 8
    head = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode(errors="surrogateescape")
    data = struct.pack("<Q", len(head)) + head + body
    return data.replace(b'"crc32":"00000000"', f'"crc32":"{zlib.crc32(data):08x}"'.encode())


def refusal(data):
    with pytest.raises(td.TorchdrumError) as error:
        td.Model.from_bytes(data)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_the_same_model_is_the_same_bytes():
    assert file() == file()


def test_the_public_safetensors_package_reads_what_we_write(tmp_path):
    shape = layers(8, 5)
    (tmp_path / "m.safetensors").write_bytes(file(shape))
    tensors = load(file(shape))
    for i, (weight, bias) in enumerate(shape):
        np.testing.assert_array_equal(tensors[f"layers.{i}.weight"], weight)
        np.testing.assert_array_equal(tensors[f"layers.{i}.bias"], bias)
    np.testing.assert_array_equal(tensors["preset"], PRESET.value)
    with safe_open(tmp_path / "m.safetensors", "numpy") as opened:
        metadata = opened.metadata()
    assert metadata["name"] == "a test" and metadata["voice"] == "snare808" and metadata["format"] == "torchdrum 1"


def test_a_written_model_reads_back():
    info = td.Model.from_bytes(file(layers(8, 5), window=128, preroll=3, name="Snare “ü”")).info
    assert (info["hidden"], info["params"], info["window"], info["preroll"], info["name"]) == ([8, 5], COUNT, 128, 3, "Snare “ü”")
    np.testing.assert_array_equal(info["preset"].value, PRESET.value)
    np.testing.assert_array_equal(info["min"], np.float32([-60, 70, -80]))


@pytest.mark.parametrize("widths", [(), (1,), (32,), (64, 64, 64), (128, 128, 128, 128), (7, 128, 3)], ids=str)
@pytest.mark.parametrize("norm", ["none", "layer"])
@pytest.mark.parametrize(("activation", "output"), [("relu", "tanh"), ("tanh", "clamp")])
def test_every_allowed_network_gives_what_numpy_gives(widths, norm, activation, output):
    data = file(layers(*widths), norm=norm, activation=activation, output=output)
    x = np.random.default_rng(2).uniform(-1, 1, (50, 3)).astype(np.float32)
    expected = [oracle.network(oracle.read_model(data), v) for v in x]
    np.testing.assert_allclose(td.Model.from_bytes(data).run(x), expected, atol=3e-6)


def test_missing_biases_count_as_zero():
    shape = layers(8)
    zeros = [(w, np.zeros_like(b)) for w, b in shape]
    x = np.random.default_rng(2).uniform(-1, 1, (20, 3)).astype(np.float32)
    ours, theirs = (td.Model.from_bytes(file(s)).run(x) for s in ([(w, None) for w, _ in shape], zeros))
    np.testing.assert_array_equal(ours, theirs)


def test_a_model_with_fewer_outputs_leaves_the_other_parameters_at_their_defaults():
    shape = layers(8)
    shape[-1] = (shape[-1][0][:5], shape[-1][1][:5])
    engine = td.Engine(48000, model=td.Model.from_bytes(file(shape)))
    engine.trigger([1.0, 0.0, 1.0])
    engine.process(np.zeros(10, np.float32))
    np.testing.assert_array_equal(engine.events[0].param[5:], np.float32([p.default for p in td.PARAMS[5:]]))
    assert np.any(engine.events[0].param[:5] != PRESET.value[:5])


def test_every_truncation_and_every_flipped_bit_is_refused():
    data = bytearray(file([(np.ones((COUNT, 3), np.float32), None)]))
    for n in range(len(data)):
        refusal(bytes(data[:n]))
    for bit in range(8 * len(data)):
        data[bit // 8] ^= 1 << bit % 8
        refusal(bytes(data))
        data[bit // 8] ^= 1 << bit % 8
    td.Model.from_bytes(bytes(data))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"activation": "gelu"}, "activation is not known here: gelu"),
        ({"norm": "batch"}, "norm is not known here: batch"),
        ({"output": "linear"}, "output is not known here"),
        ({"detector": "valley"}, "detector is not known here"),
        ({"window": 8}, "window is not 16 to 256"),
        ({"window": 257}, "window is not 16 to 256"),
        ({"window": 64, "preroll": 64}, "preroll is not shorter"),
        ({"sample_rate": 0}, "sample_rate"),
        ({"minimum": (-60, 70, -80), "maximum": (-55, 120, -5)}, "too narrow"),
        ({"minimum": (-60, 70, -80), "maximum": (-10, 72, -5)}, "too narrow"),
        ({"reference": (np.nan, 0, 0)}, "reference holds a number that is not finite"),
        ({"shape": [(np.full((COUNT, 3), np.inf), None)]}, "not finite"),
        ({"shape": [(np.full((COUNT, 3), 1e7), None)]}, "out of range"),
        ({"shape": [(np.ones((COUNT, 4)), None)]}, "do not fit together"),
        ({"shape": [(np.ones((COUNT + 1, 3)), None)]}, ""),
        ({"shape": [(np.ones((129, 3)), None), (np.ones((COUNT, 129)), None)]}, "beyond 1 to 128"),
        ({"shape": [(np.ones((8, 3)), np.ones(7)), (np.ones((COUNT, 8)), None)]}, "bias of the network has the wrong size"),
        ({"preset": td.Preset(PRESET.value * 0 + 3, PRESET.damping)}, "out of range at osc1_freq"),
        ({"preset": td.Preset(PRESET.value, PRESET.damping - 2)}, "damping holds"),
        ({"name": "n" * 201}, "too long"),
        ({"name": "a\nb"}, "control character"),
        ({"name": "\x1b[31m"}, "control character"),
        ({"name": "a\x7f"}, "control character"),
        ({"name": "\x80"}, "control character"),
        ({"name": "\x9b31m"}, "control character"),
    ],
    ids=str,
)  # fmt: skip
def test_what_the_format_does_not_allow_is_refused_with_its_reason(change, says):
    assert says in refusal(file(**change))


def swap(header, body):
    header["layers.0.weight"], header["preset"] = header["preset"], header["layers.0.weight"]


EDITS = {
    "unknown tensor": lambda h, b: h.update({"extra": {"dtype": "F32", "shape": [1], "data_offsets": [len(b), len(b)]}}),
    "missing tensor": lambda h, b: h.pop("reference"),
    "another dtype": lambda h, b: h["preset"].update(dtype="F64"),
    "three dimensions": lambda h, b: h["preset"].update(shape=[COUNT, 1, 1]),
    "no shape": lambda h, b: h["preset"].pop("shape"),
    "negative offset": lambda h, b: h["preset"].update(data_offsets=[-4, 52]),
    "overlap": lambda h, b: h["preset"].update(data_offsets=[0, 4 * COUNT]),
    "offsets as text": lambda h, b: h["preset"].update(data_offsets=["0", "56"]),
    "tensors that changed names": swap,
    "unknown metadata": lambda h, b: h["__metadata__"].update(mood="good"),
    "missing metadata": lambda h, b: h["__metadata__"].pop("voice"),
    "metadata that is not UTF-8": lambda h, b: h["__metadata__"].update(source="\udcff"),
    "metadata that is no text": lambda h, b: h["__metadata__"].update(window=256),
    "another format": lambda h, b: h["__metadata__"].update(format="torchdrum 2"),
    "another voice": lambda h, b: h["__metadata__"].update(voice="kick808"),
    "another table": lambda h, b: h["__metadata__"].update(parameters="00000000"),
    "other features": lambda h, b: h["__metadata__"].update(features="onset3-9"),
    "a layer that is missing": lambda h, b: h.update(
        {"layers.3.weight": h.pop("layers.1.weight"), "layers.3.bias": h.pop("layers.1.bias")}
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_header_that_was_edited_is_refused_even_with_a_right_checksum(name):
    header, body = parts(file())
    assert td.Model.from_bytes(assemble(parts(file())[0], body))  # the way of editing itself is sound
    EDITS[name](header, body)
    refusal(assemble(header, body))


def test_bytes_left_over_and_repeated_keys_are_refused():
    header, body = parts(file())
    assert "left over" in refusal(assemble(header, body + b"\0\0\0\0"))
    text = json.dumps(header, separators=(",", ":")).replace('"preset":{', '"preset":{"dtype":"F32",', 1)
    data = struct.pack("<Q", len(text)) + text.encode() + body
    data = data.replace(f'"crc32":"{header["__metadata__"]["crc32"]}"'.encode(), b'"crc32":"00000000"')
    refusal(data.replace(b'"crc32":"00000000"', f'"crc32":"{zlib.crc32(data):08x}"'.encode()))


def test_a_model_that_the_core_answers_differently_is_not_written(tmp_path):
    shape, x = layers(8), np.random.default_rng(3).uniform(-1, 1, (10, 3)).astype(np.float32)
    right = td.Model.from_bytes(file(shape)).run(x)
    arguments = (shape, PRESET, (-60, 70, -80), (-10, 120, -5), (0.5, 0.5, 0.5))
    with pytest.raises(td.TorchdrumError, match="was not written"):
        model_file.write(tmp_path / "m.safetensors", *arguments, inputs=x, outputs=right + 1e-4, name="m")
    assert list(tmp_path.iterdir()) == []
    model_file.write(tmp_path / "m.safetensors", *arguments, inputs=x, outputs=right, name="m")
    assert td.Model.from_file(tmp_path / "m.safetensors").info["name"] == "m"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "cannot be read"),
        ("{}", "lacks osc1.freq"),
        ("[]", "cannot be read"),
        ('{"preset": {"osc1.freq": 180}}', "lacks osc1.mod"),
        ('{"preset": {"osc1.freq": 10}}', "out of range at osc1.freq (20 to 2000)"),
        ('{"preset": {"osc1.freq": NaN}}', "cannot be read"),
        ('{"preset": {"osc1.freq": 180, "osc1.freq": 180}}', "twice"),
        ('{"preset": {"speed": 1}}', "unknown parameter: speed"),
        ('{"sound": {}}', "unknown or repeated entry: sound"),
        ('{"preset": {"osc1.freq": 180}', "cannot be read"),
    ],
)
def test_a_preset_that_is_not_one_is_refused_with_a_reason(text, says):
    with pytest.raises(td.TorchdrumError) as error:
        td.Preset.from_json(text)
    assert says in str(error.value)


def test_a_preset_survives_being_written_and_read():
    for name in td.preset_names():
        preset = td.Preset.load(name)
        again = td.Preset.from_json(json.dumps(preset.to_dict()))
        np.testing.assert_array_equal(again.value, preset.value)
        np.testing.assert_array_equal(again.damping, preset.damping)


RANGE = ((-60, 70, -80), (-10, 120, -5), (0.5, 0.5, 0.5))
GRID = np.stack(np.meshgrid(*[np.linspace(-1, 1, 5, dtype=np.float32)] * 3), -1).reshape(-1, 3)


def test_metadata_are_sorted_and_tensors_lie_on_eight_bytes():
    for name in ("a", "ab", "abc", "abcd", "abcde", "äöü"):
        data = file(name=name)
        header, body = parts(data)
        assert (len(data) - len(body)) % 8 == 0
        assert list(header["__metadata__"]) == sorted(header["__metadata__"])


@pytest.mark.parametrize("wrong", [1e-5, -1e-5, np.nan, np.inf])
def test_one_wrong_answer_is_enough_and_the_old_file_stays(wrong, tmp_path):
    shape, path = layers(8), tmp_path / "m.safetensors"
    path.write_bytes(b"the old one")
    outputs = td.Model.from_bytes(file(shape)).run(GRID)
    outputs[17, 3] += wrong
    with pytest.raises(td.TorchdrumError, match="was not written"):
        model_file.write(path, shape, PRESET, *RANGE, name="m", inputs=GRID, outputs=outputs)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"the old one"


@pytest.mark.parametrize("cut", [np.s_[:, :-1], np.s_[:1], np.s_[:-1], np.s_[0], np.s_[:0]], ids=str)
def test_stored_answers_that_leave_something_unchecked_are_refused(cut, tmp_path):
    shape = layers(8)
    outputs = td.Model.from_bytes(file(shape)).run(GRID)[cut]
    with pytest.raises(ValueError, match="shape"):
        model_file.write(tmp_path / "m.safetensors", shape, PRESET, *RANGE, name="m", inputs=GRID, outputs=outputs)
    assert list(tmp_path.iterdir()) == []


def test_a_text_of_a_foreign_file_never_stops_python():
    for old, new in ((b'"source":"none"', b'"source":"\xff\xfe"'), (b'"reference":{', b'"ref\xfferen":{')):
        data = file()
        crc = parts(data)[0]["__metadata__"]["crc32"].encode()
        blank = data.replace(b'"crc32":"' + crc, b'"crc32":"00000000').replace(old, new)
        length = struct.unpack("<Q", data[:8])[0] + len(new) - len(old)
        blank = struct.pack("<Q", length) + blank[8:]
        foreign = blank.replace(b'"crc32":"00000000', b'"crc32":"%08x' % zlib.crc32(blank))
        try:
            assert "\ufffd" in td.Model.from_bytes(foreign).info["source"]
        except td.TorchdrumError as error:
            assert "\ufffd" in str(error) or "UTF-8" in str(error)


def test_a_file_far_too_large_is_refused_without_reading_it(tmp_path):
    with open(tmp_path / "huge.safetensors", "wb") as huge:
        huge.truncate(1 << 40)
    with pytest.raises(td.TorchdrumError, match="1 MiB"):
        td.Model.from_file(tmp_path / "huge.safetensors")
