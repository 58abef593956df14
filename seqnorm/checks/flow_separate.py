"""x W and h U normalised separately with the same gain: the gradient vanishes whatever the gain.

Half of the variance of the pre-activation then comes from the input at every step. Per step
‖dL/dh‖ is multiplied by sqrt(χ), χ = γ² E[tanh'(sz)²] / E[tanh²(sz)] with s² = 2 γ² (see
`flow.mean_field_factor`): .708 (γ = .1), .736 (.5), .819 (1), and 1/sqrt(2) for small gains. What
counts is the ratio of the two gains, not their size.
"""

from __future__ import annotations

import numpy as np

from seqnorm.checks.flow import GAINS, NORMS, Flow, kept, mean_field_factor, orthogonal
from seqnorm.checks.row import Row, near

UNITS, ROWS, STEPS = 128, 256, 10
SOURCE = "mean field; Laurent, Ballas and Vincent 2017, on the ratio of gains"


def flow() -> Flow:
    """Gaussian inputs, start and loss."""
    rng = np.random.default_rng(10)
    start, weight = rng.normal(size=(2, ROWS, UNITS))
    inputs = rng.normal(size=(ROWS, STEPS + 1, UNITS))
    return Flow(orthogonal(UNITS, rng), start, weight, inputs)


def check() -> list[Row]:
    """One row per norm and gain."""
    return [
        near(
            f"{norm}, γ = {gain}: factor per step",
            mean_field_factor(gain, gain),
            kept(flow(), norm, gain, STEPS) ** (1 / STEPS),
            SOURCE,
            relative=0.02,
        )
        for norm in NORMS
        for gain in GAINS
    ]
