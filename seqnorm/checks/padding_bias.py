"""What zero padding does to batch statistics that are not told of it.

Of values with mean μ and variance σ² let a share p be replaced by zeros. Then

    mean = (1 - p) μ,   E[x²] = (1 - p)(σ² + μ²),
    variance = (1 - p)(σ² + μ²) - (1 - p)² μ² = (1 - p)(σ² + p μ²).

With p = 1/2, μ = 3, σ² = 2: 1.5 and 3.25 (the toy of tensorflow/tensorflow#30161). With p = .9 and
μ = 0 the variance is a tenth, and at inference inputs come out 1/sqrt(.1) = 3.16 times too large.
The data have these moments exactly. `BatchNorm` and Keras's BatchNormalization are each given the
batch with its mask and without, as a cell inside `keras.layers.RNN` would see it.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from seqnorm.checks.layers import fold_batch, numpy
from seqnorm.checks.row import Row, near
from seqnorm.normalizers import BatchNorm, Context

SOURCE = "tensorflow/tensorflow#30161; derived in the docstring"


def padded(mean: float, variance: float, share: float) -> tuple[NDArray, NDArray]:
    """Values float64[20, 1] whose valid rows have exactly these moments; the mask bool[20, 1]."""
    valid = np.arange(20) >= round(20 * share)
    x = mean + np.sqrt(variance) * (-1.0) ** np.arange(20)
    return np.where(valid, x, 0.0)[:, None], valid[:, None]


def ours(x: Any, valid: Any) -> BatchNorm:
    """A `BatchNorm` that has seen one batch."""
    norm = BatchNorm(epsilon=1e-30, max_steps=1, gamma_initializer="ones", dtype="float64")
    norm.build((None, 1))
    fold_batch(norm, x, valid)
    return norm


def kerases(x: Any, mask: Any) -> Any:
    """Keras's BatchNormalization that has seen one batch; momentum 0 keeps nothing older."""
    norm = keras.layers.BatchNormalization(momentum=0.0, dtype="float64")
    norm(keras.ops.convert_to_tensor(x), training=True, mask=mask)
    return norm


def check() -> list[Row]:
    """Mean and variance with and without the mask, and what the latter does at inference."""
    mean, variance, share = 3.0, 2.0, 0.5
    without = (1 - share) * mean, (1 - share) * (variance + share * mean**2)
    x, valid = padded(mean, variance, share)
    rows = []
    # Keras divides by the number of rows plus 1e-7.
    for label, norm, mask, tolerance in (
        ("seqnorm", ours, valid, 1e-12),
        ("Keras", kerases, valid[:, 0], 1e-7),
    ):
        for given, expected in ((mask, (mean, variance)), (None, without)):
            told = "with" if given is not None else "without"
            norm_seen = norm(x, given)
            found = numpy(norm_seen.moving_mean), numpy(norm_seen.moving_variance)
            for moment, want, got in zip(("mean", "variance"), expected, found, strict=True):
                rows.append(
                    near(
                        f"{label} {told} mask: {moment}",
                        want,
                        got.item(),
                        SOURCE,
                        relative=tolerance,
                    )
                )
    x, valid = padded(0.0, 1.0, 0.9)
    seen = Context(np.zeros(1, "int32"))
    sizes = [numpy(ours(x, given).call(x, seen)[0]).max() for given in (valid, None)]
    rows.append(
        near("90 % padding, with mask: size at inference", 1, sizes[0], SOURCE, relative=1e-12)
    )
    rows.append(near("90 % padding, without: size", 0.1**-0.5, sizes[1], SOURCE, relative=1e-12))
    return rows
