"""A whole call in NumPy: share the work out, run the compiled loops, gather what they left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from seqnorm.kernels import buffers, machine
from seqnorm.kernels.arguments import Call, Codes, Saved, Vectors
from seqnorm.kernels.backward import backward
from seqnorm.kernels.forward import forward
from seqnorm.kernels.plan import Share, plan
from seqnorm.kernels.pool import POOL
from seqnorm.kernels.spec import CELLS, KINDS, Spec
from seqnorm.kernels.workers import run


class Weights(NamedTuple):
    """Parameters of a call, or their gradients; G = gates * units.

    The vectors of a site without a norm are not used; pass ones and zeros. The offsets hold every
    bias and beta of their side; only the GRU tells the recurrent offset from the input's, so for
    other cells pass their sum as `offset_in`.
    """

    kernel: Any  # [E, G]
    recurrent_kernel: Any  # [H, G]
    gain_in: Any  # [G]
    gain_rec: Any  # [G]
    gain_state: Any  # [H]
    offset_in: Any  # [G]
    offset_rec: Any  # [G]
    offset_state: Any  # [H]


class States(NamedTuple):
    """h and c, each [B, H]; c is not read unless the cell is an LSTM."""

    h: np.ndarray
    c: np.ndarray


@dataclass
class Record:
    """What a forward call keeps for its backward call."""

    spec: Spec
    codes: Codes
    shares: tuple[Share, ...]
    saved: list[Saved]
    h: np.ndarray  # [B, T, H], unset where a row has ended


class Moments(NamedTuple):
    """Batch moments of the sites: (mean, variance), each [steps, columns], or None."""

    input: tuple[np.ndarray, np.ndarray] | None
    recurrent: tuple[np.ndarray, np.ndarray] | None
    state: tuple[np.ndarray, np.ndarray] | None
    rows: np.ndarray  # [steps] how many were alive


class Gradients(NamedTuple):
    """Gradients of a call; x is None if it was not asked for."""

    x: np.ndarray | None
    weights: Weights
    initial: States


def _codes(spec: Spec) -> Codes:
    joined = spec.cell != "gru" and spec.input_norm == spec.recurrent_norm == "none"
    first, second, state = (KINDS[name] for name in spec.norms)
    return Codes(CELLS[spec.cell], first, second, state, int(spec.carry), int(joined))


def scan_forward(
    spec: Spec,
    x: np.ndarray,
    weights: Weights,
    lengths: np.ndarray,
    initial: States,
    fixed: tuple[Any, Any, Any] = (None, None, None),
) -> Record:
    """Runs the cell over every row's alive steps.

    Args:
        spec: what to compute.
        x: [B, T, E], contiguous; values after a row's end are not read.
        weights: parameters, contiguous, of the spec's dtype.
        lengths: int[B], alive steps of each row, 0 to T.
        initial: states before the first step.
        fixed: for sites of kind "fixed" (mean, 1 / sqrt(variance + epsilon)), each [T, columns].
    """
    dtype, empty = np.dtype(spec.dtype), np.empty(0, spec.dtype)
    batch, steps, inputs = x.shape
    units = initial.h.shape[1]
    shares = plan(spec, lengths, steps, inputs, units, machine.threads())
    codes = _codes(spec)
    h = POOL.lend((batch, steps, units), dtype)
    record = Record(spec, codes, shares, buffers.saved(codes, spec, shares, fixed), h)
    vectors, sync = Vectors(*weights[2:]), np.zeros(8, np.int64)
    panels = [
        [buffers.packed(matrix, share.layout.blocks) for matrix in weights[:2]]
        for share in (shares if spec.couples_rows else shares[:1])
    ]
    calls = [
        Call(
            codes, share.sizes, share.layout, vectors, vectors, record.saved[i],
            buffers.scratch(share, dtype, False), buffers.tables(share, dtype),
            np.array(spec.epsilons, dtype), x.reshape(-1), h.reshape(-1), initial.h.reshape(-1),
            initial.c.reshape(-1), panels[i % len(panels)][0], panels[i % len(panels)][1],
            empty, empty, empty, empty, sync,
        )
        for i, share in enumerate(shares)
    ]  # fmt: skip
    run(forward, calls, spec.couples_rows)
    return record


def last_states(record: Record, initial: States) -> States:
    """States after each row's last alive step; the initial state where there is none."""
    h_last, c_last = initial.h.copy(), initial.c.copy()
    for share, saved in zip(record.shares, record.saved, strict=True):
        layout = share.layout
        alive = layout.lengths > 0
        rows, last = layout.rows[alive], layout.lengths[alive] - 1
        h_last[rows] = record.h[rows, last]
        if record.spec.cell == "lstm":
            carried = saved.carried.reshape(-1, share.sizes.units)
            c_last[rows] = carried[layout.start[last] + np.flatnonzero(alive)]
    return States(h_last, c_last)


