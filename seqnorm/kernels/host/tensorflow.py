"""The kernels as a differentiable TensorFlow operation, in eager mode and inside `tf.function`.

Inside a `tf.function` large arrays cross into Python and back without a copy.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import tensorflow as tf
from tensorflow.python.eager.record import should_record_backprop

from seqnorm.kernels.host.ahead import backward_ready, forward_ready
from seqnorm.kernels.host.arrays import WEIGHTS, Inputs, Outputs
from seqnorm.kernels.host.compile import expect_gradients
from seqnorm.kernels.host.embedded import call
from seqnorm.kernels.host.operation import FIRST_ONLY, TICKET, Scan
from seqnorm.kernels.spec import SITES


def run(scan: Scan, inputs: Inputs) -> Outputs:
    """See `seqnorm.kernels.fused_scan`."""
    spec, dtype = scan.spec, tf.as_dtype(scan.spec.dtype)
    x = tf.convert_to_tensor(inputs.x, dtype)
    units = int(inputs.weights.recurrent_kernel.shape[0])
    inputs = inputs.filled(
        x,
        ones=lambda: tf.fill(tf.shape(x)[:2], True),
        zeros=lambda: tf.zeros((tf.shape(x)[0], units), dtype),
        none=tf.zeros((0,), dtype),
    )
    values = [tf.convert_to_tensor(value) for value in inputs.flat()]
    need_x = _needs_gradient(x, values[4 : 4 + WEIGHTS])
    if should_record_backprop(values):
        expect_gradients(spec)
    if not tf.executing_eagerly():
        forward_ready(spec)  # the graph may run in threads that Ctrl-C does not reach
        # Of this graph: the gradient of `tf.cond` can use tensors of the branch, of no other one.
        values = [tf.identity(value) for value in values]
    h, c, *rest = _operation(replace(scan, need_x=need_x), units, values)
    return scan.outputs_of(h, c, rest)


def _operation(scan: Scan, units: int, inputs: list[tf.Tensor]) -> list[tf.Tensor]:
    """The operation on `Inputs.flat`: h, c, seen moments, tables and, if wanted, y."""
    spec, dtype = scan.spec, tf.as_dtype(scan.spec.dtype)
    batch, steps = inputs[0].shape[0], inputs[0].shape[1]
    shapes = [(batch, units), (batch, units), TICKET]
    shapes += [(None, 2, units if site == "state" else spec.gates * units) for site in SITES]
    kinds = [dtype, dtype, tf.int64, dtype, dtype, dtype]
    tables, of_y = Inputs.of(inputs).tables, scan.shapes_of_y(batch, steps, units)
    shapes += [*(each.shape for each in tables), *of_y]
    kinds += [*(each.dtype for each in tables), *[dtype] * len(of_y)]

    @tf.custom_gradient
    def run(*values: tf.Tensor) -> Any:
        h, c, ticket, *rest = call(scan.forward, values, kinds, shapes)

        def gradient(d_h: tf.Tensor, d_c: tf.Tensor, *d_rest: Any) -> list[Any]:
            d_h, d_c = tf.convert_to_tensor(d_h), tf.convert_to_tensor(d_c)  # may be sparse
            # y is passed so that TensorFlow keeps its memory, which the record shares.
            own = [tf.convert_to_tensor(d_rest[-1]), rest[-1]] if scan.outputs else []
            asked = replace(scan, need_x=scan.need_x or _from_outside(values[0]))
            slopes = [d_h, d_c, *own, *values]
            found = _gradients(asked, [ticket, *slopes], Inputs.of(values))
            d_x = found.pop(0) if asked.need_x else _if_asked(asked, slopes, Inputs.of(values))
            return [d_x, None, *found, *[None] * Inputs.of(values).constants]

        return [h, c, *rest], gradient

    return run(*inputs)


def _first_only(found: list[tf.Tensor], sources: list[tf.Tensor]) -> list[tf.Tensor]:
    """`found`; asking how it depends on the sources is an error instead of a silent zero."""

    @tf.custom_gradient
    def tied(*_: tf.Tensor) -> Any:
        def gradient(*_: Any) -> Any:
            raise LookupError(FIRST_ONLY)

        return [tf.identity(value) for value in found], gradient

    return list(tied(*sources))


def _gradients(
    scan: Scan, arrays: list[Any], inputs: Inputs, stateful: bool = True
) -> list[tf.Tensor]:
    """Gradients of x (if needed), h, c and each weight."""
    if not tf.executing_eagerly():
        backward_ready(scan.spec)
    like = [inputs.h, inputs.c, *inputs.weights]
    like = [inputs.x, *like] if scan.need_x else like
    shapes = [tuple(value.shape) for value in like]
    found = call(scan.backward, arrays, [value.dtype for value in like], shapes, stateful)
    return _first_only(found, [v for v in arrays if tf.is_tensor(v) and v.dtype.is_floating])


def _if_asked(scan: Scan, slopes: list[Any], inputs: Inputs) -> tf.Tensor | None:
    """dL/dx by a second pass of its own, for `tf.gradients` in a graph whose tape does not watch x.

    Nobody else asks for it, and an operation without state that nobody asks for is not run.
    """
    if tf.executing_eagerly():
        return None
    no_ticket = tf.zeros(TICKET, tf.int64)
    return _gradients(replace(scan, need_x=True), [no_ticket, *slopes], inputs, stateful=False)[0]


def _needs_gradient(x: tf.Tensor, weights: list[tf.Tensor]) -> bool:
    """Whether a tape may ask for dL/dx, which is a sixth of the work.

    Where a tape watches the weights and not x, as for the inputs of a model, it will not. Without
    a tape nothing is known.
    """
    return should_record_backprop([x]) or not should_record_backprop(weights)


def _from_outside(value: tf.Tensor) -> bool:
    """Whether the gradient is taken outside the function that the value was computed in.

    There, as in the body of `tf.cond` or `tf.map_fn`, a tape sees variables and no arguments, so
    what it watched says nothing about x.
    """
    if tf.executing_eagerly() or not tf.is_symbolic_tensor(value):
        return False  # what was computed eagerly was watched by the tape that asks
    return tf.compat.v1.get_default_graph() is not value.graph
