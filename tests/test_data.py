# SPDX-License-Identifier: MIT
"""Strokes are cut so that training sees what the object sees."""

import os

import numpy as np
import pytest
import recordings
import soundfile

import torchdrum_py as td
from torchdrum_py import data


@pytest.mark.parametrize("name", recordings.LOOPS)
def test_training_sees_the_features_that_the_object_reports(name):
    x = recordings.recording(name, data.SAMPLE_RATE)
    hits = data.cut(x)
    engine = td.Engine(data.SAMPLE_RATE, selfmask=0)  # a recording has no drum of ours in it
    lead = np.zeros(data.LEAD_SAMPLES + data.PREROLL + data.JITTER, np.float32)
    engine.process(np.concatenate([lead, x, np.zeros(data.WINDOW, np.float32)]))
    assert len(hits) == len(engine.events) > 5
    assert np.array_equal([hit.features for hit in hits], [event.raw for event in engine.events])


def test_a_stroke_ends_where_the_next_begins():
    x = np.zeros(data.SAMPLE_RATE, np.float32)
    burst = np.random.default_rng(0).normal(0, 0.2, 200).astype(np.float32)
    for at in (1000, 9000):
        x[at : at + 200] = burst
    first, second = data.cut(x)
    assert np.abs(first.sound[:300]).max() > 0.1
    assert not first.sound[8000:].any()
    assert np.abs(second.sound[:300]).max() > 0.1
    assert len(first.sound) == len(second.sound) == data.SAMPLES


def test_one_stroke_of_a_library_is_one_hit_and_its_round_robins_are_one_group():
    x = recordings.recording("loop_compus", data.SAMPLE_RATE)
    hits = data.cut(x, "snare_vl3_rr1.flac", single=True) + data.cut(x, "snare_vl3_rr2.flac", single=True)
    assert len(hits) == 2
    assert len({hit.group for hit in hits}) == 1


@pytest.mark.parametrize("window", [64, 128, 256])
def test_a_hit_has_the_features_of_its_window(window):
    (hit,) = data.cut(recordings.recording("drum_snare_hard", data.SAMPLE_RATE), single=True, window=window)
    assert np.array_equal(hit.features, td.features(hit.audio[data.LEAD_SAMPLES :][:window], data.SAMPLE_RATE))
    louder = data.at_level(hit, 6.0)
    assert louder.window == window
    assert louder.features[0] - hit.features[0] == pytest.approx(6.0, abs=1e-3)


@pytest.mark.parametrize("name", recordings.LOOPS)
def test_a_stroke_is_detected_in_its_excerpt_where_it_was_in_the_recording(name):
    away = []
    for hit in data.cut(recordings.recording(name, data.SAMPLE_RATE)):
        found = td.onsets(hit.audio, data.SAMPLE_RATE, data.WINDOW, detector=data.DETECTOR).samples
        away.append(np.abs(found - data.LEAD_SAMPLES - data.PREROLL).min())
    assert max(away) <= 24  # half a millisecond
    assert np.mean(np.array(away) == 0) > 0.7


def test_views_differ_from_the_window_by_what_microphones_and_rooms_differ_by():
    hits = [hit for name in ("drum_snare_hard", "loop_compus") for hit in data.cut(recordings.recording(name, data.SAMPLE_RATE))]
    seen = data.views(hits, 200, seed=1)
    assert seen.shape == (len(hits), 200, 3) and seen.dtype == np.float32
    away = seen - np.array([hit.features for hit in hits])[:, None]
    assert (away.std(axis=1) > [0.3, 0.02, 0.1]).all()
    assert (np.abs(np.median(away, axis=1)) < [2.0, 3.0, 6.0]).all()
    assert np.array_equal(seen, data.views(hits, 200, seed=1))
    assert not np.array_equal(seen, data.views(hits, 200, seed=2))


def test_no_group_is_on_two_sides_of_the_split():
    rng = np.random.default_rng(0)
    hits = [data.Hit(np.zeros(1, np.float32), rng.normal(size=3).astype(np.float32), f"stroke {i // 4}") for i in range(400)]
    parts = data.split(hits, seed=3)
    assert [len(part) for part in parts] == [320, 40, 40]
    groups = [{hit.group for hit in part} for part in parts]
    assert not groups[0] & groups[1] and not groups[0] & groups[2] and not groups[1] & groups[2]
    assert [hit.group for hit in data.split(hits, seed=3)[2]] == [hit.group for hit in parts[2]]
    assert groups[2] != {hit.group for hit in data.split(hits, seed=4)[2]}


def test_each_part_has_strokes_of_all_levels():
    levels = np.random.default_rng(5).permutation(100).astype(np.float32)
    hits = [data.Hit(np.zeros(1, np.float32), np.array([level, 0, 0]), f"{level}") for level in levels]
    part = data.folds(hits, 5, seed=1)
    for one in range(5):
        inside = np.sort(levels[part == one])
        assert len(inside) == 20
        assert (np.diff(inside) < 10).all() and inside[0] < 5 and inside[-1] >= 95


def heard(*levels, **more) -> data.Heard:
    hits = [
        data.Hit(np.ones(data.LEAD_SAMPLES + data.SAMPLES, np.float32), np.array([x, 90, -30], np.float32), f"{i}")
        for i, x in enumerate(levels)
    ]
    return data.Heard(hits, recordings=1, **more)


def test_too_few_strokes_are_refused_with_advice():
    with pytest.raises(td.TorchdrumError, match="play at least"):
        heard(-30, -20, -10).check()
    with pytest.raises(td.TorchdrumError, match="0 different strokes: too few"):
        data.Heard().check()


