"""The variance of rows whose mean is far from zero: one pass against two.

float32 holds numbers to u = 2^-24 = 6e-8 of their size. E[x²] - E[x]² subtracts two numbers near m²
where the variance is 1: each carries an error of order u m², so that is the relative error of the
result: about 6 % at m = 1000, and beyond m = 1/sqrt(u) = 4096 the result is noise and often
negative. In two passes x - μ is exact to u m, and the error of μ enters squared: for all m up to
4096 the result is within a few u of the variance of the float32 numbers that were given.
That float32 (or half) inputs far from zero have lost digits before any norm sees them is another
matter, which no formula can mend; errors here are those of the formula alone.
"""

from __future__ import annotations

import numpy as np
from keras import ops
from numpy.typing import NDArray

from seqnorm.checks.layers import numpy
from seqnorm.checks.row import Row, at_least, at_most
from seqnorm.ops.moments import feature_moments, masked_moments

ROWS, WIDTH = 512, 128
MEANS = (0, 10, 100, 1000, 4000)
U = 2.0**-24
TWO_PASS = "float32 arithmetic; derived in the docstring"


def one_pass(x: NDArray[np.float32]) -> NDArray[np.float64]:
    """E[x²] - E[x]² of each row, as the fast formula has it."""
    tensor = ops.convert_to_tensor(x)
    return numpy(ops.mean(tensor * tensor, axis=-1) - ops.square(ops.mean(tensor, axis=-1)))


def two_pass(x: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The variances by which layer norm and batch norm divide: of each row of x, both ways."""
    of_features = numpy(feature_moments(ops.convert_to_tensor(x)).variance)[:, 0]
    of_batch = numpy(masked_moments(ops.convert_to_tensor(x.T)).variance)[0]
    return of_features, of_batch


def errors(mean: float, dtype: str) -> tuple[float, float, int]:
    """Largest relative error of two passes; median of one pass; how often that is negative."""
    x = np.random.default_rng(7).normal(mean, 1, (ROWS, WIDTH)).astype(dtype)
    exact = x.astype("float64").var(axis=1)
    fast = one_pass(x.astype("float32"))
    slow = float(np.max([np.abs(v - exact) / exact for v in two_pass(x)]))
    return slow, float(np.median(np.abs(fast - exact) / exact)), int((fast < 0).sum())


def check() -> list[Row]:
    """Two passes are exact at every mean, where one pass fails as predicted."""
    rows = []
    for mean in MEANS:
        slow, fast, negative = errors(mean, "float32")
        rows.append(at_most(f"mean {mean}: two passes, largest error", 1e-6, slow, TWO_PASS))
        if mean >= 100:
            rows.append(
                at_least(f"mean {mean}: one pass, median error", U * mean**2 / 4, fast, "u m²")
            )
    rows.append(
        at_least("mean 4000: one pass, negative variances", 1, negative, "m near 1/sqrt(u)")
    )
    half, _, _ = errors(100, "float16")
    rows.append(
        at_most("mean 100, float16 inputs: two passes", 1e-6, half, "statistics in float32")
    )
    return rows
