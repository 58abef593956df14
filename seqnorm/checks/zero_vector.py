"""The Jacobian of layer norm at a constant row, such as h = 0 at the first step.

With r = 1/sqrt(σ² + ε), x̂ = r (x - μ) and F features

    J = r (I - 1 1ᵀ/F - x̂ x̂ᵀ/F).

Its eigenvalues are 0 along 1, r for every direction orthogonal to 1 and x̂, and r³ ε along x̂. So
the spectral norm is r: 1/sqrt(ε) at a constant row (316 for ε = 1e-5), 1/sqrt(1e-4 + ε) at a row of
spread .01. RMS norm has 1/sqrt(ε) at x = 0 likewise. Measured column by column by central
differences in float64.
"""

from __future__ import annotations

import numpy as np
from keras import ops

from seqnorm.checks.layers import numpy
from seqnorm.checks.row import Row, near
from seqnorm.normalizers import Context, LayerNorm, Normalizer, RMSNorm

FEATURES = 16
STEP = 1e-7
EPSILONS = (1e-3, 1e-5, 1e-6)
SOURCE = "derived in the docstring"


def spectral_norm(norm: Normalizer, x: np.ndarray) -> float:
    """‖∂ norm(x) / ∂x‖₂ at x, float64[features]."""
    norm.build((None, FEATURES))
    moves = STEP * np.eye(FEATURES)
    above, below = (
        numpy(norm.call(ops.convert_to_tensor(x + move), Context())[0]) for move in (moves, -moves)
    )
    return float(np.linalg.norm((above - below) / (2 * STEP), 2))


def check() -> list[Row]:
    """Layer norm at 0, at another constant and at a small row; RMS norm at 0."""
    small = 0.01 * (-1.0) ** np.arange(FEATURES)
    rows = []
    for epsilon in EPSILONS:
        points = (
            ("layer at 0", LayerNorm, np.zeros(FEATURES), 0.0),
            ("layer at 1", LayerNorm, np.ones(FEATURES), 0.0),
            ("layer at spread .01", LayerNorm, small, 1e-4),
            ("rms at 0", RMSNorm, np.zeros(FEATURES), 0.0),
        )
        for name, kind, x, variance in points:
            measured = spectral_norm(kind(epsilon=epsilon, dtype="float64"), x)
            expected = (variance + epsilon) ** -0.5
            rows.append(near(f"{name}, ε = {epsilon:g}", expected, measured, SOURCE, relative=1e-5))
    return rows
