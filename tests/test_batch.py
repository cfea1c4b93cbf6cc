# SPDX-License-Identifier: MIT
"""Many at once is each alone, however many threads do it."""

import subprocess
import sys

import numpy as np
import pytest

import torchdrum_py as td
from torchdrum_py import batch

SR = 48000
LOW, HIGH = (np.array([getattr(p, end) for p in td.PARAMS]) for end in ("min", "max"))


def sets(count: int) -> np.ndarray:
    return (LOW + (HIGH - LOW) * np.random.default_rng(1).random((count, len(LOW)))).astype(np.float32)


@pytest.mark.parametrize("threads", [0, 1, 2, 7])
def test_strokes_are_those_of_the_core_to_the_bit(threads):
    params, hits = sets(9), [0, 1, 2, 3, 4, 5, 6, 2**32 - 1, 2**32]
    found = batch.render(params, 44100, 2**32 - 1, hits, 3001, threads)
    for row, hit, sound in zip(params, hits, found, strict=True):
        assert np.array_equal(sound, td.render_snare808(row, 44100, 2**32 - 1, hit, 3001))


def test_slopes_do_not_depend_on_threads_or_on_the_batch():
    params, grad = sets(7), np.random.default_rng(2).normal(size=(7, 5000)).astype(np.float32)
    one = batch.gradient(params, SR, 4, range(7), grad, threads=1)
    assert np.array_equal(one, batch.gradient(params, SR, 4, range(7), grad, threads=3))
    assert np.array_equal(one[3:4], batch.gradient(params[3:4], SR, 4, [3], grad[3:4]))
    assert np.isfinite(one).all() and (one != 0).all()


def test_slopes_are_those_of_the_sound():
    """Along a direction through all parameters at once, by differences of the core's voice, over 5 ms."""
    base = np.array([200, 0.5, 310, 0.4, 80, 120, 90, 150, 3000, 1.5, -9, -11, -8, -3], np.float64)
    rng, n = np.random.default_rng(3), 240
    weight = rng.normal(size=n).astype(np.float32)
    for _ in range(5):
        direction = 1e-3 * (HIGH - LOW) * rng.normal(size=len(base)) * 0.1
        ends = [(base + side * direction).astype(np.float32) for side in (-1, 1)]
        sounds = [td.render_snare808(end, SR, 1, 0, n).astype(np.float64) @ weight for end in ends]
        slope = batch.gradient(base[None], SR, 1, [0], weight[None])[0] @ (ends[1].astype(np.float64) - ends[0])
        assert slope == pytest.approx(sounds[1] - sounds[0], rel=5e-3, abs=1e-5)


@pytest.mark.parametrize("rate", [44100, 96000])
def test_features_are_those_of_the_core_to_the_bit(rate):
    x = np.random.default_rng(4).normal(size=4000).astype(np.float32)
    window, starts = td.scaled(200, rate), [0, 1, 777, 4000 - td.scaled(200, rate)]
    found = batch.features(x, starts, window, rate, threads=2)
    assert np.array_equal(found, [td.features(x[at : at + window], rate) for at in starts])
    assert batch.features(x, [], window, rate).shape == (0, 3)


def test_nothing_at_all_is_an_answer_too():
    assert batch.render(np.empty((0, 14), np.float32), SR, 0, [], 10).shape == (0, 10)
    assert batch.render(sets(2), SR, 0, [0, 1], 0).shape == (2, 0)
    assert not batch.gradient(sets(2), SR, 0, [0, 1], np.empty((2, 0), np.float32)).any()


@pytest.mark.parametrize("call", [
    lambda: batch.render(sets(2), SR, 0, [0], 10),
    lambda: batch.render(sets(2)[:, :13], SR, 0, [0, 1], 10),
    lambda: batch.render(np.full((1, 14), np.nan), SR, 0, [0], 10),
    lambda: batch.render(sets(1), 100, 0, [0], 10),
    lambda: batch.gradient(sets(2), SR, 0, [0, 1], np.zeros((1, 10))),
    lambda: batch.gradient(sets(1), 0, 0, [0], np.zeros((1, 10))),
    lambda: batch.features(np.zeros(100), [-1], 50, SR),
    lambda: batch.features(np.zeros(100), [51], 50, SR),
    lambda: batch.features(np.zeros(1000), [0], 257, SR),
    lambda: batch.features(np.zeros((2, 100)), [0], 50, SR),
    lambda: batch.features(np.zeros(100), [0], 50, np.nan),
])  # fmt: skip
def test_what_cannot_be_is_refused(call):
    with pytest.raises(ValueError):
        call()


def test_the_order_of_results_is_that_of_the_things():
    assert batch.each(lambda i: i * i, range(100), threads=5) == [i * i for i in range(100)]
    with pytest.raises(ZeroDivisionError):
        batch.each(lambda i: 1 // i, [1, 0, 2], threads=2)


def test_work_within_work_does_not_wait_for_itself():
    def inner(_):
        return batch.render(sets(4), SR, 0, range(4), 100, threads=2).shape

    assert batch.each(lambda i: batch.each(inner, range(3), threads=2), range(4), threads=2) == [[(4, 100)] * 3] * 4


def test_a_forked_child_can_work_too():
    code = """
import os, sys
from torchdrum_py import batch
batch.each(abs, range(9), threads=2)
child = os.fork()
if not child:
    os._exit(sum(batch.each(abs, range(9), threads=2)))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-c", code], cwd="/", timeout=30).returncode == 36
