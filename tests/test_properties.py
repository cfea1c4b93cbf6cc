# SPDX-License-Identifier: MIT
"""Whatever the public functions are given (hypothesis): what is promised holds, or one line says why it cannot be: TorchdrumError, or
ValueError for an array of the wrong shape."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import torchdrum_py as td

RATES = st.sampled_from([8000, 22050, 44100, 48000, 96000, 192000])
ANY_FLOATS = st.floats(width=32)  # with NaN, infinity, denormals
SOUNDS = st.integers(0, 3000).flatmap(lambda n: arrays(np.float32, n, elements=ANY_FLOATS))
SETTINGS = st.dictionaries(
    st.sampled_from([c.name for c in td.CONTROLS if c.name not in ("depth", "seed", "detector", "input")]), st.floats(-1e6, 1e6), max_size=4
)
WORDS = st.one_of(st.text(max_size=20), st.floats(), st.integers(), st.none(), st.booleans())
REFUSED = (td.TorchdrumError, ValueError)
quickly = settings(max_examples=150, deadline=None, derandomize=True)  # the same in every run


def one_line(error: Exception):
    assert str(error).strip() and "\n" not in str(error)


@quickly
@given(SOUNDS, RATES, SETTINGS, st.sampled_from(["rise", "classic"]), st.integers(1, 500))
def test_any_sound_through_any_engine_is_finite_and_the_same_in_any_blocks(x, rate, controls, detector, block):
    def played(block):
        engine = td.Engine(rate, detector=detector, seed=3)
        for name, value in controls.items():
            try:
                engine.set(name, value)
            except td.TorchdrumError as error:
                one_line(error)
        return engine.process(x, block)

    drum, trigger = played(None)
    assert drum.shape == trigger.shape == x.shape
    assert np.isfinite(drum).all() and ((trigger >= 0) & (trigger <= 1)).all()
    for a, b in zip(played(block), (drum, trigger), strict=True):
        np.testing.assert_array_equal(a, b)


@quickly
@given(st.binary(max_size=3000))
def test_any_bytes_are_a_model_or_refused(data):
    try:
        model = td.Model.from_bytes(data)
    except td.TorchdrumError as error:
        one_line(error)
    else:
        assert np.isfinite(model.run(np.zeros(3))).all()


@quickly
@given(st.one_of(st.text(max_size=300), st.recursive(WORDS, lambda w: st.dictionaries(st.text(max_size=9), w, max_size=4)).map(json.dumps)))
def test_any_text_is_a_preset_or_refused(text):
    try:
        td.Preset.from_json(text)
    except td.TorchdrumError as error:
        one_line(error)


@quickly
@given(st.lists(st.floats(0, 1, width=32), min_size=len(td.PARAMS), max_size=len(td.PARAMS)))
def test_a_preset_of_any_values_reads_back_as_it_was_written(shares):
    values = [np.float32(p.min + s * (p.max - p.min)) for p, s in zip(td.PARAMS, shares, strict=True)]
    values = np.clip(values, [p.min for p in td.PARAMS], [p.max for p in td.PARAMS]).astype(np.float32)
    first = td.Preset.from_json(json.dumps({"preset": {p.key: float(v) for p, v in zip(td.PARAMS, values, strict=True)}}))
    again = td.Preset.from_json(json.dumps(first.to_dict()))
    np.testing.assert_array_equal(first.value, values)
    np.testing.assert_array_equal(again.value, first.value)
    np.testing.assert_array_equal(again.damping, first.damping)


@quickly
@given(SOUNDS, RATES)
def test_the_features_of_any_window_are_finite_or_refused(x, rate):
    try:
        heard = td.features(x, rate)
    except REFUSED as error:
        one_line(error)
    else:
        assert heard.shape == (3,) and np.isfinite(heard).all()


@quickly
@given(SOUNDS, RATES, st.sampled_from(["rise", "classic"]))
def test_onsets_of_any_sound_are_in_it_in_their_order_or_it_is_refused(x, rate, detector):
    try:
        found = td.onsets(x, rate, detector=detector)
    except REFUSED as error:
        one_line(error)
    else:
        assert np.isfinite(found.rise).all() and (np.diff(found.samples) > 0).all()
        assert all(0 <= sample < len(x) for sample in found.samples)


@quickly
@given(arrays(np.float32, len(td.PARAMS), elements=ANY_FLOATS), RATES, st.integers(0, 2**32 - 1), st.integers(0, 2000))
def test_the_voice_with_any_numbers_is_finite_or_refused(params, rate, seed, n):
    try:
        drum = td.render_snare808(params, rate, seed, 1, n)
    except REFUSED as error:
        one_line(error)
    else:
        assert drum.shape == (n,) and np.isfinite(drum).all() and np.abs(drum).max(initial=0) <= 1


@quickly
@given(WORDS, WORDS)
def test_a_wrong_name_or_value_is_refused_in_one_line(name, value):
    engine = td.Engine(48000)
    try:
        engine.set(name, value)
    except td.TorchdrumError as error:
        one_line(error)
    except TypeError as error:
        pytest.fail(f"{name!r}, {value!r}: {error}")
