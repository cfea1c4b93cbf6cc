# SPDX-License-Identifier: MIT
"""What [torchdrum~] plays in real Pd is what the core plays."""

import numpy as np
import pytest
import soundfile as sf
import soxr
from pd_host import BLOCK, ROOT, Patch, play, run_patch

import torchdrum_py as td

LOOPS = ["loop_compus", "loop_tabla", "loop_breakbeat"]


def recording(name, rate=48000, seconds=4.0):
    x, own = sf.read(ROOT / "tests" / "audio" / f"{name}.flac", dtype="float32")
    x = x[: int(seconds * own)]
    return soxr.resample(x, own, rate, quality="VHQ").astype(np.float32) if own != rate else x


def core(x, rate=48000, tail=24000, **settings):
    engine = td.Engine(rate, seed=5, **settings)
    drum, trigger = engine.process(np.concatenate([x, np.zeros(tail, np.float32)]))
    return engine, drum, trigger


@pytest.mark.parametrize("name", LOOPS)
def test_pd_plays_the_same_bits_as_the_core(host, where, tmp_path, name):
    x = recording(name)
    engine, drum, trigger = core(x)
    run = play(host, where, tmp_path, x)
    assert not run.errors
    assert len(engine.events) > 5 and np.abs(run.drum).max() > 0.1
    np.testing.assert_array_equal(run.drum, drum)
    np.testing.assert_array_equal(run.trigger, trigger)


@pytest.mark.parametrize("rate", [44100, 96000])
def test_pd_plays_the_same_bits_at_other_sample_rates(host, where, tmp_path, rate):
    x = recording("loop_compus", rate, 2.0)
    _, drum, trigger = core(x, rate)
    run = play(host, where, tmp_path, x, rate)
    np.testing.assert_array_equal(run.drum, drum)
    np.testing.assert_array_equal(run.trigger, trigger)


@pytest.mark.parametrize("block", [1, 8, 1024, 8192])
def test_other_block_sizes_only_delay_the_sound(host, where, tmp_path, block):
    x = recording("loop_compus", seconds=2.0)
    run = play(host, where, tmp_path, x, block=block)
    # A larger block waits until it is full. That is Pd's: a whole number of its own blocks, silence for the object before the sound or
    # a delay after it.
    for silence in range(0, 1 if block <= 64 else 2 * block + 1, 64):
        _, drum, trigger = core(np.concatenate([np.zeros(silence, np.float32), x]))
        delay = np.flatnonzero(run.trigger)[0] - np.flatnonzero(trigger)[0]
        if (block <= 64 and delay == 0) or (block > 64 and 0 <= delay <= 2 * block and delay % 64 == 0):
            same = [np.array_equal(a[delay:], b[: len(a) - delay]) for a, b in ((run.drum, drum), (run.trigger, trigger))]
            if all(same):
                return
    raise AssertionError("the object played something else than the core")


def test_hits_are_reported_at_their_own_logical_time_from_right_to_left(host, where, tmp_path):
    x = recording("loop_compus")
    engine, _, _ = core(x)
    run = play(host, where, tmp_path, x)
    # one block late, evenly: when Pd has computed a block, its time is over
    times = (np.array([e.time for e in engine.events]) + BLOCK) / 48.0
    assert len(run.hits) == len(times)
    np.testing.assert_allclose(run.hits, times, atol=0.03)  # print shows six digits
    outlets = [line.split(":")[0] for line in run.log if line.split(":")[0] in ("params", "features", "bang")]
    assert outlets == ["params", "features", "bang"] * len(times)
    features = np.array([[float(v) for v in line.split()] for line in run.said("features:")])
    np.testing.assert_allclose(features, [e.raw for e in engine.events], rtol=1e-4, atol=1e-3)
    params = np.array([[float(v) for v in line.split()] for line in run.said("params:")])
    np.testing.assert_allclose(params, [e.param for e in engine.events], rtol=1e-4, atol=1e-3)


def test_the_object_sounds_without_arguments_or_files(host, where, tmp_path):
    run = play(host, where, tmp_path, recording("loop_compus", seconds=1.0), arguments="")
    assert not run.errors and np.abs(run.drum).max() > 0.1


def test_the_same_seed_gives_the_same_noise_and_another_seed_another(host, where, tmp_path):
    x = recording("loop_compus", seconds=1.0)
    a, b = (play(host, where, tmp_path, x, arguments=arguments).drum for arguments in ("-seed 5", "-seed 6"))
    np.testing.assert_array_equal(a, play(host, where, tmp_path, x, messages=[(0, "seed 5")], arguments="-seed 6").drum)
    assert np.abs(a - b).max() > 0.01


def two_objects() -> Patch:
    """Two objects without arguments play one trigger each; the log gets the largest difference of the two."""
    p = Patch()
    start, order, dsp = p.obj("loadbang"), p.obj("t b b b"), p.msg("; pd dsp 1")
    trigger, a, b, difference, square, level = (
        p.msg("trigger"),
        p.obj("torchdrum~"),
        p.obj("torchdrum~"),
        p.obj("-~"),
        p.obj("env~ 4096"),
        p.obj("print apart"),
    )
    stop, end = p.obj("delay 100"), p.msg("; pd quit")
    p.cord(start, 0, order)
    p.cord(order, 2, dsp)
    p.cord(order, 1, trigger)
    for td_object in (a, b):
        p.cord(trigger, 0, td_object)
    p.cord(a, 0, difference)
    p.cord(b, 0, difference, 1)
    p.cord(difference, 0, square)
    p.cord(square, 0, level)
    p.cord(order, 0, stop)
    p.cord(stop, 0, end)
    return p


def test_two_objects_are_no_copies_of_each_other(host, where, tmp_path):
    patch = two_objects()
    patch.declare.append(where)
    log = run_patch(host, tmp_path, patch)
    levels = [float(line.split()[1]) for line in log if line.startswith("apart:")]
    assert max(levels) > 40  # dB on Pd's scale, where 100 is full scale


def test_mix_gain_bypass_and_enable_make_no_click(host, where, tmp_path):
    t = np.arange(48000) / 48000
    x = (0.25 * np.sin(2 * np.pi * 50 * t) * np.minimum(1, t * 5)).astype(np.float32)  # no onset, only a slow wave
    changes = [
        (300, "bypass 1"),
        (400, "bypass 0"),
        (500, "gain -20"),
        (600, "gain 0"),
        (700, "enable 0"),
        (800, "enable 1"),
        (900, "mix 1"),
    ]
    run = play(host, where, tmp_path, x, messages=[(0, "mix 0"), (0, "onthreshold 60"), *changes])
    assert np.abs(run.drum).max() > 0.2
    # a full-scale step of .25 spread over 5 ms, on top of the wave's own
    assert np.abs(np.diff(run.drum)).max() < 0.25 / 240 + 0.25 * 2 * np.pi * 50 / 48000 + 1e-4


def test_a_patch_without_its_object_is_seen_as_a_failure(host, tmp_path):
    """The harness itself: silence of the right length must not pass."""
    run = play(host, tmp_path, tmp_path, recording("loop_compus", seconds=0.5))
    assert run.errors and np.abs(run.drum).max() == 0
