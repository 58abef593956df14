"""Weights of one recurrent cell as plain float64 arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from tests.reference.np_statistics import Array

GATES = {"simple_rnn": 1, "lstm": 4, "gru": 3}


class Weights(NamedTuple):
    """Kernel [E, G H], recurrent_kernel [H, G H], with G = 1, 4 or 3 gates in Keras's order.

    LSTM: i, f, c, o. GRU: z, r, h. bias is [G H], for the GRU [2, 3 H] (input row, recurrent row),
    or None. gammas and betas map the name of a norm site to [F].
    """

    kernel: Array
    recurrent_kernel: Array
    bias: Array | None = None
    gammas: Mapping[str, Array] = MappingProxyType({})
    betas: Mapping[str, Array] = MappingProxyType({})


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
