"""Pooling over time: what is not valid enters nothing, whatever it holds and wherever it stands."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from seqnorm import MaskedPooling

MASK = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]], bool)
VALID = [MASK[0].nonzero()[0], MASK[1].nonzero()[0]]
OF_ROW = {
    "last": lambda row: row[-1],
    "mean": lambda row: row.mean(axis=0),
    "max": lambda row: row.max(axis=0),
}


@pytest.mark.parametrize("padding", [0.0, np.nan, np.inf])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("mode", list(OF_ROW))
def test_each_row_is_that_of_its_valid_steps(mode, dtype, padding, rng):
    x = np.where(MASK[..., None], rng.normal(size=(3, 5, 4)) - 5, padding)  # below any zero
    found = MaskedPooling(mode, dtype=dtype)(ops.cast(x, dtype), mask=MASK)
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    wanted = [*(OF_ROW[mode](x[row, valid]) for row, valid in enumerate(VALID)), np.zeros(4)]
    tolerance = 1e-5 if dtype == "float32" else 4e-2
    np.testing.assert_allclose(ops.convert_to_numpy(ops.cast(found, "float32")), wanted, tolerance)


@pytest.mark.parametrize("mode", list(OF_ROW))
def test_padding_has_no_gradient(mode, rng):
    import tensorflow as tf

    x = tf.constant(np.where(MASK[..., None], rng.normal(size=(3, 5, 4)), np.nan))
    layer = MaskedPooling(mode, dtype="float64")
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = ops.sum(layer(x, mask=MASK))
    found = tape.gradient(total, x).numpy()
    assert (found[~MASK] == 0).all()
    np.testing.assert_allclose(found.sum(axis=1), [[1] * 4, [1] * 4, [0] * 4])
