# SPDX-License-Identifier: MIT
"""The sample rate is not part of the music: the same hits at 44.1, 88.2 and 96 kHz as at 48 kHz."""

from __future__ import annotations

import itertools

import numpy as np
import oracle
import pytest
from recordings import HITS, LOOPS, RATES, recording, resampled

import torchdrum_py as td

OTHER_RATES = [sr for sr in RATES if sr != 48000]
FEATURE_BARS = np.array([0.3, 0.3, 0.5])  # dB, semitones, dB
LEAD_S = 0.1  # a whole number of samples at every rate


def stroke_seconds(loop):
    """Where strokes are detected at 48 kHz, moved to a grid that every rate has."""
    hits = td.onsets(recording(loop, 48000), 48000).samples
    return np.round(hits / 48000 * 300) / 300


def windows_at(sr):
    """The same windows at any rate: around the strokes of the loops, and from the start of each single hit."""
    W, p = oracle.scaled(256, sr), oracle.scaled(16, sr)
    for loop in LOOPS:
        x = recording(loop, sr)
        for t in stroke_seconds(loop):
            first = round(t * sr) - p
            if first >= 0 and first + W <= len(x):
                yield x[first : first + W]
    for name in HITS:
        lead = np.zeros(round(LEAD_S * 48000), np.float32)
        x = resampled(np.concatenate([lead, recording(name, 48000)]), 48000, sr)
        first = round(LEAD_S * sr)
        yield x[first : first + W].astype(np.float32)


@pytest.mark.parametrize("sr", OTHER_RATES)
def test_features_of_a_hit_are_the_same_at_every_rate(sr):
    here, there = (np.array([td.features(w, rate) for w in windows_at(rate)]) for rate in (sr, 48000))
    assert len(here) == len(there) > 80
    assert np.ptp(there, axis=0).min() > 20  # the hits differ among themselves
    assert (np.abs(here - there).max(axis=0) < FEATURE_BARS).all()


@pytest.mark.parametrize("sr", OTHER_RATES)
@pytest.mark.parametrize("loop", LOOPS)
def test_hits_are_the_same_at_every_rate(loop, sr):
    """As many, and the engine plays as many drums. Sharp attacks come at the same time within 0.1 ms (a frame of the
    detector is 0.125 to 0.136 ms); one that creeps over the threshold may do so a half wave of its own earlier or later."""
    there, here = (td.onsets(recording(loop, rate), rate).samples / rate for rate in (48000, sr))
    assert len(here) == len(there) > 5
    assert np.median(np.abs(here - there)) < 1e-4
    assert np.abs(here - there).max() < 3e-3
    engine = td.Engine(sr, selfmask=0)
    engine.process(np.concatenate([recording(loop, sr), np.zeros(sr // 10, np.float32)]))
    assert len(engine.events) == len(there)


EDGES_HZ = 16000 / 2.0 ** np.arange(9, -1, -1)  # octaves from 31 Hz to 16 kHz


def octave_levels_db(params, sr, hits=96, seconds=1.0):
    """Mean energy per octave over hits with different noise, in dB."""
    n = round(seconds * sr)
    energy = np.mean([np.abs(np.fft.rfft(td.render_snare808(params, sr, 1, k, n))) ** 2 for k in range(hits)], axis=0) / sr**2
    f = np.arange(len(energy)) * sr / n
    return 10 * np.log10([energy[(f >= low) & (f < high)].sum() for low, high in itertools.pairwise(EDGES_HZ)])


@pytest.mark.parametrize("preset", td.preset_names())
def test_octave_bands_of_the_808_are_the_same_at_every_rate(preset):
    """In every octave within 45 dB of the loudest. Below, what tanh makes of noise above 24 kHz adds up to 1.5 dB."""
    params = td.Preset.load(preset).value
    there = octave_levels_db(params, 48000)
    heard = there > there.max() - 45
    assert heard.sum() >= 3
    for sr in OTHER_RATES:
        assert np.abs(octave_levels_db(params, sr) - there)[heard].max() < 0.5


def test_noise_high_pass_keeps_its_shape_to_16_khz():
    """White noise through the filter alone, also where a bilinear filter is off by 3 dB: 44.1 kHz as at 96 kHz."""
    params = {p.name: p.default for p in td.PARAMS} | {
        "osc1_gain": -60,
        "osc2_gain": -60,
        "noise_gain": -20,
        "noise_filter_q": 0.7071,
    }
    for cutoff in (500, 5000, 10000):
        values = np.array([(params | {"noise_filter_freq": cutoff})[p.name] for p in td.PARAMS], np.float32)
        low, high = (octave_levels_db(values, sr)[-5:] for sr in (44100, 96000))
        assert np.abs(low - high).max() < 0.5
