# SPDX-License-Identifier: MIT
"""torchdrum: an 808 that follows your playing.

The C core of [torchdrum~] bound to Python. docs/spec.md says what everything means; names and ranges come from the core's own tables.
"""

try:
    from ._core import lib as _lib
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "torchdrum's C core is not built in this folder: start Python in another one, or run here: pip install -e .", name=error.name
    ) from None
from .engine import Engine, Event
from .errors import TorchdrumError
from .model import Model, model_names
from .params import CONTROLS, PARAMS, Control, Param, find_control, find_param, text
from .presets import Preset, preset_names
from .stages import features, noise, onsets, render_snare808, scaled

__version__ = text(_lib.td_version())

__all__ = [
    "CONTROLS",
    "PARAMS",
    "Control",
    "Engine",
    "Event",
    "Model",
    "Param",
    "Preset",
    "TorchdrumError",
    "features",
    "find_control",
    "find_param",
    "model_names",
    "noise",
    "onsets",
    "preset_names",
    "render_snare808",
    "scaled",
]
