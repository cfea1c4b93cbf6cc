# SPDX-License-Identifier: MIT
"""The long features are those of spec 10, computed here frame by frame in plain NumPy."""

import numpy as np
import pytest
import recordings
import torch

from torchdrum_py import long_features

SR, FRAME, HOP, FRAMES, LENGTH = 48000, 2048, 512, 66, 35328


def biquad(x, b, a):
    y = np.zeros(len(x))
    for n in range(len(x)):
        y[n] = sum(b[i] * x[n - i] for i in range(3) if n >= i) - sum(a[i] * y[n - i] for i in (1, 2) if n >= i)
    return y


def k_weighted(x):
    """BS.1770-4, tables 1 and 2."""
    shelf = biquad(x, (1.53512485958697, -2.69169618940638, 1.19839281085285), (1, -1.69065929318241, 0.73248077421585))
    return biquad(shelf, (1, -2, 1), (1, -1.99004745483398, 0.99007225036621))


def slow(x):
    """Spec 10, term by term, in float64."""
    x = np.asarray(x, np.float64)[:LENGTH]
    weighted = k_weighted(x)
    i = np.arange(FRAME)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * i / FRAME)
    flat_top = sum(
        a * np.cos(2 * np.pi * m * i / FRAME) for m, a in enumerate((0.21557895, -0.41663158, 0.277263158, -0.083578947, 0.006947368))
    )
    loudness, centroid, flatness = [], [], []
    for j in range(FRAMES):
        frame = slice(j * HOP, j * HOP + FRAME)
        loudness.append(-0.691 + 10 * np.log10(np.mean(weighted[frame] ** 2) + 10 ** (-69.309 / 10)))
        bins = np.arange(1, FRAME // 2)
        bins = bins[bins * SR / FRAME <= 20000]
        m = np.log(1 + np.sqrt(np.abs(np.fft.rfft(flat_top * x[frame])[bins]) ** 2 + 1e-8))
        f = np.sum(bins * SR / FRAME * m) / np.sum(m)
        centroid.append(21.2985 - 34.61 * f**-0.1621)
        power = np.abs(np.fft.rfft(hann * x[frame])[bins] / hann.sum()) ** 2 + 1e-10
        flatness.append(20 * np.log10(np.exp(np.mean(np.log(power))) / np.mean(power)))
    loudness = np.array(loudness)
    w = loudness + 70 + 0.001
    out = []
    for part in (slice(0, 2), slice(2, FRAMES)):
        out.append(loudness[part].mean())
        out += [np.sum(np.array(v)[part] * w[part]) / np.sum(w[part]) for v in (centroid, flatness)]
    envelope = np.zeros(6000)
    for t in range(6000):
        m = np.arange(max(0, t - 1023), min(6000, t + 1024))
        envelope[t] = np.sum((0.5 + 0.5 * np.cos(2 * np.pi * (m - t) / 2048)) * x[m] ** 2) / 1024
    ms = np.sum(np.arange(6000) / 48 * envelope) / (np.sum(envelope) + 1e-7)
    return np.array([*out, 0.03 * ms**1.864])


def sounds():
    rng = np.random.default_rng(10)
    t = np.arange(LENGTH) / SR
    decay = np.exp(-t / 0.08)
    hit = recordings.recording("drum_snare_soft", SR)
    yield "silence", np.zeros(LENGTH)
    yield "hiss", 0.1 * rng.normal(size=LENGTH)
    yield "faint hiss", 1e-4 * rng.normal(size=LENGTH)
    yield "tone", 0.5 * decay * np.sin(2 * np.pi * 190 * t)
    yield "loud drum", 0.9 * decay * (np.sin(2 * np.pi * 190 * t) + 0.3 * rng.normal(size=LENGTH))
    yield "quiet drum", 0.003 * decay * (np.sin(2 * np.pi * 330 * t) + rng.normal(size=LENGTH))
    yield "click", np.eye(1, LENGTH, 40)[0]
    yield "recording", np.pad(hit[:LENGTH], (0, max(0, LENGTH - len(hit))))


SOUNDS = {name: x.astype(np.float32) for name, x in sounds()}


@pytest.mark.parametrize("name", SOUNDS)
def test_features_are_those_of_the_spec(name):
    found = long_features.measure(torch.from_numpy(SOUNDS[name])[None])[0].numpy()
    np.testing.assert_allclose(found, slow(SOUNDS[name]), rtol=1e-4, atol=2e-3)


def test_a_full_scale_sine_of_997_hz_has_the_loudness_of_the_standard():
    x = np.sin(2 * np.pi * 997 * np.arange(LENGTH) / SR).astype(np.float32)
    sustain = long_features.measure(torch.from_numpy(x)[None])[0, long_features.NAMES.index("sustain_loudness")]
    assert sustain.item() == pytest.approx(-3.01, abs=0.02)  # BS.1770-4 says -3.01 LKFS


def test_sounds_of_a_batch_are_measured_one_by_one():
    together = torch.from_numpy(np.array(list(SOUNDS.values())))
    found = long_features.measure(together)
    for i, x in enumerate(together):
        np.testing.assert_allclose(long_features.measure(x[None])[0], found[i], rtol=1e-5, atol=1e-5)


def test_only_the_samples_that_are_promised_are_read():
    x = torch.from_numpy(SOUNDS["loud drum"])
    longer = torch.cat([x, torch.ones(5000)])
    assert torch.equal(long_features.measure(longer[None]), long_features.measure(x[None]))
    with pytest.raises(ValueError, match="35328"):
        long_features.measure(x[None, :-1])


@pytest.mark.parametrize("name", SOUNDS)
def test_gradients_are_finite(name):
    x = torch.from_numpy(SOUNDS[name])[None].requires_grad_()
    long_features.measure(x).sum().backward()
    assert torch.isfinite(x.grad).all()


def test_denormal_sounds_have_finite_gradients():
    x = (torch.from_numpy(SOUNDS["hiss"])[None] * 1e-38).requires_grad_()
    long_features.measure(x).sum().backward()
    assert torch.isfinite(x.grad).all()


def test_gradients_are_slopes():
    """Along a random direction, against differences of the slow version."""
    x = SOUNDS["loud drum"].astype(np.float64)
    direction = np.random.default_rng(1).normal(size=LENGTH) * np.abs(x)
    step = 1e-4
    slope = (slow(x + step * direction) - slow(x - step * direction)) / (2 * step)
    for i, name in enumerate(long_features.NAMES):
        leaf = torch.from_numpy(x.astype(np.float32))[None].requires_grad_()
        long_features.measure(leaf)[0, i].backward()
        assert (leaf.grad[0].double() @ torch.from_numpy(direction)).item() == pytest.approx(slope[i], rel=5e-3, abs=1e-3), name


def test_the_slopes_of_a_frame_with_its_samples_are_those_of_differences():
    frames = torch.from_numpy(SOUNDS["loud drum"][None, 300 : 300 + FRAME]).double()
    for one in (long_features._centroid, long_features._flatness):
        value, slopes = one(frames)
        slopes = slopes()
        for at in (0, 100, 1024, 2047):
            moved = [frames.clone() for _ in range(2)]
            for side, frame in zip((-1e-6, 1e-6), moved, strict=True):
                frame[0, at] += side
            slope = (one(moved[1])[0] - one(moved[0])[0]).item() / 2e-6
            assert slopes[0, at].item() == pytest.approx(slope, rel=1e-4, abs=1e-6)
        assert value.shape == (1,)
