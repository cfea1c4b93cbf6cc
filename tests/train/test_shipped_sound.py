# SPDX-License-Identifier: MIT
"""The models that come with the object, measured as the training measures."""

import numpy as np
import pytest
import torch

import torchdrum_py as td
from torchdrum_py import recipe, train


@pytest.mark.parametrize("name", td.model_names())
def test_the_reference_stroke_sounds_nearly_as_the_preset(name):
    """The drum keeps its character: in the mean of the seven features it is nearer than the least σ of spec 10.6."""
    model = td.Model.load(name)
    preset = model.info["preset"]
    modulation = torch.from_numpy(model.run(np.zeros(3, np.float32))).repeat(train.BASELINE_HITS, 1)
    baseline = train.preset_features(preset, recipe.DEFAULT, train.UNSEEN_SEEDS)
    with torch.no_grad():
        moved = train.differences(preset, baseline, modulation, recipe.DEFAULT, train.UNSEEN_SEEDS).mean(0) / recipe.LEAST_SPREAD
    assert moved.abs().mean() < 1.0
