# SPDX-License-Identifier: MIT
"""What a player may expect of the detector: every stroke, once, at once, and nothing else. Figures come from bench/onsets.py."""

from __future__ import annotations

import csv
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import oracle
import pytest
import soundfile
from native import CORE, compile_c, instructions
from recordings import FOLDER, HITS, LOOPS, RATES, recording

import torchdrum_py as td

HERE = Path(__file__).parent
SR = 48000
SHARP = ("drum_snare_hard", "drum_snare_soft", "drum_cowbell", "tabla_na", "tabla_te1", "tabla_tas1")  # one attack each


def hand_checked(name: str) -> dict[str, np.ndarray]:
    """Times in s at which strokes begin: those that anybody hears, and faint ones that a detector may hear or not."""
    rows = csv.reader(line for line in (FOLDER / "onsets" / f"{name}.csv").open() if not line.startswith("#"))
    times = [(float(t), kind) for t, kind in rows]
    return {kind: np.array([t for t, k in times if k == kind]) for kind in ("clear", "faint")}


def heard(x, sr: int = SR, **settings) -> np.ndarray:
    """Times of detection in s."""
    return td.onsets(np.asarray(x, np.float32), sr, **settings).samples / sr


def near(found, times, early: float, late: float) -> np.ndarray:
    """For each time whether something was found from early s before it to late s after it."""
    return np.array([np.any((found >= t - early) & (found <= t + late)) for t in times], bool)


def noise(n: int, db: float, seed: int = 0) -> np.ndarray:
    return 10 ** (db / 20) * np.random.default_rng(seed).standard_normal(n)


def strokes(name: str, times, levels_db, length: float, sr: int = SR) -> np.ndarray:
    """A recorded hit again and again, scaled so that its peak has these levels in dBFS."""
    hit = recording(name, sr).astype(np.float64)
    hit = hit[np.argmax(np.abs(hit) > 0.02 * np.abs(hit).max()) :]
    x = np.zeros(round(length * sr) + len(hit))
    for t, db in zip(times, levels_db, strict=True):
        at = round(t * sr)
        x[at : at + len(hit)] += hit / np.abs(hit).max() * 10 ** (db / 20)
    return x[: round(length * sr)]


# ---- real recordings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sr", RATES)
@pytest.mark.parametrize("loop", LOOPS)
def test_every_stroke_of_the_loops_is_heard_once(loop, sr):
    """Against lists made by eye: all clear strokes within 10 ms, and nothing where no stroke is, but for the two filter sweeps of
    loop_compus that the list names."""
    found, truth = heard(recording(loop, sr), sr), hand_checked(loop)
    assert near(found, truth["clear"], 0.003, 0.010).all()
    known = np.sort(np.concatenate([truth["clear"], truth["faint"]]))
    extra = [t for t in found if not near(known, [t], 0.012, 0.003).any()]
    sweeps = (3.49, 5.09) if loop == "loop_compus" else ()
    assert all(any(abs(t - s) < 0.03 for s in sweeps) for t in extra), extra


