# SPDX-License-Identifier: MIT
"""The Python package as a whole."""

import concurrent.futures
import gc
import inspect
import re
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
from torchdrum_py._core import ffi, lib

import torchdrum_py as td
from torchdrum_py import model_file

ROOT = Path(__file__).resolve().parent.parent


def test_the_version_is_the_headers():
    header = (ROOT / "core" / "include" / "torchdrum.h").read_text()
    assert td.__version__ == re.search(r'TD_VERSION "(.+)"', header)[1]


def test_everything_public_exists_and_is_documented():
    for name in td.__all__:
        thing = getattr(td, name)
        if inspect.isclass(thing) or inspect.isroutine(thing):
            assert inspect.getdoc(thing), name
            for method, member in inspect.getmembers(thing, inspect.isfunction) if inspect.isclass(thing) else ():
                assert method.startswith("_") or inspect.getdoc(member), f"{name}.{method}"


def test_importing_the_package_needs_no_torch_and_no_matplotlib():
    code = "import sys, torchdrum_py.cli; sys.exit(any(m in sys.modules for m in ('torch', 'matplotlib', 'scipy')))"
    assert subprocess.run([sys.executable, "-c", code], cwd="/").returncode == 0


def test_tables_have_the_numbers_of_their_files():
    assert [p.name for p in td.PARAMS][:2] == ["osc1_freq", "osc1_mod"] and td.PARAMS[1].default == 0.4
    assert td.find_control("thresh").name == "onthreshold" and td.find_control("seed").max == 16777215
    assert td.find_param("osc1.freq") is td.PARAMS[0] and td.find_param("nothing") is None


def test_patches_live_as_long_as_the_engine_may_read_them():
    engine = td.Engine(48000, depth=0.0)
    reference = td.Engine(48000, depth=0.0)
    silence = np.zeros(64, np.float32)
    for k in range(1000):
        engine.set("osc1_freq", 100 + k)
        if k % 3 == 0:
            engine.load(td.Model.builtin())
            engine.set("osc1_freq", 100 + k)
        gc.collect(0)
        engine.trigger()
        engine.process(silence)
        assert len(engine._alive) <= 4
    assert [e.param[0] for e in engine.events[-3:]] == [1097, 1098, 1099]
    assert not reference.events


def test_wrong_words_and_numbers_are_one_sentence():
    engine = td.Engine(48000)
    for wrong in (
        lambda: engine.set("osc1_frek", 3),
        lambda: engine.set("gain", float("nan")),
        lambda: engine.normalize("loudly"),
        lambda: engine.preset("snare_9"),
        lambda: engine.load("snare_9"),
        lambda: engine.shape(mask=["nothing"]),
        lambda: td.Engine(4000),
        lambda: td.Engine(48000, loudnes=3),
        lambda: td.onsets(np.zeros(10), 48000, speed=3),
    ):
        with pytest.raises(td.TorchdrumError) as error:
            wrong()
        assert "\n" not in str(error.value) and len(str(error.value)) > 15
    for wrong in (
        lambda: engine.process(np.zeros((10, 2))),
        lambda: td.features(np.zeros(300), 48000),
        lambda: td.features(np.zeros(0), 48000),
    ):
        with pytest.raises(ValueError):
            wrong()


def test_numbers_beyond_a_range_are_clipped():
    engine = td.Engine(48000, osc1_freq=1e9, depth=0)
    engine.trigger()
    engine.process(np.zeros(1, np.float32))
    assert engine.events[0].param[0] == 2000


def test_morph_goes_from_one_model_to_the_other():
    values = []
    for x in (0.0, 0.5, 1.0):
        engine = td.Engine(48000, model="snare_1", depth=0.0)
        engine.morph("noisy_snare", x)
        engine.trigger([0.5, 0.5, 0.5])
        engine.process(np.zeros(1, np.float32))
        values.append(engine.events[0].param[0])
        assert engine.get(td.PARAMS[0].name) == values[-1]
    assert values == [180, 340, 500]


SR = 48000
COUNT = len(td.PARAMS)


def model_of(seed=0, **kind) -> td.Model:
    weight = np.random.default_rng(seed).normal(0, 0.5, (COUNT, 3))
    data = model_file.to_bytes(
        [(weight, None)], td.Preset.load("snare_2"), [-50, 60, -60], [-5, 120, -5], [0.5, 0.5, 0.5], name=f"{seed}", **kind
    )
    return td.Model.from_bytes(data)


