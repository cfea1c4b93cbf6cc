# SPDX-License-Identifier: MIT
"""The yardstick of training: one step as the original of 2024 takes it (Shier et al., "Real-time Timbre Remapping with Differentiable
DSP"), operation by operation, without a thought for speed: every overlapping frame through recursive filters, an envelope by 2048 taps, a
transform for each window, two sets of frames one after the other. Frozen: torchdrum_py/original.py is measured against it, in value and in
time, so it changes only if it turns out that the original does something else.

What it does is known from its source; the code is written afresh. Its rate is 44.1 kHz, for the drum and in every constant of the features,
although it cuts its strokes at 48 kHz. recursive() does what torchaudio's lfilter does, compiled loop by compiled loop (here SciPy's).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.signal import lfilter as compiled_loop
from torch import Tensor
from torch.nn import functional

RATE = 44100
SAMPLES = 44100  # of a drum, one second
FRAME, HOP, GROUPS = 2048, 512, (2, 64)
TEMPORAL = 5512  # samples
# The range of each parameter, in the order of the voice (osc1, osc2, decays, noise filter, gains).
LOW = torch.tensor([20.0, -1, 20, -1, 10, 10, 10, 10, 20, 0.5, -60, -60, -60, -24])
HIGH = torch.tensor([2000.0, 2, 2000, 2, 2000, 2000, 2000, 2000, RATE // 2, 10, 6, 6, 6, 24])


# ---- recursive filters ----


class _Taps(torch.autograd.Function):
    """b0 + b1 z⁻¹ + b2 z⁻² along the last axis of x [B, C, n], channel by channel: b [C, 3]."""

    @staticmethod
    def forward(ctx, x: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(x, b)
        return functional.conv1d(functional.pad(x, (b.shape[1] - 1, 0)), b.flip(1).unsqueeze(1), groups=len(b))

    @staticmethod
    def backward(ctx, grad: Tensor):
        x, b = ctx.saved_tensors
        later, of_x, of_b = b.shape[1] - 1, None, None
        if ctx.needs_input_grad[1]:
            every = x.shape[0] * x.shape[1]
            rows = functional.pad(x, (later, 0)).reshape(1, every, -1)
            products = functional.conv1d(rows, grad.reshape(every, 1, -1), groups=every)
            of_b = products.view(x.shape[0], x.shape[1], -1).sum(0).flip(1)
        if ctx.needs_input_grad[0]:
            of_x = functional.conv1d(functional.pad(grad, (0, later)), b.unsqueeze(1), groups=len(b))
        return of_x, of_b


class _Recursion(torch.autograd.Function):
    """1 / (1 + a1 z⁻¹ + a2 z⁻²) along the last axis of x [B, C, n], channel by channel: a [C, 3]. Its gradient is the filter backwards."""

    @staticmethod
    def forward(ctx, x: Tensor, a: Tensor) -> Tensor:
        y = _loop(x, a)
        ctx.save_for_backward(a, y)
        return y

    @staticmethod
    def backward(ctx, grad: Tensor):
        a, y = ctx.saved_tensors
        back = _loop(grad.flip(2), a).flip(2)
        of_a = None
        if ctx.needs_input_grad[1]:
            order, channels = a.shape[1], a.shape[0]
            seen = functional.pad(y, (order - 1, 0)).unfold(2, order, 1).transpose(0, 1).reshape(channels, -1, order)
            of_a = -torch.matmul(back.transpose(0, 1).reshape(channels, 1, -1), seen).squeeze(1).flip(1)
        return back, of_a


def _loop(x: Tensor, a: Tensor) -> Tensor:
    one = np.ones(1, np.float32)
    return torch.from_numpy(np.stack([compiled_loop(one, a[c].numpy(), x[:, c].numpy()) for c in range(len(a))], axis=1))


def recursive(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Filters x [B, C, n] with a, b [C, 3], from rest, and clips the result to ±1."""
    a, b = a / a[:, :1], b / a[:, :1]
    return torch.clamp(_Recursion.apply(_Taps.apply(x, b), a), -1.0, 1.0)


# ---- features of frames [B, frames, samples] to [B, frames] ----


