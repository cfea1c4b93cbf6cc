# SPDX-License-Identifier: MIT
"""Archives that torch itself writes, of modules built as TorchDrum's are: their answers are the converted model's."""

import io
import itertools

import numpy as np
import pytest
import torch

import torchdrum_py as td
from torchdrum_py import convert

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")  # TorchScript is what TorchDrum exports
FILTER = [p.name for p in td.PARAMS].index("noise_filter_freq")
RATIO = (22050 - 20) / (24000 - 20)
DAMPING = torch.ones(1, 14)
DAMPING[0, [0, 2]] = 0.01


class Perceptron(torch.nn.Module):
    """Hidden layers with a norm without weights, one activation object for all of them."""

    def __init__(self, *hidden, norm=True, activation=None, scale_output=True, input_bias=0.0, inputs=3, outputs=14):
        super().__init__()
        activation, stages = activation or torch.nn.ReLU(), []
        for a, b in itertools.pairwise((inputs, *hidden)):
            stages += [torch.nn.Linear(a, b), *([torch.nn.LayerNorm(b, elementwise_affine=False)] if norm else []), activation]
        self.net = torch.nn.Sequential(*stages, torch.nn.Linear((inputs, *hidden)[-1], outputs))
        self.scale_output, self.input_bias = scale_output, input_bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.net(x + self.input_bias)
        if self.scale_output:
            y = torch.tanh(y)
        return y


class Straight(torch.nn.Module):
    def __init__(self, bias=False, clamp=True):
        super().__init__()
        self.net, self.clamp, self.input_bias = torch.nn.Linear(3, 14, bias=bias), clamp, 0.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.net(x + self.input_bias)
        if self.clamp:
            y = torch.clamp(y, -1.0, 1.0)
        return y


class Exported(torch.nn.Module):
    """Row 0: modulations times damping, clipped; row 1: the preset."""

    def __init__(self, model, damping=DAMPING, preset=None, projection=None):
        super().__init__()
        self.model, self.projection = model, projection or torch.nn.Identity()
        self.register_buffer("patch", torch.rand(1, 14, generator=torch.Generator().manual_seed(1)) if preset is None else preset)
        self.register_buffer("damp", damping)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.clip(self.model(self.projection(x)) * self.damp, -1.0, 1.0)
        return torch.cat([y, self.patch], dim=0)


def scripted(module):
    return torch.jit.script(module)


def traced(module):
    return torch.jit.trace(module, torch.rand(1, 3))


def frozen(module):
    return torch.jit.freeze(torch.jit.script(module.eval()))


WAYS = [scripted, traced, frozen]
MODELS = {
    "linear": lambda: Straight(),
    "linear with bias, without limits": lambda: Straight(bias=True, clamp=False),
    "32": lambda: Perceptron(32),
    "64, 64, 64": lambda: Perceptron(64, 64, 64),
    "64, 64, 64 without limits": lambda: Perceptron(64, 64, 64, scale_output=False),
    "tanh": lambda: Perceptron(16, 8, activation=torch.nn.Tanh()),
    "no norm": lambda: Perceptron(16, 8, norm=False),
    "no hidden layer": lambda: Perceptron(),
    "moved input": lambda: Perceptron(32, input_bias=-0.37),
}


def saved(module, way=scripted) -> bytes:
    file = io.BytesIO()
    torch.jit.save(way(module), file)
    return file.getvalue()


