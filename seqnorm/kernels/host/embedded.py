"""Python functions inside TensorFlow's graphs: they run in the process that traced them only."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

_KEY = secrets.randbits(62)  # of this process
_NOT_ELSEWHERE = (
    "seqnorm's fused kernels run in the process that traced the function and cannot be saved with "
    "it. Use model.export, or give tf.saved_model.save the tf.function itself (with an "
    "input_signature) in place of a concrete function, or build the layer with "
    "implementation='loop'."
)


def call(
    function: Callable[..., list[Any]],
    arrays: Sequence[Any],
    kinds: list[tf.DType],
    shapes: list[Any],
    stateful: bool = True,
) -> list[Any]:
    """The Python function as part of the graph, or at once in eager mode.

    In eager mode int64 results stay NumPy arrays, so that a ticket is not copied and dropped.
    """
    if tf.executing_eagerly():
        results = function(*(_array(value) for value in arrays))
        return [
            value if kind == tf.int64 else tf.convert_to_tensor(value)
            for value, kind in zip(results, kinds, strict=True)
        ]
    _refuse_to_save(tf.compat.v1.get_default_graph())
    key = tf.constant(_KEY, tf.int64)
    results = tf.numpy_function(_only_here(function), [key, *arrays], kinds, stateful=stateful)
    for value, shape in zip(results, shapes, strict=True):
        value.set_shape(shape)
    return results


def _only_here(function: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """The function for the graphs of this process.

    TensorFlow counts the functions of a process, and a graph keeps the number of its own: where
    another process runs the graph, that may be any function.
    """

    def checked(key: np.ndarray, *arrays: np.ndarray) -> list[Any]:
        if key != _KEY:
            raise RuntimeError(_NOT_ELSEWHERE)
        return function(*arrays)

    return checked


def _refuse_to_save(graph: Any) -> None:
    """Makes `tf.saved_model.save` refuse the graph, and those that it is a branch or body of."""
    while hasattr(graph, "mark_as_unsaveable"):
        graph.mark_as_unsaveable(_NOT_ELSEWHERE)
        graph = graph.outer_graph


def _array(value: Any) -> np.ndarray:
    return value if isinstance(value, np.ndarray) else np.array(value)
