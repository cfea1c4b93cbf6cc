# SPDX-License-Identifier: MIT
"""The Snare 808 in PyTorch, for gradients: the sound of the core (spec 6).

`render` is the core itself, with its gradient in C (snare808_gradient.c); `closed_form` is the same in PyTorch alone, from closed forms,
not recurrences, for other devices, in either precision, and to check the former by. They agree within 1e-4, gradients within 1e-3.
Nothing depends on the batch: a row of a batch is the same as the row alone.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from . import batch
from .params import PARAMS
from .stages import check_rate

ATTACK_S = FADE_S = 0.001
CUTOFF_LIMIT = 0.45  # of the sample rate
FILTER_BLOCK = 64  # samples; a power of two


def render(params: Tensor, sample_rate: float, seed: int, hits, n: int) -> Tensor:
    """The first n samples of strokes of the 808 snare (spec 6), differentiable with respect to params.

    params: [B, 14] in units, in the order of PARAMS. seed and hits [B]: whole numbers, the noise of each row (spec 6.3).
    Returns float32 [B, n].
    """
    if params.device.type != "cpu":
        return closed_form(params.float(), sample_rate, seed, hits, n)
    return _Voice.apply(params, check_rate(sample_rate), seed, hits, n)


class _Voice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, params: Tensor, sample_rate: float, seed: int, hits, n: int) -> Tensor:
        ctx.save_for_backward(params)
        ctx.how = sample_rate, seed, hits
        return torch.from_numpy(batch.render(params.detach().numpy(), sample_rate, seed, hits, n, torch.get_num_threads()))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad: Tensor):
        (params,) = ctx.saved_tensors
        slopes = batch.gradient(params.detach().numpy(), *ctx.how, grad.numpy(), torch.get_num_threads())
        return torch.from_numpy(slopes).to(params.dtype), None, None, None, None


def closed_form(params: Tensor, sample_rate: float, seed: int, hits, n: int) -> Tensor:
    """render in PyTorch alone, in the precision of params (phases, filter and all that defines them always in double)."""
    sample_rate, dtype = check_rate(sample_rate), params.dtype
    if params.ndim != 2 or params.shape[1] != len(PARAMS):
        raise ValueError(f"parameters of the voice have the shape [strokes, {len(PARAMS)}], not {list(params.shape)}")
    p = {param.name: column for param, column in zip(PARAMS, params.double().split(1, dim=1), strict=True)}
    time = torch.arange(n, dtype=torch.float64, device=params.device)

    swept = envelope(p["freq_env_decay"], time, sample_rate)
    turned = torch.cumsum(swept, dim=1) - swept  # E(n) of spec 6.2
    total = 0.0
    for osc in ("osc1", "osc2"):
        cycles = p[f"{osc}_freq"] / sample_rate * (time + p[f"{osc}_mod"] * turned)
        sine = torch.sin(2.0 * math.pi * (cycles - cycles.detach().floor()).to(dtype))
        total = total + gain(p[f"{osc}_gain"], dtype) * envelope(p[f"{osc}_decay"], time, sample_rate, dtype) * sine
    white = noise(seed, hits, n).to(params.device, dtype)
    snappy = highpass(white, p["noise_filter_freq"], p["noise_filter_q"], sample_rate)
    level = gain(p["noise_gain"], dtype) * math.sqrt(sample_rate / 48000.0)
    total = total + level * envelope(p["noise_decay"], time, sample_rate, dtype) * snappy
    return torch.tanh(gain(p["tanh_gain"], dtype) * total)


def gain(db: Tensor, dtype=torch.float64) -> Tensor:
    """Amplitude factor of dB."""
    return torch.exp(db * (math.log(10.0) / 20.0)).to(dtype)


def envelope(decay_ms: Tensor, time: Tensor, sample_rate: float, dtype=torch.float64) -> Tensor:
    """Spec 6.1: [B, n] of decays [B, 1] in ms at sample numbers time [n].

    Attack and end stand at whole samples and are constants to the gradient; the decay between them carries it.
    """
    attack = ATTACK_S * sample_rate
    fade = math.floor(FADE_S * sample_rate + 0.5)
    decay = decay_ms * 0.001 * sample_rate
    with torch.no_grad():
        end = torch.ceil(attack + decay * (4.0 / 3.0))
        frame = torch.clamp((end - time) / fade, 0.0, 1.0).to(dtype) * torch.clamp(time / attack, max=1.0).to(dtype)
    octaves = -3.0 * math.log2(10.0) / decay
    return torch.exp2(octaves.to(dtype) * torch.clamp(time - attack, min=0.0).to(dtype)) * frame


def noise(seed: int, hits, n: int) -> Tensor:
    """Spec 6.3: white noise [B, n] float32 in [−1, 1) of the hits [B] of a seed."""
    golden = np.uint32(0x9E3779B9)

    def mix(x: np.ndarray) -> np.ndarray:
        x = x ^ x >> np.uint32(16)
        x *= np.uint32(0x21F0AAAD)
        x ^= x >> np.uint32(15)
        x *= np.uint32(0xD35A2D97)
        x ^= x >> np.uint32(15)
        return x

    hits = (np.atleast_1d(np.asarray(hits, dtype=np.int64)) & 0xFFFFFFFF).astype(np.uint32)
    key = mix(mix(np.array([seed & 0xFFFFFFFF], np.uint32)) + hits * golden)
    r = mix(key[:, None] ^ np.arange(n, dtype=np.uint32) * golden)
    return torch.from_numpy((r >> np.uint32(8)).astype(np.float32) * np.float32(2**-23) - np.float32(1.0))


def highpass(x: Tensor, cutoff_hz: Tensor, q: Tensor, sample_rate: float) -> Tensor:
    """Spec 6.4: Vicanek's matched high-pass over x [B, n], one filter for each row; cutoff_hz and q: [B, 1] double."""
    w = 2.0 * math.pi * torch.clamp(cutoff_hz / sample_rate, max=CUTOFF_LIMIT)
    damping = 0.5 / q
    a1 = -2.0 * torch.exp(-damping * w) * cos_of_root(w * w * (1.0 - damping * damping))
    a2 = torch.exp(-2.0 * damping * w)
    phi1 = torch.sin(0.5 * w) ** 2
    phi0 = 1.0 - phi1
    phi2 = 4.0 * phi0 * phi1
    power = (1.0 + a1 + a2) ** 2 * phi0 + (1.0 - a1 + a2) ** 2 * phi1 - 4.0 * a2 * phi2
    b0 = q * torch.sqrt(power) / (4.0 * phi1)
    return biquad(x, (b0, -2.0 * b0, b0), (a1, a2))


