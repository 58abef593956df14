"""What is measured: one step of a layer, forward, with its gradient, or as a step of `fit`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import keras

from seqnorm.cells import CELLS
from seqnorm.lab.bench.shapes import Shape, Step
from seqnorm.layers import recurrent_layer

KERAS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "simple_rnn": keras.layers.SimpleRNN}


def layer_of(name: str, cell: str, units: int, mode: str = "gradient") -> Any:
    """A layer by the name of its subject: "keras", "keras-rnn NORM", "loop NORM", "fused NORM".

    Of a mode on the mean output ours takes the mean itself; Keras's have a pooling layer above.
    """
    way, _, norm = name.partition(" ")
    sequences = {"return_sequences": mode != "fit-last"}
    if way == "keras":
        return KERAS[cell](units, **sequences)
    if way == "keras-rnn":
        return keras.layers.RNN(CELLS[cell](units, norm=norm), **sequences)
    outputs = {"pooling": "mean"} if mode == "fit" else sequences
    return recurrent_layer(cell, units=units, norm=norm, implementation=way, **outputs)


def subject(name: str, cell: str, shape: Shape, mode: str = "fit", jit: bool = False) -> Step:
    """One step of the subject `name`.

    Args:
        name: "products", "torch.nn" (the own layer of that backend), or what `layer_of` takes.
        cell: "lstm", "gru" or "simple_rnn".
        shape: of the batch.
        mode: "forward", the outputs of all steps; "gradient", and the gradients of inputs and
            weights; "fit", one training step of a compiled Keras model (plain gradient descent on
            the mean output), where the inputs need no gradient; "fit-last", the same on the last
            output.
        jit: compile by XLA; on JAX every step is.
    """
    steps = import_module(f"seqnorm.lab.bench.steps.{keras.backend.backend()}")
    if name == "products":
        return steps.products(cell, shape, mode)
    if name == "torch.nn":
        return steps.own(cell, shape, mode)
    layer = layer_of(name, cell, shape.units, mode)
    return getattr(steps, mode.partition("-")[0])(layer, shape, jit)
