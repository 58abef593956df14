"""Derivatives by finite differences, in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from tests.reference.np_statistics import Array


def numeric_gradient(f: Callable[[Array], float], x: ArrayLike, step: float = 1e-6) -> Array:
    """Gradient of a scalar function by central differences, one coordinate at a time.

    (f(x + e) - f(x - e)) / 2 e, with an error of order e^2 f''' + 1e-16 |f| / e. For values and
    derivatives of order one the default leaves about 1e-9.

    Args:
        f: maps an array of the shape of x to a float; called 2 * x.size times.
        x: any shape; not changed.
        step: e, absolute.
    """
    x = np.array(x, np.float64)
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        here = x[index]
        x[index] = here + step
        above = float(f(x.copy()))
        x[index] = here - step
        below = float(f(x.copy()))
        x[index] = here
        gradient[index] = (above - below) / (2.0 * step)
    return gradient
