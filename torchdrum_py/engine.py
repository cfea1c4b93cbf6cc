# SPDX-License-Identifier: MIT
"""The whole instrument: audio in, 808 and events out, the same bits as [torchdrum~]."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._core import ffi, lib
from .errors import TorchdrumError
from .model import Model
from .params import CONTROLS, PARAMS, Control, Param, did_you_mean, find_control, find_param
from .presets import Preset
from .stages import check_rate, clipped, floats, pointer

MOST_AT_ONCE = 4096  # samples between two looks at the events, so that their ring never fills
KINDS = ("stroke", "trigger", "trigger_features")
NORMALIZE = ("model", "adapt")
EVENT_SCALARS = ("velocity", "level_db", "outside_db")
EVENT_ARRAYS = ("raw", "normalized", "input", "modulation", "param")


@dataclass(frozen=True, eq=False)
class Event:
    """A hit. time and detected are samples since the start; raw is in dB, semitones, dB; param in units (order of PARAMS)."""

    time: int
    detected: int
    kind: str
    velocity: float
    raw: np.ndarray
    normalized: np.ndarray
    input: np.ndarray
    modulation: np.ndarray
    param: np.ndarray
    level_db: float
    outside_db: float


class Engine:
    """An engine at one sample rate.

    model: Model, name or file (built in when None); preset: Preset, name or file, instead of the model's own. Every parameter and control
    can be given by keyword, such as depth=0.5, gain=-6, osc1_freq=200, detector="classic".
    """

    def __init__(self, sample_rate: float, model=None, preset=None, seed: int = 0, normalize: str = "model", **settings: float | str):
        self.sample_rate = check_rate(sample_rate)
        self.events: list[Event] = []
        self._alive: dict = {}  # patches that the engine may read, with their models
        self._memory = ffi.new("double[]", lib.td_engine_size() // 8 + 1)
        self._ring_memory = ffi.new("double[]", lib.td_event_ring_size() // 8 + 1)
        self._engine = ffi.cast("td_engine *", self._memory)
        self._edit = ffi.new("td_patch *")
        self._model = self._second = None
        self._use_model(model)
        lib.td_patch_init(self._edit, self._model.pointer)
        self._edit.seed = seed & 0xFFFFFFFF
        self._edit_preset(preset)
        self._edit_normalize(normalize)
        rows = [self._row(name, value) for name, value in settings.items()]
        controls = [(row, value) for row, value in rows if not self._edit_row(row, value)]
        ring = ffi.cast("td_event_ring *", self._ring_memory)
        if lib.td_engine_init(self._engine, self.sample_rate, self._keep(), ring) != lib.TD_OK:
            raise TorchdrumError("the engine cannot start")
        for row, value in sorted(controls, key=lambda c: not c[0].choices):  # a set-up first, then what differs from it
            lib.td_engine_set(self._engine, CONTROLS.index(row), value)

    # ---- patches ----

    def _use_model(self, model):
        if model is None:
            model = Model.builtin()
        self._model = model if isinstance(model, Model) else Model.load(model)

    def _keep(self):
        """A copy of the edited patch that lives until the engine has given it back."""
        patch = ffi.new("td_patch *", self._edit[0])
        self._alive[patch] = (self._model, self._second)
        return patch

    def _publish(self):
        self._release(lib.td_engine_collect(self._engine))
        self._release(lib.td_engine_publish(self._engine, self._keep()))

    def _release(self, patch):
        if patch != ffi.NULL:
            self._alive.pop(next(p for p in self._alive if p == patch))

    def load(self, model):
        """Another model (Model, name or file), with its own preset, from the next hit on."""
        self._use_model(model)
        self._edit.model[0] = self._model.pointer
        self._edit.override_mask = 0
        self._publish()

    def morph(self, model, x: float):
        """A second model and how far to go towards it, 0 … 1 (None: back to one model)."""
        self._second = None if model is None else model if isinstance(model, Model) else Model.load(model)
        self._edit.model[1] = ffi.NULL if self._second is None else self._second.pointer
        self._edit.morph = min(max(float(x), 0.0), 1.0)
        self._publish()

    def preset(self, preset):
        """Another preset (Preset, name or file; None: the model's own) from the next hit on."""
        self._edit_preset(preset)
        self._publish()

    def _edit_preset(self, preset):
        if preset is None:
            self._edit.override_mask = 0
            return
        preset = preset if isinstance(preset, Preset) else Preset.load(preset)
        self._edit.base[0 : lib.TD_PARAMS] = preset.value.tolist()
        self._edit.damping[0 : lib.TD_PARAMS] = preset.damping.tolist()
        self._edit.override_mask = (1 << lib.TD_PARAMS) - 1

    def normalize(self, how: str):
        """model or adapt (spec 4.3)."""
        self._edit_normalize(how)
        self._publish()

    def _edit_normalize(self, how: str):
        if how not in NORMALIZE:
            raise TorchdrumError(f"normalize is one of {', '.join(NORMALIZE)}, not {how}")
        self._edit.normalize = NORMALIZE.index(how)

    def calibrate(self, raw=None):
        """Lays the range of the features of strokes raw [n, 3] (dB, semitones, dB; n from 4 to 256) onto that of the strokes that each
        model learnt from (spec 4.3); None: the model's range as it is."""
        if raw is None:
            self._edit.calibrated = 0
        else:
            rows = np.ascontiguousarray(raw, np.float32)
            if rows.ndim != 2 or rows.shape[1] != lib.TD_FEATURES or not np.isfinite(rows).all():
                raise TorchdrumError(f"to calibrate takes rows of {lib.TD_FEATURES} finite features, not {rows.shape}")
            if lib.td_patch_calibrate(self._edit, ffi.from_buffer(f"float[][{lib.TD_FEATURES}]", rows), len(rows)) != lib.TD_OK:
                raise TorchdrumError(f"to calibrate takes {lib.TD_LEAST_CALIBRATION} to {lib.TD_MAX_CALIBRATION} strokes, not {len(rows)}")
        self._publish()

    @property
    def range(self) -> tuple[np.ndarray, np.ndarray]:
        """Minimum and maximum [3] that normalise the features at present (unless normalize is adapt)."""
        ends = np.empty((2, lib.TD_FEATURES), np.float32)
        lib.td_patch_range(self._edit, 0, *(ffi.from_buffer("float[]", end) for end in ends))
        return ends[0], ends[1]

    def shape(self, mask=(), scale=None, offset=None, param_depth=None):
        """Bends the mapping by hand: names of parameters kept from the network, scale [3] and offset [3] of the normalised features,
        depth per parameter {name: factor}."""
        self._edit.mask = sum(1 << self._param_index(name) for name in mask)
        for field, values, fallback in (("scale", scale, 1.0), ("offset", offset, 0.0)):
            getattr(self._edit, field)[0 : lib.TD_FEATURES] = [float(v) for v in values] if values is not None else [fallback] * 3
        self._edit.param_depth[0 : lib.TD_PARAMS] = [float((param_depth or {}).get(p.name, 1.0)) for p in PARAMS]
        self._publish()

    # ---- parameters and controls ----

    @staticmethod
    def _param_index(name: str) -> int:
        param = find_param(name)
        if param is None:
            raise TorchdrumError(f"there is no parameter {name}: {did_you_mean(name, [p.name for p in PARAMS])}")
        return PARAMS.index(param)

    def set(self, name: str, value: float | str):
        """A parameter (in its unit) or a control; numbers are clipped to the range. Setting detector or input sets other controls, too."""
        row, value = self._row(name, value)
        if self._edit_row(row, value):
            self._publish()
        else:
            lib.td_engine_set(self._engine, CONTROLS.index(row), value)

    def get(self, name: str) -> float | str:
        """The present value of a parameter (not modulated) or control; a word where it takes words."""
        row, _ = self._row(name, 0)
        if isinstance(row, Param):
            param = ffi.new("float[]", lib.TD_PARAMS)
            lib.td_patch_map(self._edit, ffi.new("float[]", lib.TD_PARAMS), param)
            return param[PARAMS.index(row)]
        if row.name in ("depth", "seed"):
            return getattr(self._edit, row.name)
        value = lib.td_engine_get(self._engine, CONTROLS.index(row))
        return row.choices[int(value)] if row.choices else value

    @staticmethod
    def _row(name: str, value: float | str) -> tuple[Control | Param, float]:
        """The row of the tables and the value in its range."""
        row: Control | Param | None = find_control(name) or find_param(name)
        if row is None:
            names = [r.name for r in (*CONTROLS, *PARAMS)]
            raise TorchdrumError(f"there is no control or parameter {name}: {did_you_mean(name, names)}")
        return row, clipped(row, value)

    def _edit_row(self, row: Control | Param, value: float) -> bool:
        """Writes what belongs to the patch into it; False for what the engine itself keeps."""
        if isinstance(row, Param):
            index = PARAMS.index(row)
            if not self._edit.override_mask >> index & 1:
                self._edit.damping[index] = float(self._model.info["preset"].damping[index])
            self._edit.base[index] = value
            self._edit.override_mask |= 1 << index
        elif row.name == "depth":
            self._edit.depth = value
        elif row.name == "seed":
            self._edit.seed = int(value)
            self._edit.seed_serial += 1
        else:
            return False
        return True

    def trigger(self, features=None, delay: int = 0):
        """Plays after delay samples without a stroke: the preset as it is, or driven by normalised features [3] in 0 … 1."""
        if not 0 <= delay < 1 << 32:
            raise TorchdrumError(f"a trigger can wait for 0 to {(1 << 32) - 1} samples, not {delay}")
        if features is not None and len(features := floats(features)) != lib.TD_FEATURES:
            raise TorchdrumError(f"a trigger has {lib.TD_FEATURES} features, not {len(features)}")
        values = ffi.NULL if features is None else pointer(features)
        status = lib.td_engine_trigger(self._engine, int(delay), values)
        if status == lib.TD_ERR_FULL:
            raise TorchdrumError(f"{lib.TD_MAX_TRIGGERS} triggers are waiting already: process some audio first")
        if status != lib.TD_OK:
            raise TorchdrumError("the features of a trigger are numbers from 0 to 1")

    def reset(self):
        """Fades what sounds in 5 ms, forgets pending strokes and triggers."""
        lib.td_engine_reset(self._engine)

    # ---- sound ----

    def process(self, x, block: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The next samples x [n], float32, one channel. Returns the output [n] and the trigger signal [n]; hits are added to events.
        block: samples handed over at a time (the result does not depend on it)."""
        if block is not None and block < 1:
            raise ValueError(f"a block has at least one sample, not {block}")
        x = floats(x)
        out, trigger = np.empty(len(x), np.float32), np.empty(len(x), np.float32)
        step = min(block or MOST_AT_ONCE, MOST_AT_ONCE)
        x_at, out_at, trigger_at = pointer(x), pointer(out), pointer(trigger)
        for at in range(0, len(x), step):
            lib.td_engine_process(self._engine, x_at + at, out_at + at, trigger_at + at, min(step, len(x) - at))
            self._drain()
        return out, trigger

    def _drain(self):
        event = ffi.new("td_event *")
        while lib.td_engine_next_event(self._engine, event):
            arrays = {k: np.array(list(getattr(event, k)), np.float32) for k in EVENT_ARRAYS}
            scalars = {k: getattr(event, k) for k in EVENT_SCALARS}
            self.events.append(Event(event.time, event.detected, KINDS[event.kind], **scalars, **arrays))

    def meter(self) -> tuple[float, float, float]:
        """What was at most since the last call: input level in dBFS, onset function and what it must exceed in dB."""
        meter = ffi.new("td_meter *")
        lib.td_engine_meter(self._engine, meter)
        return meter.level, meter.rise, meter.threshold

    @property
    def latency(self) -> int:
        """Samples from the detection of a stroke to its drum."""
        return lib.td_engine_latency(self._engine)

    @property
    def bad_samples(self) -> int:
        """NaN and infinite input samples so far."""
        return lib.td_engine_bad_samples(self._engine)

    @property
    def lost_events(self) -> int:
        """Hits that were played but not reported."""
        return lib.td_engine_lost_events(self._engine)