def played(engine, x, **how):
    out, trigger = engine.process(x, **how)
    return out.tobytes(), trigger.tobytes(), tuple(e.param.tobytes() for e in engine.events)


def test_settings_by_keyword_are_those_set_afterwards(bursts):
    x = bursts(SR)
    for name, value in (("depth", 2.5), ("mix", 0.3), ("gain", -7), ("onthreshold", 25), ("osc1_freq", 333), ("seed", 9), ("hold", 500)):
        later = td.Engine(SR, model_of())
        later.set(name, value)
        assert played(td.Engine(SR, model_of(), **{name: value}), x) == played(later, x), name
        assert played(td.Engine(SR, model_of()), x) != played(later, x), name


def test_an_edit_does_not_make_an_adapting_engine_forget_what_it_heard(bursts):
    """The range of normalize adapt moves with the strokes heard since it was switched on (spec 4.3), whatever else changes."""
    x = bursts(SR, times=np.arange(0.1, 2.9, 0.4), seconds=3)
    edited, other = td.Engine(SR, model_of(), normalize="adapt"), td.Engine(SR, model_of(), normalize="adapt")
    for engine in (edited, other):
        engine.process(x)
        if engine is edited:
            engine.set("depth", 1)
        engine.process(x)
    assert len(other.events) == 14
    assert [e.normalized.tolist() for e in edited.events] == [e.normalized.tolist() for e in other.events]


def test_the_result_does_not_depend_on_blocks_types_or_layout_of_the_input(bursts):
    x = bursts(SR)
    wanted = played(td.Engine(SR), x)
    frozen = x.copy()
    frozen.flags.writeable = False
    for other in (frozen, x.astype(np.float64), np.stack([x, x], 1)[:, 1], x.tolist()):
        assert played(td.Engine(SR), other) == wanted
    for block in (1, 100, 4096, 10**6):
        assert played(td.Engine(SR), x, block=block) == wanted
    for block in (0, -1):
        with pytest.raises(ValueError, match="at least one sample"):
            td.Engine(SR).process(x, block=block)
    with pytest.raises(ValueError, match="one channel"):
        td.Engine(SR).process(np.zeros((2, 2)))
    assert [a.size for a in td.Engine(SR).process([])] == [0, 0]


