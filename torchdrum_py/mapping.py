# SPDX-License-Identifier: MIT
"""What lies between the features of a stroke and the parameters of the 808, in PyTorch: scale, network, modulation (spec 4.3, 5)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from .params import PARAMS
from .presets import Preset

LEAST_SPAN = np.array([6.0, 3.0, 6.0])  # of the scale, spec 4.3
STROKES, LEAST_SHARE = (10.0, 90.0), 0.1  # percentiles between which most strokes lie; at least this share of the scale (spec 8)


class Network(nn.Module):
    """The network of spec 5: inputs [n, 3] to modulations [n, 14]. hidden: widths of the hidden layers; output: tanh or clamp."""

    def __init__(self, hidden: tuple[int, ...], generator: torch.Generator, bias: bool = True, output: str = "tanh"):
        super().__init__()
        self.output = output
        widths = [3, *hidden, len(PARAMS)]
        self.layers = nn.ModuleList(nn.Linear(a, b, bias) for a, b in pairwise(widths))
        with torch.no_grad():
            for layer in self.layers:
                layer.weight.normal_(0.0, layer.in_features**-0.5, generator=generator)
                if bias:
                    layer.bias.normal_(0.0, 0.3, generator=generator)
            self.layers[-1].weight.mul_(0.01)  # it starts from the preset as it is
            if bias:
                self.layers[-1].bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = torch.relu(nn.functional.layer_norm(layer(x), (layer.out_features,)))
        x = self.layers[-1](x)
        return torch.tanh(x) if self.output == "tanh" else x.clamp(-1.0, 1.0)

    def weights(self) -> list[tuple[np.ndarray, np.ndarray | None]]:
        """(weight [out, in], bias [out] or None) of each layer, as model_file takes them."""
        return [
            (layer.weight.detach().cpu().numpy(), None if layer.bias is None else layer.bias.detach().cpu().numpy())
            for layer in self.layers
        ]


class _ClampToUnit(torch.autograd.Function):
    """Clips to 0 … 1 and lets a gradient through where it leads back inside: a parameter whose preset stands at the end
    of its range, such as Q = ½, would otherwise be lost to the network for good."""

    @staticmethod
    def forward(ctx, u: Tensor) -> Tensor:
        ctx.save_for_backward(u)
        return u.clamp(0.0, 1.0)

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        (u,) = ctx.saved_tensors
        further = ((u <= 0.0) & (grad > 0.0)) | ((u >= 1.0) & (grad < 0.0))
        return grad.masked_fill(further, 0.0)


def played(preset: Preset, modulation: Tensor) -> Tensor:
    """Parameters in units [n, 14] of modulations [n, 14] (spec 5.1 with depth 1)."""
    rows = np.array([[p.min, p.max] for p in PARAMS]).T
    low, high, value, damping = (
        torch.from_numpy(row).to(modulation.device, torch.float64) for row in (*rows, preset.value, preset.damping)
    )
    span = high - low
    u = _ClampToUnit.apply((value - low) / span + damping * modulation.double())
    return (low + u * span).float()


@dataclass
class Scale:
    """The network's input (spec 4.3): min, max and reference of the three features, float32 [3], and, where they are known, the 10th and
    90th percentile of the strokes that it is of."""

    min: np.ndarray
    max: np.ndarray
    reference: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Network inputs [..., 3] float32 of features [..., 3]."""
        return (self._normalised(features) - self.reference.astype(np.float64)).astype(np.float32)

    def _normalised(self, features: np.ndarray) -> np.ndarray:
        low, high = self.min.astype(np.float64), self.max.astype(np.float64)
        return np.clip((features.astype(np.float64) - low) / (high - low), 0.0, 1.0)

    @classmethod
    def of(cls, features: np.ndarray, reference: np.ndarray, percentiles: tuple[float, float] = (1.0, 99.0)) -> Scale:
        """That of the strokes' features [n, 3] from one percentile to another, centred on a reference [3]."""

        def ends(percentiles: tuple[float, float], least: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            low, high = np.percentile(features.astype(np.float64), percentiles, axis=0)
            half = np.maximum(high - low, 1.001 * least) / 2.0
            return tuple(((low + high) / 2.0 + side * half).astype(np.float32) for side in (-1.0, 1.0))

        least, most = ends(percentiles, LEAST_SPAN)
        scale = cls(least, most, np.zeros(3, np.float32), *ends(STROKES, LEAST_SHARE * (most - least)))
        scale.reference = scale._normalised(reference).astype(np.float32)
        return scale