def loud(module):
    """Weights as large as a training makes them, not those that it begins with: every output moves over its whole range."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in module.parameters():
            spread = parameter.shape[1] ** -0.5 if parameter.ndim == 2 else 0.3
            parameter.copy_(spread * torch.randn(parameter.shape, generator=generator))
    return module


def written(data: bytes, tmp_path, **options) -> td.Model:
    (tmp_path / "drum_mapper.pt").write_bytes(data)
    convert.convert(tmp_path / "drum_mapper.pt", tmp_path / "m.safetensors", **options)
    return td.Model.from_file(tmp_path / "m.safetensors")


def answers(module, x) -> np.ndarray:
    with torch.no_grad():
        return np.concatenate([module(torch.from_numpy(row[None]))[:1] for row in x])


X = np.random.default_rng(5).uniform(0, 1, (300, 3)).astype(np.float32)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", MODELS)
def test_the_model_answers_as_the_archive(tmp_path, name, way):
    module = Exported(loud(MODELS[name]()))
    model = written(saved(module, way), tmp_path)
    damping = model.info["preset"].damping.astype(np.float64)
    damping[FILTER] /= RATIO
    wanted = answers(module, X)
    np.testing.assert_allclose(model.run(X) * damping, wanted, rtol=0, atol=1e-6)
    assert np.median(wanted.std(axis=0)) > 0.05  # it is a network that does something
    low = np.array([p.min for p in td.PARAMS])
    high = np.array([22050.0 if i == FILTER else p.max for i, p in enumerate(td.PARAMS)])
    np.testing.assert_allclose((model.info["preset"].value - low) / (high - low), module.patch[0], rtol=0, atol=3e-7)


@pytest.mark.parametrize("way", WAYS)
def test_a_parameter_plays_as_torchdrum_plays_it(tmp_path, way):
    """From the network's input to parameters in units, over the whole chain, at any depth from 1 on: also where damping is above 1."""
    damping = torch.rand(1, 14, generator=torch.Generator().manual_seed(2)) * 3
    module = Exported(loud(Perceptron(32)), damping)
    model = written(saved(module, way), tmp_path, feature_range=(-60, 0, 60, 120, -80, 0))
    for depth in (1.0, 2.5):
        engine = td.Engine(48000, model, depth=depth)
        for row in X[:60]:
            engine.trigger(row.tolist())
            engine.process(np.zeros(8))
        low = np.array([p.min for p in td.PARAMS])
        high = np.array([22050.0 if i == FILTER else p.max for i, p in enumerate(td.PARAMS)])
        wanted = low + (high - low) * np.clip(module.patch.numpy() + depth * answers(module, X[:60]), 0, 1)
        inside = np.ones_like(wanted, bool)
        inside[:, FILTER] = wanted[:, FILTER] < 22050  # from here on ours goes to 24000
        played = np.array([event.param for event in engine.events])
        np.testing.assert_allclose((played / (high - low))[inside], (wanted / (high - low))[inside], rtol=0, atol=3e-6)
        assert inside.mean() > 0.9


def test_a_projection_before_the_network_is_part_of_its_first_layer(tmp_path):
    module = Exported(loud(Perceptron(32)), projection=loud(torch.nn.Linear(3, 3)))
    model = written(saved(module), tmp_path)
    damping = model.info["preset"].damping / np.where(np.arange(14) == FILTER, RATIO, 1)
    np.testing.assert_allclose(model.run(X) * damping, answers(module, X), rtol=0, atol=1e-6)
    assert model.info["hidden"] == [32]


def test_a_network_without_biases_stays_without():
    ((weight, bias),) = convert.from_torchdrum(saved(Exported(loud(Straight())))).network.layers
    assert weight.shape == (14, 3) and bias is None


def test_weights_that_do_not_lie_in_a_row_are_read(tmp_path):
    module = Exported(loud(Perceptron(32)))
    with torch.no_grad():
        module.model.net[0].weight = torch.nn.Parameter(torch.randn(3, 32).t())
        module.model.net[3].weight = torch.nn.Parameter(torch.randn(20, 70)[3:17, 5:69:2])
        module.damp = torch.tensor(0.5).expand(1, 14)
    assert not any(t.is_contiguous() for t in (module.model.net[0].weight, module.model.net[3].weight))
    model = written(saved(module), tmp_path)
    damping = model.info["preset"].damping / np.where(np.arange(14) == FILTER, RATIO, 1)
    np.testing.assert_allclose(model.run(X) * damping, answers(module, X), rtol=0, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16], ids=str)
