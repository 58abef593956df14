"""Gradients against finite differences in float64, where sequences end early or never start.

A random weighting of all outputs is differentiated along a random direction v through all weights
and all inputs together. The difference quotient

    [8 (L(e) - L(-e)) - (L(2e) - L(-2e))] / 12 e,   e = 1e-4,

has an error of order e⁴; it is compared with gᵀv, the error in units of ‖g‖ (the spread of gᵀv
over directions). Rows have 4, 3, 1 and 0 tokens of 5, so that batch norm sees 3, 2, 1 and 0 rows.
The gradient of the input must be exactly 0 at padding. From h = 0 and x = 0 it must be finite.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from seqnorm.checks.autodiff import gradients
from seqnorm.checks.layers import IMPLEMENTATIONS, numpy, random_layer
from seqnorm.checks.row import Row, at_most, near

CELLS = ("simple_rnn", "lstm", "gru")
NORMS = ("none", "layer", "rms", "batch")
LENGTHS, STEPS, FEATURES, UNITS = (4, 3, 1, 0), 5, 3, 4
MASK = np.arange(STEPS) < np.array(LENGTHS)[:, None]
E = 1e-4
SOURCE = "Taylor's theorem"


def quotient(f: Callable[[float], float]) -> float:
    """f'(0) by central differences of fourth order."""
    return (8 * (f(E) - f(-E)) - (f(2 * E) - f(-2 * E))) / (12 * E)


def _measure(cell: str, norm: str, implementation: str) -> tuple[float, float, int]:
    """Relative error, largest gradient at padding, entries that are not finite from zeros."""
    rng = np.random.default_rng(3)
    layer = random_layer(cell, FEATURES, rng, units=UNITS, norm=norm, implementation=implementation)
    x = rng.normal(size=(*MASK.shape, FEATURES))
    weight = rng.normal(size=(*MASK.shape, UNITS))
    start = layer.get_weights()
    trained = layer.trainable_variables

    def loss(x: Any) -> Any:
        return ops.sum(layer(x, mask=MASK, training=True) * weight)

    def gradient(x: NDArray) -> list[NDArray]:
        layer.set_weights(start)
        return gradients(loss, layer, x)

    found = gradient(x)
    values = [numpy(variable) for variable in trained]
    direction = [rng.normal(size=g.shape) for g in found]

    def moved(t: float) -> float:
        layer.set_weights(start)  # the statistics too
        for variable, value, v in zip(trained, values, direction, strict=False):
            variable.assign(value + t * v)
        return float(numpy(loss(ops.convert_to_tensor(x + t * direction[-1]))))

    along = sum(float(np.sum(g * v)) for g, v in zip(found, direction, strict=True))
    size = np.sqrt(sum(float(np.sum(g**2)) for g in found))
    bad = sum(int(np.sum(~np.isfinite(g))) for g in gradient(np.zeros_like(x)))
    return abs(along - quotient(moved)) / size, float(np.abs(found[-1][~MASK]).max()), bad


def check() -> list[Row]:
    """One row per cell and norm, the worse of loop and kernels; then padding, and zeros."""
    rows, at_padding, bad = [], [], 0
    for cell in CELLS:
        for norm in NORMS:
            found = [_measure(cell, norm, implementation) for implementation in IMPLEMENTATIONS]
            worst = np.max([f[0] for f in found])
            rows.append(at_most(f"{cell} {norm}, relative error", 1e-7, worst, SOURCE))
            at_padding += [f[1] for f in found]
            bad += sum(f[2] for f in found)
    own = "padding is never read"
    rows.append(near("all: largest gradient at a padded input", 0, np.max(at_padding), own))
    rows.append(near("all: entries not finite from h = 0, x = 0", 0, bad, "ε > 0"))
    return rows