def moments(record: Record) -> Moments:
    """Moments of the "batch" sites of a forward call; steps that no row reached are absent."""
    saved, count = record.saved[0], record.shares[0].layout.alive
    pairs = (
        (saved.mean_in, saved.variance_in),
        (saved.mean_rec, saved.variance_rec),
        (saved.mean_state, saved.variance_state),
    )
    found = [
        (mean.reshape(len(count), -1), variance.reshape(len(count), -1))
        if name == "batch"
        else None
        for (mean, variance), name in zip(pairs, record.spec.norms, strict=True)
    ]
    return Moments(*found, rows=count)


def scan_backward(
    record: Record,
    x: np.ndarray,
    weights: Weights,
    initial: States,
    d_h: np.ndarray | None,
    d_last: States,
    need_x: bool = True,
) -> Gradients:
    """Gradients of one forward call; uses up the record.

    Args:
        record: of the forward call, once.
        x: as in the forward call.
        weights: likewise.
        initial: likewise.
        d_h: dL/dh [B, T, H] or None; not read where a row has ended.
        d_last: gradients of the states after each row's last alive step.
        need_x: whether dL/dx is wanted.
    """
    spec, dtype, empty = record.spec, np.dtype(record.spec.dtype), np.empty(0, record.spec.dtype)
    shares, sync = record.shares, np.zeros(8, np.int64)
    dx = POOL.lend(x.shape, dtype) if need_x else None
    w = buffers.packed(weights.kernel.T, shares[0].layout.own_inputs) if need_x else empty
    u = [
        buffers.packed(weights.recurrent_kernel.T, share.layout.own_units)
        for share in (shares if spec.couples_rows else shares[:1])
    ]
    parts = [Weights(*(buffers.zeros(value.shape, dtype) for value in weights)) for _ in shares]
    calls = [
        Call(
            record.codes, share.sizes, share.layout, Vectors(*weights[2:]), Vectors(*parts[i][2:]),
            record.saved[i], buffers.scratch(share, dtype, True), buffers.tables(share, dtype),
            np.array(spec.epsilons, dtype), x.reshape(-1), record.h.reshape(-1),
            initial.h.reshape(-1), initial.c.reshape(-1), w, u[i % len(u)],
            empty if d_h is None else d_h.reshape(-1), empty if dx is None else dx.reshape(-1),
            parts[i].kernel.reshape(-1), parts[i].recurrent_kernel.reshape(-1), sync,
        )
        for i, share in enumerate(shares)
    ]  # fmt: skip
    for call in calls:
        _rows_of(call, call.scratch.dh)[:] = d_last.h[call.layout.rows]
        _rows_of(call, call.scratch.dc)[:] = d_last.c[call.layout.rows]
    run(backward, calls, spec.couples_rows)
    for part in parts[1:]:
        for total, addend in zip(parts[0], part, strict=True):
            np.add(total, addend, out=total)
    if dx is not None:
        _clear_ended(dx, shares if not spec.couples_rows else shares[:1])
    return Gradients(dx, parts[0], _initial_gradients(calls, initial.h))


def _rows_of(call: Call, flat: np.ndarray) -> np.ndarray:
    return flat.reshape(-1, call.sizes.units)


def _clear_ended(dx: np.ndarray, shares: tuple[Share, ...]) -> None:
    for share in shares:
        for row, length in zip(share.layout.rows, share.layout.lengths, strict=True):
            dx[row, length:] = 0


def _initial_gradients(calls: list[Call], like: np.ndarray) -> States:
    d_h, d_c = np.empty_like(like), np.empty_like(like)
    for call in calls:
        own = slice(call.sizes.low, call.sizes.high)
        d_h[call.layout.rows, own] = _rows_of(call, call.scratch.dh)[:, own]
        d_c[call.layout.rows, own] = _rows_of(call, call.scratch.dc)[:, own]
    return States(d_h, d_c)
