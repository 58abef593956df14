"""Layers with random weights, and normalisers that have seen a batch, for the checks."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from seqnorm.layers import recurrent_layer
from seqnorm.normalizers import BatchNorm, Context

# The portable loop, and whatever a user gets: the fused kernels where they can serve.
IMPLEMENTATIONS = ("loop", "auto")


def numpy(x: Any) -> NDArray[np.float64]:
    """A tensor as float64."""
    array: NDArray[np.float64] = keras.ops.convert_to_numpy(keras.ops.cast(x, "float64"))
    return array


def randomize(layer: Any, rng: np.random.Generator) -> None:
    """Give every weight a value without symmetry, statistics included."""
    values = []
    for weight in layer.weights:
        shape = tuple(weight.shape)
        if weight.name == "count":
            values.append(rng.uniform(20, 50, shape))
        elif weight.name in ("gamma", "moving_variance"):
            values.append(rng.uniform(0.5, 1.5, shape))
        else:
            values.append(rng.normal(0, 0.5, shape))
    layer.set_weights(values)


def random_layer(
    cell: str, features: int, rng: np.random.Generator, dtype: str = "float64", **kwargs: Any
) -> Any:
    """A built layer that returns all outputs, with random weights."""
    layer = recurrent_layer(cell, dtype=dtype, return_sequences=True, **kwargs)
    layer.build((None, None, features))
    randomize(layer, rng)
    return layer


def fold_batch(norm: BatchNorm, x: Any, valid: Any, step: int = 0) -> None:
    """Show a normaliser one training batch of one step, as the layer does.

    Args:
        norm: built; its table is updated.
        x: float[batch, features].
        valid: bool[batch, 1], or None.
        step: where in time the batch stands.
    """
    index = np.array([step], "int32")
    _, moments = norm.call(x, Context(index, valid, training=True))
    norm.fold(keras.tree.map_structure(lambda value: value[None], moments), index)
