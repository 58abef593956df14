"""The few things training asks of TensorFlow by name; all else goes through Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def make_deterministic() -> None:
    """Every operation gives the same bytes for the same input. Lasts as long as the process."""
    tf.config.experimental.enable_op_determinism()


def dense(gradient: Any) -> tf.Tensor:
    """A gradient with the shape of its variable.

    An embedding's comes as a row for each word that was looked up. Keras squares and clips those
    rows one by one, although the rows of one word add up to a single row of the gradient.
    """
    return tf.convert_to_tensor(gradient)


def compiled_gradient(
    function: Callable[[Any, Any], tuple[Any, Any]],
) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Compiles ``loss, extra = function(x, constants)`` into ``x, constants -> dloss/dx, extra``.

    `x` and `extra` may be nested; so may the gradient, which has the structure of `x`.
    """

    @tf.function(reduce_retracing=True)
    def gradient(x: Any, constants: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss, extra = function(x, constants)
        return tape.gradient(loss, x), extra

    return gradient
