# SPDX-License-Identifier: MIT
"""torchdrum_py/original.py hears what the original's operations hear (bench/reference/training.py), in value and in gradient."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import recordings
import torch

from torchdrum_py import original
from torchdrum_py.long_features import FRAME, FRAMES, HOP, NAMES
from torchdrum_py.presets import Preset, preset_names

# What float32 rounds away is another for each CPU's transforms: 1e-4 was enough on the machines of before, on an AMD EPYC 1.5e-4 was seen.
ROUNDING = 3e-4

spec = importlib.util.spec_from_file_location("training", Path(__file__).parents[2] / "bench" / "reference" / "training.py")
literal = importlib.util.module_from_spec(spec)
spec.loader.exec_module(literal)


def recorded() -> torch.Tensor:
    """Real strokes as they are, padded or cut to a second."""
    out = np.zeros((len(recordings.HITS), literal.SAMPLES), np.float32)
    for row, name in zip(out, recordings.HITS, strict=True):
        x = recordings.recording(name, 48000)[: len(row)]
        row[: len(x)] = x
    return torch.from_numpy(out)


def parameters() -> torch.Tensor:
    """Every preset in 0 … 1 and a drum near it, [rows, 14]."""
    values = torch.from_numpy(np.array([Preset.load(name).value for name in preset_names()]))
    presets = ((values - literal.LOW) / (literal.HIGH - literal.LOW)).repeat_interleave(2, dim=0)
    moved = 0.03 * torch.randn(presets.shape, generator=torch.Generator().manual_seed(1))
    moved[::2] = 0.0
    return (presets + moved).clamp(0.0, 1.0)


def drums(u: torch.Tensor) -> torch.Tensor:
    noise = torch.rand(1, literal.SAMPLES, generator=torch.Generator().manual_seed(2)) * 2.0 - 1.0
    return literal.drum(u, noise)


def hiss(level: float) -> torch.Tensor:
    return level * torch.randn(2, literal.SAMPLES, generator=torch.Generator().manual_seed(3))


SOUNDS = {
    "recordings": recorded,
    "recordings at full scale": lambda: recorded() / recorded().abs().amax(1, keepdim=True),
    "808 drums": lambda: drums(parameters()),
    "drums of any setting": lambda: drums(torch.rand(16, 14, generator=torch.Generator().manual_seed(4))),
    "hiss that clips": lambda: hiss(0.5).clamp(-1.0, 1.0),
    "faint hiss": lambda: hiss(1e-4),
    "silence": lambda: torch.zeros(1, literal.SAMPLES),
}


@pytest.mark.parametrize("name", SOUNDS)
def test_values_are_those_of_the_original(name):
    x = SOUNDS[name]()
    with torch.no_grad():
        np.testing.assert_allclose(original.measure(x), literal.measure(x), rtol=ROUNDING, atol=1e-3)


def slopes(measure, leaf) -> list[torch.Tensor]:
    """The gradient of each feature, summed over the rows."""
    found = measure(leaf)
    return [torch.autograd.grad(column.sum(), leaf, retain_graph=True)[0] for column in found.unbind(1)]


def far(found, wanted) -> float:
    """The greatest relative distance of a row."""
    return float(((found - wanted).norm(dim=1) / wanted.norm(dim=1)).max())


def test_gradients_of_drum_parameters_are_those_of_the_original():
    u = parameters().requires_grad_()
    found, wanted = slopes(lambda v: original.measure(drums(v)), u), slopes(lambda v: literal.measure(drums(v)), u)
    # The open snare is two sines and hardly noise: the original's flatness and its gradient reach down to the rounding of float32.
    sines = torch.tensor(["open" in name for name in preset_names()]).repeat_interleave(2)
    for name, ours, theirs in zip(NAMES, found, wanted, strict=True):
        assert far(ours[~sines], theirs[~sines]) < 2e-3, name
        assert far(ours[sines], theirs[sines]) < 5e-2, name


def test_gradients_of_samples_are_those_of_the_original():
    """On hiss: where a spectrum is empty the original's own gradients are rounding errors."""
    x = hiss(0.1).requires_grad_()
    for name, ours, theirs in zip(NAMES, slopes(original.measure, x), slopes(literal.measure, x), strict=True):
        assert far(ours, theirs) < ROUNDING, name


