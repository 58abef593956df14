"""Normalisation of one tensor, in float64 NumPy, from the papers' equations.

All functions take x of shape [..., F] (batch norm: [B, F]) and optional gamma, beta of shape [F];
gamma None means ones, beta None means zeros. epsilon stands inside the square root.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tests.reference.np_statistics import Array, Moments, masked_moments


def affine(x: Array, gamma: ArrayLike | None, beta: ArrayLike | None) -> Array:
    """Gamma * x + beta; None leaves a factor or term out."""
    if gamma is not None:
        x = np.asarray(gamma, np.float64) * x
    if beta is not None:
        x = x + np.asarray(beta, np.float64)
    return x


def layer_norm(
    x: ArrayLike,
    gamma: ArrayLike | None = None,
    beta: ArrayLike | None = None,
    epsilon: float = 1e-5,
) -> Array:
    """Ba, Kiros, Hinton 2016 (arXiv 1607.06450), eq. 3 and 4: biased moments over the features."""
    x = np.asarray(x, np.float64)
    mean = x.mean(axis=-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=-1, keepdims=True)
    return affine((x - mean) / np.sqrt(variance + epsilon), gamma, beta)


def rms_norm(
    x: ArrayLike,
    gamma: ArrayLike | None = None,
    beta: ArrayLike | None = None,
    epsilon: float = 1e-5,
) -> Array:
    """Zhang, Sennrich 2019 (arXiv 1910.07467), eq. 4, with epsilon added to the mean square."""
    x = np.asarray(x, np.float64)
    mean_square = (x**2).mean(axis=-1, keepdims=True)
    return affine(x / np.sqrt(mean_square + epsilon), gamma, beta)


def group_norm(
    x: ArrayLike,
    groups: int,
    gamma: ArrayLike | None = None,
    beta: ArrayLike | None = None,
    epsilon: float = 1e-5,
) -> Array:
    """Wu, He 2018 (arXiv 1803.08494), eq. 1, 2 and 7: layer norm inside each of G equal groups.

    Groups are runs of F / G neighbouring features; gamma and beta are per feature.
    """
    x = np.asarray(x, np.float64)
    features = x.shape[-1]
    if features % groups:
        raise ValueError(
            f"groups must divide the number of features; received groups={groups}, "
            f"features={features}. Choose a divisor."
        )
    width = features // groups
    parts = []
    for g in range(groups):
        parts.append(layer_norm(x[..., g * width : (g + 1) * width], epsilon=epsilon))
    return affine(np.concatenate(parts, axis=-1), gamma, beta)


def dyt(
    x: ArrayLike,
    alpha: float,
    gamma: ArrayLike | None = None,
    beta: ArrayLike | None = None,
) -> Array:
    """Dynamic tanh (Zhu et al. 2025, arXiv 2503.10622): gamma * tanh(alpha x) + beta."""
    return affine(np.tanh(alpha * np.asarray(x, np.float64)), gamma, beta)


def batch_norm(
    x: ArrayLike,
    valid: ArrayLike | None = None,
    gamma: ArrayLike | None = None,
    beta: ArrayLike | None = None,
    epsilon: float = 1e-5,
) -> tuple[Array, Moments]:
    """One training step of batch normalisation over the valid rows (arXiv 1603.09025, eq. 5).

    Args:
        x: [B, F].
        valid: bool [B] or None. Rows that are not valid enter nothing and come out as beta.

    Returns:
        The normalised tensor [B, F] and the masked moments it used.
    """
    x = np.asarray(x, np.float64)
    moments = masked_moments(x, valid)
    alive = np.ones(len(x), bool) if valid is None else np.asarray(valid, bool)
    hat = np.zeros_like(x)
    for b in range(len(x)):
        if alive[b]:
            hat[b] = (x[b] - moments.mean) / np.sqrt(moments.variance + epsilon)
    return affine(hat, gamma, beta), moments


def batch_norm_inference(
    x: ArrayLike,
    mean: ArrayLike,
    variance: ArrayLike,
    gamma: ArrayLike | None = None,
    beta: ArrayLike | None = None,
    epsilon: float = 1e-5,
) -> Array:
    """Batch normalisation with given statistics: gamma (x - mean) / sqrt(variance + eps) + beta."""
    mean, variance = np.asarray(mean, np.float64), np.asarray(variance, np.float64)
    hat = (np.asarray(x, np.float64) - mean) / np.sqrt(variance + epsilon)
    return affine(hat, gamma, beta)
