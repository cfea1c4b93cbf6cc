# SPDX-License-Identifier: MIT
"""The voice in PyTorch is the voice of the core, and its gradients can be trusted, in C (render) and in PyTorch (closed_form)."""

import numpy as np
import pytest
import torch

import torchdrum_py as td
from torchdrum_py import batch, synth

LOW = np.array([p.min for p in td.PARAMS])
HIGH = np.array([p.max for p in td.PARAMS])
DEFAULT = np.array([p.default for p in td.PARAMS])
BOTH = pytest.mark.parametrize("voice", [synth.render, synth.closed_form])
PRESETS = [td.Preset.load(name).value for name in td.preset_names()]


def random_sets(count: int, seed: int = 808) -> np.ndarray:
    return (LOW + (HIGH - LOW) * np.random.default_rng(seed).random((count, len(LOW)))).astype(np.float32)


def ends_of_ranges() -> np.ndarray:
    """The defaults with one parameter at an end of its range, and everything at an end."""
    one = [np.where(np.arange(len(LOW)) == i, end, DEFAULT) for i in range(len(LOW)) for end in (LOW, HIGH)]
    return np.array([*one, LOW, HIGH], np.float32)


@BOTH
@pytest.mark.parametrize("sr", [44100, 48000, 96000])
def test_one_second_is_that_of_the_core_within_1e_4(sr, voice):
    sets = np.concatenate([PRESETS, random_sets(30), ends_of_ranges()])
    for first in range(0, len(sets), 8):
        part = sets[first : first + 8]
        hits = range(first, first + len(part))
        found = voice(torch.from_numpy(part), sr, 77, hits, sr).numpy()
        wanted = [td.render_snare808(row, sr, 77, hit, sr) for row, hit in zip(part, hits, strict=True)]
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4)


