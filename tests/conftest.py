# SPDX-License-Identifier: MIT
"""Strokes made here, for tests that need sound but no particular recording, and files of them."""

from pathlib import Path

import numpy as np
import pytest
import soundfile


def bursts(rate: int = 48000, times=(0.1, 0.4, 0.75), seconds: float = 1.0) -> np.ndarray:
    """Bursts of decaying noise, each louder than the last, float32 mono. The same sound at every call."""
    rng, x = np.random.default_rng(808), np.zeros(round(seconds * rate), np.float32)
    for i, time in enumerate(times):
        at = round(time * rate)
        t = np.arange(min(round(0.05 * rate), len(x) - at)) / rate
        x[at : at + len(t)] += 0.2 * (i + 1) * rng.uniform(-1, 1, len(t)) * np.exp(-t / 0.008)
    return x


@pytest.fixture(name="bursts")
def bursts_fixture():
    return bursts


@pytest.fixture
def sound_file(tmp_path):
    """sound_file(name, x, rate, subtype): the path of a written audio file."""

    def write(name="in.wav", x=None, rate=48000, subtype="FLOAT") -> Path:
        soundfile.write(tmp_path / name, bursts(rate) if x is None else x, rate, subtype=subtype)
        return tmp_path / name

    return write
