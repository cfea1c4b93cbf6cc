# SPDX-License-Identifier: MIT
"""The training recipe of the original (Shier et al. 2024, "Real-time Timbre Remapping with Differentiable DSP"), as a yardstick for ours.

The long features are the same as those of the original in value and in gradient, oddities included, but computed the short way;
bench/reference/training.py is the long way. Constants and rules are facts of its source, the repository
jorshi/ddsp-timbre-remap, and of the pyloudnorm and torchaudio that it calls.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from .long_features import (
    FRAME,
    FRAMES,
    HOP,
    K_WEIGHTING_FFTS,
    NAMES,
    SAMPLES,
    TRANSIENT_FRAMES,
    Filtered,
    flat_top,
    hann,
    overlap_add,
    response,
    smoothed_sums,
)
from .mapping import Network, Scale
from .recipe import Recipe

# Every constant of the features is made for this rate, and the original's drum has it; its strokes are at 48 kHz all the same.
SAMPLE_RATE = 44100
MEAN_SQUARE_FLOOR = 1e-8  # added: -80.7 LUFS
MAGNITUDE_FLOOR, POWER_FLOOR = 1e-4, 1e-10  # here a maximum, of spectra that the window's sum does not divide
FLATNESS_FLOOR = 1e-8  # added to the ratio: -160 dB
SOFTENED_SAMPLES, TEMPORAL_SAMPLES, ENVELOPE_FLOOR = 2048, 5512, 1e-8


def measure(x: Tensor) -> Tensor:
    """[B, 7] in the order of long_features.NAMES of strokes x: [B, at least SAMPLES], sample 0 the start of each.

    Plain means over the frames, silent ones too.
    """
    if x.ndim != 2 or x.shape[1] < SAMPLES:
        raise ValueError(f"strokes have the shape [strokes, {SAMPLES} or more], not {list(x.shape)}")
    x = x[:, :SAMPLES]
    kinds = frame_loudness(x), *frame_timbre(x)
    parts = [slice(TRANSIENT_FRAMES), slice(TRANSIENT_FRAMES, FRAMES)]
    means = [kind[:, part].mean(1) for part in parts for kind in kinds]
    return torch.stack([*means, temporal_centroid(x)], dim=1)


def frame_timbre(x: Tensor) -> tuple[Tensor, Tensor]:
    """Centroid and flatness of each frame of x [B, SAMPLES], both [B, FRAMES]."""
    frames = _Frames.apply(x)
    return frame_centroid(frames), frame_flatness(frames)


def frame_centroid(frames: Tensor) -> Tensor:
    """Spectral centroid of each frame on an ERB-like scale, [B, FRAMES]; direct current counts, silence is the middle of the band."""
    power = _Power.apply(frames * flat_top(FRAME - 1).to(frames))
    compressed = torch.log1p(torch.sqrt(torch.clamp(power, min=MAGNITUDE_FLOOR**2)))
    hz = compressed @ _frequencies() / compressed.sum(2)
    return 21.2985 - 34.61 * hz**-0.1621


def frame_flatness(frames: Tensor) -> Tensor:
    """Spectral flatness of each frame in dB, [B, FRAMES]; silence is 0, as white noise would be."""
    power = torch.clamp(_Power.apply(frames * hann(FRAME).to(frames)), min=POWER_FLOOR)
    ratio = torch.exp(torch.log(power).mean(2) - torch.log(power.mean(2)))
    return 20.0 * torch.log10(ratio + FLATNESS_FLOOR)


class _Frames(torch.autograd.Function):
    """[B, FRAMES, FRAME] of x [B, SAMPLES], overlapping. PyTorch's own gradient of unfold takes twice the time."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        return x.unfold(1, FRAME, HOP)

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        out = grad.new_zeros(len(grad), SAMPLES)
        overlap_add(grad, out)
        return out


class _Power(torch.autograd.Function):
    """|X(k)|² of windowed frames [..., FRAME], k = 0 … FRAME/2.

    PyTorch's own gradient of rfft is a complex transform, four times the work; that of torch.abs is NaN at denormal bins.
    """

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        spectrum = torch.fft.rfft(x)
        ctx.save_for_backward(spectrum)
        return spectrum.real.square() + spectrum.imag.square()

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        (spectrum,) = ctx.saved_tensors
        slopes = grad.clone()
        slopes[..., [0, -1]] *= 2.0  # these two are alone, every other bin has its mirror image
        return torch.fft.irfft(spectrum * slopes, FRAME, norm="forward")


def temporal_centroid(x: Tensor) -> Tensor:
    """The scaled middle in time of the first 5512 samples, [B]."""
    level, moment = _temporal_weights()
    energy = x[:, :TEMPORAL_SAMPLES].square()
    ms = (energy @ moment) / (energy @ level + ENVELOPE_FLOOR) * (1000.0 / SAMPLE_RATE)
    return 0.03 * ms**1.864


