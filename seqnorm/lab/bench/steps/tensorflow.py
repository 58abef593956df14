"""Steps on TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from seqnorm.kernels import CELLS as KERNELS
from seqnorm.lab.bench.shapes import Shape, Step, batch_of, factors_of, model_of


def fit(layer: Any, shape: Shape, jit: bool) -> Step:
    """One training step of a compiled Keras model."""
    x, alive, target = batch_of(shape)
    model = model_of(layer, shape)
    model.compile("sgd", "mse", jit_compile=jit)
    model.make_train_function()
    data = iter(tf.data.Dataset.from_tensors(((x, alive), target)).repeat())
    return lambda: model.train_function(data)


def gradient(layer: Any, shape: Shape, jit: bool) -> Step:
    """Outputs, and the gradients of inputs and weights."""
    mask, x = shape.mask(), tf.constant(batch_of(shape)[0])
    layer.build(x.shape)

    @tf.function(jit_compile=jit)
    def step() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_mean(layer(x, mask=mask, training=True))
        return tape.gradient(loss, [x, *(variable.value for variable in layer.trainable_variables)])

    return step


def forward(layer: Any, shape: Shape, jit: bool) -> Step:
    """Outputs."""
    mask, x = shape.mask(), tf.constant(batch_of(shape)[0])
    layer.build(x.shape)
    return tf.function(lambda: layer(x, mask=mask), jit_compile=jit)


def products(cell: str, shape: Shape, mode: str = "fit") -> Step:
    """The matrix products of a step over all tokens at once: the floor."""
    x, h, d, kernel, recurrent = map(tf.constant, factors_of(KERNELS[cell].gates, shape))

    @tf.function
    def step() -> Sequence[Any]:
        found = [tf.matmul(x, kernel), tf.matmul(h, recurrent)]
        if mode != "forward":
            found += [tf.matmul(d, recurrent, transpose_b=True)]
            found += [tf.matmul(side, d, transpose_a=True) for side in (x, h)]
        if mode == "gradient":
            found.append(tf.matmul(d, kernel, transpose_b=True))
        return found

    return step