def test_noise_is_that_of_the_core_to_the_bit():
    for seed in (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
        hits = (0, 1, 255, 0xFFFFFFFF)
        wanted = np.array([td.noise(seed, hit, 0, 5000) for hit in hits])
        assert np.array_equal(synth.noise(seed, hits, 5000).numpy(), wanted)


@BOTH
@pytest.mark.parametrize("n", [1, 63, 64, 65, 4097])
def test_any_length_is_the_beginning_of_a_longer_one(n, voice):
    params = torch.from_numpy(random_sets(3))
    longer = voice(params, 48000, 5, range(3), 8000)[:, :n]
    np.testing.assert_allclose(voice(params, 48000, 5, range(3), n), longer, rtol=0, atol=1e-6)


@BOTH
def test_a_stroke_does_not_depend_on_its_batch(voice):
    params = torch.from_numpy(random_sets(9)).requires_grad_()
    together = voice(params, 48000, 3, range(9), 12000)
    together.square().sum().backward()
    for i in range(9):
        alone = params.detach()[i : i + 1].clone().requires_grad_()
        sound = voice(alone, 48000, 3, [i], 12000)
        sound.square().sum().backward()
        np.testing.assert_allclose(sound[0].detach(), together[i].detach(), rtol=0, atol=1e-6)
        np.testing.assert_allclose(alone.grad[0], params.grad[i], rtol=1e-3, atol=1e-6)


@BOTH
def test_gradients_are_finite_at_both_ends_of_every_range(voice):
    params = torch.from_numpy(ends_of_ranges()).requires_grad_()
    voice(params, 48000, 1, range(len(params)), 48000).square().mean(1).sum().backward()
    assert torch.isfinite(params.grad).all()


@pytest.mark.parametrize("n", [1, 100, 30000])
@pytest.mark.parametrize("sr", [8000, 44100, 48000, 192000])
def test_the_gradient_in_c_is_that_of_the_closed_form(sr, n):
    """On presets, random sets and all ends of ranges, against whatever arrives: within 1e-3 of each slope."""
    sets = np.concatenate([PRESETS, random_sets(12), ends_of_ranges()])
    arriving = np.random.default_rng(5).normal(size=(len(sets), n)).astype(np.float32)
    params = torch.from_numpy(sets).double().requires_grad_()
    (synth.closed_form(params, sr, 7, range(len(sets)), n) * torch.from_numpy(arriving)).sum().backward()
    wanted = params.grad.numpy()
    found = batch.gradient(sets, sr, 7, range(len(sets)), arriving)
    assert (np.abs(found - wanted) <= 1e-3 * np.abs(wanted) + 1e-6 * np.abs(wanted).max(0)).all()


@pytest.mark.parametrize("values", [PRESETS[0], PRESETS[1], random_sets(1)[0]], ids=["snare_1", "Q at its end", "random"])
def test_the_closed_form_passes_gradcheck_in_double(values):
    params = torch.from_numpy(np.array([values], np.float64))
    params[0, [p.name for p in td.PARAMS].index("noise_filter_q")] += 0.01  # two-sided differences need room
    assert torch.autograd.gradcheck(
        lambda p: synth.closed_form(p, 8000, 3, [4], 200), params.requires_grad_(), eps=1e-6, atol=1e-5, rtol=1e-4
    )


@pytest.mark.parametrize("index", range(len(td.PARAMS)), ids=[p.name for p in td.PARAMS])
def test_each_parameter_is_recovered_from_the_sound(index):
    """From 4 % of its range beside the truth (1 % for pitches, whose waves soon point the other way), by the first 20 ms."""
    name = td.PARAMS[index].name
    base = np.array([200, 0.5, 310, 0.4, 80, 120, 90, 150, 3000, 1.5, -9, -11, -8, -3], np.float32)
    span = HIGH[index] - LOW[index]
    target = torch.from_numpy(td.render_snare808(base, 48000, 2, 1, 960))
    start = 0.01 if name in ("osc1_freq", "osc2_freq") else 0.04
    shift = torch.tensor(start, dtype=torch.float64, requires_grad=True)  # of the parameter, in units of its range
    optimizer = torch.optim.LBFGS([shift], lr=1.0, max_iter=40, tolerance_grad=1e-14, tolerance_change=1e-12, line_search_fn="strong_wolfe")
    one = torch.from_numpy(np.eye(len(LOW))[index] * span)

    def loss():
        optimizer.zero_grad()
        sound = synth.render(torch.from_numpy(base).double()[None] + shift * one, 48000, 2, [1], 960)[0]
        value = (sound - target).double().square().mean()
        value.backward()
        return value

    optimizer.step(loss)
    assert abs(shift.item()) < 1e-3


@BOTH
@pytest.mark.parametrize("index", range(len(td.PARAMS)), ids=[p.name for p in td.PARAMS])
def test_gradients_are_the_slopes_of_the_core(index, voice):
    """Central differences of the C voice, along a fixed random direction of its output, over 20 ms: later on the phases are
    too steep functions of the frequencies."""
    n = 960
    base = np.array([200, 0.5, 310, 0.4, 80, 120, 90, 150, 3000, 1.5, -9, -11, -8, -3], np.float32)
    direction = np.random.default_rng(4).normal(size=n)
    params = torch.from_numpy(base[None]).requires_grad_()
    (voice(params, 48000, 9, [2], n)[0].double() * torch.from_numpy(direction)).sum().backward()
    step = 2e-3 * max(abs(base[index]), 0.5)
    ends = []
    for side in (-1, 1):
        moved = base.copy()
        moved[index] += side * step
        ends.append((moved[index], td.render_snare808(moved, 48000, 9, 2, n) @ direction))
    slope = (ends[1][1] - ends[0][1]) / (ends[1][0] - ends[0][0])
    assert params.grad[0, index].item() == pytest.approx(slope, rel=0.02, abs=2e-5 * np.abs(direction).sum() / step / 1000)


@BOTH
def test_a_wrong_shape_is_refused(voice):
    with pytest.raises(ValueError, match="14"):
        voice(torch.zeros(2, 13), 48000, 0, range(2), 100)


def test_parameters_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="finite"):
        synth.render(torch.full((2, 14), torch.nan), 48000, 0, range(2), 100)
