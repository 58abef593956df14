"""A whole call in NumPy: share the work out, run the compiled loops, gather what they left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from seqnorm.kernels import buffers, machine
from seqnorm.kernels.arguments import Call, Codes, Priors, Saved, Vectors
from seqnorm.kernels.backward import backward
from seqnorm.kernels.forward import forward
from seqnorm.kernels.plan import Share, plan
from seqnorm.kernels.pool import POOL
from seqnorm.kernels.rows import Rows
from seqnorm.kernels.spec import CELLS, KINDS, OF_BATCH, UNSET, Spec
from seqnorm.kernels.workers import run


class Weights(NamedTuple):
    """Parameters of a call, or their gradients; G = gates * units.

    The gains of a site without a norm are not used; pass ones. The offsets are added all the same,
    and hold every bias and beta of their side; only the GRU tells the recurrent offset from the
    input's, so for other cells pass their sum as `offset_in`.
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
    rows: Rows
    shares: tuple[Share, ...]
    saved: list[Saved]
    priors: Priors
    h: np.ndarray  # [B, T, H], a row's alive steps from `rows.begins` on
    masked: int  # what h is at other steps: see `spec`


class Gradients(NamedTuple):
    """Gradients of a call; x is None if it was not asked for."""

    x: np.ndarray | None
    weights: Weights
    initial: States


def _codes(spec: Spec) -> Codes:
    first, second, state = (KINDS[name] for name in spec.norms)
    return Codes(CELLS[spec.cell], first, second, state, int(spec.carry), int(spec.joined))


