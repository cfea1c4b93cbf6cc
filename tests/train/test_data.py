# SPDX-License-Identifier: MIT
"""Strokes are cut so that training sees what the object sees."""

import numpy as np
import pytest
import recordings
import soundfile

import torchdrum_py as td
from torchdrum_py import data, long_features
from torchdrum_py.train import Scale


@pytest.mark.parametrize("name", recordings.LOOPS)
def test_training_sees_the_features_that_the_object_reports(name):
    x = recordings.recording(name, data.SAMPLE_RATE)
    hits = data.cut(x)
    engine = td.Engine(data.SAMPLE_RATE, selfmask=0)  # a recording has no drum of ours in it
    lead = np.zeros(data.LEAD_SAMPLES + data.PREROLL + data.JITTER, np.float32)
    engine.process(np.concatenate([lead, x, np.zeros(data.WINDOW, np.float32)]))
    assert len(hits) == len(engine.events) > 5
    assert np.array_equal([hit.features for hit in hits], [event.raw for event in engine.events])


def test_training_and_object_give_the_network_the_same_input():
    info = td.Model.builtin().info
    scale = Scale(info["min"], info["max"], info["reference"])
    engine = td.Engine(data.SAMPLE_RATE)
    engine.process(recordings.recording("loop_compus", data.SAMPLE_RATE))
    raw = np.array([event.raw for event in engine.events])
    np.testing.assert_allclose(scale(raw), [event.input for event in engine.events], rtol=0, atol=1e-6)


def test_a_stroke_ends_where_the_next_begins():
    x = np.zeros(data.SAMPLE_RATE, np.float32)
    burst = np.random.default_rng(0).normal(0, 0.2, 200).astype(np.float32)
    for at in (1000, 9000):
        x[at : at + 200] = burst
    first, second = data.cut(x)
    assert np.abs(first.sound[:300]).max() > 0.1
    assert not first.sound[8000:].any()
    assert np.abs(second.sound[:300]).max() > 0.1
    assert len(first.sound) == len(second.sound) == long_features.SAMPLES


def test_one_stroke_of_a_library_is_one_hit_and_its_round_robins_are_one_group():
    x = recordings.recording("loop_compus", data.SAMPLE_RATE)
    hits = data.cut(x, "snare_vl3_rr1.flac", single=True) + data.cut(x, "snare_vl3_rr2.flac", single=True)
    assert len(hits) == 2
    assert len({hit.group for hit in hits}) == 1


def test_the_window_is_moved_by_the_jitter_and_no_more():
    x = recordings.recording("drum_snare_hard", data.SAMPLE_RATE)
    (hit,) = data.cut(x, single=True)
    for row, shift in enumerate(range(-data.JITTER, data.JITTER + 1)):
        window = hit.audio[data.LEAD_SAMPLES + shift :][: data.WINDOW]
        assert np.array_equal(hit.inputs[row], td.features(window, data.SAMPLE_RATE))


def test_no_group_is_on_two_sides_of_the_split():
    empty = np.zeros((2 * data.JITTER + 1, 3), np.float32)
    hits = [data.Hit(np.zeros(1, np.float32), empty, f"stroke {i // 4}") for i in range(400)]
    parts = data.split(hits, seed=3)
    assert [len(part) for part in parts] == [320, 40, 40]
    groups = [{hit.group for hit in part} for part in parts]
    assert not groups[0] & groups[1] and not groups[0] & groups[2] and not groups[1] & groups[2]
    assert [hit.group for hit in data.split(hits, seed=3)[2]] == [hit.group for hit in parts[2]]
    assert groups[2] != {hit.group for hit in data.split(hits, seed=4)[2]}


def test_too_few_strokes_are_refused_with_advice():
    hits = data.cut(recordings.recording("drum_snare_hard", data.SAMPLE_RATE))
    with pytest.raises(td.TorchdrumError, match="play at least"):
        data.split(hits, seed=0)


def test_any_rate_and_channel_count_is_read(tmp_path):
    t = np.arange(44100) / 44100
    x = np.stack([np.sin(2 * np.pi * 500 * t), np.zeros(44100)], axis=1)
    soundfile.write(tmp_path / "x.wav", x, 44100, subtype="FLOAT")
    y = data.read(tmp_path / "x.wav")
    assert len(y) == 48000
    wanted = 0.5 * np.sin(2 * np.pi * 500 * np.arange(48000) / 48000)
    np.testing.assert_allclose(y[500:-500], wanted[500:-500], atol=1e-4)


def test_a_recording_with_samples_that_are_not_numbers_is_refused(tmp_path):
    soundfile.write(tmp_path / "x.wav", np.array([0.0, np.nan, 0.1]), 48000, subtype="FLOAT")
    with pytest.raises(td.TorchdrumError, match="not numbers"):
        data.read(tmp_path / "x.wav")
