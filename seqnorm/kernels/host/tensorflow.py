"""The kernels as a differentiable TensorFlow operation, in eager mode and inside `tf.function`.

Inside a `tf.function` large arrays cross into Python and back without a copy. What the backward
pass needs stays on the Python side, under a ticket that travels through the graph as a small
tensor; when TensorFlow drops the ticket, the memory goes back to the pool, whether or not a
backward pass came.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.python.eager.record import should_record_backprop

from seqnorm.kernels.host.ahead import backward_ready, forward_ready
from seqnorm.kernels.host.embedded import call
from seqnorm.kernels.host.pool import POOL
from seqnorm.kernels.host.rows import rows_of
from seqnorm.kernels.host.scan import (
    Record,
    States,
    Weights,
    last_states,
    moments,
    scan_backward,
    scan_forward,
)
from seqnorm.kernels.spec import OF_BATCH, REPEAT, SITES, UNSET, ZEROS, Spec

_RECORDS: dict[int, Record] = {}
_NUMBERS = itertools.count(1)
_WEIGHTS = len(Weights._fields)


class Outputs(NamedTuple):
    """Result of `fused_scan`."""

    sequence: tf.Tensor | None  # [B, T, H] in running order
    h: tf.Tensor  # [B, H] after the last alive step
    c: tf.Tensor  # [B, H]
    moments: dict[str, tf.Tensor]  # site -> mean and variance of the rows alive [steps, 2, columns]


class Inputs(NamedTuple):
    """Arrays of one call, in the order in which the operation takes them."""

    x: Any
    mask: Any
    h: Any
    c: Any
    weights: tuple[Any, ...]
    given: tuple[Any, ...]

    @classmethod
    def of(cls, flat: Sequence[Any]) -> Inputs:
        """The opposite of `flat`."""
        cut = 4 + _WEIGHTS
        return cls(*flat[:4], tuple(flat[4:cut]), tuple(flat[cut:]))

    def flat(self) -> list[Any]:
        """All arrays in one list."""
        return [*self[:4], *self.weights, *self.given]


def _ticket(record: Record) -> np.ndarray:
    """A small array that stands for the record and releases it when it is dropped."""
    number = next(_NUMBERS)
    ticket = POOL.lend((8,), np.dtype(np.int64))
    ticket[:] = number
    _RECORDS[number] = record
    weakref.finalize(ticket, _RECORDS.pop, number, None).atexit = False
    return ticket


def _require_shapes(inputs: Inputs) -> None:
    """Compiled code checks no bounds: what does not fit would be read and written elsewhere."""
    (batch, steps, _), units = inputs.x.shape, inputs.weights[1].shape[0]
    for name, value, wanted in (
        ("mask", inputs.mask, (batch, steps)),
        ("initial h", inputs.h, (batch, units)),
        ("initial c", inputs.c, (batch, units)),
        ("kernel", inputs.weights[0], (inputs.x.shape[2], inputs.weights[1].shape[1])),
    ):
        if value.shape != wanted:
            raise ValueError(
                f"The fused kernels need {name} of shape {wanted} for inputs of shape "
                f"{inputs.x.shape}. Received: {name}.shape={value.shape}. Give every row and step "
                "its own entry."
            )


@dataclass(frozen=True)
class Scan:
    """The two Python functions behind one operation."""

    spec: Spec
    backwards: bool
    repeat: bool
    sequences: bool
    need_x: bool

    def _run(self, inputs: Inputs) -> Record:
        _require_shapes(inputs)
        given = tuple(value if value.size else None for value in inputs.given)
        rows = rows_of(inputs.mask, self.backwards)
        initial, weights = States(inputs.h, inputs.c), Weights(*inputs.weights)
        masked = REPEAT if self.repeat else ZEROS
        if rows.holes or not self.sequences:
            masked = UNSET
        return scan_forward(self.spec, inputs.x, weights, rows, initial, given, masked)

    def forward(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """h, c, the ticket, the seen moments of each site and, if wanted, the sequence."""
        inputs = Inputs.of(arrays)
        record = self._run(inputs)
        empty = np.empty((0, 2, 0), self.spec.dtype)
        seen = [empty if value is None else value for value in moments(record)]
        sequence = [record.rows.spread(record.h, self.repeat)] if self.sequences else []
        return [*last_states(record, States(inputs.h, inputs.c)), _ticket(record), *seen, *sequence]

    def backward(self, *arrays: np.ndarray) -> list[np.ndarray | None]:
        """Gradients of x, h, c, weights from ticket, dh, dc, (dsequence, sequence,) inputs."""
        ticket, d_h, d_c, *rest = arrays
        d_sequence = rest[0] if self.sequences else None
        inputs = Inputs.of(rest[2:] if self.sequences else rest)
        record = _RECORDS.pop(int(ticket[0]), None)
        if record is None:  # a second gradient of the same call: its memory is used up
            record = self._run(inputs)
        if d_sequence is not None:
            d_sequence = record.rows.collect(d_sequence, self.repeat)
        initial, weights = States(inputs.h, inputs.c), Weights(*inputs.weights)
        d_last = States(d_h, d_c)
        got = scan_backward(record, inputs.x, weights, initial, d_sequence, d_last, self.need_x)
        d_x = [] if got.x is None else [got.x]
        return [*d_x, *got.initial, *got.weights]


def fused_scan(
    spec: Spec,
    x: Any,
    weights: Weights,
    mask: Any = None,
    initial: tuple[Any, Any] | None = None,
    given: Mapping[str, Any] | None = None,
    *,
    backwards: bool = False,
    repeat: bool = True,
    sequences: bool = True,
) -> Outputs:
    """Runs a recurrent cell over a batch; differentiable once in x, weights and initial.

    Args:
        spec: cell, norms and dtype.
        x: [B, T, E] of the spec's dtype.
        weights: tensors of the spec's dtype; see `scan.Weights` for shapes and unused entries.
        mask: bool[B, T], the alive steps, or None: all.
        initial: (h, c), each [B, H], or None: zeros.
        given: for sites ("input", "recurrent", "state") of kind "fixed" mean and
            1 / sqrt(variance + epsilon), [T, 2, columns]; of kind "batch" the weight of the batch's
            own moments, and the mean and variance that have the rest, [T, 3, columns] (none: the
            batch has all the weight); of kind "renorm" see `scan.scan_forward`.
        backwards: run from the last token to the first.
        repeat: the output of a masked step repeats the one before it; otherwise it is zero.
        sequences: whether the outputs of all steps are wanted.

    Returns:
        Outputs; `moments` has an entry for each site of kind "batch" or "renorm".

    Raises:
        LookupError: if a second derivative is asked for.
    """
    dtype = tf.as_dtype(spec.dtype)
    x = tf.convert_to_tensor(x, dtype)
    units = int(weights.recurrent_kernel.shape[0])
    zeros, none = tf.zeros((tf.shape(x)[0], units), dtype), tf.zeros((0,), dtype)
    mask = tf.fill(tf.shape(x)[:2], True) if mask is None else mask
    found = [(given or {}).get(site, none) for site in SITES]
    inputs = Inputs(x, mask, *(initial or (zeros, zeros)), tuple(weights), tuple(found))
    values = [tf.convert_to_tensor(value) for value in inputs.flat()]
    need_x = _needs_gradient(x, values[4 : 4 + _WEIGHTS])
    if not tf.executing_eagerly():
        forward_ready(spec.dtype)  # the graph may run in threads that Ctrl-C does not reach
        # Of this graph: the gradient of `tf.cond` can use tensors of the branch, of no other one.
        values = [tf.identity(value) for value in values]
    scan = Scan(spec, backwards, repeat, sequences, need_x)
    h, c, *rest = _operation(scan, units, values)
    kept = {
        site: seen
        for site, name, seen in zip(SITES, spec.norms, rest, strict=False)
        if name in OF_BATCH
    }
    return Outputs(rest[-1] if sequences else None, h, c, kept)


def _operation(scan: Scan, units: int, inputs: list[tf.Tensor]) -> list[tf.Tensor]:
    """The operation on `Inputs.flat`: h, c, seen moments and, if wanted, the sequence."""
    spec, dtype = scan.spec, tf.as_dtype(scan.spec.dtype)
    batch, steps = inputs[0].shape[0], inputs[0].shape[1]
    shapes = [(batch, units), (batch, units), (8,)]
    shapes += [(None, 2, units if site == "state" else spec.gates * units) for site in SITES]
    kinds = [dtype, dtype, tf.int64, dtype, dtype, dtype]
    if scan.sequences:
        shapes.append((batch, steps, units))
        kinds.append(dtype)

    @tf.custom_gradient
    def run(*values: tf.Tensor) -> Any:
        h, c, ticket, *rest = call(scan.forward, values, kinds, shapes)

        def gradient(d_h: tf.Tensor, d_c: tf.Tensor, *d_rest: Any) -> list[Any]:
            d_h, d_c = tf.convert_to_tensor(d_h), tf.convert_to_tensor(d_c)  # may be sparse
            # The sequence is passed so that TensorFlow keeps its memory, which the record shares.
            own = [tf.convert_to_tensor(d_rest[-1]), rest[-1]] if scan.sequences else []
            asked = replace(scan, need_x=scan.need_x or _from_outside(values[0]))
            slopes = [d_h, d_c, *own, *values]
            found = _gradients(asked, [ticket, *slopes], Inputs.of(values))
            d_x = found.pop(0) if asked.need_x else _if_asked(asked, slopes, Inputs.of(values))
            return [d_x, None, *found, *[None] * len(SITES)]

        return [h, c, *rest], gradient

    return run(*inputs)


def _first_only(found: list[tf.Tensor], sources: list[tf.Tensor]) -> list[tf.Tensor]:
    """`found`; asking how it depends on the sources is an error instead of a silent zero."""

    @tf.custom_gradient
    def tied(*_: tf.Tensor) -> Any:
        def gradient(*_: Any) -> Any:
            raise LookupError(
                "The fused kernels have first derivatives only; a second one was asked for. Build "
                "the layer with implementation='loop'."
            )

        return [tf.identity(value) for value in found], gradient

    return list(tied(*sources))


def _gradients(
    scan: Scan, arrays: list[Any], inputs: Inputs, stateful: bool = True
) -> list[tf.Tensor]:
    """Gradients of x (if needed), h, c and each weight."""
    if not tf.executing_eagerly():
        backward_ready(scan.spec.dtype)
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
    no_ticket = tf.zeros((8,), tf.int64)
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