def test_weights_of_another_precision_are_what_torch_reads(tmp_path, dtype):
    module = Exported(loud(Perceptron(32))).to(dtype)
    data = saved(module)
    module = module.float()  # the numbers of the archive, in float32
    model = written(data, tmp_path)
    damping = model.info["preset"].damping / np.where(np.arange(14) == FILTER, RATIO, 1)
    np.testing.assert_allclose(model.run(X) * damping, answers(module, X), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", td.preset_names())
def test_the_presets_come_out_with_the_numbers_that_went_in(tmp_path, name):
    """Normalised in float32 as in a training, told again in as few digits."""
    preset = td.Preset.load(name).to_dict()
    rows = []
    for p in td.PARAMS:
        end = 22050 if p.name == "noise_filter_freq" else p.max
        rows.append((torch.tensor([preset["preset"][p.key]]) - p.min) / (end - p.min))
    data = saved(Exported(Perceptron(32), preset=torch.vstack(rows).T))
    assert convert.from_torchdrum(data).preset.to_dict()["preset"] == preset["preset"]


class Nested(torch.nn.Module):
    """Not an export: the bare network."""

    def __init__(self):
        super().__init__()
        self.model = Perceptron(8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x)


REFUSED = {
    "gelu": (lambda: Exported(Perceptron(8, activation=torch.nn.GELU())), "gelu"),
    "sigmoid": (lambda: Exported(Perceptron(8, activation=torch.nn.Sigmoid())), "sigmoid"),
    "leaky relu": (lambda: Exported(Perceptron(8, activation=torch.nn.LeakyReLU())), "leaky_relu"),
    "dropout": (lambda: Exported(Perceptron(8, activation=torch.nn.Dropout())), "its code has"),
    "relu in place": (lambda: Exported(Perceptron(8, activation=torch.nn.ReLU(inplace=True))), "relu_"),
    "a norm of a batch": (lambda: Exported(Perceptron(8, norm=False, activation=torch.nn.BatchNorm1d(8))), "its code has"),
    "a norm with weights": (lambda: Exported(Perceptron(8, norm=False, activation=torch.nn.LayerNorm(8))), "weights of its own"),
    "another epsilon": (
        lambda: Exported(Perceptron(8, norm=False, activation=torch.nn.LayerNorm(8, eps=1e-3, elementwise_affine=False))),
        "epsilon",
    ),
    "four inputs": (lambda: Exported(Perceptron(8, inputs=4)), "do not fit together"),
    "13 outputs": (lambda: Exported(Perceptron(8, outputs=13), torch.ones(1, 13), torch.zeros(1, 13)), "13 outputs"),
    "five hidden layers": (lambda: Exported(Perceptron(4, 4, 4, 4, 4)), "larger than 4"),
    "200 units": (lambda: Exported(Perceptron(200)), "128"),
    "a norm alone": (
        lambda: Exported(Perceptron(8, norm=False, activation=torch.nn.LayerNorm(8, elementwise_affine=False))),
        "not layers of weights",
    ),
    "no export": (Nested, "does not return two rows"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_model_cannot_hold_is_refused(name):
    make, says = REFUSED[name]
    with pytest.raises(td.TorchdrumError, match=says) as error:
        convert.from_torchdrum(saved(make()))
    assert "\n" not in str(error.value)


def test_what_torch_save_writes_is_refused(tmp_path):
    module = Exported(Perceptron(8))
    for data in (module.state_dict(), module.model.net[0], {"state_dict": module.state_dict()}):
        for new in (True, False):
            torch.save(data, tmp_path / "a.pt", _use_new_zipfile_serialization=new)
            with pytest.raises(td.TorchdrumError, match="weights but no code" if new else "bare pickle"):
                convert.read(tmp_path / "a.pt")
