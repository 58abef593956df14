"""What is measured: one training step (forward and backward, graph mode) of each subject."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from seqnorm.kernels import Spec, fused_scan
from seqnorm.kernels.scan import Weights
from seqnorm.kernels.spec import GATES

KERAS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "simple_rnn": keras.layers.SimpleRNN}


class Shape(NamedTuple):
    """Size of one batch."""

    batch: int
    steps: int
    inputs: int
    units: int


def keras_layer(cell: str, shape: Shape) -> Callable[[], Any]:
    """Keras's own layer, without a norm."""
    layer = KERAS[cell](shape.units, return_sequences=True)
    layer.build(shape[:3])
    x = tf.random.normal(shape[:3])

    @tf.function
    def step() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(layer(x) * 0.01)
        return tape.gradient(loss, [x, *(variable.value for variable in layer.trainable_variables)])

    return step


def products(cell: str, shape: Shape) -> Callable[[], Any]:
    """The six matrix products of a step over all tokens at once: the floor."""
    batch, steps, inputs, units = shape
    tokens, columns = batch * steps, GATES[cell] * units
    x, h, d = (tf.random.normal((tokens, width)) for width in (inputs, units, columns))
    kernel, recurrent = tf.random.normal((inputs, columns)), tf.random.normal((units, columns))

    @tf.function
    def step() -> Any:
        forward = tf.matmul(x, kernel), tf.matmul(h, recurrent)
        down = tf.matmul(d, kernel, transpose_b=True), tf.matmul(d, recurrent, transpose_b=True)
        return *forward, *down, tf.matmul(x, d, transpose_a=True), tf.matmul(h, d, transpose_a=True)

    return step


def fused(cell: str, norm: str, shape: Shape, share: float = 1.0) -> Callable[[], Any]:
    """The fused kernel.

    Args:
        cell: "lstm", "gru" or "simple_rnn".
        norm: norm of every site.
        shape: of the batch.
        share: mean length over the longest one; rows are uniform below twice that, one is full.
    """
    batch, steps, inputs, units = shape
    columns = GATES[cell] * units
    spec = Spec(cell, norm, norm, norm if cell == "lstm" else "none")  # type: ignore[arg-type]
    ones, zeros = np.ones(columns, np.float32), np.zeros(columns, np.float32)
    start = Weights(
        np.random.default_rng(1).normal(0, inputs**-0.5, (inputs, columns)).astype(np.float32),
        np.random.default_rng(2).normal(0, units**-0.5, (units, columns)).astype(np.float32),
        ones, 0.3 * ones, ones[:units], zeros, zeros, zeros[:units],
    )  # fmt: skip
    variables = [tf.Variable(tf.constant(value)) for value in start]
    x, mask = tf.random.normal(shape[:3]), tf.sequence_mask(_lengths(batch, steps, share), steps)

    @tf.function
    def step() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            weights = Weights(*(tf.convert_to_tensor(variable) for variable in variables))
            loss = tf.reduce_sum(fused_scan(spec, x, weights, mask).sequence * 0.01)
        return tape.gradient(loss, [x, *variables])

    return step


def _lengths(batch: int, steps: int, share: float) -> np.ndarray:
    if share >= 1:
        return np.full(batch, steps)
    lengths = np.linspace(1, min(2 * share, 1) * steps, batch).round().astype(int)
    lengths[-1] = steps
    return np.random.default_rng(0).permutation(lengths)
