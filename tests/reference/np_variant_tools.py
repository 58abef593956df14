"""What the named variants share: layer norm with the parameters of a site, and checks."""

from __future__ import annotations

import numpy as np

from tests.reference.np_statistics import Array
from tests.reference.np_weights import Weights

States = tuple[Array, ...]
Result = tuple[Array, States]


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
