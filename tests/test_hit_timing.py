# SPDX-License-Identifier: MIT
"""Which hits sound, at which sample, and that one taking over from another makes no step (spec 3, 7.1)."""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace

import numpy as np
import oracle
import pytest
from recordings import NETWORKS, RATES, both, builtin_file, recording

import torchdrum_py as td

NETWORK = "one-layer-relu-tanh"
QUICK = {
    "detector": "classic",  # the one that places a stroke to the sample
    "hold": 0.0,
    "onthreshold": 20.0,
    "offthreshold": 50.0,
    "highpass": 5000.0,
}  # armed at once: only the window keeps strokes apart


def samples(sr):
    return oracle.scaled(256, sr), oracle.scaled(16, sr)


@functools.cache
def two_clicks(sr, gap):
    """Two clicks that lift D just over 20 dB, the two rises through it exactly gap samples apart: (input, rises)."""
    for level_db, nudge in itertools.product(np.arange(-30, 0, 0.5), range(-3, 4)):
        x = np.zeros(sr // 10, np.float32)
        x[[sr // 20, sr // 20 + gap + nudge]] = 10 ** (level_db / 20)
        rises = rises_through_threshold(x, sr)
        if len(rises) == 2 and rises[1] - rises[0] == gap:
            x.flags.writeable = False
            return x, [int(r) for r in rises]
    raise AssertionError(f"no two clicks rise {gap} samples apart at {sr} Hz")


def rises_through_threshold(x, sr):
    D = oracle.difference(x, sr, QUICK)
    return np.flatnonzero((D[1:] >= QUICK["onthreshold"]) & (D[:-1] < QUICK["onthreshold"])) + 1


def engine_at(sr, **settings):
    engine = td.Engine(sr, both(NETWORK)[1])
    for name, value in settings.items():
        engine.set(name, value)
    return engine


@pytest.mark.parametrize("sr", RATES)
@pytest.mark.parametrize(("offset", "heard"), [(-1, 1), (0, 2), (1, 2)], ids=["W-1", "W", "W+1"])
def test_strokes_about_a_window_apart(offset, heard, sr):
    """One that comes within the window of another is not a hit of its own; one a window later is, at its own sample."""
    W, p = samples(sr)
    x, rises = two_clicks(sr, W + offset)
    engine = engine_at(sr, **QUICK)
    _, trigger = engine.process(x, block=64)
    events = engine.events
    assert [e.detected for e in events] == rises[:heard]
    assert [e.time for e in events] == [d - p + W for d in rises[:heard]]
    assert list(np.flatnonzero(trigger)) == [e.time for e in events]
    for e in events:
        assert np.array_equal(e.raw, td.features(x[e.time - W : e.time], sr))


@pytest.mark.parametrize("sr", RATES)
def test_two_clicks_one_sample_apart_are_one_stroke(sr):
    x = np.zeros(sr // 10, np.float32)
    x[[sr // 20, sr // 20 + 1]] = 0.5
    first = rises_through_threshold(x, sr)[0]
    engine = engine_at(sr, **QUICK)
    engine.process(x, block=64)
    assert [e.detected for e in engine.events] == [first]


@pytest.mark.parametrize("sr", RATES)
def test_hold_keeps_strokes_apart_to_the_sample(sr):
    """With hold at g samples, clicks g apart are two strokes, g − 1 apart are one."""
    gap = samples(sr)[0] + 50
    for apart, heard in ((gap - 1, 1), (gap, 2)):
        x, _ = two_clicks(sr, apart)
        engine = engine_at(sr, **QUICK | {"hold": 1000 * gap / sr})
        engine.process(x, block=64)
        assert len(engine.events) == heard


@pytest.mark.parametrize("sr", RATES)
def test_triggers_one_sample_and_a_window_apart_all_sound_on_their_own_sample(sr):
    W, _ = samples(sr)
    for gap in (1, W - 1, W, W + 1):
        times = [500, 500 + gap, 500 + 2 * gap]
        engine = td.Engine(sr)
        for t in reversed(times):
            engine.trigger(None, t)
        out, trigger = engine.process(np.zeros(3 * W + 600, np.float32), block=64)
        assert [e.time for e in engine.events] == times
        assert list(np.flatnonzero(trigger)) == times
        assert (trigger[times] == 1).all()
        patch = oracle.Patch(oracle.read_model(builtin_file()))
        hits = oracle.engine_hits(np.zeros(len(out)), sr, patch, triggers=[(t, None) for t in times])
        assert np.abs(out - oracle.engine_output(np.zeros(len(out)), sr, hits, 0)[0]).max() < 1e-4


@pytest.mark.parametrize("sr", RATES)
@pytest.mark.parametrize("place", ["before d", "at d", "d + 1", "t - 1", "t", "t + 1"])
def test_a_trigger_does_not_disturb_a_pending_window(place, sr):
    """Its own sample, the stroke's own sample; on the same sample the stroke comes first."""
    W, p = samples(sr)
    x, rises = two_clicks(sr, W)
    d, t = rises[0], rises[0] - p + W
    at = {"before d": d - 1, "at d": d, "d + 1": d + 1, "t - 1": t - 1, "t": t, "t + 1": t + 1}[place]
    alone = engine_at(sr, **QUICK)
    alone.process(x)
    engine = engine_at(sr, **QUICK)
    engine.trigger((0.3, 0.2, 0.1), at)
    _, trigger = engine.process(x, block=64)
    assert [e.time for e in engine.events] == sorted([at, *(e.time for e in alone.events)])
    strokes = [e for e in engine.events if e.kind == alone.events[0].kind]
    assert [e.time for e in strokes] == [e.time for e in alone.events]
    for mine, theirs in zip(strokes, alone.events, strict=True):
        assert np.array_equal(mine.raw, theirs.raw) and np.array_equal(mine.param, theirs.param)
    if place == "t":
        assert engine.events[0].kind == alone.events[0].kind != engine.events[1].kind
        assert trigger[t] == np.float32(0.3) != engine.events[0].velocity  # the last one's


@pytest.mark.parametrize("cancel", ["reset", "enable"])
def test_reset_and_enable_cancel_the_pending_stroke_and_timed_triggers(cancel):
    sr = 48000
    W, _ = samples(sr)
    x, (d, _) = two_clicks(sr, W)
    engine = engine_at(sr, **QUICK)
    engine.trigger(None, d + 30)
    engine.process(x[: d + 10])  # detected, its window not yet full
    if cancel == "reset":
        engine.reset()
    else:
        engine.set("enable", 0)
    _, trigger = engine.process(np.zeros(W, np.float32))
    engine.set("enable", 1)
    assert not trigger.any()
    _, trigger = engine.process(x[: d + W - 1])  # and it hears again
    assert np.count_nonzero(trigger) == 1
    assert len(engine.events) == 1


@pytest.mark.parametrize("how", ["reset", "enable"])
def test_reset_and_enable_start_the_detector_afresh(how):
    """What comes after is heard as at the start of a stream: same hits, features and parameters. (With selfmask a drum that fades is heard,
    too.)"""
    sr, cut = 48000, 30011
    x = recording("loop_breakbeat", sr)
    engine, fresh = td.Engine(sr, selfmask=0), td.Engine(sr, selfmask=0)
    engine.process(x[:cut])
    if how == "reset":
        engine.reset()
    else:
        engine.set("enable", 0)
        engine.process(x[cut - 777 : cut])
        engine.set("enable", 1)
    before, start = len(engine.events), cut + (777 if how == "enable" else 0)
    engine.process(x[cut:])
    fresh.process(x[cut:])
    assert len(fresh.events) > 3
    assert len(engine.events) - before == len(fresh.events)
    for mine, theirs in zip(engine.events[before:], fresh.events, strict=True):
        assert (mine.time - start, mine.detected - start) == (theirs.time, theirs.detected)
        assert np.array_equal(mine.raw, theirs.raw) and np.array_equal(mine.param, theirs.param)


def test_bypass_passes_the_input_and_still_reports_strokes():
    sr = 48000
    ramp = oracle.scaled(240, sr)
    x = recording("loop_compus", sr)[:sr]
    engine, plain = td.Engine(sr, selfmask=0), td.Engine(sr, selfmask=0)
    engine.process(x[:1000])
    engine.set("bypass", 1)
    out, trigger = engine.process(x[1000:])
    plain.process(x)
    assert np.array_equal(out[ramp:], x[1000 + ramp :])
    assert len(plain.events) > 3
    assert [e.time for e in engine.events] == [e.time for e in plain.events]
    assert np.count_nonzero(trigger) == len([e for e in plain.events if e.time >= 1000])


def test_disabled_is_silent_after_its_ramp_and_hears_nothing():
    sr = 48000
    ramp = oracle.scaled(240, sr)
    engine = td.Engine(sr)
    engine.set("mix", 0.5)
    engine.trigger()
    out, _ = engine.process(recording("loop_compus", sr)[:1000])
    assert out.any()
    heard = len(engine.events)
    engine.set("enable", 0)
    engine.trigger()
    out, trigger = engine.process(recording("loop_compus", sr))
    assert out[: ramp - 1].any() and not out[ramp - 1 :].any()
    assert not trigger.any() and len(engine.events) == heard


def test_a_new_model_waits_for_the_pending_stroke():
    """Window, network and preset of a stroke belong together; a trigger meanwhile plays the old ones as well."""
    sr = 48000
    W, p = samples(sr)
    x, (d, _) = two_clicks(sr, W + 50)
    engine = engine_at(sr, **QUICK)
    engine.process(x[: d + 10])
    short = oracle.write_model(replace(NETWORKS["linear-none-relu-clamp"], window=64, preroll=0))
    engine.load(td.Model.from_bytes(short))
    engine.trigger(None, 5)
    engine.process(x[d + 10 :])
    old, new = both(NETWORK)[0], oracle.read_model(short)
    trigger, first, second = engine.events
    assert [e.time for e in engine.events] == [d + 15, d - p + W, second.detected + 64]
    assert np.array_equal(trigger.param, np.float32(old.preset))
    assert np.array_equal(first.raw, td.features(x[first.time - W : first.time], sr))
    assert np.abs(first.modulation - oracle.network(old, first.input)).max() < 1e-5
    assert np.array_equal(second.raw, td.features(x[second.detected : second.time], sr))
    assert np.abs(second.modulation - oracle.network(new, second.input)).max() < 1e-5


def test_the_first_samples_of_a_stream_can_be_a_stroke():
    """A click on sample 0: the pre-roll before the stream counts as silence."""
    for sr in RATES:
        W, p = samples(sr)
        x = np.zeros(sr // 10, np.float32)
        x[:20] = recording("tabla_te1", sr)[1000:1020] + np.float32(0.5)
        engine = td.Engine(sr)
        engine.process(x, block=64)
        (event,) = engine.events
        assert event.detected < p
        window = np.concatenate([np.zeros(p - event.detected, np.float32), x])[:W]
        assert np.array_equal(event.raw, td.features(window, sr))
        assert event.time == event.detected - p + W


def test_velocity_is_the_loudness_over_60_db():
    """Of strokes, at least 0.01; the trigger signal shows it."""
    for name, sr in itertools.product(("loop_compus", "loop_tabla"), (44100, 96000)):
        engine = td.Engine(sr, both(NETWORK)[1])
        _, trigger = engine.process(recording(name, sr))
        assert len(engine.events) > 20
        for e in engine.events:
            assert e.velocity == trigger[e.time]
            assert abs(e.velocity - np.clip(1 + e.raw[0] / 60, 0.01, 1)) < 1e-6


def test_a_trigger_that_is_taken_sounds_on_its_own_sample():
    """However many wait: one too many is refused, not played late."""
    sr, limit = 48000, 64
    engine = td.Engine(sr)
    sent = []
    for delay in [2000] * limit + [10] * 3:
        try:
            engine.trigger(None, delay)
        except td.TorchdrumError:
            continue
        sent.append(delay)
    engine.process(np.zeros(5, np.float32))
    try:
        engine.trigger(None, 100)
        sent.append(105)
    except td.TorchdrumError:
        pass
    engine.process(np.zeros(4000, np.float32))
    assert len(sent) >= limit
    assert [e.time for e in engine.events] == sorted(sent)


PRESETS = td.preset_names()


@pytest.mark.parametrize("sr", RATES)
@pytest.mark.parametrize("preset", PRESETS)
def test_a_retrigger_under_a_sounding_tail_makes_no_step(preset, sr):
    """Each step of the sum stays within those of the two voices and of the 1 ms fade over the older one."""
    F = oracle.scaled(48, sr)
    params = td.Preset.load(preset).value
    n = sr // 10
    voice = [td.render_snare808(params, sr, 0, k, 2 * n).astype(np.float64) for k in range(2)]
    for gap in (F // 2, F, 100, sr // 200, sr // 50, sr // 20):
        engine = td.Engine(sr, preset=preset, seed=0)
        engine.trigger(None, 0)
        engine.trigger(None, gap)
        out, _ = engine.process(np.zeros(n, np.float32))
        step = np.abs(np.diff(out.astype(np.float64), prepend=0.0))
        old, new = voice[0][:n], np.concatenate([np.zeros(gap), voice[1]])[:n]
        own = np.abs(np.diff(old, prepend=0.0)) + np.abs(np.diff(new, prepend=0.0)) + np.abs(old) / F
        assert (step <= own + 1e-6).all()
        assert np.abs(old[gap : gap + F]).max() > 1e-3
        assert np.array_equal(out[:gap], voice[0][:gap].astype(np.float32))
        assert np.array_equal(out[gap + F :], new[gap + F :].astype(np.float32))


def test_a_roll_faster_than_the_hand_over_makes_no_step():
    """Triggers every few samples, within 1 ms of the one before: no step larger than the sum of the voices' own."""
    sr, n = 48000, 4800
    F = oracle.scaled(48, sr)
    params = td.Preset.load("808_open_snare").value
    own_step = np.abs(np.diff(td.render_snare808(params, sr, 0, 0, n).astype(np.float64))).max()
    times = [1000, 1010, 1013, 1014, 1040, 1041, 1060, 1100, 1101, 1102]
    engine = td.Engine(sr, preset="808_open_snare")
    engine.trigger(None, 0)
    for t in times:
        engine.trigger(None, t)
    out, _ = engine.process(np.zeros(n, np.float32))
    assert len(engine.events) == 11
    before = np.abs(out[:1000]).max()
    assert before > 0.1
    assert np.abs(np.diff(out.astype(np.float64)))[990:].max() < 3 * own_step + before / F


def test_reset_fades_the_sounding_drum_over_5_ms():
    sr, start = 48000, 2000
    F = oracle.scaled(240, sr)
    engine = td.Engine(sr, preset="808_open_snare")
    engine.trigger()
    engine.process(np.zeros(start, np.float32))
    voice = td.render_snare808(td.Preset.load("808_open_snare").value, sr, 0, 0, sr).astype(np.float64)
    engine.reset()
    out, _ = engine.process(np.zeros(1000, np.float32))
    want = voice[start : start + 1000] * np.clip(1 - np.arange(1000) / F, 0, 1)
    assert np.abs(want).max() > 0.1
    assert np.abs(out - want).max() < 1e-4


def test_a_new_seed_starts_the_noise_sequence_anew():
    sr = 48000
    params = td.Preset.load("808_snare_1").value
    engine = td.Engine(sr, preset="808_snare_1", seed=5)

    def strike():
        engine.trigger()
        return engine.process(np.zeros(sr, np.float32))[0]

    first = [strike(), strike()]
    engine.set("seed", 5)
    again = [strike(), strike()]
    engine.set("seed", 6)
    other = strike()
    assert np.array_equal(first, again)
    assert np.array_equal(first, [td.render_snare808(params, sr, 5, k, sr) for k in (0, 1)])
    assert np.array_equal(other, td.render_snare808(params, sr, 6, 0, sr))
    assert not np.array_equal(first[0], first[1]) and not np.array_equal(first[0], other)
