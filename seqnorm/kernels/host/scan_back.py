"""A whole backward call likewise: the gradients of one forward call, from its record."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seqnorm.kernels.compiled.arguments import Call
from seqnorm.kernels.compiled.backward import backward
from seqnorm.kernels.host import buffers, workers
from seqnorm.kernels.host.arrays import States, Weights
from seqnorm.kernels.host.pool import POOL
from seqnorm.kernels.host.record import Record, among_all, call_of
from seqnorm.kernels.host.rows import Rows
from seqnorm.kernels.spec import MEAN


class Gradients(NamedTuple):
    """Gradients of a call; x is None if it was not asked for."""

    x: np.ndarray | None
    weights: Weights
    initial: States


def scan_backward(
    record: Record,
    x: np.ndarray,
    weights: Weights,
    initial: States,
    d_h: np.ndarray | None,
    d_last: States,
    d_pooled: np.ndarray | None = None,
    need_x: bool = True,
    instead: workers.Run | None = None,
) -> Gradients:
    """Gradients of one forward call; uses up the record.

    Args:
        record: of the forward call, once.
        x: as in the forward call.
        weights: likewise.
        initial: likewise.
        d_h: dL/dh [B, T, H], laid out as `record.h`, or None. What comes through repeated outputs
            is added to the last states if `record.codes.masked` says that there are some.
        d_last: gradients of the states after each row's last alive step.
        d_pooled: dL/d(`Record.pooled`) [B, H], if there is one.
        need_x: whether dL/dx is wanted.
        instead: as in the forward call.
    """
    spec, shares, dtype = record.spec, record.shares, np.dtype(record.spec.dtype)
    dx = POOL.lend(x.shape, dtype) if need_x else None
    w_back = buffers.packed(weights.kernel.T) if need_x else None
    w = None if shares[0].keeps else buffers.packed(weights.kernel)
    u = buffers.packed(weights.recurrent_kernel.T)
    blocks, cuts = zip(
        *(buffers.zeros([value.shape for value in weights], dtype) for _ in shares), strict=True
    )
    parts = [Weights(*arrays) for arrays in cuts]
    among = among_all(record)
    each = None if d_pooled is None else _each(record, d_pooled)
    calls = [
        call_of(
            record, i, among, x, weights, initial, grads,
            w=w, w_back=w_back, u=u, shares=each, d_h=d_h, dx=dx, silent=_silent(record, i),
        )
        for i, grads in enumerate(parts)
    ]  # fmt: skip
    for call in calls:
        _rows_of(call, call.scratch.dh)[:] = d_last.h[call.layout.rows]
        _rows_of(call, call.scratch.dc)[:] = d_last.c[call.layout.rows]
    (instead or workers.run)(backward, calls, spec.couples_rows)
    for block in blocks[1:]:
        np.add(blocks[0], block, out=blocks[0])
    if dx is not None:
        _clear(dx, record.rows)
    return Gradients(dx, parts[0], _initial_gradients(calls, initial.h))


def _each(record: Record, d_pooled: np.ndarray) -> np.ndarray:
    """What each step that makes up a pooled output gets of its gradient, [B, H]."""
    mean = record.codes.pooling == MEAN
    steps = record.rows.lengths[:, None].astype(d_pooled.dtype) if mean else record.ties
    return d_pooled * (1 / np.maximum(steps, 1))


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
        d_h[call.layout.rows] = _rows_of(call, call.scratch.dh)
        d_c[call.layout.rows] = _rows_of(call, call.scratch.dc)
    return States(d_h, d_c)
