# SPDX-License-Identifier: MIT
"""What lies between features and parameters is the same in training and in the object."""

import numpy as np
import recordings
import torch

import torchdrum_py as td
from torchdrum_py import data
from torchdrum_py.mapping import LEAST_SPAN, Scale, played


def test_training_and_object_give_the_network_the_same_input():
    info = td.Model.builtin().info
    scale = Scale(info["min"], info["max"], info["reference"])
    engine = td.Engine(data.SAMPLE_RATE)
    engine.process(recordings.recording("loop_compus", data.SAMPLE_RATE))
    raw = np.array([event.raw for event in engine.events])
    np.testing.assert_allclose(scale(raw), [event.input for event in engine.events], rtol=0, atol=1e-6)


def test_a_parameter_at_the_end_of_its_range_can_be_moved_back_inside():
    preset = td.Preset.load("808_snare_2")
    index = [p.name for p in td.PARAMS].index("noise_filter_q")
    assert preset.value[index] == td.PARAMS[index].min
    modulation = torch.full((1, len(td.PARAMS)), -0.1, requires_grad=True)
    q = played(preset, modulation)[0, index]
    assert q.item() == td.PARAMS[index].min
    (slope,) = torch.autograd.grad(q, modulation, retain_graph=True)
    assert slope[0, index] == 0.0  # towards smaller Q there is nothing
    (slope,) = torch.autograd.grad(-q, modulation)
    assert slope[0, index] < 0.0


def test_the_range_of_the_normaliser_is_never_less_than_a_model_may_have():
    one = np.tile(np.array([-20.0, 90.0, -40.0], np.float32), (10, 1))
    scale = Scale.of(one, one[0], (1, 99))
    assert (scale.max - scale.min >= LEAST_SPAN).all()
    np.testing.assert_allclose(scale.reference, 0.5, atol=1e-5)
    assert (scale.high - scale.low >= 0.1 * (scale.max - scale.min)).all()  # spec 8
