"""The batch that every subject gets, and the model around a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np

Step = Callable[[], Any]


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


def model_of(layer: Any, shape: Shape) -> Any:
    """A compiled model of the layer: the mean of its outputs, or its last one."""
    mask = shape.mask()
    source = keras.Input(shape[1:3])
    valid = keras.Input((shape.steps,), dtype="bool")
    outputs = layer(source) if mask is None else layer(source, mask=valid)
    if layer.return_sequences:
        outputs = keras.layers.GlobalAveragePooling1D()(outputs)
    return keras.Model([source, valid], outputs)


def batch_of(shape: Shape) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, the steps that are alive, and what a model of the layer is trained towards."""
    x = np.random.default_rng(0).normal(size=shape[:3]).astype("float32")
    mask = shape.mask()
    alive = np.ones(x.shape[:2], bool) if mask is None else mask
    return x, alive, np.zeros((shape.batch, shape.units), "float32")


def factors_of(gates: int, shape: Shape) -> list[np.ndarray]:
    """Inputs, states and gradients of all tokens, W and U: what the products of a step multiply."""
    rng, tokens, columns = np.random.default_rng(0), shape.batch * shape.steps, gates * shape.units
    sizes = [(tokens, width) for width in (shape.inputs, shape.units, columns)]
    sizes += [(width, columns) for width in (shape.inputs, shape.units)]
    return [rng.normal(size=size).astype("float32") for size in sizes]
