"""A whole call in NumPy: share the work out, run the compiled loops, gather what they left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from seqnorm import machine
from seqnorm.kernels.compiled.arguments import Call, Codes, Saved, Site
from seqnorm.kernels.compiled.backward import backward
from seqnorm.kernels.compiled.forward import forward
from seqnorm.kernels.host import buffers
from seqnorm.kernels.host.plan import Share, plan
from seqnorm.kernels.host.pool import POOL
from seqnorm.kernels.host.rows import Rows
from seqnorm.kernels.host.workers import Run, run
from seqnorm.kernels.spec import MEAN, OF_BATCH, SITES, UNSET, Spec


class Weights(NamedTuple):
    """Parameters of a call, or their gradients; G = gates * units.

    The gains of a site without a norm are not used; pass ones. The offsets are added all the same,
    and hold every bias and beta of their side; only a cell whose sides stay apart (`CellKind`)
    tells the recurrent offset from the input's, so for others pass their sum as `offset_in`.
    """

    kernel: Any  # [E, G]
    recurrent_kernel: Any  # [H, G]
    gain_in: Any  # [G]
    gain_rec: Any  # [G]
    gain_state: Any  # [H]
    offset_in: Any  # [G]
    offset_rec: Any  # [G]
    offset_state: Any  # [H]

    @property
    def gains(self) -> tuple[Any, Any, Any]:
        """Of the input, recurrent and state site."""
        return self.gain_in, self.gain_rec, self.gain_state

    @property
    def offsets(self) -> tuple[Any, Any, Any]:
        """Likewise."""
        return self.offset_in, self.offset_rec, self.offset_state


class States(NamedTuple):
    """h and c, each [B, H]; c is not read unless the cell has one."""

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
    sites: list[tuple[Site, ...]]  # of each share, without gains and offsets
    h: np.ndarray  # [B, T, H], a row's alive steps from `rows.begins` on
    pooled: np.ndarray  # [B, H] of its outputs, and how many steps have a maximum, if asked for
    ties: np.ndarray


class Gradients(NamedTuple):
    """Gradients of a call; x is None if it was not asked for."""

    x: np.ndarray | None
    weights: Weights
    initial: States


def _codes(spec: Spec, masked: int, pooling: int) -> Codes:
    kind = spec.kind
    flags = {name: int(getattr(spec, name)) for name in ("carry", "joined")}
    flags |= {name: int(getattr(kind, name)) for name in ("apart", "direct")}
    return Codes(cell=kind.code, masked=masked, pooling=pooling, **flags)


class Among(NamedTuple):
    """What the calls of all shares have in common to meet with, if their rows see each other."""

    sync: np.ndarray | None = None
    meeting: np.ndarray | None = None


def _among(record: Record) -> Among:
    if not record.spec.couples_rows:
        return Among()
    dtype = np.dtype(record.spec.dtype)
    return Among(np.zeros(8, np.int64), buffers.meeting(record.shares, dtype))


def _call(
    record: Record,
    index: int,
    among: Among,
    x: np.ndarray,
    weights: Weights,
    initial: States,
    grads: Weights | None = None,
    **arrays: np.ndarray | None,
) -> Call:
    """The call of one share; what it has no use for is empty."""
    share, empty = record.shares[index], np.empty(0, record.spec.dtype)
    vectors = {"gain": weights.gains, "offset": weights.offsets}
    if grads is not None:
        vectors |= {"d_gain": grads.gains, "d_offset": grads.offsets}
        arrays |= {"dw": grads.kernel, "du": grads.recurrent_kernel}
    sites = [
        site._replace(**{name: each[at] for name, each in vectors.items()})
        for at, site in enumerate(record.sites[index])
    ]
    given = {name: value for name, value in arrays.items() if value is not None}
    absent = dict.fromkeys(("w", "w_back", "u", "shares", "d_h", "dx", "dw", "du"), empty)
    absent["silent"] = np.empty(0, np.int64)
    kept = {"h": record.h, "pooled": record.pooled}
    flat = {"x": x, "h0": initial.h, "c0": initial.c, **kept, **absent, **given}
    return Call(
        codes=record.codes,
        sizes=share.sizes,
        layout=share.layout,
        **dict(zip(SITES, sites, strict=True)),
        saved=record.saved[index],
        scratch=buffers.scratch(share, empty.dtype, backward=grads is not None),
        tables=buffers.tables(share, empty.dtype),
        **among._asdict(),
        **{name: value.reshape(-1) for name, value in flat.items()},
    )


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
    instead: Run | None = None,
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
    among = _among(record)
    calls = [
        _call(record, i, among, x, weights, initial, w=w, u=u, shares=ties)
        for i in range(len(shares))
    ]
    (instead or run)(forward, calls, spec.couples_rows)
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


def scan_backward(
    record: Record,
    x: np.ndarray,
    weights: Weights,
    initial: States,
    d_h: np.ndarray | None,
    d_last: States,
    d_pooled: np.ndarray | None = None,
    need_x: bool = True,
    instead: Run | None = None,
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
    among = _among(record)
    each = None if d_pooled is None else _each(record, d_pooled)
    calls = [
        _call(
            record, i, among, x, weights, initial, grads,
            w=w, w_back=w_back, u=u, shares=each, d_h=d_h, dx=dx, silent=_silent(record, i),
        )
        for i, grads in enumerate(parts)
    ]  # fmt: skip
    for call in calls:
        _rows_of(call, call.scratch.dh)[:] = d_last.h[call.layout.rows]
        _rows_of(call, call.scratch.dc)[:] = d_last.c[call.layout.rows]
    (instead or run)(backward, calls, spec.couples_rows)
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
