# SPDX-License-Identifier: MIT
"""The long features of a stroke (spec 10): seven numbers for its first 0.74 s, differentiable, to compare sounds in training.

The three features that the network sees are another thing: they come from the core (td_features, spec 4).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from torch import Tensor

from .data import SAMPLE_RATE, SAMPLES

FRAME, HOP = 2048, 512
TRANSIENT_FRAMES, FRAMES = 2, (SAMPLES - FRAME) // HOP + 1  # 66 of all
NAMES = (
    "transient_loudness",
    "transient_centroid",
    "transient_flatness",
    "sustain_loudness",
    "sustain_centroid",
    "sustain_flatness",
    "temporal_centroid",
)

HIGHEST_HZ = 20000.0
BINS = int(HIGHEST_HZ * FRAME / SAMPLE_RATE)
LOUDNESS_FLOOR = -70.0  # LUFS, the absolute gate of BS.1770
LOUDNESS_OFFSET = -0.691
EVEN_WEIGHT = 1e-3  # LU, so that a silent stroke has a centroid
MAGNITUDE_FLOOR = 1e-4
POWER_FLOOR = 1e-10
SOFTENED_SAMPLES, TEMPORAL_SAMPLES = 2048, 6000  # 43 ms, 125 ms
ENERGY_FLOOR = 1e-7
# ITU-R BS.1770-4, tables 1 and 2, at 48 kHz: (b, a) of the shelf and of the high-pass
K_WEIGHTING = (
    ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585)),
    ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)),
)
K_WEIGHTING_RINGS = 5632  # samples, in which the response falls by more than 200 dB
K_WEIGHTING_FFTS = range(20480, SAMPLES + K_WEIGHTING_RINGS + 1, 5120)  # lengths that are quick to transform


def measure(x: Tensor) -> Tensor:
    """[B, 7] in the order of NAMES of strokes x [B, at least SAMPLES] at SAMPLE_RATE, sample 0 the start of each (spec 10)."""
    if x.ndim != 2 or x.shape[1] < SAMPLES:
        raise ValueError(f"strokes have the shape [strokes, {SAMPLES} or more], not {list(x.shape)}")
    x = x[:, :SAMPLES]
    loudness = frame_loudness(x)
    centroid, flatness = frame_timbre(x)
    weight = loudness - LOUDNESS_FLOOR + EVEN_WEIGHT
    kinds = ((loudness, torch.ones_like(weight)), (centroid, weight), (flatness, weight))
    parts = [slice(TRANSIENT_FRAMES), slice(TRANSIENT_FRAMES, FRAMES)]
    means = [(v[:, part] * w[:, part]).sum(1) / w[:, part].sum(1) for part in parts for v, w in kinds]
    return torch.stack([*means, temporal_centroid(x)], dim=1)


def frame_loudness(x: Tensor) -> Tensor:
    """Spec 10.2: K-weighted loudness of each frame in LUFS, [B, FRAMES]."""
    last = int(_sounding(x).any(0).nonzero().amax()) + 1 if x.any() else 0
    size = next(n for n in K_WEIGHTING_FFTS if n >= last * HOP + K_WEIGHTING_RINGS)
    padded = torch.nn.functional.pad(x, (0, size - SAMPLES))
    weighted = Filtered.apply(padded, _k_response(size, x.dtype, x.device))[:, :SAMPLES]
    hops = torch.nn.functional.pad(weighted.square(), (0, SAMPLES - weighted.shape[1])).reshape(len(x), -1, HOP).sum(2)
    mean_square = hops.unfold(1, FRAME // HOP, 1).sum(2) / FRAME
    floor = 10.0 ** ((LOUDNESS_FLOOR - LOUDNESS_OFFSET) / 10.0)
    return LOUDNESS_OFFSET + 10.0 * torch.log10(mean_square + floor)


def frame_timbre(x: Tensor) -> tuple[Tensor, Tensor]:
    """Spec 10.3 and 10.4: centroid on an ERB-like scale and flatness in dB of each frame of x [B, SAMPLES], both [B, FRAMES]."""
    return _Timbre.apply(x)


def temporal_centroid(x: Tensor) -> Tensor:
    """Spec 10.5: the scaled middle in time of the first 125 ms, [B]."""
    level, moment = (v.to(x) for v in _temporal_weights())
    energy = x[:, :TEMPORAL_SAMPLES].square()
    ms = (energy @ moment) / (energy @ level + ENERGY_FLOOR)
    return 0.03 * ms**1.864


class _Timbre(torch.autograd.Function):
    """frame_timbre, stroke by stroke. Each of the two numbers of a frame has one slope with each of its samples, found beside the number
    while the stroke's spectra are in the cache; the gradient is their sum, weighted by what arrives. Silent ends are constants.

    (PyTorch's own gradient of rfft is a complex transform, four times the work; that of torch.abs is NaN at denormal bins.)
    """

    @staticmethod
    def forward(ctx, x: Tensor) -> tuple[Tensor, Tensor]:
        found = _silence(x.dtype, x.device)[:, None, None].repeat(1, len(x), FRAMES)
        ctx.slopes = []
        for row, values, sounding in zip(x, found.unbind(1), _sounding(x), strict=True):
            hops = sounding.nonzero()
            frames = row.unfold(0, FRAME, HOP)[: int(hops[-1]) + 1 if len(hops) else 1]
            both = [one(frames) for one in (_centroid, _flatness)]
            values[:, : len(frames)] = torch.stack([value for value, _ in both])
            ctx.slopes.append([slope() for _, slope in both] if ctx.needs_input_grad[0] else None)
        return found[0], found[1]

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, by_centroid: Tensor, by_flatness: Tensor) -> Tensor:
        out = by_centroid.new_zeros(len(by_centroid), SAMPLES)
        for row, (centroid, flatness), *by in zip(out, ctx.slopes, by_centroid, by_flatness, strict=True):
            frames = torch.addcmul(centroid * by[0][: len(centroid), None], flatness, by[1][: len(flatness), None])
            overlap_add(frames, row)
        return out


def _sounding(x: Tensor) -> Tensor:
    """Which HOP samples of x [B, SAMPLES] are not all 0, [B, hops]."""
    return x.unflatten(1, (-1, HOP)).any(2)


@cache
def _silence(dtype: torch.dtype, device: torch.device) -> Tensor:
    """Centroid and flatness of a silent frame, [2]."""
    frame = torch.zeros(1, FRAME, dtype=dtype, device=device)
    return torch.cat([one(frame)[0] for one in (_centroid, _flatness)])


def overlap_add(frames: Tensor, out: Tensor):
    """Adds frames [..., n, FRAME] to out [..., SAMPLES], where they belong."""
    hops, count = out.unflatten(-1, (-1, HOP)), frames.shape[-2]
    for k, part in enumerate(frames.unflatten(-1, (-1, HOP)).unbind(-2)):
        hops[..., k : k + count, :] += part


@cache
def _constants(dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Flat top, Hann of sum 1 and the frequencies of the bins."""
    smooth = hann(FRAME)
    return tuple(x.to(device, dtype) for x in (flat_top(FRAME), smooth / smooth.sum(), _frequencies()))


def _power(frames: Tensor, window: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """|X(k)|², k = 1 … BINS, of windowed frames [n, FRAME], and what makes, once, slopes with the samples of slopes with these."""
    spectrum = torch.fft.rfft(frames * window)
    used = spectrum[:, 1 : BINS + 1]

    def slopes(by_power: Tensor) -> Tensor:
        used.mul_(by_power)
        spectrum[:, 0] = 0.0
        spectrum[:, BINS + 1 :] = 0.0
        return torch.fft.irfft(spectrum, FRAME, norm="forward").mul_(window)

    return used.real.square() + used.imag.square(), slopes


def _centroid(frames: Tensor) -> tuple[Tensor, Callable[[], Tensor]]:
    """Spec 10.3 of frames [n, FRAME]: [n], and what makes its slopes with the samples [n, FRAME]."""
    window, _, frequency = _constants(frames.dtype, frames.device)
    power, slopes = _power(frames, window)
    magnitude = power.add_(MAGNITUDE_FLOOR**2).sqrt_()
    compressed = torch.log1p(magnitude)
    total = compressed.sum(1, keepdim=True)
    hz = (compressed @ frequency)[:, None] / total

    def by_power() -> Tensor:
        by_hz = 34.61 * 0.1621 * hz**-1.1621
        return (frequency - hz).mul_(0.5 * by_hz / total).div_(magnitude.square().add_(magnitude))

    return (21.2985 - 34.61 * hz**-0.1621)[:, 0], lambda: slopes(by_power())


def _flatness(frames: Tensor) -> tuple[Tensor, Callable[[], Tensor]]:
    """Spec 10.4 of frames [n, FRAME]: [n], and what makes its slopes with the samples [n, FRAME]."""
    power, slopes = _power(frames, _constants(frames.dtype, frames.device)[1])
    power += POWER_FLOOR
    mean = power.mean(1, keepdim=True)
    scale = 20.0 / math.log(10.0)
    flatness = scale * (torch.log(power).mean(1) - torch.log(mean[:, 0]))
    return flatness, lambda: slopes(power.reciprocal().sub_(1.0 / mean).mul_(scale / BINS))


class Filtered(torch.autograd.Function):
    """x [..., n], n even, through a frequency response [n/2 + 1], around the circle; the gradient through its conjugate."""

    @staticmethod
    def forward(ctx, x: Tensor, response: Tensor) -> Tensor:
        ctx.save_for_backward(response)
        return torch.fft.irfft(torch.fft.rfft(x) * response, x.shape[-1])

    @staticmethod
    def backward(ctx, grad: Tensor):
        (response,) = ctx.saved_tensors
        return torch.fft.irfft(torch.fft.rfft(grad) * response.conj(), grad.shape[-1]), None


@cache
def _frequencies() -> Tensor:
    return torch.from_numpy(np.arange(1, BINS + 1) * (SAMPLE_RATE / FRAME))


@cache
def hann(n: int) -> Tensor:
    return torch.from_numpy(0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n) / n))


