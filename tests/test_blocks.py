# SPDX-License-Identifier: MIT
"""How a host cuts the sound into blocks, and how its thread treats denormals, changes no bit of output or events."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import oracle
import pytest
from native import float_mode
from recordings import NETWORKS, both, recording

import torchdrum_py as td

SR = 48000


def session(process):
    """A bit of everything: strokes, triggers at odd samples, every kind of control, denormal input, silence.

    process(engine, x) → (out, trigger) cuts x as it likes."""
    x = np.concatenate([recording("loop_compus", SR)[:SR], recording("loop_breakbeat", SR), np.zeros(SR, np.float32)])
    x[SR // 2 : SR // 2 + 1000] *= np.float32(1e-37)
    engine = td.Engine(SR, both("three-layer-relu-tanh")[1], depth=1.5, seed=3)
    plan = [
        (0, lambda: engine.trigger(None, 777)),
        (1500, lambda: [engine.trigger(None, d) for d in (0, 1, 63, 64, 65, 2000)]),
        (9999, lambda: engine.set("gain", 3.0)),
        (10001, lambda: engine.set("mix", 0.4)),
        (30011, lambda: engine.trigger((0.1, 0.9, 0.4), 5)),
        (40000, lambda: engine.set("depth", 3.0)),
        (50000, lambda: engine.set("bypass", 1)),
        (60000, lambda: engine.set("bypass", 0)),
        (70001, lambda: engine.set("onthreshold", 12.0)),
        (80003, lambda: engine.reset()),
        (90007, lambda: engine.set("enable", 0)),
        (95000, lambda: engine.set("enable", 1)),
        (96000, lambda: engine.set("highpass", 300.0)),
    ]
    outs = []
    for (start, act), end in zip(plan, [s for s, _ in plan[1:]] + [len(x)], strict=True):
        act()
        outs.append(process(engine, x[start:end]))
    out, trigger = (np.concatenate(o) for o in zip(*outs, strict=True))
    return out.tobytes(), trigger.tobytes(), [as_bits(e) for e in engine.events]


EVENT_ARRAYS = ("raw", "normalized", "input", "modulation", "param", "velocity", "outside_db")


def as_bits(event):
    return event.time, event.detected, event.kind, *(np.float32(getattr(event, k)).tobytes() for k in EVENT_ARRAYS)


def whole(engine, x):
    return engine.process(x)


@pytest.fixture(scope="module")
def reference():
    result = session(whole)
    assert len(result[2]) > 12
    assert np.abs(np.frombuffer(result[0], np.float32)).max() > 0.1
    return result


@pytest.mark.parametrize("block", [1, 7, 64, 100, 128, 1000, 4096])
def test_output_and_events_do_not_depend_on_the_block_size(block, reference):
    assert session(lambda engine, x: engine.process(x, block=block)) == reference


@pytest.mark.parametrize("seed", range(4))
def test_output_and_events_do_not_depend_on_random_blocks(seed, reference):
    rng = np.random.default_rng(seed)

    def cut(engine, x):
        parts = []
        while len(x):
            n = int(rng.choice([0, 1, 2, 17, 64, 333, 4096]))
            parts.append(engine.process(x[:n]))
            x = x[n:]
        return tuple(np.concatenate(p) for p in zip(*parts, strict=True))

    assert session(cut) == reference


@pytest.mark.parametrize("flush", [False, True])
def test_output_and_events_do_not_depend_on_flushing_of_denormals(flush, reference):
    with float_mode().flushing(flush):
        result = session(lambda engine, x: engine.process(x, block=64))
    assert result == reference


def test_a_model_with_denormal_weights_gives_the_same_bits_with_and_without_flushing():
    count = len(oracle.PARAMS)
    small = np.resize([1e-40, 2e-38, -1e-42], (count, 3))
    for network in ("linear-none-relu-tanh", "linear-none-relu-clamp", "one-layer-tanh-tanh"):
        model = NETWORKS[network]
        layers = [(np.full_like(weight, 1e-20), None) for weight, _ in model.layers]
        for variant in ([(small, None)], layers) if len(layers) == 1 else (layers,):
            theirs = td.Model.from_bytes(oracle.write_model(replace(model, layers=variant)))
            results = []
            for flush in (False, True):
                with float_mode().flushing(flush):
                    results.append([theirs.run(np.float32(v)).tobytes() for v in ((1, 1, 1), (1e-3, 0, 0.5), (1e-20, 0, 0))])
            assert results[0] == results[1]


def test_two_engines_side_by_side_do_not_disturb_each_other(reference):
    other = td.Engine(44100, seed=99)

    def interleaved(engine, x):
        other.process(x[::-1].copy())
        return engine.process(x, block=100)

    assert session(interleaved) == reference