# ---- loudness of frames that are filtered one by one ----
# A filter that starts from rest at a frame differs from one that has run since the stroke began only by what the latter still has in it.
# So the stroke is filtered once, and what would ring after each frame's start, if nothing followed, is taken off that frame. What rings
# has four degrees of freedom, the filters' states. Both are in double up to there: a tail is what is left of things a million times larger.


def frame_loudness(x: Tensor) -> Tensor:
    """Loudness in LUFS of each frame of x [B, SAMPLES], filtered on its own, [B, FRAMES]."""
    mean_square = _MeanSquare.apply(*_weighted(x), *_cut_off(x))
    return -0.691 + 10.0 * torch.log10(mean_square + MEAN_SQUARE_FLOOR)


def _weighted(x: Tensor) -> tuple[Tensor, Tensor]:
    """x through both filters [B, SAMPLES], and the amounts of the modes that ring in each frame [B, FRAMES, 4]; float32."""
    whole, shelf, states = _k_weighting()
    x = x.double()
    y = Filtered.apply(nn.functional.pad(x, (0, K_WEIGHTING_FFTS[-1] - SAMPLES)), whole)[:, :SAMPLES]
    x_hops, y_hops = (v[:, : (FRAMES - 1) * HOP].reshape(len(x), FRAMES - 1, HOP) for v in (x, y))
    last = torch.cat([x_hops[:, :, -2:], x_hops @ shelf, y_hops[:, :, -2:]], 2)
    return y.float(), nn.functional.pad(last @ states, (0, 0, 1, 0)).float()


