# SPDX-License-Identifier: MIT
"""What [torchdrum~] for Max plays in the mock host is what the core plays."""

import subprocess
import sys

import numpy as np
import pytest
from mock_max import OBJECT, ROOT, Mock, build

import torchdrum_py as td

MODEL = ROOT / "models" / "snare_1.safetensors"
VECTORS = [1, 2, 3, 7, 16, 63, 64, 65, 100, 512, 1024, 2048, 4096]


def core(x, rate=48000, tail=24000, **settings):
    engine = td.Engine(rate, seed=5, **settings)
    drum, trigger = engine.process(np.concatenate([x, np.zeros(tail, np.float32)]))
    return engine, drum, trigger


def same(log, drum, trigger):
    np.testing.assert_array_equal(log.drum, drum)
    np.testing.assert_array_equal(log.trigger, trigger)


@pytest.mark.parametrize("vector", VECTORS)
def test_the_sound_is_the_cores_to_the_bit_for_every_vector_size(mock, tmp_path, bursts, vector):
    x = bursts(48000)
    engine, drum, trigger = core(x)
    assert len(engine.events) == 3 and np.abs(drum).max() > 0.1
    log = mock.play(tmp_path, x, vector=vector)
    same(log, drum, trigger)
    assert [len(log.out(outlet)) for outlet in (2, 3, 4)] == [3, 3, 3] and not log.said


@pytest.mark.parametrize("rate", [44100, 88200, 96000, 192000])
def test_the_sound_is_the_cores_at_other_rates(mock, tmp_path, bursts, rate):
    x = bursts(rate)
    same(mock.play(tmp_path, x, rate), *core(x, rate)[1:])


def test_the_drum_may_come_back_in_the_memory_of_the_input(mock, tmp_path, bursts):
    x = bursts(48000)
    same(mock.play(tmp_path, x, vector=256, in_place=True), *core(x)[1:])


def test_doubles_of_the_input_are_rounded_once(mock, tmp_path, bursts):
    x = bursts(48000).astype(np.float64) * (1 + 1e-9)
    same(mock.play(tmp_path, x), *core(x.astype(np.float32))[1:])


def test_input_that_is_no_number_is_silence_and_is_said_once(mock, tmp_path, bursts):
    x = bursts(48000).astype(np.float64)
    x[[10, 20, 30]] = np.nan, np.inf, -np.inf
    log = mock.play(tmp_path, x)
    clean = np.nan_to_num(x, nan=0, posinf=0, neginf=0).astype(np.float32)
    same(log, *core(clean)[1:])
    assert len(log.said) == 1 and "NaN or infinite" in log.said[0]


@pytest.mark.parametrize("vector", [64, 1024, 4096])
def test_hits_are_sent_from_right_to_left_at_their_distance_from_the_vectors_start(mock, tmp_path, bursts, vector):
    x = bursts(48000, times=(0.1, 0.13, 0.19, 0.4, 0.43))
    engine, _, _ = core(x)
    log = mock.play(tmp_path, x, vector=vector)
    assert [int(words[1]) for words in log.of("out")] == [4, 3, 2] * len(engine.events)
    times = np.array([float(words[2]) for words in log.of("out") if words[1] == "2"])
    np.testing.assert_allclose(times, [e.time / 48 for e in engine.events], atol=0.51)
    for outlet, values in ((3, [e.raw for e in engine.events]), (4, [e.param for e in engine.events])):
        np.testing.assert_allclose([[float(w) for w in words[1:]] for words in log.out(outlet)], values, rtol=1e-7)


def test_a_rate_that_is_not_supported_is_said_and_silent(mock, tmp_path, bursts):
    log = mock.play(tmp_path, bursts(48000), rate=384000)
    assert "384000 Hz is not supported" in log.said[0] and len(log.said) == 1
    assert not log.drum.any() and not log.trigger.any()


def test_a_new_rate_keeps_what_was_set(mock, tmp_path, bursts):
    x = bursts(96000)
    steps = [("new", "x", "@seed", 5), ("send", "x", "gain", -6), ("dsp", "x", 44100), ("play", "x", 4410, 64), ("dsp", "x", 96000)]
    log = mock.run(tmp_path, [*steps, ("play", "x", len(x), 64)], np.concatenate([np.zeros(4410), x]))
    np.testing.assert_array_equal(log.drum[4410:], core(x, 96000, 0, gain=-6)[1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("planted", "what"),
    [
        ("critical_enter(x->lock), critical_exit(x->lock);", "a lock"),
        ("void *volatile memory = malloc(8); free(memory);", "malloc"),
        ("outlet_bang(x->hit);", "a message to an outlet"),
        ('object_post((t_object *)x, "hello");', "post"),
    ],
)
def test_a_perform_routine_that_locks_allocates_sends_or_prints_would_be_seen(tmp_path, bursts, planted, what):
    """Every other test of sound runs under this watch."""
    if what == "malloc" and sys.platform != "linux":
        pytest.skip("the heap is watched by means of GNU ld")
    line = "    td_engine *engine = td_object_engine(x->object, 0);\n"
    source = OBJECT.read_text().replace("../core/", f"{ROOT}/core/")
    assert source.count(line) == 1
    spoilt = tmp_path / "spoilt.c"
    spoilt.write_text(source.replace(line, f"{line}    {planted}\n"))
    result = subprocess.run(
        [build(tmp_path / "script", "script", glue=spoilt)], input="new\tx\ndsp\tx\t48000\noutput\ta\tb\nplay\tx\t64\t64\n",
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert result.returncode and f"in the audio thread: {what}" in result.stderr


def test_two_objects_are_no_copies_of_each_other(mock, tmp_path):
    steps = [("new", name) for name in "ab"]
    for name in "ab":
        steps += [("dsp", name, 48000), ("send", name, "trigger"), ("play", name, 4800, 64)]
    log = mock.run(tmp_path, steps)
    assert np.abs(log.drum[:4800] - log.drum[4800:]).max() > 0.01


def test_a_thousand_objects_come_and_go_and_give_everything_back(mock, tmp_path):
    log = mock.run(tmp_path, [("churn", 1000), ("leaks",)])
    assert log.of("leaks") == [["0"]] and not log.said


@pytest.mark.slow
def test_models_are_swapped_a_hundred_thousand_times_while_it_plays_without_a_race(mock_programs):
    result = subprocess.run([mock_programs("swap", "thread"), ROOT / "models", "100000"], capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stdout + result.stderr[-4000:]


@pytest.mark.slow
@pytest.mark.parametrize("loads", [False, True], ids=["plain", "loading"])
def test_a_thousand_objects_make_no_memory_error_and_no_leak(mock_programs, tmp_path, loads):
    host = Mock(mock_programs("script", "address"), [ROOT / "models"])
    log = host.run(tmp_path, [("dspstate", int(loads)), ("churn", 1000), ("leaks",)])
    assert log.of("leaks") == [["0"]]


@pytest.mark.slow
def test_all_of_these_hold_under_the_address_and_undefined_behaviour_sanitizers(mock_programs, tmp_path, bursts):
    x = bursts(48000)
    host = Mock(mock_programs("script", "address"), [ROOT / "models"])
    for vector in (1, 64, 4096):
        same(host.play(tmp_path, x, vector=vector, arguments="snare_2 @seed 5"), *core(x, model="snare_2")[1:])
