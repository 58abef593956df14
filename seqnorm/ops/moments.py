"""Masked moments and the normalisation that every normaliser shares.

Statistics are computed in two passes (the mean first, then the mean square about it) in float32
or wider: E[x²] - E[x]² loses all digits once the mean exceeds the spread a thousandfold.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
from keras import ops

from seqnorm.ops.backend import segment_sum


class Moments(NamedTuple):
    """Mean, biased variance, and the number of values behind them (all broadcast together)."""

    mean: Any
    variance: Any
    count: Any


def statistics_dtype(x: Any) -> str:
    """The dtype for statistics of `x`: float32, or float64 where `x` is float64."""
    return "float64" if keras.backend.standardize_dtype(x.dtype) == "float64" else "float32"


def feature_moments(x: Any) -> Moments:
    """Moments of each row over its features: [..., features] -> [..., 1]; the count is static."""
    x = ops.cast(x, statistics_dtype(x))
    mean = ops.mean(x, axis=-1, keepdims=True)
    return Moments(mean, ops.mean(ops.square(x - mean), axis=-1, keepdims=True), x.shape[-1])


def masked_moments(x: Any, valid: Any = None, axis: int | tuple[int, ...] = -2) -> Moments:
    """Moments of each feature over the valid rows.

        n = Σ m,  μ = Σ m x / max(n, 1),  σ² = Σ m (x - μ)² / max(n, 1)

    The mask stands outside the square. With no valid row, n = μ = σ² = 0.

    Args:
        x: float[..., batch, features].
        valid: bool[..., batch, 1], or None when every row counts.
        axis: the axes to reduce, never the last one; they are kept with length 1.

    Returns:
        `Moments` of `statistics_dtype(x)`: mean and variance [..., 1, features], count [..., 1, 1].
    """
    x = ops.cast(x, statistics_dtype(x))
    if valid is None:
        weight = ops.ones_like(x[..., :1])
    else:
        weight = ops.cast(valid, x.dtype)
        x = ops.where(valid, x, 0.0)  # 0 * NaN would be NaN
    count = ops.sum(weight, axis=axis, keepdims=True)
    share = weight / ops.maximum(count, 1.0)
    mean = ops.sum(share * x, axis=axis, keepdims=True)
    variance = ops.sum(share * ops.square(x - mean), axis=axis, keepdims=True)
    return Moments(mean, variance, count)


def normalize(x: Any, mean: Any, variance: Any, epsilon: float) -> Any:
    """(x - mean) / sqrt(variance + epsilon), in the dtype of the statistics."""
    x = ops.cast(x, mean.dtype)
    return (x - mean) * ops.rsqrt(variance + epsilon)


def merge(first: Moments, second: Moments) -> Moments:
    """Moments of two disjoint sets of values taken together (Chan, Golub and LeVeque, 1983).

    Where one count is zero the other side is returned unchanged.
    """
    count = first.count + second.count
    share = second.count / ops.maximum(count, keras.config.epsilon())
    delta = second.mean - first.mean
    mean = first.mean + delta * share
    variance = (
        first.variance * (1 - share) + second.variance * share + delta**2 * share * (1 - share)
    )
    return Moments(mean, variance, count)


def pool(moments: Moments, rows: Any, num_rows: int) -> Moments:
    """Merge the moments of T steps into the rows of a table, exactly.

    Args:
        moments: mean and variance [T, features], count [T, 1].
        rows: int32[T], the row that each step belongs to.
        num_rows: number of rows of the table.

    Returns:
        Moments with a first axis of length `num_rows`; a row that no step belongs to has count 0.
    """
    count = segment_sum(moments.count, rows, num_rows)
    share = moments.count / ops.maximum(ops.take(count, rows, axis=0), keras.config.epsilon())
    mean = segment_sum(share * moments.mean, rows, num_rows)
    about = moments.variance + ops.square(moments.mean - ops.take(mean, rows, axis=0))
    return Moments(mean, segment_sum(share * about, rows, num_rows), count)
