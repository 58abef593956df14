"""U orthogonal (Keras's default) without input: a gain of 1 makes the gradient explode.

Per step ‖dL/dh‖ is multiplied by sqrt(χ), χ = γ² E[tanh'(γz)²] / E[tanh²(γz)] (see
`flow.mean_field_factor`). By the Gaussian Poincaré inequality, Var f(z) <= E[f'(z)²] for
f = tanh(γ·), χ is at least 1 for every gain: such a network never forgets and, unless nearly
linear, explodes. 50 steps give 1.00, 2.2 and 58 for γ = .1, .5 and 1.

The prediction is that of infinitely many units and rows, hence the tolerance: layer norm scatters
about it (with 128 units by some 5 % between draws at γ = 1), batch norm lies above it by an amount
that falls with the rows of the batch (measured at γ = .1: 40 % with 64 rows, 7 % with the 256 taken
here, 3 % with 512).
"""

from __future__ import annotations

import numpy as np

from seqnorm.checks.flow import GAINS, NORMS, Flow, kept, mean_field_factor, orthogonal
from seqnorm.checks.row import Row, near

UNITS, ROWS, STEPS = 128, 256, 50
SOURCE = "mean field; Yang et al. 2019"


def flow() -> Flow:
    """A Gaussian start and a Gaussian loss."""
    rng = np.random.default_rng(9)
    start, weight = rng.normal(size=(2, ROWS, UNITS))
    return Flow(orthogonal(UNITS, rng), start, weight)


def check() -> list[Row]:
    """One row per norm and gain."""
    return [
        near(
            f"{norm}, γ = {gain}: gradient kept after {STEPS} steps",
            mean_field_factor(gain) ** STEPS,
            kept(flow(), norm, gain, STEPS),
            SOURCE,
            relative=0.15,
        )
        for norm in NORMS
        for gain in GAINS
    ]
