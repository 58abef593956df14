"""Random weights of one recurrent cell as plain float64 arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqnorm.checks.published import Weights

GATES = {"simple_rnn": 1, "lstm": 4, "gru": 3}


def random_weights(
    cell: str,
    features: int,
    units: int,
    rng: np.random.Generator,
    *,
    gammas: Sequence[tuple[str, int]] = (),
    betas: Sequence[tuple[str, int]] = (),
    use_bias: bool = True,
) -> Weights:
    """Weights without any symmetry: normal kernels and biases, gains in [0.5, 1.5], normal betas.

    gammas and betas list (site, width in units), such as ("input", 4) for 4 H features.
    """
    width = GATES[cell] * units
    bias_shape = (2, width) if cell == "gru" else (width,)
    return Weights(
        kernel=rng.normal(0.0, 1.0 / np.sqrt(features), (features, width)),
        recurrent_kernel=rng.normal(0.0, 1.0 / np.sqrt(units), (units, width)),
        bias=rng.normal(0.0, 0.5, bias_shape) if use_bias else None,
        gammas={site: rng.uniform(0.5, 1.5, n * units) for site, n in gammas},
        betas={site: rng.normal(0.0, 0.3, n * units) for site, n in betas},
    )
