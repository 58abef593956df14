"""One vector for the valid steps of each row."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from seqnorm.ops.backend import kept
from seqnorm.ops.moments import statistics_dtype

MODES = ("last", "mean", "max")


def pool(x: Any, mask: Any, mode: str) -> Any:
    """The last valid step of each row, or the mean or maximum of its valid steps.

    Args:
        x: float[batch, time, features].
        mask: bool[batch, time], or None: all are valid.
        mode: one of `MODES`.

    Returns:
        float[batch, features]; zeros for a row without a valid step.
    """
    valid = ops.ones_like(x[..., 0], "bool") if mask is None else ops.cast(mask, "bool")
    some = ops.any(valid, axis=1)[:, None]
    valid = valid[..., None]
    exact = ops.cast(x, statistics_dtype(x))  # a sum in half precision overflows
    if mode == "max":
        return ops.cast(kept(some, _maximum(valid, exact)), x.dtype)
    if mode == "last":
        steps = ops.arange(ops.shape(x)[1], dtype="int32")[None, :, None]
        valid = ops.equal(steps, ops.max(ops.where(valid, steps, -1), axis=1, keepdims=True))
    total = ops.sum(kept(valid, exact), axis=1)
    count = ops.sum(ops.cast(valid, exact.dtype), axis=1)
    return ops.cast(total / ops.maximum(count, 1), x.dtype)


def _maximum(valid: Any, x: Any) -> Any:
    """The maximum over valid steps; a row without one has the lowest finite number."""
    # Finite: an infinity in padding is a fault to tf.debugging and to tf2onnx.
    lowest = float(np.finfo(statistics_dtype(x)).min)
    padding = ops.cast(ops.logical_not(valid), x.dtype) * lowest
    return ops.max(kept(valid, x) + padding, axis=1)
