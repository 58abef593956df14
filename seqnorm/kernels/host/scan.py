"""A whole forward call in NumPy: share the work out, run the compiled loops, gather the results."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqnorm import machine
from seqnorm.kernels.compiled.arguments import Codes
from seqnorm.kernels.compiled.forward import forward
from seqnorm.kernels.host import buffers, workers
from seqnorm.kernels.host.arrays import States, Weights
from seqnorm.kernels.host.plan import plan
from seqnorm.kernels.host.pool import POOL
from seqnorm.kernels.host.record import Record, among_all, call_of
from seqnorm.kernels.host.rows import Rows
from seqnorm.kernels.spec import MEAN, OF_BATCH, UNSET, Spec


def scan_forward(
    spec: Spec,
    x: np.ndarray,
    weights: Weights,
    rows: Rows,
    initial: States,
    given: tuple[Any, Any, Any] = (None, None, None),
    masked: int = UNSET,
    pooling: int = 0,
    room: np.ndarray | None = None,
    instead: workers.Run | None = None,
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
        pooling: what is made of each row's outputs: 0 (nothing), MEAN or MAX.
        room: where `Record.h` is written; None: memory of the pool.
        instead: what is done with the calls in place of running them.
    """
    batch, steps, inputs = x.shape
    units = initial.h.shape[1]
    shares = plan(spec, rows, inputs, units, machine.threads())
    dtype = np.dtype(spec.dtype)
    _, (pooled, ties) = buffers.zeros([(batch if pooling else 0, units)] * 2, dtype)
    record = Record(
        spec,
        _codes(spec, masked, pooling),
        rows,
        shares,
        buffers.saved(spec, shares),
        buffers.sites(spec, shares, given),
        h=POOL.lend((batch, steps, units), dtype) if room is None else room,
        pooled=pooled,
        ties=ties,
    )
    w, u = (buffers.packed(matrix) for matrix in weights[:2])
    among = among_all(record)
    calls = [
        call_of(record, i, among, x, weights, initial, w=w, u=u, shares=ties)
        for i in range(len(shares))
    ]
    (instead or workers.run)(forward, calls, spec.couples_rows)
    if pooling == MEAN:
        pooled /= np.maximum(rows.lengths, 1)[:, None]
    return record


def last_states(record: Record, initial: States) -> States:
    """States after each row's last alive step; the initial state where there is none."""
    h_last, c_last = initial.h.copy(), initial.c.copy()
    for share, saved in zip(record.shares, record.saved, strict=True):
        layout = share.layout
        alive = layout.lengths > 0
        rows, last = layout.rows[alive], layout.lengths[alive] - 1
        h_last[rows] = record.h[rows, layout.begins[alive] + last]
        if record.spec.kind.state:
            carried = saved.carried.reshape(-1, share.sizes.units)
            c_last[rows] = carried[layout.start[last] + np.flatnonzero(alive)]
    return States(h_last, c_last)


def moments(record: Record) -> list[np.ndarray | None]:
    """Mean and variance of the rows alive, [steps, 2, columns] for each site in `OF_BATCH`.

    Steps that no row reached are absent.
    """
    steps = len(record.shares[0].layout.alive)
    return [
        site.seen.reshape(steps, 2, site.columns) if name in OF_BATCH else None
        for site, name in zip(record.sites[0], record.spec.norms, strict=True)
    ]


def _codes(spec: Spec, masked: int, pooling: int) -> Codes:
    kind = spec.kind
    flags = {name: int(getattr(spec, name)) for name in ("carry", "joined")}
    flags |= {name: int(getattr(kind, name)) for name in ("apart", "direct")}
    return Codes(cell=kind.code, masked=masked, pooling=pooling, **flags)
