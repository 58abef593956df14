"""What differs between backends: loop, run-time check, selection, sums, compilation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops, tree
from keras.src.backend.common.stateless_scope import in_stateless_scope  # has no public name

Body = Callable[[Any, Any], tuple[Any, Any]]

# Outside of jit, JAX compiles a scan anew at every call (about 1 s); measured on a CPU, an LSTM
# runs some 150 steps one by one in that time, and 6 steps in a thirtieth of it.
_EAGER_STEPS = 128

# How far the gradients of the weights, which nothing waits for, may lag behind those of the states.
_PARALLEL_STEPS = 32


def scan(body: Body, carry: Any, xs: Any, *, unroll: bool = False) -> tuple[Any, Any]:
    """Fold `body` over the leading axis of `xs` and stack what it emits.

    `carry, y_t = body(carry, x_t)` for t = 0, 1, ..., as `jax.lax.scan` does it. Unlike
    `keras.ops.scan`, the emitted values may have any structure, shape and dtype. `body` must be
    pure: it may be traced more than once.

    Args:
        body: maps `(carry, x_t)` to `(carry, y_t)`; the carry keeps its structure, shapes, dtypes.
        carry: nested tensors, the state before the first step.
        xs: nested tensors that share their first axis of length T >= 1.
        unroll: write the steps out one after the other; T must be static.

    Returns:
        The last carry, and the emitted values with a new first axis of length T.
    """
    if unroll:
        return _python_scan(body, carry, xs)
    return _SCANS.get(keras.backend.backend(), _python_scan)(body, carry, xs)


def require(condition: Any, message: str) -> Any:
    """Raise `ValueError(message)` where the boolean tensor is false.

    Inside a TensorFlow graph the check becomes an assertion, which raises
    `tf.errors.InvalidArgumentError` with the same message. Code compiled by XLA or `jax.jit`
    cannot raise: use the returned condition to turn the result into NaN there.

    Returns:
        The condition, as a tensor.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        if not tf.executing_eagerly():
            tf.debugging.Assert(condition, [message])
            return condition
    if keras.backend.backend() == "jax":
        import jax

        if isinstance(condition, jax.core.Tracer):
            return condition
    if not bool(condition):
        raise ValueError(message)
    return condition


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` for repeated calls with inputs of any length; what it assigns is assigned."""
    if keras.backend.backend() != "tensorflow":
        return function  # under jax.jit nothing could be assigned
    import tensorflow as tf

    return tf.function(function, reduce_retracing=True)


def between_graphs(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, which `torch.compile` does not look into: it runs between two of its graphs."""
    if keras.backend.backend() != "torch":
        return function
    import torch

    return torch.compiler.disable(function, reason="seqnorm's layers run between graphs")


def kept(valid: Any, x: Any) -> Any:
    """`x` where `valid`, zeros elsewhere, whatever stood there, even NaN; so is the gradient.

    Args:
        valid: bool, broadcasts with `x`.
        x: float, any shape.
    """
    if keras.backend.backend() != "tensorflow":
        return ops.where(valid, x, ops.zeros_like(x))
    import tensorflow as tf

    # x / 1, or 0 of the division by 0: tf2onnx turns where(c, x, 0) into c x, which keeps a NaN.
    return tf.math.divide_no_nan(x, tf.cast(valid, x.dtype))


def succeed(before: Any, value: Any) -> Any:
    """`value`, as what follows `before` in a carry of `scan` whose steps do not read `before`.

    To TensorFlow's vectorised loops (`tape.batch_jacobian`) the gradient of a carried value is of
    one kind from step to step: zeros where it was not read, beside the value's own, are a mistake
    of shapes. Here both gradients are made from the value's.
    """
    if keras.backend.backend() != "tensorflow":
        return value
    import tensorflow as tf

    @tf.custom_gradient
    def tied(before: Any, value: Any) -> Any:
        # Zeros that are reckoned from the slope: those of `tf.zeros_like` are the same in every run
        # of a vectorised loop, and with `tf.where(False, slope, 0)` a step that reshapes, as group
        # norm does, leaves `tf.vectorized_map` empty gradients.
        return tf.identity(value), lambda slope: (tf.minimum(tf.maximum(slope, 0), 0), slope)

    return tied(before, value)


def assign(variable: keras.Variable, value: Any) -> None:
    """`variable.assign(value)`.

    On torch and a processor without torch's own threads: after a copy of 32,768 numbers and more,
    one of them keeps a core busy for milliseconds (seen with torch 2.13 and GNU's OpenMP), which
    kernels that run next need.
    """
    direct = keras.backend.backend() == "torch" and not in_stateless_scope()
    if direct and _is_plain(value) and _is_plain(variable.value):
        np.copyto(variable.value.detach().numpy(), value.detach().numpy())
    else:
        variable.assign(value)


def _is_plain(value: Any) -> bool:
    """Whether it is a tensor of torch's on the processor that nothing is watching or tracing."""
    import torch

    ordinary = type(value) in (torch.Tensor, torch.nn.Parameter)
    wrapped = torch._C._functorch.is_functorch_wrapped_tensor
    return ordinary and value.device.type == "cpu" and not wrapped(value)


def segment_sum(x: Any, segments: Any, num_segments: int) -> Any:
    """Sum the rows of x [T, features] that share a segment, int32[T]: [num_segments, features]."""
    if keras.backend.backend() != "torch":
        return ops.segment_sum(x, segments, num_segments)
    # Keras would sum in float32 here, whatever x is.
    return ops.zeros((num_segments, *x.shape[1:]), x.dtype).index_add(0, segments, x)


def _python_scan(body: Body, carry: Any, xs: Any) -> tuple[Any, Any]:
    # Taken apart once: the gradient of x[t] is as long as x, of all steps T² numbers.
    flat = [ops.unstack(x) for x in tree.flatten(xs)]
    emitted = []
    for flat_t in zip(*flat, strict=True):
        carry, y_t = body(carry, tree.pack_sequence_as(xs, flat_t))
        emitted.append(y_t)
    return carry, tree.map_structure(lambda *ys: ops.stack(ys), *emitted)


def _tensorflow_scan(body: Body, carry: Any, xs: Any) -> tuple[Any, Any]:
    import tensorflow as tf

    if tf.executing_eagerly():
        return _python_scan(body, carry, xs)
    flat_xs = [tf.convert_to_tensor(x) for x in tree.flatten(xs)]
    length = flat_xs[0].shape[0] or tf.shape(flat_xs[0])[0]
    # One step on the first element teaches structure and dtypes; nothing reads its values, so
    # the graph optimiser removes it.
    _, y_0 = body(carry, tree.pack_sequence_as(xs, [x[0] for x in flat_xs]))
    sources = [
        tf.TensorArray(x.dtype, size=length, element_shape=x.shape[1:]).unstack(x) for x in flat_xs
    ]
    sinks = [tf.TensorArray(y.dtype, size=length, element_shape=y.shape) for y in tree.flatten(y_0)]

    def loop(t: Any, carry: Any, sinks: Any) -> tuple[Any, Any, Any]:
        x_t = tree.pack_sequence_as(xs, [source.read(t) for source in sources])
        carry, y_t = body(carry, x_t)
        sinks = [sink.write(t, y) for sink, y in zip(sinks, tree.flatten(y_t), strict=True)]
        return t + 1, carry, sinks

    _, carry, sinks = tf.while_loop(
        lambda t, *_: t < length,
        loop,
        (tf.constant(0), carry, sinks),
        maximum_iterations=length,
        parallel_iterations=_PARALLEL_STEPS,
    )
    return carry, tree.pack_sequence_as(y_0, [sink.stack() for sink in sinks])


def _jax_scan(body: Body, carry: Any, xs: Any) -> tuple[Any, Any]:
    import jax

    traced = any(isinstance(leaf, jax.core.Tracer) for leaf in tree.flatten((carry, xs)))
    if not traced and tree.flatten(xs)[0].shape[0] <= _EAGER_STEPS:
        return _python_scan(body, carry, xs)
    return jax.lax.scan(body, carry, xs)


_SCANS = {"tensorflow": _tensorflow_scan, "jax": _jax_scan}
