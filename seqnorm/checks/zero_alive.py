"""What steps without a single valid row do to running statistics.

Keras's BatchNormalization divides the masked sums by (number of rows + 1e-7): with no row both mean
and variance are 0, and they enter the running ones with the full weight 1 - momentum. After k such
steps the running variance is momentum^k of what it was, .99^50 = .605, .99^200 = .134, and inputs
at inference come out up to 1/sqrt(.134) = 2.7 times too large. In `BatchNorm` a step without a row
changes nothing.
"""

from __future__ import annotations

import keras
import numpy as np

from seqnorm.checks.layers import fold_batch, numpy
from seqnorm.checks.row import Row, near
from seqnorm.normalizers import BatchNorm

MOMENTUM, MEAN, ROWS, FEATURES = 0.99, 2.0, 4, 3
COUNTS = (50, 200)
X = np.random.default_rng(5).normal(size=(ROWS, FEATURES))
NO_ROW = np.zeros(ROWS, bool)


def kerases() -> list[float]:
    """Keras's running mean and variance after each of `COUNTS` empty steps, relative to before."""
    norm = keras.layers.BatchNormalization(momentum=MOMENTUM, dtype="float64")
    norm.build(X.shape)
    norm.moving_mean.assign(np.full(FEATURES, MEAN))
    found = []
    for k in range(1, max(COUNTS) + 1):
        norm(X, training=True, mask=NO_ROW)
        if k in COUNTS:
            found.append(numpy(norm.moving_mean)[0] / MEAN)
            found.append(numpy(norm.moving_variance)[0])
    return found


def ours() -> float:
    """How far the whole table of `BatchNorm` has moved after 200 batches of one empty step."""
    norm = BatchNorm(momentum=MOMENTUM, max_steps=2, dtype="float64")
    norm.build((None, FEATURES))
    before = [np.full((2, FEATURES), MEAN), np.full((2, FEATURES), 3.0), np.full((2, 1), 20.0)]
    table = norm.moving_mean, norm.moving_variance, norm.count
    for variable, value in zip(table, before, strict=True):
        variable.assign(value)
    for _ in range(max(COUNTS)):
        fold_batch(norm, X, NO_ROW[:, None], step=1)
    moved = [np.abs(numpy(v) - b).max() for v, b in zip(table, before, strict=True)]
    return float(np.max(moved))


def check() -> list[Row]:
    """Keras's decay, and ours, which is none."""
    source = "keras BatchNormalization._moments: sum / (rows + 1e-7)"
    expected = [MOMENTUM**k for k in COUNTS for _ in range(2)]
    names = [f"Keras, {k} empty steps: {m} kept" for k in COUNTS for m in ("mean", "variance")]
    rows = [
        near(name, want, got, source, relative=1e-6)
        for name, want, got in zip(names, expected, kerases(), strict=True)
    ]
    rows.append(near("seqnorm, 200 empty steps: table moved by", 0, ours(), "n = 0 weighs nothing"))
    return rows
