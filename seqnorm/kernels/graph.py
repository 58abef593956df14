"""The kernels as a differentiable TensorFlow operation, in eager mode and inside `tf.function`.

Large arrays cross into Python and back without a copy. What the backward pass needs stays on the
Python side, under a ticket that travels through the graph as a small tensor; when TensorFlow drops
the ticket, the memory goes back to the pool, whether or not a backward pass came.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from seqnorm.kernels.pool import POOL
from seqnorm.kernels.scan import (
    Record,
    States,
    Weights,
    last_states,
    moments,
    scan_backward,
    scan_forward,
)
from seqnorm.kernels.spec import GATES, Spec

_RECORDS: dict[int, Record] = {}
_NUMBERS = itertools.count(1)
_WEIGHTS = len(Weights._fields)
_BATCH_SITES = ("input", "recurrent", "state")


class Outputs(NamedTuple):
    """Result of `fused_scan`."""

    sequence: tf.Tensor  # [B, T, H]
    h: tf.Tensor  # [B, H] after the last alive step
    c: tf.Tensor  # [B, H]
    moments: dict[
        str, tuple[tf.Tensor, tf.Tensor]
    ]  # site -> (mean, variance), each [steps, columns]
    rows: tf.Tensor  # int64[steps] how many were alive, up to the longest row


def _ticket(record: Record) -> np.ndarray:
    """A small array that stands for the record and releases it when it is dropped."""
    number = next(_NUMBERS)
    ticket = POOL.lend((8,), np.dtype(np.int64))
    ticket[:] = number
    _RECORDS[number] = record
    weakref.finalize(ticket, _RECORDS.pop, number, None).atexit = False
    return ticket


def _split(arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, States, Weights, tuple]:
    """(x, lengths, initial, weights, fixed) from the flat list of `fused_scan`."""
    x, lengths, h0, c0 = arrays[:4]
    rest = arrays[4 + _WEIGHTS :]
    fixed = tuple((rest[2 * i], rest[2 * i + 1]) if rest[2 * i].size else None for i in range(3))
    return x, lengths, States(h0, c0), Weights(*arrays[4 : 4 + _WEIGHTS]), fixed


class _Scan:
    """The two Python functions behind one operation."""

    def __init__(self, spec: Spec, repeat: bool) -> None:
        self.spec, self.repeat = spec, repeat

    def forward(self, *arrays: np.ndarray) -> list[np.ndarray]:
        x, lengths, initial, weights, fixed = _split(arrays)
        record = scan_forward(self.spec, x, weights, lengths, initial, fixed)
        last = last_states(record, initial)
        for row in np.flatnonzero(lengths < x.shape[1]):
            record.h[row, lengths[row] :] = last.h[row] if self.repeat else 0
        found = moments(record)
        empty = np.empty((0, 0), self.spec.dtype)
        pairs = [pair or (empty, empty) for pair in found[:3]]
        return [record.h, *last, _ticket(record), *itertools.chain(*pairs), found.rows]

    def backward(self, *arrays: np.ndarray) -> list[np.ndarray | None]:
        ticket, d_h, d_last_h, d_last_c, _, *inputs = arrays
        x, lengths, initial, weights, fixed = _split(inputs)
        record = _RECORDS.pop(int(ticket[0]), None)
        if record is None:  # a second gradient of the same call: its memory is used up
            record = scan_forward(self.spec, x, weights, lengths, initial, fixed)
        if self.repeat:
            ended = np.flatnonzero(lengths < x.shape[1])
            d_last_h = d_last_h.copy()
            for row in ended:
                d_last_h[row] += d_h[row, lengths[row] :].sum(0)
        got = scan_backward(record, x, weights, initial, d_h, States(d_last_h, d_last_c))
        return [got.x, *got.initial, *got.weights]


def fused_scan(
    spec: Spec,
    x: Any,
    weights: Weights,
    lengths: Any = None,
    initial: tuple[Any, Any] | None = None,
    fixed: dict[str, tuple[Any, Any]] | None = None,
    repeat: bool = True,
) -> Outputs:
    """Runs a recurrent cell over a batch; differentiable once in x, weights and initial.

    Args:
        spec: cell, norms and dtype.
        x: [B, T, E] of the spec's dtype.
        weights: tensors of the spec's dtype; see `scan.Weights` for shapes and unused entries.
        lengths: int[B], alive steps of each row (right padding), or None: all T.
        initial: (h, c), each [B, H], or None: zeros.
        fixed: for sites ("input", "recurrent", "state") of kind "fixed", the (mean, scale) of each
            step, each [T, columns], scale being 1 / sqrt(variance + epsilon).
        repeat: the outputs of a row that has ended repeat its last one; otherwise they are zero.

    Returns:
        Outputs; `moments` has an entry for each site of kind "batch".
    """
    dtype = tf.as_dtype(spec.dtype)
    x = tf.convert_to_tensor(x, dtype)
    units = int(weights.recurrent_kernel.shape[0])
    batch, steps = tf.shape(x)[0], tf.shape(x)[1]
    lengths = tf.fill([batch], steps) if lengths is None else lengths
    zeros = tf.zeros((batch, units), dtype)
    h0, c0 = (zeros, zeros) if initial is None else initial
    none = tf.zeros((0,), dtype)
    given = [(fixed or {}).get(site, (none, none)) for site in _BATCH_SITES]
    arrays = [tf.cast(lengths, tf.int64), h0, c0, *weights, *itertools.chain(*given)]
    values = [tf.convert_to_tensor(value) for value in arrays]
    results = _operation(spec, repeat, units, [x, *values])
    sequence, h, c, *rest, count = results
    pairs = dict(zip(_BATCH_SITES, _pairs(rest), strict=True))
    kept = {
        site: pairs[site]
        for site, name in zip(_BATCH_SITES, spec.norms, strict=True)
        if name == "batch"
    }
    return Outputs(sequence, h, c, kept, tf.convert_to_tensor(count))


def _pairs(values: Sequence[Any]) -> list[tuple[Any, Any]]:
    return [(values[i], values[i + 1]) for i in range(0, len(values), 2)]


def _operation(spec: Spec, repeat: bool, units: int, inputs: list[tf.Tensor]) -> list[tf.Tensor]:
    """The operation on x, lengths, h, c, weights and fixed moments, in this order."""
    dtype = tf.as_dtype(spec.dtype)
    scan = _Scan(spec, repeat)
    columns = GATES[spec.cell] * units
    batch, steps = inputs[0].shape[0], inputs[0].shape[1]

    @tf.custom_gradient
    def run(*values: tf.Tensor) -> Any:
        kinds = [dtype] * 3 + [tf.int64] + [dtype] * 6 + [tf.int64]
        sequence, h, c, ticket, *rest = _call(scan.forward, values, kinds)
        sequence.set_shape((batch, steps, units))
        h.set_shape((batch, units))
        c.set_shape((batch, units))
        for index, tensor in enumerate(rest[:6]):
            if spec.norms[index // 2] == "batch":
                tensor.set_shape((None, units if index > 3 else columns))

        def gradient(d_sequence: tf.Tensor, d_h: tf.Tensor, d_c: tf.Tensor, *_: Any) -> list[Any]:
            # The sequence is passed so that TensorFlow keeps its memory, which the record shares.
            arrays = [ticket, d_sequence, d_h, d_c, sequence, *values]
            d_x, d_h0, d_c0, *d_weights = _call(scan.backward, arrays, [dtype] * (3 + _WEIGHTS))
            found = [d_x, None, d_h0, d_c0, *d_weights]
            for d, value in zip(found, values, strict=False):
                if d is not None:
                    d.set_shape(value.shape)
            return found + [None] * (len(values) - len(found))

        return [sequence, h, c, *rest], gradient

    return run(*inputs)


def _call(function: Any, arrays: Sequence[Any], kinds: list[tf.DType]) -> list[Any]:
    """The Python function as part of the graph, or at once in eager mode.

    In eager mode int64 results stay NumPy arrays, so that a ticket is not copied and dropped.
    """
    if not tf.executing_eagerly():
        return tf.numpy_function(function, arrays, kinds)
    results = function(*(_array(value) for value in arrays))
    return [
        value if kind == tf.int64 else tf.convert_to_tensor(value)
        for value, kind in zip(results, kinds, strict=True)
    ]


def _array(value: Any) -> np.ndarray:
    return value if isinstance(value, np.ndarray) else np.array(value)