def test_strokes_that_are_all_the_same_are_refused_with_advice():
    with pytest.raises(td.TorchdrumError, match="from soft to hard"):
        heard(*np.linspace(-20, -18, 30)).check()
    heard(*np.linspace(-30, -18, 30)).check()


def test_a_player_is_told_what_is_wrong_with_a_take():
    lines = "\n".join(heard(*np.linspace(-24, -20, 30), short=3, silent=["a.wav"], clipped=[f"{i}.wav" for i in range(5)]).lines())
    for words in ("30 strokes in 1 recording", "-24 to -20 dB", "1480 Hz", "varies by 3.6 dB only", "within 50 ms: 3 strokes"):
        assert words in lines
    assert "a.wav: no stroke" in lines and "0.wav, 1.wav, 2.wav and 2 more: the recording clips" in lines


def test_folders_and_files_of_any_kind_are_heard_once_in_the_order_of_their_names(tmp_path):
    x = recordings.recording("drum_snare_hard", data.SAMPLE_RATE)
    (tmp_path / "takes" / "more").mkdir(parents=True)
    (tmp_path / "takes" / "notes.txt").write_text("not a recording")
    for name, gain in (("takes/b.wav", 0.5), ("takes/more/c.flac", 0.25), ("takes/a.wav", 0.9)):
        soundfile.write(tmp_path / name, gain * x, data.SAMPLE_RATE)
    soundfile.write(tmp_path / "silence.wav", np.zeros((999, 2)), 8000)
    again = tmp_path / "takes" / "more" / ".." / "a.wav"
    found = data.load([tmp_path / "takes", again, tmp_path / "silence.wav"])
    assert [os.path.basename(hit.group) for hit in found.hits] == ["a.wav 0", "b.wav 0", "c.flac 0"]
    assert found.recordings == 4 and found.silent == ["silence.wav"] and not found.clipped
    with pytest.raises(td.TorchdrumError, match="no recording in the folder"):
        (tmp_path / "empty").mkdir()
        data.load([tmp_path / "empty"])


def test_a_folder_that_cannot_be_listed_is_an_error_and_not_fewer_strokes(tmp_path, monkeypatch):
    (tmp_path / "locked").mkdir()
    soundfile.write(tmp_path / "a.wav", recordings.recording("drum_snare_hard", data.SAMPLE_RATE), data.SAMPLE_RATE)
    scandir = os.scandir

    def locked(path):
        if os.path.basename(path) == "locked":
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", locked)  # root may list everything
    with pytest.raises(td.TorchdrumError, match=r"locked cannot be read \(Permission denied\)"):
        data.load([tmp_path])


def test_files_of_the_same_name_in_two_folders_hold_different_strokes(tmp_path):
    x = recordings.recording("drum_snare_hard", data.SAMPLE_RATE)
    for folder in "ab":
        (tmp_path / folder).mkdir()
        soundfile.write(tmp_path / folder / "take_rr1.wav", 0.5 * x, data.SAMPLE_RATE)
    for single in (False, True):
        assert len({hit.group for hit in data.load([tmp_path / "a", tmp_path / "b"], single).hits}) == 2


def test_clipping_and_strokes_that_are_cut_short_are_noticed(tmp_path):
    x = recordings.recording("drum_snare_hard", data.SAMPLE_RATE)[:4000]
    close = np.zeros(12000, np.float32)
    close[2000:6000] += x
    close[2000 + 1900 : 6000 + 1900] += 3 * x
    soundfile.write(tmp_path / "close.wav", 0.5 * close / np.abs(close).max(), data.SAMPLE_RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "clipped.wav", np.clip(np.stack([x * 8 / np.abs(x).max(), x], 1), -1, 1), 44100, subtype="PCM_16")
    found = data.load([tmp_path / "close.wav", tmp_path / "clipped.wav"])
    assert found.clipped == ["clipped.wav"]
    assert found.short == 1


def test_any_rate_and_channel_count_is_read(tmp_path):
    t = np.arange(44100) / 44100
    x = np.stack([np.sin(2 * np.pi * 500 * t), np.zeros(44100)], axis=1)
    soundfile.write(tmp_path / "x.wav", x, 44100, subtype="FLOAT")
    y, clips = data.read(tmp_path / "x.wav")
    assert len(y) == 48000 and not clips
    wanted = 0.5 * np.sin(2 * np.pi * 500 * np.arange(48000) / 48000)
    np.testing.assert_allclose(y[500:-500], wanted[500:-500], atol=1e-4)


def test_a_recording_with_samples_that_are_not_numbers_is_refused(tmp_path):
    soundfile.write(tmp_path / "x.wav", np.array([0.0, np.nan, 0.1]), 48000, subtype="FLOAT")
    with pytest.raises(td.TorchdrumError, match="not numbers"):
        data.read(tmp_path / "x.wav")


def test_windows_that_the_core_does_not_take_have_the_features_of_the_same_equations(monkeypatch):
    x = recordings.recording("loop_compus", data.SAMPLE_RATE)
    starts = range(0, len(x) - data.WINDOW, 5000)
    wanted = data.window_features(x, starts, data.WINDOW)
    monkeypatch.setattr(data, "WINDOW", 1)
    np.testing.assert_allclose(data.window_features(x, starts, 256), wanted, rtol=0, atol=2e-3)
    longer = data.cut(x, window=2048)
    assert len(longer) > 5 and all(hit.window == 2048 and np.isfinite(hit.features).all() for hit in longer)
    assert data.views(longer, 3, seed=0).shape == (len(longer), 3, 3)