@cache
def flat_top(period: int) -> Tensor:
    """[FRAME]. D'Antona & Ferrero 2006, the five terms that everybody uses."""
    terms = (0.21557895, -0.41663158, 0.277263158, -0.083578947, 0.006947368)
    angle = 2.0 * np.pi * np.arange(FRAME) / period
    return torch.from_numpy(sum(a * np.cos(i * angle) for i, a in enumerate(terms)))


@cache
def _k_response(n: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    return response(K_WEIGHTING, n).to(device, dtype.to_complex())


def response(filters, n: int) -> Tensor:
    """Of filters (b, a) one after the other, on the frequencies of a transform of n samples, complex128 [n/2 + 1]."""
    z = np.exp(-2j * np.pi * np.arange(n // 2 + 1) / n)
    return torch.from_numpy(np.prod([np.polyval(b[::-1], z) / np.polyval(a[::-1], z) for b, a in filters], axis=0))


@cache
def _temporal_weights() -> tuple[Tensor, Tensor]:
    smooth = hann(SOFTENED_SAMPLES).numpy()
    level, moment = smoothed_sums(smooth / smooth.sum(), SOFTENED_SAMPLES // 2, TEMPORAL_SAMPLES)
    return torch.from_numpy(level), torch.from_numpy(moment * (1000.0 / SAMPLE_RATE))


def smoothed_sums(smooth: np.ndarray, middle: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """What each of n samples adds to Σ s(t) and Σ t·s(t) of the samples smoothed, s(t) for t < n; smooth has its middle at that place."""
    return tuple(np.convolve(part, smooth)[middle : middle + n] for part in (np.ones(n), np.arange(float(n))))