def _cut_off(x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """What the weighted frames lack because the original's filters clip at ±1, the shelf's frames before they reach the high-pass:
    [frames, FRAME] and which frames they are. The shelf reaches 1 only in loud frames, so only they are filtered once more."""
    shelf, highpass, gain = _frame_filters()
    peaks = x.detach().abs().reshape(len(x), -1, HOP).amax(2).unfold(1, FRAME // HOP, 1).amax(2)
    loud = (peaks > 1.0 / gain).nonzero(as_tuple=True)
    if not len(loud[0]):  # no rows are no transform to PyTorch
        return x.new_zeros(0, FRAME), loud
    shelved = _filtered(x.unfold(1, FRAME, HOP)[loud], shelf)
    return _filtered(shelved - shelved.clamp(-1.0, 1.0), highpass), loud


class _MeanSquare(torch.autograd.Function):
    """[B, FRAMES] of the frames of y [B, SAMPLES] less what rings [B, FRAMES, 4] and less what is cut off in some frames, clipped to ±1.

    One function, because step by step PyTorch would go through the overlapping frames, two million samples, a dozen times.
    """

    @staticmethod
    def forward(ctx, y: Tensor, rings: Tensor, cut_off: Tensor, where: tuple[Tensor, Tensor]) -> Tensor:
        frames = rings @ _modes()
        torch.sub(y.unfold(1, FRAME, HOP), frames, out=frames)
        frames[where] -= cut_off
        ctx.where, ctx.clipped = where, (frames.abs().amax(2) > 1.0).nonzero(as_tuple=True)
        kept = frames[ctx.clipped]
        ctx.inside = kept.abs() <= 1.0
        frames[ctx.clipped] = kept.clamp(-1.0, 1.0)
        ctx.save_for_backward(frames)
        return torch.linalg.vector_norm(frames, dim=2).square() / FRAME

    @staticmethod
    def backward(ctx, grad: Tensor):
        (frames,) = ctx.saved_tensors
        slopes = frames * (grad * (2.0 / FRAME))[:, :, None]
        slopes[ctx.clipped] *= ctx.inside
        by_y = slopes.new_zeros(len(slopes), SAMPLES)
        overlap_add(slopes, by_y)
        return by_y, -slopes @ _modes().T, -slopes[ctx.where], None


def _filtered(rows: Tensor, response: Tensor) -> Tensor:
    """rows [rows, FRAME] through a filter, from rest."""
    return Filtered.apply(nn.functional.pad(rows, (0, FRAME)), response)[:, :FRAME]


def k_filters() -> tuple:
    """(b, a) of the shelf and the high-pass: cookbook filters of 4 dB at 1500 Hz and of 38 Hz, not the tables of BS.1770.

    Rounded to float32 as the original's are: that alone splits the double pole of the high-pass, 0.9946, into 0.9947 and 0.9945.
    """
    root, w = 10.0**0.1, 2.0 * math.pi * 1500.0 / SAMPLE_RATE
    cos, side = math.cos(w), math.sqrt(2.0 * root) * math.sin(w)
    more, less = root + 1.0, root - 1.0
    b = root * np.array([more + less * cos + side, -2.0 * (less + more * cos), more + less * cos - side])
    a = np.array([more - less * cos + side, 2.0 * (less - more * cos), more - less * cos - side])
    shelf = (b / a[0], a / a[0])
    w = 2.0 * math.pi * 38.0 / SAMPLE_RATE
    cos, sin = math.cos(w), math.sin(w)
    b, a = (1.0 + cos) * np.array([0.5, -1.0, 0.5]), np.array([1.0 + sin, -2.0 * cos, 1.0 - sin])
    return tuple(tuple(c.astype(np.float32).astype(np.float64) for c in one) for one in (shelf, (b / a[0], a / a[0])))


def _run(coefficients, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """y [n, rows], its first two rows given, filled by the recursion with the input x [n, rows]."""
    b, a = coefficients
    for n in range(2, len(x)):
        y[n] = b[0] * x[n] + b[1] * x[n - 1] + b[2] * x[n - 2] - a[1] * y[n - 1] - a[2] * y[n - 2]
    return y


def _impulse(coefficients, n: int) -> np.ndarray:
    x = np.zeros((n + 2, 1))
    x[2] = 1.0
    return _run(coefficients, x, np.zeros_like(x))[2:, 0]


@cache
def _k_weighting() -> tuple[Tensor, Tensor, Tensor]:
    """In double: the response of both filters; HOP samples to the shelf's last two [HOP, 2]; the last two samples each of input, shelf
    and both filters to the amounts of the modes [6, 4]."""
    shelf, highpass = k_filters()
    taps = _impulse(shelf, HOP)[::-1]
    last_two = np.stack([np.append(taps[1:], 0.0), taps], axis=1)
    states, scale, _ = _ringing()
    return response((shelf, highpass), K_WEIGHTING_FFTS[-1]), torch.from_numpy(last_two), torch.from_numpy(states[:, :4] * scale[:4])


@cache
def _modes() -> Tensor:
    """The four ways to ring, [4, FRAME] float32."""
    return _float(_ringing()[2][:4])


@cache
def _ringing() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The singular value decomposition of what rings after two samples each of input, shelf and both filters, [6, FRAME]."""
    shelf, highpass = k_filters()
    x, middle, end = last = np.zeros((3, FRAME + 2, 6))
    last[0, :2, 0:2] = last[1, :2, 2:4] = last[2, :2, 4:6] = np.eye(2)
    return np.linalg.svd(_run(highpass, _run(shelf, x, middle), end)[2:].T, full_matrices=False)


@cache
def _frame_filters() -> tuple[Tensor, Tensor, float]:
    """Frequency responses of shelf and high-pass over a frame, and the most that the shelf makes of a sample of 1."""
    taps = [_impulse(one, FRAME) for one in k_filters()]
    spectra = [torch.from_numpy(np.fft.rfft(t, 2 * FRAME).astype(np.complex64)) for t in taps]
    return *spectra, float(np.abs(taps[0]).sum())


@cache
def _frequencies() -> Tensor:
    return _float(np.arange(FRAME // 2 + 1) * SAMPLE_RATE / FRAME)


@cache
def _temporal_weights() -> tuple[Tensor, Tensor]:
    """Σ and Σ t· of the smoothed energy as weights of the energy: the window is not divided by its sum and stands one sample early."""
    sums = smoothed_sums(hann(SOFTENED_SAMPLES).numpy(), SOFTENED_SAMPLES // 2 - 1, TEMPORAL_SAMPLES)
    return _float(sums[0]), _float(sums[1])


def _float(x: np.ndarray) -> Tensor:
    return torch.from_numpy(x.astype(np.float32))


# ---- the recipe ----


def network(hidden: tuple[int, ...], generator: torch.Generator) -> Network:
    """As it begins: next to nothing in all weights, and no bias."""
    made = Network(hidden, generator, bias=bool(hidden), output="tanh" if hidden else "clamp")
    with torch.no_grad():
        for layer in made.layers:
            layer.weight.normal_(0.0, 1e-3 if hidden else 1e-6, generator=generator)
            if hidden:
                layer.bias.zero_()
    return made


def reference(features: np.ndarray, targets: np.ndarray) -> int:
    """The stroke of median transient loudness, the softer of two."""
    return int(np.argsort(-targets[:, NAMES.index("transient_loudness")], kind="stable")[len(targets) // 2])


def _scale(learn: np.ndarray, everything: np.ndarray, reference: int) -> Scale:
    return Scale.of(everything, learn[reference], (0.0, 100.0))


# Splits and strokes are not the original's but those of data.py, for both recipes alike; so are the features that the network sees.
RECIPE = Recipe(
    name="original",
    measure=measure,
    spread=lambda targets: torch.ones(len(NAMES)),  # errors in dB, in ms^1.864, … as they come
    reference=reference,
    scale=_scale,
    drum_rate=SAMPLE_RATE,
    noise=lambda seed, hits: (0, [0] * len(hits)),  # one for all drums
    keep_best=False,
    finish=0.0,
    network=network,
    learning_rate=lambda hidden: 5e-4 if hidden else 5e-3,
    epochs=250,
    batch=16,
    patience=20,
    stop=250,
    levels_db=(),
    moved=0.0,
    views=0,
    character=0.0,
)
