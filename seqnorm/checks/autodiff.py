"""Gradients of a scalar with respect to a layer's weights and to tensors, on any backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from seqnorm.checks.layers import numpy


def gradients(loss: Callable[..., Any], layer: Any, *arrays: Any) -> list[np.ndarray]:
    """The gradient of loss(*arrays) by the trainable weights of `layer`, then by each array.

    What the loss assigns to the layer's other weights (statistics, states) stays assigned.
    """
    return gradients_and_more(lambda *tensors: (loss(*tensors), ()), layer, *arrays)[0]


def gradients_and_more(
    loss: Callable[..., tuple[Any, Any]], layer: Any, *arrays: Any
) -> tuple[list[np.ndarray], Any]:
    """`gradients` of the first value that `loss` returns, and the second, nested, as arrays."""
    tensors = [keras.ops.convert_to_tensor(a, layer.compute_dtype) for a in arrays]
    found, more = _BACKENDS[keras.backend.backend()](loss, layer, tensors)
    sources = [*layer.trainable_variables, *tensors]
    return [
        np.zeros(tuple(s.shape)) if g is None else numpy(g)
        for g, s in zip(found, sources, strict=True)
    ], keras.tree.map_structure(numpy, more)


def _of_tensorflow(
    loss: Callable[..., Any], layer: Any, tensors: list[Any]
) -> tuple[list[Any], Any]:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(tensors)
        value, more = loss(*tensors)
    return tape.gradient(value, [v.value for v in layer.trainable_variables] + tensors), more


def _of_torch(loss: Callable[..., Any], layer: Any, tensors: list[Any]) -> tuple[list[Any], Any]:
    import torch

    tensors = [tensor.detach().clone().requires_grad_() for tensor in tensors]
    sources = [v.value for v in layer.trainable_variables] + tensors
    value, more = loss(*tensors)
    return list(torch.autograd.grad(value, sources, allow_unused=True)), more


def _of_jax(loss: Callable[..., Any], layer: Any, tensors: list[Any]) -> tuple[list[Any], Any]:
    import jax

    trained, kept = layer.trainable_variables, layer.non_trainable_variables

    def pure(values: list[Any], tensors: list[Any]) -> tuple[Any, Any]:
        with keras.StatelessScope(state_mapping=zip(trained, values, strict=True)) as scope:
            value, more = loss(*tensors)
        return value, ([scope.get_current_value(variable) for variable in kept], more)

    values = [variable.value for variable in trained]
    # A scan would be compiled for this one call; Keras's unrolled loop forgets this option.
    unroll = layer.unroll
    layer.unroll = unroll or not (layer.zero_output_for_mask or _takes_the_kernels(layer))
    (of_weights, of_tensors), (assigned, more) = jax.grad(pure, argnums=(0, 1), has_aux=True)(
        values, tensors
    )
    layer.unroll = unroll
    for variable, value in zip(kept, assigned, strict=True):
        if value is not None:
            variable.assign(value)
    return [*of_weights, *of_tensors], more


def _takes_the_kernels(layer: Any) -> bool:
    if getattr(layer, "implementation", "loop") == "loop":
        return False
    return layer.why_not_fused() is None


_BACKENDS = {"tensorflow": _of_tensorflow, "torch": _of_torch, "jax": _of_jax}