def test_events_count_on_through_calls_and_none_is_lost(bursts):
    engine, x = td.Engine(SR, hold=0), bursts(SR)
    for _ in range(150):
        engine.process(x[: SR // 5])
    assert len(engine.events) == 150
    assert (np.diff([e.time for e in engine.events]) == SR // 5).all()
    engine.process(np.tile(x[: SR // 5], 300))  # more in one call than the ring of events holds
    assert len(engine.events) == 450
    for _ in range(10):
        for delay in range(64):
            engine.trigger(delay=delay)
        engine.process(np.zeros(64))
    assert len(engine.events) == 450 + 640
    assert engine.lost_events == 0


def test_events_that_nobody_collects_are_counted_and_the_sound_goes_on():
    patch, model = ffi.new("td_patch *"), td.Model.builtin()
    lib.td_patch_init(patch, model.pointer)
    memory, ring = (ffi.new("double[]", size // 8 + 1) for size in (lib.td_engine_size(), lib.td_event_ring_size()))
    engine = ffi.cast("td_engine *", memory)
    assert lib.td_engine_init(engine, SR, patch, ffi.cast("td_event_ring *", ring)) == lib.TD_OK
    out = np.zeros(64, np.float32)
    silence = ffi.from_buffer("float[]", np.zeros(64, np.float32))
    for _ in range(lib.TD_MAX_EVENTS + 3):
        assert lib.td_engine_trigger(engine, 0, ffi.NULL) == lib.TD_OK
        lib.td_engine_process(engine, silence, ffi.from_buffer("float[]", out), ffi.NULL, 64)
    assert lib.td_engine_lost_events(engine) == 3
    assert np.abs(out).max() > 0
    event = ffi.new("td_event *")
    assert sum(lib.td_engine_next_event(engine, event) for _ in range(lib.TD_MAX_EVENTS + 3)) == lib.TD_MAX_EVENTS


@pytest.mark.parametrize(
    ("features", "delay", "reason"),
    [([1, 2], 0, "3 features"), ([0, np.nan, 0], 0, "0 to 1"), (None, -1, "0 to 4294967295"), (None, 1 << 32, "0 to 4294967295")],
)
def test_a_trigger_that_cannot_be_is_refused(features, delay, reason):
    with pytest.raises(td.TorchdrumError, match=reason):
        td.Engine(SR).trigger(features, delay)


def test_a_seed_starts_the_noise_again():
    engine, sounds = td.Engine(SR, preset="noisy_snare", noise_decay=100), []
    for seed in (None, None, 0, 5, 0):
        if seed is not None:
            engine.set("seed", seed)
        engine.trigger()
        sounds.append(engine.process(np.zeros(SR))[0].tobytes())
    first, second, again, other, back = sounds
    assert first == again == back
    assert len({first, second, other}) == 3


@pytest.mark.parametrize("rate", [0, -1, 7999, 192001, np.nan, np.inf])
def test_a_rate_that_the_core_does_not_run_at_is_refused(rate):
    for make in (td.Engine, lambda r: td.onsets([0.0], r), lambda r: td.features([0.0], r)):
        with pytest.raises(td.TorchdrumError, match="8000 to 192000"):
            make(rate)


def test_bad_samples_are_counted_and_count_as_silence(bursts):
    clean, dirty = bursts(SR), bursts(SR)
    clean[[10, 20, 4900]] = 0
    dirty[[10, 20, 4900]] = np.nan, np.inf, -np.inf
    a, b = td.Engine(SR), td.Engine(SR)
    assert played(a, clean) == played(b, dirty)
    assert (a.bad_samples, b.bad_samples) == (0, 3)
    assert np.array_equal(td.onsets(clean, SR)[0], td.onsets(dirty, SR)[0])
    assert np.array_equal(td.features(clean[4800:5056], SR), td.features(dirty[4800:5056], SR))


def test_a_model_and_its_patches_live_as_long_as_the_engine_can_read_them_and_no_longer(bursts):
    x = bursts(SR)
    first, second = model_of(1), model_of(2)
    gone = weakref.ref(first), weakref.ref(second)
    wanted = played(td.Engine(SR, model_of(1)), x), played(td.Engine(SR, model_of(2)), x)
    engine = td.Engine(SR, first)
    del first
    gc.collect()
    assert played(engine, x) == wanted[0]  # nobody but the engine holds the model
    engine.load(second)
    del second
    gc.collect()
    assert gone[0]() is not None  # the new one is taken up at a hit only
    engine.events.clear()
    engine.set("seed", 0)
    assert played(engine, x)[2] == wanted[1][2]
    engine.set("depth", 1)  # the control side collects
    gc.collect()
    assert gone[0]() is None
    assert gone[1]() is not None
    del engine
    gc.collect()
    assert gone[1]() is None


def test_engines_in_threads_give_what_they_give_alone(bursts):
    x = bursts(SR, times=np.arange(0.1, 2, 0.15), seconds=2)
    wanted = [played(td.Engine(SR, model_of(i), seed=i), x) for i in range(4)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda i: played(td.Engine(SR, model_of(i), seed=i), x), range(4))) == wanted
    assert len(set(wanted)) == 4


def test_settings_of_the_detector_are_clipped_or_refused(bursts):
    x = bursts(SR, times=np.arange(0.1, 2.5, 0.3), seconds=2.6)
    longest = td.find_control("hold").max
    assert len(td.onsets(x, SR)[0]) == 8
    assert np.array_equal(td.onsets(x, SR, hold=1e15)[0], td.onsets(x, SR, hold=longest)[0])
    assert len(td.onsets(x, SR, hold=1e15)[0]) == 2
    with pytest.raises(td.TorchdrumError, match="hold needs a number"):
        td.onsets(x, SR, hold=np.nan)
    with pytest.raises(td.TorchdrumError, match="no setting holt: there are detector, sensitivity, onthreshold"):
        td.onsets(x, SR, holt=1)


@pytest.mark.parametrize("call", [
    lambda: td.features(np.zeros(257), SR),
    lambda: td.features([], SR),
    lambda: td.render_snare808(np.zeros(COUNT - 1), SR, 0, 0, 10),
    lambda: td.render_snare808(np.full(COUNT, np.nan), SR, 0, 0, 10),
])  # fmt: skip
def test_stages_refuse_what_has_the_wrong_shape(call):
    with pytest.raises(ValueError):
        call()
