"""No NaN and no infinity where every value that counts is a number, even in branches not taken."""

from __future__ import annotations

import pytest

from tests import grid, processes
from tests.tiers import exhaustive

pytestmark = grid.tensorflow_only

# A process of its own: the watch cannot be taken off functions that were traced under it.
BEGIN = """
import keras, numpy as np, tensorflow as tf
from seqnorm import MaskedPooling
from seqnorm.layers import recurrent_layer

tf.debugging.enable_check_numerics()
tokens = np.array([[1, 2, 3], [1, 2, 0], [0] * 3])
"""
GRADIENT = """
for options in ({}, {"implementation": "loop", "go_backwards": True}):
    layer = recurrent_layer(cell, units=3, norm=norm, return_sequences=True, **options)
    embedded = keras.layers.Embedding(10, 4, mask_zero=True)
    with tf.GradientTape() as tape:
        y = layer(embedded(tokens), training=True)
        poolings = [MaskedPooling(mode) for mode in ("last", "mean", "max")]
        loss = sum(tf.reduce_sum(pooling(y, mask=tokens > 0) ** 2) for pooling in poolings)
    tape.gradient(loss, layer.trainable_variables)
"""
FIT = """
layer = recurrent_layer("lstm", units=3, norm="batch", return_sequences=True, **options)
model = keras.Sequential(
    [keras.layers.Embedding(10, 4, mask_zero=True), layer, MaskedPooling("max")]
)
model.compile("adam", "mse")
model.fit(tokens, np.zeros((3, 3)), verbose=0)
"""


@pytest.mark.parametrize(
    ("cell", "norm"),
    [
        pytest.param("simple_rnn", "batch", marks=exhaustive),
        ("lstm", "batch"),
        pytest.param("gru", "batch", marks=exhaustive),
        pytest.param("gru", {"name": "batch", "small_batch": "renorm"}, marks=exhaustive),
        pytest.param("lstm", {"name": "batch", "input_statistics": "sequence"}, marks=exhaustive),
        pytest.param("lstm", "layer", marks=exhaustive),
        ("gru", "group"),
    ],
)
def test_gradient_under_check_numerics(cell, norm):
    """By the kernels and by the loop, and of every pooling."""
    done = processes.script(f"{BEGIN}{cell = }\n{norm = }{GRADIENT}")
    assert done.returncode == 0, done.stderr[-2000:]


@exhaustive
@pytest.mark.parametrize("options", [{}, {"implementation": "loop"}])
def test_fit_under_check_numerics(options):
    done = processes.script(f"{BEGIN}{options = }{FIT}")
    assert done.returncode == 0, done.stderr[-2000:]
