"""The ways a backend has to compile the call of a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras


def ways(layer: Any) -> list[Callable[..., Any]]:
    """Functions that are called like `layer`, each compiled in another way."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return [tf.function(layer), tf.function(layer, jit_compile=True)]
    return [_jit(layer)]


def _jit(layer: Any) -> Callable[..., Any]:
    import jax

    pure = jax.jit(layer.stateless_call, static_argnames="training")

    def call(*args: Any, **kwargs: Any) -> Any:
        """Through Keras's stateless protocol; what the call assigned is assigned afterwards."""
        variables = [variable.value for variable in layer.trainable_variables]
        kept = [variable.value for variable in layer.non_trainable_variables]
        outputs, assigned = pure(variables, kept, *args, **kwargs)
        for variable, value in zip(layer.non_trainable_variables, assigned, strict=True):
            variable.assign(value)
        return outputs

    return call