def cos_of_root(y: Tensor) -> Tensor:
    """cos √y for y ≥ 0, with its finite derivative at 0 (where Q = ½)."""
    near = y < 1e-2
    root = torch.sqrt(torch.where(near, torch.ones_like(y), y))
    series = 1.0 - y / 2.0 * (1.0 - y / 12.0 * (1.0 - y / 30.0 * (1.0 - y / 56.0)))
    return torch.where(near, series, torch.cos(root))


def biquad(x: Tensor, b, a) -> Tensor:
    """(b0 + b1 z⁻¹ + b2 z⁻²) / (1 + a1 z⁻¹ + a2 z⁻²) over the rows of x [B, n], from rest; b, a: [B, 1] double.

    The recursion as a block state space: with the state s = (s1, s2) of the transposed direct form II, s ← M s + v x,
    a block's output is its input times the Toeplitz matrix of the impulse response plus the powers of M times the
    state before it, and the states before all blocks come from log2(blocks) doublings. Returns the precision of x.
    """
    (b0, b1, b2), (a1, a2) = b, a
    batch, n = x.shape
    blocks = -(-n // FILTER_BLOCK)
    ones = torch.ones_like(a1)
    matrix = torch.stack([torch.cat([-a1, ones], 1), torch.cat([-a2, 0.0 * ones], 1)], 1)  # M [B, 2, 2]
    inlet = torch.cat([b1 - a1 * b0, b2 - a2 * b0], 1)  # v [B, 2]

    powers, doubled = torch.eye(2, dtype=a1.dtype, device=a1.device).expand(batch, 1, 2, 2), matrix
    while powers.shape[1] < FILTER_BLOCK:
        powers = torch.cat([powers, powers @ doubled[:, None]], 1)
        doubled = doubled @ doubled
    reached = (powers @ inlet[:, None, :, None])[..., 0]  # M^k v [B, block, 2]
    response = torch.cat([b0, reached[:, :-1, 0]], 1)  # impulse response [B, block]
    toeplitz = torch.nn.functional.pad(response, (FILTER_BLOCK - 1, 0)).unfold(1, FILTER_BLOCK, 1).flip(1)

    rows = torch.nn.functional.pad(x, (0, blocks * FILTER_BLOCK - n)).reshape(batch, blocks, FILTER_BLOCK)
    state = rows.double() @ reached.flip(1)  # what each block alone leaves behind [B, blocks, 2]
    step, across = 1, doubled.transpose(1, 2)
    while step < blocks:
        state = torch.cat([state[:, :step], state[:, step:] + state[:, :-step] @ across], 1)
        step, across = 2 * step, across @ across
    before = torch.nn.functional.pad(state[:, :-1], (0, 0, 1, 0))
    y = rows @ toeplitz.to(x.dtype) + (before @ powers[:, :, 0].transpose(1, 2)).to(x.dtype)
    return y.reshape(batch, -1)[:, :n]
