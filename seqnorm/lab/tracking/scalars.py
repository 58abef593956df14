"""Scalars of any array library as plain Python values."""

from __future__ import annotations

from typing import Any

import numpy as np


def plain_scalar(name: str, value: Any) -> bool | int | float | str | None:
    """Turn one value into something JSON and W&B both know.

    Args:
        name: Name of the value, for the error.
        value: A Python scalar, text, `None`, a NumPy scalar, or anything NumPy can read as a
            zero-dimensional array (a Keras or TensorFlow scalar).

    Returns:
        The value as bool, int, float, str or `None`.

    Raises:
        TypeError: If the value is not a scalar.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    array = np.asarray(value)
    if array.ndim == 0 and array.dtype.kind in "biufU":
        return array.item()
    # Kind "V" is how NumPy sees bfloat16 and the float8 types, which convert to float.
    if array.ndim == 0 and array.dtype.kind == "V":
        return float(array.astype(np.float64))
    raise TypeError(
        f"A logged value must be a scalar (number, text or None); received {name}={value!r} of "
        f"type {type(value).__name__}. Log its mean, or pass histories to Sink.arrays."
    )