def _k_filters() -> list[tuple[Tensor, Tensor]]:
    """(a, b) [1, 3] of a shelf of 4 dB at 1500 Hz and a high-pass at 38 Hz, cookbook filters in place of the standard's tables."""
    slope, w = 10.0 ** (4.0 / 40.0), 2.0 * math.pi * 1500.0 / RATE
    cos, alpha = math.cos(w), math.sin(w) * math.sqrt(0.5)
    up, down, side = slope + 1.0, slope - 1.0, 2.0 * math.sqrt(slope) * alpha
    shelf_b = [slope * (up + down * cos + side), -2.0 * slope * (down + up * cos), slope * (up + down * cos - side)]
    shelf_a = [up - down * cos + side, 2.0 * (down - up * cos), up - down * cos - side]
    w = 2.0 * math.pi * 38.0 / RATE
    cos, alpha = math.cos(w), math.sin(w)
    pass_b, pass_a = [(1.0 + cos) / 2.0, -(1.0 + cos), (1.0 + cos) / 2.0], [1.0 + alpha, -2.0 * cos, 1.0 - alpha]
    both = ((shelf_a, shelf_b), (pass_a, pass_b))
    both = ((shelf_a, shelf_b), (pass_a, pass_b))
    return [tuple(torch.tensor(c, dtype=torch.float64)[None].div(a[0]).float() for c in (a, b)) for a, b in both]


def loudness(x: Tensor) -> Tensor:
    """LUFS, floor about −80.7."""
    rows = x.reshape(-1, 1, x.shape[-1])
    for a, b in _k_filters():
        rows = recursive(rows, a, b)
    return -0.691 + 10.0 * torch.log10(rows.reshape(x.shape).square().mean(-1) + 1e-8)


def _flat_top() -> Tensor:
    angle = 2.0 * math.pi * torch.arange(FRAME, dtype=torch.float32) / (FRAME - 1)
    terms = (0.21557895, -0.41663158, 0.277263158, -0.083578947, 0.006947368)
    return sum(term * torch.cos(i * angle) for i, term in enumerate(terms))


def centroid(x: Tensor) -> Tensor:
    magnitude = torch.abs(torch.fft.rfft(x * _flat_top()))
    magnitude = torch.where(magnitude < 1e-4, 1e-4, magnitude)
    share = functional.normalize(torch.log(1.0 + magnitude), p=1, dim=-1)
    hz = (torch.arange(share.shape[-1]) * share).sum(-1) * (RATE / FRAME)
    return -34.61 * torch.pow(hz, -0.1621) + 21.2985


def flatness(x: Tensor) -> Tensor:
    """dB, floor −160."""
    magnitude = torch.abs(torch.fft.rfft(x * torch.hann_window(FRAME)))
    power = torch.where(magnitude**2.0 < 1e-10, 1e-10, magnitude**2.0)
    ratio = torch.exp(torch.log(power).mean(-1)) / power.mean(-1)
    return 20.0 * torch.log10(ratio + 1e-8)


def temporal_centroid(x: Tensor) -> Tensor:
    """Of frames [B, 1, TEMPORAL]."""
    energy = functional.pad(x.square(), (0, 1))  # as the padding "same" does for an even number of taps
    envelope = functional.conv1d(energy, torch.hann_window(2048)[None, None], padding=1023)
    samples = (envelope * torch.arange(envelope.shape[-1])).sum(-1) / (envelope.sum(-1) + 1e-8)
    return 0.03 * torch.pow(samples / RATE * 1000.0, 1.864)


def framed(x: Tensor, feature) -> Tensor:
    """[B, 2] of sounds x [B, n]: the mean of a feature over the first two frames, and over the 64 after them."""
    frames, means, start = x.unfold(1, FRAME, HOP), [], 0
    for count in GROUPS:
        means.append(feature(frames[:, start : start + count]).mean(1))
        start += count
    return torch.stack(means, 1)


