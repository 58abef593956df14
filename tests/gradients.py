"""Gradients of a scalar with respect to a layer's weights and to tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tests.grid import numpy


def gradients(loss: Callable[..., Any], layer: Any, *arrays: Any) -> list[np.ndarray]:
    """d loss(*arrays) / d trainable weights of `layer`, then / d each array."""
    import tensorflow as tf

    tensors = [keras.ops.convert_to_tensor(a, layer.compute_dtype) for a in arrays]
    sources = [v.value for v in layer.trainable_variables] + tensors
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        value = loss(*tensors)
    found = tape.gradient(value, sources)
    return [
        np.zeros(s.shape) if g is None else numpy(g) for g, s in zip(found, sources, strict=True)
    ]


def weighted_sum(outputs: Any, seed: int = 1) -> Any:
    """A scalar in which every element of the outputs counts with a weight of its own."""
    rng = np.random.default_rng(seed)
    total = 0.0
    for output in keras.tree.flatten(outputs):
        weight = keras.ops.convert_to_tensor(rng.normal(size=output.shape), output.dtype)
        total = total + keras.ops.sum(output * weight)
    return total
