"""What is measured: one step of a layer, forward, with its gradient, or as a step of `fit`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from seqnorm.cells import CELLS
from seqnorm.kernels import CELLS as KERNELS
from seqnorm.layers import recurrent_layer

Step = Callable[[], Any]

KERAS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "simple_rnn": keras.layers.SimpleRNN}


class Shape(NamedTuple):
    """Size of one batch, and its mean length over the longest."""

    batch: int
    steps: int
    inputs: int
    units: int
    share: float = 1.0
    masked: bool = False  # whether a batch without padding has a mask nevertheless

    @classmethod
    def parse(cls, text: str) -> Shape:
        """From "batch x steps x inputs x units", such as "64x200x128x128"."""
        try:
            batch, steps, inputs, units = (int(size) for size in text.split("x"))
        except ValueError as error:
            raise ValueError(
                "a shape is BATCHxSTEPSxINPUTSxUNITS, such as 64x200x128x128; "
                f"received shape={text!r}."
            ) from error
        return cls(batch, steps, inputs, units)

    def mask(self) -> np.ndarray | None:
        """bool[batch, steps]: lengths uniform about the mean, as widely as fits; one is full."""
        if self.share >= 1:
            return np.ones((self.batch, self.steps), bool) if self.masked else None
        least, most = max(2 * self.share - 1, 0), min(2 * self.share, 1)
        lengths = np.linspace(least, most, self.batch) * self.steps
        lengths = np.maximum(lengths.round().astype(int), 1)
        lengths[-1] = self.steps
        return np.arange(self.steps) < np.random.default_rng(0).permutation(lengths)[:, None]


def layer_of(name: str, cell: str, units: int, sequences: bool = True) -> Any:
    """A layer by the name of its subject: "keras", "keras-rnn NORM", "loop NORM", "fused NORM"."""
    way, _, norm = name.partition(" ")
    if way == "keras":
        return KERAS[cell](units, return_sequences=sequences)
    if way == "keras-rnn":
        return keras.layers.RNN(CELLS[cell](units, norm=norm), return_sequences=sequences)
    return recurrent_layer(
        cell, units=units, norm=norm, return_sequences=sequences, implementation=way
    )


def subject(name: str, cell: str, shape: Shape, mode: str = "fit", jit: bool = False) -> Step:
    """One step of the subject `name`.

    Args:
        name: "products", or what `layer_of` takes.
        cell: "lstm", "gru" or "simple_rnn".
        shape: of the batch.
        mode: "forward", the outputs of all steps; "gradient", and the gradients of inputs and
            weights; "fit", one training step of a compiled Keras model (plain gradient descent on
            the mean output), where the inputs need no gradient; "fit-last", the same on the last
            output.
        jit: compile by XLA.
    """
    if name == "products":
        return products(cell, shape, mode)
    layer = layer_of(name, cell, shape.units, sequences=mode != "fit-last")
    x = tf.random.stateless_normal(shape[:3], (0, 0))
    return _MODES[mode](layer, x, shape, jit)


def _fit(layer: Any, x: Any, shape: Shape, jit: bool) -> Step:
    mask = shape.mask()
    source = keras.Input(x.shape[1:])
    valid = keras.Input((shape.steps,), dtype="bool")
    outputs = layer(source) if mask is None else layer(source, mask=valid)
    if layer.return_sequences:
        outputs = keras.layers.GlobalAveragePooling1D()(outputs)
    model = keras.Model([source, valid], outputs)
    model.compile("sgd", "mse", jit_compile=jit)
    model.make_train_function()
    target = tf.zeros((shape.batch, shape.units))
    alive = np.ones(x.shape[:2], bool) if mask is None else mask
    data = iter(tf.data.Dataset.from_tensors(((x, alive), target)).repeat())
    return lambda: model.train_function(data)


def _gradient(layer: Any, x: Any, shape: Shape, jit: bool) -> Step:
    mask = shape.mask()
    layer.build(x.shape)

    @tf.function(jit_compile=jit)
    def step() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_mean(layer(x, mask=mask, training=True))
        return tape.gradient(loss, [x, *(variable.value for variable in layer.trainable_variables)])

    return step


def _forward(layer: Any, x: Any, shape: Shape, jit: bool) -> Step:
    mask = shape.mask()
    layer.build(x.shape)
    return tf.function(lambda: layer(x, mask=mask), jit_compile=jit)


_MODES = {"fit": _fit, "fit-last": _fit, "gradient": _gradient, "forward": _forward}


def products(cell: str, shape: Shape, mode: str = "fit") -> Step:
    """The matrix products of a step over all tokens at once: the floor."""
    tokens, columns = shape.batch * shape.steps, KERNELS[cell].gates * shape.units
    widths = (shape.inputs, shape.units, columns)
    x, h, d = (tf.random.stateless_normal((tokens, width), (0, 1)) for width in widths)
    kernel, recurrent = (
        tf.random.stateless_normal((width, columns), (0, 2)) for width in widths[:2]
    )

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
