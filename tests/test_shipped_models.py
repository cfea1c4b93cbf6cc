# SPDX-License-Identifier: MIT
"""The models that come with the object can be played."""

import numpy as np
import pytest
import recordings

import torchdrum_py as td

SR = 48000
LEVELS_DB = (0, -5, -10, -15, -20)
# whose beginning is so sharp that the window lies alike at each of these levels
DRUMS = ("drum_cowbell", "drum_cymbal_closed", "drum_snare_hard", "drum_snare_soft", "tabla_na", "tabla_tas1", "tabla_te1")


def test_there_is_a_model_for_each_preset():
    assert sorted(f"808_{name}" for name in td.model_names()) == sorted(td.preset_names())


@pytest.mark.parametrize("name", td.model_names())
def test_a_model_has_its_preset_and_says_where_it_comes_from(name):
    info = td.Model.load(name).info
    preset = td.Preset.load(name)
    assert info["name"] == name
    assert np.array_equal(info["preset"].value, preset.value) and np.array_equal(info["preset"].damping, preset.damping)
    assert info["license"] == "CC0-1.0" and "CC0" in info["source"] and info["author"]
    assert (info["detector"], info["window"], info["preroll"]) == ("rise", 256, 16)


def drum_level_db(model: str, stroke: np.ndarray) -> tuple[float, float]:
    """Loudness that the model heard, and RMS level of the first 50 ms of the drum that it played, in dB."""
    engine = td.Engine(SR, model, hold=1000)
    out, _ = engine.process(np.concatenate([np.zeros(4800, np.float32), stroke, np.zeros(4800, np.float32)]))
    start = engine.events[0].time
    return float(engine.events[0].raw[0]), 10 * np.log10(np.mean(out[start : start + 2400] ** 2) + 1e-12)


@pytest.mark.parametrize("name", td.model_names())
def test_a_softer_stroke_is_a_softer_drum(name):
    """Real strokes at five levels, 20 dB apart: no step down is louder, and all of them together are much softer."""
    heard, played = [], []
    for drum in DRUMS:
        x = recordings.recording(drum, SR)
        rows = np.array([drum_level_db(name, x * np.float32(10 ** (level / 20))) for level in LEVELS_DB])
        assert np.diff(rows[:, 0]).max() < -3.0, drum  # the strokes themselves
        assert np.diff(rows[:, 1]).max() < 0.5, (drum, rows)
        assert rows[0, 1] - rows[-1, 1] > 6.0, (drum, rows)
        heard += [*rows[:, 0]]
        played += [*rows[:, 1]]
    ranks = [np.argsort(np.argsort(v)) for v in (heard, played)]
    assert np.corrcoef(*ranks)[0, 1] > 0.9


@pytest.mark.parametrize("name", td.model_names())
def test_the_reference_stroke_is_near_the_preset(name):
    """m is not forced to 0 there, but the drum keeps its character: no parameter is moved by more than a third of its range."""
    model = td.Model.load(name)
    assert np.abs(model.run(np.zeros(3, np.float32)) * model.info["preset"].damping).max() < 0.34
