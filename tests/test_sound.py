# SPDX-License-Identifier: MIT
"""Finite in, finite out, whatever comes; nothing latches, and silence costs no more after a hit than before one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import oracle
import pytest
from native import CORE, compile_c, float_mode, instructions
from recordings import RATES, both, recording

import torchdrum_py as td

HERE = Path(__file__).parent


def bad_inputs(sr):
    """Half a second of each."""
    n = sr // 2
    i = np.arange(n)
    rng = np.random.default_rng(0)
    sparse = np.zeros(n, np.float32)
    sparse[::97] = np.nan
    kinds = {
        "NaN": np.full(n, np.nan),
        "infinity": np.where(i % 2, np.inf, -np.inf),
        "NaN now and then": sparse,
        "DC": np.full(n, 1.0),
        "full scale": np.where(i // 50 % 2, 1.0, -1.0),
        "Nyquist": np.where(i % 2, 1.0, -1.0),
        "far over full scale": 1e30 * rng.uniform(-1, 1, n),
        "largest floats": np.where(i % 2, 3.4e38, -3.4e38),
        "1e-40": np.full(n, 1e-40),
        "denormal noise": 1e-40 * rng.uniform(-1, 1, n),
        "silence": np.zeros(n),
    }
    with np.errstate(over="ignore"):
        return {name: x.astype(np.float32) for name, x in kinds.items()}


KINDS = list(bad_inputs(8000))


@pytest.mark.parametrize("sr", RATES)
@pytest.mark.parametrize("kind", KINDS)
def test_any_input_gives_finite_output_and_the_next_real_hit_is_heard(kind, sr):
    bad = bad_inputs(sr)[kind]
    rest, hit = np.zeros(2 * sr, np.float32), recording("drum_snare_hard", sr)
    x = np.concatenate([bad, rest, hit, np.zeros(sr, np.float32)])
    engine = td.Engine(sr)
    engine.set("mix", 0.5)
    out, trigger = engine.process(x, block=64)
    assert np.isfinite(out).all() and np.isfinite(trigger).all()
    assert engine.bad_samples == np.count_nonzero(~np.isfinite(bad))
    start = len(bad) + len(rest)
    (real,) = [e for e in engine.events if e.detected >= start]
    assert real.detected - start < sr // 100
    for e in engine.events:
        for values in (e.raw, e.normalized, e.input, e.modulation, e.param, e.velocity):
            assert np.isfinite(values).all()
    clean = td.Engine(sr)
    clean.process(np.concatenate([np.zeros(start, np.float32), hit]), block=64)
    assert real.detected == clean.events[0].detected  # as if nothing had been
    assert np.array_equal(real.raw, clean.events[0].raw)


def test_bad_samples_count_as_silence():
    sr = 48000
    x = recording("loop_breakbeat", sr).copy()
    zeroed = x.copy()
    where = np.arange(100, len(x), 1009)
    x[where] = np.resize(np.float32([np.nan, np.inf, -np.inf]), len(where))
    zeroed[where] = 0
    outs = []
    for signal in (x, zeroed):
        engine = td.Engine(sr)
        engine.set("mix", 0.5)
        outs.append(engine.process(signal, block=64)[0])
        assert len(engine.events) > 3
    assert np.array_equal(*outs)


@pytest.mark.parametrize("preset", td.preset_names())
def test_any_triggered_sound_stays_within_full_scale_and_ends(preset):
    """tanh bounds each voice by 1, so voice, tail and residual by 3; after the longest decay nothing is left at all."""
    sr, rng = 48000, np.random.default_rng(5)
    engine = td.Engine(sr, both("one-layer-relu-tanh")[1], preset=preset, depth=4)
    for v in rng.uniform(0, 1, (20, 3)):
        engine.trigger(v)
        out, _ = engine.process(np.zeros(sr // 20, np.float32))
        assert np.abs(out).max() <= 3
    out, _ = engine.process(np.zeros(3 * sr, np.float32))
    assert np.isfinite(out).all()
    longest = max(oracle.voice_end(e.param, sr) for e in engine.events)
    assert longest < 3 * sr
    assert not out[longest:].any()


@pytest.mark.parametrize("sr", [44100, 192000])
def test_no_arithmetic_on_denormals_after_a_hit(sr):
    """Silence after a hit meets no denormal number, which would cost a hundred times as much."""
    engine = td.Engine(sr)
    engine.process(recording("drum_snare_hard", sr), block=64)
    assert len(engine.events) == 1
    silence = np.zeros(sr, np.float32)
    met = [float_mode().met_denormals(lambda: engine.process(silence, block=64)) for _ in range(10)]
    assert met == [False] * 10


def test_the_watch_for_denormals_sees_one():
    tiny = np.full(4, 1e-40, np.float32)
    assert float_mode().met_denormals(lambda: tiny * np.float32(2))
    assert not float_mode().met_denormals(lambda: np.ones(4, np.float32) * np.float32(2))


@pytest.fixture(scope="module")
def cost(tmp_path_factory):
    """Instructions per sample of a situation of tests/c/silence_cost.c."""
    program = compile_c(tmp_path_factory.mktemp("silence_cost") / "silence_cost", [HERE / "c" / "silence_cost.c", *CORE])

    def count(situation, samples, detector="0"):
        return instructions(program, situation, detector, only="measured") / samples

    of_rise = {"fresh": count("fresh", 48000), "late": count("late", 48000), "sounding": count("sounding", 4800)}
    return of_rise | {"classic": count("late", 48000, "1")}


def test_a_minute_after_a_hit_silence_costs_what_it_costs_before_one(cost):
    assert cost["fresh"] > 10
    assert cost["late"] <= 1.001 * cost["fresh"]


def test_both_detectors_sleep_in_silence(cost):
    assert cost["classic"] <= 1.2 * cost["late"]


def test_an_idle_voice_costs_next_to_nothing(cost):
    """A sounding drum is dearer than all the rest, so that the count sees it when it goes on unheard."""
    assert cost["sounding"] > 1.5 * cost["late"]
