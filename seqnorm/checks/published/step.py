"""What the published steps share: their weights, layer norm with a site's parameters, checks.

Every function is one step, variant(x_t [B, E], states, weights, epsilon) -> (h [B, H], states),
without dropout. Weights are in Keras's gate order (LSTM i, f, c, o; GRU z, r, h) whatever order the
source uses. A gain that weights.gammas does not hold is 1 (hou: 0.1), an offset that weights.betas
does not hold is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
States = tuple[Array, ...]
Result = tuple[Array, States]
Variant = Callable[..., Result]


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


def ln(a: Array, weights: Weights, site: str, epsilon: float, gain: float = 1.0) -> Array:
    """Layer norm of a [B, F] with the gain and offset of a site; `gain` if it has none."""
    gamma = weights.gammas.get(site, np.asarray(gain))
    beta = weights.betas.get(site, np.asarray(0.0))
    normed = np.zeros_like(a)
    for b in range(len(a)):
        mu = sum(a[b]) / len(a[b])
        variance = sum((a[b] - mu) ** 2) / len(a[b])
        normed[b] = gamma * (a[b] - mu) / np.sqrt(variance + epsilon) + beta
    return normed


def sig(a: Array) -> Array:
    """The logistic function."""
    return 1.0 / (1.0 + np.exp(-a))


def no_bias(weights: Weights, name: str) -> None:
    """Refuse a bias where the source has none."""
    if weights.bias is not None:
        raise ValueError(
            f"{name} has no bias; received bias of shape {np.shape(weights.bias)}. Pass bias=None."
        )


def no_beta(weights: Weights, name: str, *allowed: str) -> None:
    """Refuse betas anywhere but at the allowed sites."""
    extra = sorted(set(weights.betas) - set(allowed))
    if extra:
        raise ValueError(f"{name} has betas at {allowed} only; received betas at {extra}.")


def bias_of(weights: Weights) -> Array:
    """The bias, or zero."""
    return np.zeros(1) if weights.bias is None else weights.bias