@pytest.mark.parametrize("sr", RATES)
@pytest.mark.parametrize("name", HITS)
def test_a_single_hit_is_heard_at_its_beginning(name, sr):
    x = np.concatenate([noise(sr // 2, -75), recording(name, sr)])
    found = heard(x, sr) - 0.5
    peak = np.argmax(np.abs(recording(name, sr))) / sr
    assert len(found) >= 1 and 0 <= found[0] <= max(peak, 0.003)


def test_the_classic_detector_is_what_it_was():
    """Sample for sample, as before there was another one."""
    golden = json.loads((HERE / "golden" / "classic_onsets.json").read_text())
    assert set(golden) == {*LOOPS, *HITS}
    for name, samples in golden.items():
        x, sr = soundfile.read(FOLDER / f"{name}.flac", dtype="float32")
        assert td.onsets(x, sr, detector="classic").samples.tolist() == samples, name


# ---- from soft to hard, and close together ---------------------------------------------------------------------------


@pytest.mark.parametrize("sr", RATES)
@pytest.mark.parametrize("name", SHARP)
def test_a_crescendo_from_minus_60_dbfs_is_heard_from_its_first_stroke(name, sr):
    levels = np.arange(-60, 0, 2.0)
    times = 0.5 + 0.4 * np.arange(len(levels))
    found = heard(strokes(name, times, levels, times[-1] + 0.4, sr) + noise(round((times[-1] + 0.4) * sr), -90), sr)
    assert len(found) == len(times)
    assert near(found, times, 0.001, 0.005).all()


@pytest.mark.parametrize("name", SHARP)
def test_flams_of_30_ms_are_two_strokes(name):
    """The grace note 14 dB softer."""
    first = 0.5 + 0.5 * np.arange(8)
    times = np.sort(np.concatenate([first, first + 0.03]))
    found = heard(strokes(name, times, [-18.0, -4.0] * 8, 5.0) + noise(5 * SR, -80))
    assert near(found, times, 0.001, 0.005).all() and len(found) == 16


@pytest.mark.parametrize("gap", [0.035, 0.045, 0.06])
@pytest.mark.parametrize("name", ["drum_snare_soft", "tabla_na", "tabla_te1"])
def test_a_roll_is_heard_stroke_by_stroke(name, gap):
    """A crescendo over 20 dB, as even as a machine's, on sounds that ring into each other."""
    times = 0.5 + gap * np.arange(20)
    found = heard(strokes(name, times, np.linspace(-24, -4, 20), 2.5) + noise(int(2.5 * SR), -80))
    assert near(found, times, 0.001, 0.008).mean() >= 0.9
    assert len(found) <= 20


def test_ghost_notes_under_a_ringing_accent_are_heard():
    """20 dB below it, from 0.2 s after it."""
    times = 0.5 + 0.2 * np.arange(8)
    levels = [-4.0, -24.0, -24.0, -24.0, -4.0, -24.0, -24.0, -24.0]
    for name in ("drum_snare_hard", "tabla_na", "tabla_te1"):
        found = heard(strokes(name, times, levels, 2.5) + noise(int(2.5 * SR), -80))
        assert near(found, times, 0.001, 0.008).all(), name


def test_a_detection_says_when_not_sooner_than_it_can():
    """Strokes of known times: late by less than 3 ms for nine of ten, and never before the stroke."""
    late = []
    for name in SHARP:
        times = 0.5 + 0.3 * np.arange(20)
        found = heard(strokes(name, times, np.linspace(-40, -1, 20), 7.0) + noise(7 * SR, -85))
        late += [found[np.argmin(np.abs(found - t))] - t for t in times]
    assert np.percentile(late, 90) < 0.003 and np.median(late) < 0.001 and min(late) > -0.001


# ---- what is no stroke -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("colour", ["white", "pink"])
def test_room_noise_and_hum_are_no_strokes(colour):
    """A minute of noise of -60 dBFS on 50 Hz hum of -40 dBFS."""
    t = np.arange(60 * SR) / SR
    x = noise(len(t), -60)
    if colour == "pink":
        spectrum = np.fft.rfft(x)
        spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
        x = np.fft.irfft(spectrum, len(t))
        x *= 1e-3 / x.std()
    assert len(heard(x + 0.01 * np.sqrt(2) * np.sin(2 * np.pi * 50 * t))) == 0


@pytest.mark.parametrize("sr", RATES)
@pytest.mark.parametrize("phase", [0.0, 0.25])
@pytest.mark.parametrize("hz", [440, 600, 1000])
def test_a_tone_that_fades_in_is_no_stroke(hz, phase, sr):
    t = np.arange(2 * sr) / sr
    x = 0.5 * np.minimum(t, 1.0) * np.sin(2 * np.pi * (hz * t + phase))
    assert len(heard(np.concatenate([np.zeros(sr // 2), x]), sr)) == 0


def test_a_noise_floor_that_comes_up_costs_one_stroke_at_most():
    """The fan goes on: 20 dB more noise, in an instant; and off, and on again."""
    level = np.repeat([-70.0, -50.0, -70.0, -50.0], 4 * SR)
    x = 10 ** (level / 20) * np.random.default_rng(1).standard_normal(len(level))
    assert len(heard(x)) <= 2


def test_applause_is_not_a_thousand_strokes():
    """300 claps in a second, for 20 s: after the first second next to nothing is taken for a stroke."""
    rng = np.random.default_rng(3)
    x = np.zeros(20 * SR)
    for at in rng.integers(0, len(x) - 2000, 300 * 20):
        clap = rng.standard_normal(1000) * np.exp(-np.arange(1000) / rng.uniform(70, 240))
        x[at : at + 1000] += 0.03 * 10 ** (rng.normal(0, 4) / 20) * clap
    assert np.sum(heard(x) > 1.0) <= 6


def test_after_applause_strokes_are_heard_again():
    rng = np.random.default_rng(3)
    x = np.zeros(8 * SR)
    for at in rng.integers(0, 4 * SR, 1200):
        x[at : at + 500] += 0.03 * rng.standard_normal(500) * np.exp(-np.arange(500) / 150)
    times = 5.0 + 0.25 * np.arange(10)
    assert near(heard(x + strokes("drum_snare_hard", times, [-10.0] * 10, 8.0)), times, 0.001, 0.010).all()


def test_clipped_and_shifted_input_is_heard_all_the_same():
    """Overloaded by 12 dB, and with a DC offset: each stroke once."""
    times = 0.5 + 0.4 * np.arange(10)
    x = strokes("drum_snare_hard", times, [-3.0] * 10, 5.0)
    for y in (np.clip(4 * x, -1, 1), x + 0.2):
        found = heard(np.concatenate([np.full(SR, y[0]), y])) - 1.0
        found = found[found > -0.4]
        assert len(found) == 10 and near(found, times, 0.001, 0.005).all()


# ---- controls --------------------------------------------------------------------------------------------------------


def test_sensitivity_means_the_same_all_the_way():
    """More of it hears no fewer of the true strokes, and each step of ten percent shifts the threshold by the same factor."""
    x, truth = recording("loop_breakbeat", SR), hand_checked("loop_breakbeat")
    times = np.concatenate([truth["clear"], truth["faint"]])
    recall = [near(heard(x, sensitivity=s), times, 0.003, 0.010).sum() for s in range(0, 101, 10)]
    assert all(b >= a for a, b in pairwise(recall)) and recall[-1] > recall[0]
    thresholds = [td.onsets(np.zeros(100), SR, sensitivity=s).threshold[0] for s in range(0, 101, 10)]
    assert np.allclose(np.diff(np.log(thresholds)), np.log(thresholds[1] / thresholds[0]), atol=1e-4)


def test_it_costs_at_most_half_as_much_again_as_the_classic_one(tmp_path):
    """In instructions, both in one build with the flags of the object."""
    program = compile_c(tmp_path / "onset_cost", [HERE / "c" / "onset_cost.c", *CORE], "-O3", "-fno-math-errno", "-fno-trapping-math")
    rise, classic = (instructions(program, str(k), only="td_onset_process") / (2 * SR) for k in range(2))
    print(f"instructions a sample: rise {rise:.0f}, classic {classic:.0f}, ratio {rise / classic:.2f}")
    assert classic > 10 and rise <= 1.5 * classic


@pytest.mark.parametrize("detector", ["rise", "classic"])
def test_what_comes_later_does_not_change_what_was_heard(detector):
    x = recording("loop_breakbeat", SR)
    whole = td.onsets(x, SR, detector=detector).samples
    for cut in (5000, 12345, 30000, 31111, 60001):
        assert td.onsets(x[:cut], SR, detector=detector).samples.tolist() == [d for d in whole if d < cut]


def test_hold_keeps_strokes_apart_by_its_time():
    times = 0.5 + 0.05 * np.arange(20)
    x = strokes("tabla_ke3", times, [-10.0] * 20, 2.0)
    for hold in (30.0, 80.0, 180.0):
        assert np.diff(heard(x, hold=hold)).min() >= hold / 1000 - 1e-9


@pytest.mark.parametrize("sr", RATES)
def test_our_own_drum_in_the_microphone_is_no_stroke(sr):
    """The 808 comes back 12, 20 and 30 dB down, 5 to 40 ms late: it never plays itself, and the strokes are still heard."""
    times = 0.5 + 0.35 * np.arange(12)
    x = strokes("drum_snare_hard", times, np.resize([-6.0, -14.0, -10.0], 12), 5.0, sr)
    for db in (-12, -20, -30):
        for delay_ms in (5, 10, 20, 40):
            engine, late = td.Engine(sr), delay_ms * sr // 1000
            out = np.zeros(len(x) + late)
            for at in range(0, len(x), 64):
                block = x[at : at + 64] + 10 ** (db / 20) * out[at : at + 64][: len(x) - at]
                out[at + late : at + late + len(block)], _ = engine.process(block.astype(np.float32))
            found = np.array([e.detected for e in engine.events]) / sr
            assert near(found, times, 0.001, 0.010).all(), (db, delay_ms)
            assert len(found) == len(times), (db, delay_ms)


def test_velocity_grows_with_the_stroke_over_40_db():
    levels = np.arange(-44.0, -3.0, 2.0)
    times = 0.5 + 0.4 * np.arange(len(levels))
    engine = td.Engine(SR)
    _, trigger = engine.process(strokes("drum_snare_hard", times, levels, times[-1] + 0.5).astype(np.float32))
    velocity = trigger[trigger > 0]
    assert len(velocity) == len(levels)
    assert (np.diff(velocity) > 0.02).all() and velocity[0] > 0.02 and velocity[-1] < 1


def test_the_meter_shows_what_a_stroke_was_and_what_it_had_to_be():
    x = recording("loop_compus", SR)
    for detector in ("rise", "classic"):
        engine, start = td.Engine(SR, detector=detector), 0
        shown = []
        for at in range(0, len(x), 1440):
            engine.process(x[at : at + 1440])
            level, rise, threshold = engine.meter()
            shown.append((len(engine.events) > start, rise > threshold))
            start = len(engine.events)
            assert -120 <= level <= 0 and threshold > 0
        strokes_seen = [over for stroke, over in shown if stroke]
        assert len(strokes_seen) > 20 and np.mean(strokes_seen) > 0.8  # a stroke is reported 5 ms later, maybe in the next look
        assert np.mean([over for _, over in shown]) < 0.5  # each look is of its own time


def test_a_set_up_is_a_line_of_the_table_and_what_is_given_goes_before_it():
    line = td.Engine(SR, detector="classic")
    assert [line.get(name) for name in ("onthreshold", "floor", "highpass")] == [16, -55, 600]
    mine = td.Engine(SR, onthreshold=9, detector="classic")
    assert mine.get("onthreshold") == 9 and mine.get("highpass") == 600
    mine.set("detector", "rise")
    assert mine.get("onthreshold") == pytest.approx(td.find_control("onthreshold").default)
    mine.set("input", "contact")
    assert mine.get("hold") != td.find_control("hold").default
    with pytest.raises(td.TorchdrumError, match="detector is one of rise, classic, not bonk"):
        mine.set("detector", "bonk")


def test_the_default_of_the_detector_is_what_the_oracle_takes_for_it():
    for which in ({}, {"input": "contact"}, {"input": "line"}, {"detector": "classic"}):
        engine, theirs = td.Engine(SR, **which), oracle.onset_settings(which)
        for name, value in theirs.items():
            if not isinstance(value, str):
                assert engine.get(name) == pytest.approx(value), (which, name)


@pytest.mark.parametrize("sr", [44100, 48000, 192000])
def test_a_detector_at_rest_hears_to_the_bit_what_one_kept_awake_hears(sr):
    """Silence costs nothing once nothing moves any more; sound far below anything heard keeps it awake."""
    stroke = recording("drum_snare_hard", sr)
    asleep = np.concatenate([np.zeros(4 * sr, np.float32), stroke, np.zeros(8 * sr, np.float32), stroke, np.zeros(sr // 10, np.float32)])
    awake = np.where(asleep == 0, np.float32(1e-29), asleep)
    drum = np.roll(np.where(np.abs(asleep) > 0.1, asleep, np.float32(0)), sr // 100)
    for own in (None, drum):
        a, b = (td.onsets(x, sr, drum=own) for x in (asleep, awake))
        assert len(a.samples) >= 2
        np.testing.assert_array_equal(a.samples, b.samples)
        np.testing.assert_array_equal(a.rise, b.rise)
        np.testing.assert_array_equal(a.threshold, b.threshold)


@pytest.mark.parametrize("detector", ["rise", "classic"])
def test_an_engine_that_slept_plays_and_measures_what_one_kept_awake_does(detector):
    """In blocks, as hosts run it: a block that is silent ends in rest, the next is slept through."""
    stroke, silence = recording("drum_snare_hard", SR), np.zeros(4 * SR, np.float32)
    ghost = (0.01 * stroke[: SR // 10]).astype(np.float32)
    asleep = np.concatenate([silence, stroke, silence, ghost, silence, stroke])
    engines = []
    for x in (asleep, np.where(asleep == 0, np.float32(1e-29), asleep)):
        engine = td.Engine(SR, detector=detector, sensitivity=80)
        meters = []
        for part in np.split(x, range(SR, len(x), SR)):
            engine.process(part, block=64)
            meters.append(engine.meter()[1:])
        engines.append((meters, [(e.time, e.raw.tolist()) for e in engine.events]))
    assert engines[0] == engines[1]
    assert len(engines[0][1]) >= 2