def test_gradients_of_loudness_are_the_exact_ones(monkeypatch):
    """The long way in double: in float32 its recursions are three digits less exact than the short way."""
    x = recorded()[:, : original.SAMPLES]
    coefficients = [tuple(c.double() for c in one) for one in literal._k_filters()]
    monkeypatch.setattr(literal, "_k_filters", lambda: coefficients)

    def means(y):
        return torch.stack([y[:, :2].mean(1), y[:, 2:].mean(1)], 1)

    found = slopes(lambda v: means(original.frame_loudness(v)), x.clone().requires_grad_())
    wanted = slopes(lambda v: literal.framed(v, literal.loudness), x.double().requires_grad_())
    for ours, theirs in zip(found, wanted, strict=True):
        assert far(ours.double(), theirs) < 1e-4


def test_the_yardsticks_filter_has_the_gradients_of_what_it_does():
    x, a, b = (0.1 * torch.randn(2, n, generator=torch.Generator().manual_seed(9), dtype=torch.float64) for n in (40, 3, 3))
    a[:, 0] = 1.0
    leaves = [v.requires_grad_() for v in (x[None].repeat(3, 1, 1), a, b)]
    assert torch.autograd.gradcheck(literal.recursive, leaves)


def test_frames_are_filtered_each_on_its_own_and_clipped():
    x = recorded()[:, : original.SAMPLES]
    alone = x.unfold(1, FRAME, HOP).reshape(-1, FRAME)
    alone = torch.nn.functional.pad(alone, (0, original.SAMPLES - FRAME))
    with torch.no_grad():
        found = original.frame_loudness(x).flatten()
        np.testing.assert_allclose(original.frame_loudness(alone[::29])[:, 0], found[::29], atol=1e-3)
        tame = 20.0 * np.log10(4.0) + original.frame_loudness(x / 4.0).flatten()
    loud = alone.abs().amax(1) > 0.9
    assert (tame - found)[loud].max() > 1.0  # dB that the clipping takes
    assert len(found) == FRAMES * len(x)


@pytest.mark.parametrize("level", [0.0, 1e-38, 1e-30, 1e-6])
def test_gradients_of_silence_and_near_it_are_finite(level):
    x = (level * hiss(1.0)).requires_grad_()
    original.measure(x).sum().backward()
    assert torch.isfinite(x.grad).all()


def test_strokes_that_are_too_short_are_refused():
    with pytest.raises(ValueError, match="35328"):
        original.measure(torch.zeros(1, 35327))


def test_the_reference_stroke_is_that_of_median_loudness():
    targets = np.random.default_rng(5).normal(size=(85, 7))
    assert targets[original.reference(targets[:, :3], targets), 0] == np.median(targets[:, 0])


@pytest.mark.parametrize(("hidden", "weights"), [((), 42), ((32,), 590), ((64, 64, 64), 9486)])
def test_networks_start_from_the_preset_as_it_is(hidden, weights):
    network = original.network(hidden, torch.Generator().manual_seed(7))
    assert sum(p.numel() for p in network.parameters()) == weights
    assert network(torch.rand(20, 3)).abs().max() < 0.05


def test_the_recipe_scales_by_all_strokes_and_trains_with_one_noise():
    features = np.random.default_rng(6).normal(size=(30, 3)).astype(np.float32) * 20
    scale = original.RECIPE.scale(features[:20], features, 7)
    x = scale(features)
    assert np.abs(x[7]).max() < 1e-6
    np.testing.assert_allclose(x.max(0) - x.min(0), 1.0, rtol=1e-5)
    assert original.RECIPE.noise(99, range(5, 8)) == (0, [0, 0, 0])


def test_a_step_of_the_original_lowers_its_loss():
    u = parameters()[0]
    torch.manual_seed(8)
    step = literal.Step(u, torch.ones(14))
    inputs, targets = torch.rand(2, 3), torch.ones(2, 7)
    losses = [step(inputs, targets) for _ in range(4)]
    assert losses[-1] < losses[0]