def scan_forward(
    spec: Spec,
    x: np.ndarray,
    weights: Weights,
    rows: Rows,
    initial: States,
    given: tuple[Any, Any, Any] = (None, None, None),
    masked: int = UNSET,
) -> Record:
    """Runs the cell over every row's alive steps.

    Args:
        spec: what to compute.
        x: [B, T, E], contiguous; values at masked steps are not read.
        weights: parameters, contiguous, of the spec's dtype.
        rows: the alive steps of each row.
        initial: states before the first step.
        given: for sites of kind "fixed" mean and 1 / sqrt(variance + epsilon), [T, 2, columns];
            of kind "batch" the weight of the batch's own moments, and the mean and variance that
            have the rest, [T, 3, columns], or None: the batch's alone; of kind "renorm" ones, and
            the mean and variance to correct towards (a variance below 0: none).
        masked: what the outputs of masked steps are to be: UNSET, ZEROS or REPEAT (see `spec`). If
            rows have holes it must be UNSET.
    """
    dtype, empty = np.dtype(spec.dtype), np.empty(0, spec.dtype)
    batch, steps, inputs = x.shape
    units = initial.h.shape[1]
    shares = plan(spec, rows, inputs, units, machine.threads())
    codes = _codes(spec)
    h = POOL.lend((batch, steps, units), dtype)
    saved, priors = (
        buffers.saved(codes, spec, shares, given),
        buffers.priors(spec, shares[0], given),
    )
    record = Record(spec, codes, rows, shares, saved, priors, h, masked)
    vectors, sync = Vectors(*weights[2:]), np.zeros(8, np.int64)
    panels = [
        [buffers.packed(matrix, share.layout.blocks) for matrix in weights[:2]]
        for share in (shares if spec.couples_rows else shares[:1])
    ]
    calls = [
        Call(
            codes, masked, share.sizes, share.layout, vectors, vectors, record.saved[i],
            buffers.scratch(share, dtype, False), buffers.tables(share, dtype), record.priors,
            np.array(spec.epsilons, dtype), x.reshape(-1), h.reshape(-1), initial.h.reshape(-1),
            initial.c.reshape(-1), panels[i % len(panels)][0], empty, panels[i % len(panels)][1],
            empty, empty, empty, empty, np.empty(0, np.int64), sync,
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
        h_last[rows] = record.h[rows, layout.begins[alive] + last]
        if record.spec.cell == "lstm":
            carried = saved.carried.reshape(-1, share.sizes.units)
            c_last[rows] = carried[layout.start[last] + np.flatnonzero(alive)]
    return States(h_last, c_last)


def moments(record: Record) -> list[np.ndarray | None]:
    """Mean and variance of the rows alive, [steps, 2, columns] for each site in `OF_BATCH`.

    Steps that no row reached are absent.
    """
    saved, sizes = record.saved[0], record.shares[0].sizes
    steps = len(record.shares[0].layout.alive)
    seen = (saved.seen_in, saved.seen_rec, saved.seen_state)
    widths = (sizes.columns, sizes.columns, sizes.units)
    return [
        array.reshape(steps, 2, width) if name in OF_BATCH else None
        for array, width, name in zip(seen, widths, record.spec.norms, strict=True)
    ]


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
        d_h: dL/dh [B, T, H], laid out as `record.h`, or None. What comes through repeated outputs
            is added to the last states if `record.masked` says that there are some.
        d_last: gradients of the states after each row's last alive step.
        need_x: whether dL/dx is wanted.
    """
    spec, dtype, empty = record.spec, np.dtype(record.spec.dtype), np.empty(0, record.spec.dtype)
    shares, sync = record.shares, np.zeros(8, np.int64)
    dx = POOL.lend(x.shape, dtype) if need_x else None
    w_back = buffers.packed(weights.kernel.T, shares[0].layout.own_inputs) if need_x else empty
    panels = [
        (
            empty if share.keeps else buffers.packed(weights.kernel, share.layout.blocks),
            buffers.packed(weights.recurrent_kernel.T, share.layout.own_units),
        )
        for share in (shares if spec.couples_rows else shares[:1])
    ]
    blocks, cuts = zip(
        *(buffers.zeros([value.shape for value in weights], dtype) for _ in shares), strict=True
    )
    parts = [Weights(*arrays) for arrays in cuts]
    calls = [
        Call(
            record.codes, record.masked, share.sizes, share.layout, Vectors(*weights[2:]),
            Vectors(*parts[i][2:]), record.saved[i], buffers.scratch(share, dtype, True),
            buffers.tables(share, dtype), record.priors, np.array(spec.epsilons, dtype),
            x.reshape(-1), record.h.reshape(-1), initial.h.reshape(-1), initial.c.reshape(-1),
            panels[i % len(panels)][0], w_back, panels[i % len(panels)][1],
            empty if d_h is None else d_h.reshape(-1), empty if dx is None else dx.reshape(-1),
            parts[i].kernel.reshape(-1), parts[i].recurrent_kernel.reshape(-1),
            _silent(record, i), sync,
        )
        for i, share in enumerate(shares)
    ]  # fmt: skip
    for call in calls:
        _rows_of(call, call.scratch.dh)[:] = d_last.h[call.layout.rows]
        _rows_of(call, call.scratch.dc)[:] = d_last.c[call.layout.rows]
    run(backward, calls, spec.couples_rows)
    for block in blocks[1:]:
        np.add(blocks[0], block, out=blocks[0])
    if dx is not None:
        _clear(dx, record.rows)
    return Gradients(dx, parts[0], _initial_gradients(calls, initial.h))


def _silent(record: Record, index: int) -> np.ndarray:
    """int64[R]: how many steps each row of a share begins with that leave its state at zero.

    Only the beginning is looked at, which costs nothing: a state that has left zero does not come
    back to it to the last bit.
    """
    layout, units = record.shares[index].layout, record.shares[index].sizes.units
    silent = np.zeros(len(layout.rows), np.int64)
    if not record.spec.rests:
        return silent
    carried = record.saved[index].carried.reshape(-1, units)
    still = np.flatnonzero(layout.lengths > 0)
    for step in range(len(layout.alive)):
        still = still[layout.lengths[still] > step]
        moving = record.h[layout.rows[still], layout.begins[still] + step].any(axis=1)
        if len(carried):
            moving |= carried[layout.start[step] + still].any(axis=1)
        still = still[~moving]
        if not len(still):
            break
        silent[still] = step + 1
    return silent


def _rows_of(call: Call, flat: np.ndarray) -> np.ndarray:
    return flat.reshape(-1, call.sizes.units)


def _clear(dx: np.ndarray, rows: Rows) -> None:
    """Sets the gradient of masked steps, which no kernel wrote."""
    for row, length in enumerate(rows.lengths):
        dx[row, rows.positions[row, length:]] = 0


def _initial_gradients(calls: list[Call], like: np.ndarray) -> States:
    d_h, d_c = np.empty_like(like), np.empty_like(like)
    for call in calls:
        own = slice(call.sizes.low, call.sizes.high)
        d_h[call.layout.rows, own] = _rows_of(call, call.scratch.dh)[:, own]
        d_c[call.layout.rows, own] = _rows_of(call, call.scratch.dc)[:, own]
    return States(d_h, d_c)
