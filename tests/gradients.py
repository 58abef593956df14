"""Gradients of a scalar with respect to a layer's weights and to tensors, on any backend."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from seqnorm.checks.autodiff import gradients, gradients_and_more

__all__ = ["gradients", "gradients_and_more", "weighted_sum"]


def weighted_sum(outputs: Any, seed: int = 1) -> Any:
    """A scalar in which every element of the outputs counts with a weight of its own."""
    rng = np.random.default_rng(seed)
    total = 0.0
    for output in keras.tree.flatten(outputs):
        weight = keras.ops.convert_to_tensor(rng.normal(size=tuple(output.shape)), output.dtype)
        total = total + keras.ops.sum(output * weight)
    return total