def measure(x: Tensor) -> Tensor:
    """[B, 7] of sounds x [B, n], in the order of torchdrum_py.long_features.NAMES."""
    parts = torch.stack([framed(x, feature) for feature in (loudness, centroid, flatness)], 2)
    late = temporal_centroid(x.unfold(1, TEMPORAL, TEMPORAL)[:, :1])
    return torch.cat([parts[:, 0], parts[:, 1], late], 1)


# ---- the 808 ----


def _envelope(decay_ms: Tensor) -> Tensor:
    """[B, SAMPLES] of [B, 1]: up for a millisecond, then a factor for each sample, multiplied up."""
    attack = int(0.001 * RATE)
    factor = 1.0 - 6.91 / (decay_ms * RATE / 1000.0)
    fall = torch.ones(len(decay_ms), SAMPLES - attack)
    fall[:, 1:] = factor
    rise = torch.cumsum(torch.full((len(decay_ms), attack), 1.0 / attack), dim=-1)
    return torch.cat([rise, torch.cumprod(fall, dim=-1)], dim=-1)


def _oscillator(hz: Tensor, amount: Tensor, swept: Tensor) -> Tensor:
    step = 2.0 * math.pi * hz / RATE
    steps = torch.ones(len(hz), SAMPLES) * step + swept * amount * step
    return torch.sin(torch.cumsum(torch.cat([torch.zeros_like(steps[:, :1]), steps], dim=-1), dim=-1)[:, :-1])


def _highpass(x: Tensor, hz: Tensor, q: Tensor) -> Tensor:
    k = torch.tan(math.pi * hz / RATE)
    norm = 1.0 / (1.0 + k / q + k * k)
    b = torch.cat([norm, -2.0 * norm, norm], -1)
    a = torch.cat([torch.ones_like(norm), 2.0 * (k * k - 1.0) * norm, (1.0 - k / q + k * k) * norm], -1)
    return recursive(x.unsqueeze(0), a, b).squeeze(0)


def _gain(db: Tensor) -> Tensor:
    return torch.pow(10.0, db / 20.0)


def drum(u: Tensor, noise: Tensor) -> Tensor:
    """[B, SAMPLES] of parameters u [B, 14] in 0 … 1; noise: [1, SAMPLES], always the same."""
    hz1, mod1, hz2, mod2, sweep, decay1, decay2, decay3, cutoff, q, gain1, gain2, gain3, drive = (LOW + (HIGH - LOW) * u).split(1, dim=1)
    swept = _envelope(sweep)
    first, second = _oscillator(hz1, mod1, swept), _oscillator(hz2, mod2, swept)
    y = _gain(gain1) * first * _envelope(decay1)
    y = y + _gain(gain2) * second * _envelope(decay2)
    snappy = _highpass(noise.expand(len(u), -1) * _envelope(decay3), cutoff, q)
    return torch.tanh(_gain(drive) * (y + _gain(gain3) * snappy))


# ---- a step ----


class Step:
    """Everything that a step needs: network 3 → 32 → 14, Adam, preset and damping [14] in 0 … 1 and as factors."""

    def __init__(self, preset: Tensor, damping: Tensor):
        hidden, last = torch.nn.Linear(3, 32), torch.nn.Linear(32, 14)
        for layer in (hidden, last):
            torch.nn.init.normal_(layer.weight, 0.0, 1e-3)
            torch.nn.init.zeros_(layer.bias)
        norm = torch.nn.LayerNorm(32, elementwise_affine=False)
        self.network = torch.nn.Sequential(hidden, norm, torch.nn.ReLU(), last, torch.nn.Tanh())
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=5e-4)
        self.preset, self.damping = preset[None], damping[None]
        self.noise = torch.rand(1, SAMPLES) * 2.0 - 1.0
        with torch.no_grad():
            self.baseline = measure(drum(self.preset, self.noise))

    def parameters(self, inputs: Tensor) -> Tensor:
        return torch.clip(self.preset + self.network(inputs) * self.damping, 0.0, 1.0)

    def __call__(self, inputs: Tensor, targets: Tensor) -> float:
        """Trains with inputs [B, 3] and targets [B, 7], the long features' differences from the reference stroke's; returns the loss."""
        found = measure(drum(self.parameters(inputs), self.noise)) - self.baseline
        loss = torch.abs(found - targets).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()
