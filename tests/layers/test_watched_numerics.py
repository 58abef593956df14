"""No NaN and no infinity where every value that counts is a number, even in branches not taken."""

from __future__ import annotations

import subprocess
import sys

from tests import grid

pytestmark = grid.tensorflow_only

# A process of its own: the watch cannot be taken off functions that were traced under it.
SCRIPT = """
import keras, numpy as np, tensorflow as tf
from seqnorm import MaskedPooling
from seqnorm.layers import recurrent_layer

tf.debugging.enable_check_numerics()
tokens = np.array([[1, 2, 3, 4], [1, 2, 0, 0], [0] * 4])
renorm = {"name": "batch", "small_batch": "renorm"}
sequence = {"name": "batch", "input_statistics": "sequence"}
cases = [(cell, "batch") for cell in ("simple_rnn", "lstm", "gru")]
cases += [("gru", renorm), ("lstm", sequence), ("lstm", "layer"), ("gru", "group")]
for cell, norm in cases:
    for options in ({}, {"implementation": "loop", "go_backwards": True}):
        layer = recurrent_layer(cell, units=3, norm=norm, return_sequences=True, **options)
        embedded = keras.layers.Embedding(10, 4, mask_zero=True)
        with tf.GradientTape() as tape:
            y = layer(embedded(tokens), training=True)
            poolings = [MaskedPooling(mode) for mode in ("last", "mean", "max")]
            loss = sum(tf.reduce_sum(pooling(y, mask=tokens > 0) ** 2) for pooling in poolings)
        tape.gradient(loss, layer.trainable_variables)
for options in ({}, {"implementation": "loop"}):
    layer = recurrent_layer("lstm", units=3, norm="batch", return_sequences=True, **options)
    model = keras.Sequential(
        [keras.layers.Embedding(10, 4, mask_zero=True), layer, MaskedPooling("max")]
    )
    model.compile("adam", "mse")
    model.fit(tokens, np.zeros((3, 3)), verbose=0)
"""


def test_every_norm_and_pooling_under_check_numerics():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], stderr=subprocess.PIPE, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr[-2000:]
