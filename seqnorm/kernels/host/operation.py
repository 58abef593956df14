"""A call as the binding of each backend makes it: NumPy arrays in, NumPy arrays out, and a ticket.

What the backward pass needs stays here, under a ticket that travels through the backend as a small
array. When the backend drops the ticket, the memory goes back to the pool, whether or not a
backward pass came. A backward pass whose record is gone computes it again.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import numpy as np

from seqnorm.kernels.contract import Mixing
from seqnorm.kernels.host.arrays import Inputs, Outputs, States, require_shapes
from seqnorm.kernels.host.pool import POOL
from seqnorm.kernels.host.record import Record
from seqnorm.kernels.host.rows import Rows, rows_of
from seqnorm.kernels.host.scan import last_states, moments, scan_forward
from seqnorm.kernels.host.scan_back import scan_backward
from seqnorm.kernels.host.tables import Table, folded, prior
from seqnorm.kernels.spec import OF_BATCH, POOLINGS, REPEAT, SITES, STEPS, UNSET, ZEROS, Spec

FIRST_ONLY = (
    "The fused kernels have first derivatives only; a second one was asked for. Build the layer "
    "with implementation='loop'."
)
TICKET = (8,)  # shape; a cache line, as the backends like arrays to be aligned
_RECORDS: dict[int, Record] = {}
_NUMBERS = count(1)


def _ticket(record: Record) -> np.ndarray:
    """A small array that stands for the record and releases it when it is dropped."""
    number = next(_NUMBERS)
    ticket = POOL.lend(TICKET, np.dtype(np.int64))
    ticket[:] = number
    _RECORDS[number] = record
    weakref.finalize(ticket, _RECORDS.pop, number, None).atexit = False
    return ticket


@dataclass(frozen=True)
class Scan:
    """The two functions behind one operation, and all that they know before they see an array."""

    spec: Spec
    backwards: bool
    repeat: bool
    outputs: str | None  # STEPS, one of `POOLINGS`, or None
    mixings: tuple[tuple[Mixing, ...], ...] = ((),) * len(SITES)  # of the tables at each site
    need_x: bool = False
    keep: bool = True  # whether a backward pass may come

    @property
    def statistics(self) -> int:
        """How many outputs have no gradient: the moments of each site, then the new tables."""
        return len(SITES) + sum(map(len, self.mixings)) * len(Table._fields)

    def tables_of(self, flat: Sequence[Any]) -> list[list[Table]]:
        """The tables of each site, from arrays one after the other."""
        arrays = iter(flat)
        return [[Table(*islice(arrays, 3)) for _ in own] for own in self.mixings]

    def outputs_of(self, h: Any, c: Any, rest: Sequence[Any]) -> Outputs:
        """What `forward` gives, without the ticket, by name."""
        found = zip(SITES, self.spec.norms, rest, strict=False)
        seen = {site: each for site, name, each in found if name in OF_BATCH}
        tables = dict(zip(SITES, self.tables_of(rest[len(SITES) :]), strict=True))
        return Outputs(rest[-1] if self.outputs else None, h, c, seen, tables)

    def _run(self, inputs: Inputs, room: np.ndarray | None = None) -> Record:
        require_shapes(inputs)
        rows = rows_of(inputs.mask, self.backwards)
        dtype = np.dtype(self.spec.dtype)
        found = zip(inputs.given, self.tables_of(inputs.tables), self.mixings, strict=True)
        given = tuple(
            prior(tables, own, rows.alive, dtype) if own else (value if value.size else None)
            for value, tables, own in found
        )
        initial = States(inputs.h, inputs.c)
        masked = REPEAT if self.repeat else ZEROS
        if rows.holes or self.outputs != STEPS:
            masked, room = UNSET, None
        pooling = POOLINGS.get(self.outputs or "", 0)
        return scan_forward(
            self.spec, inputs.x, inputs.weights, rows, initial, given, masked, pooling, room
        )

    def shapes_of_y(self, batch: Any, steps: Any, units: int) -> list[tuple[Any, ...]]:
        """The shape of y, if there is one."""
        shape = (batch, steps, units) if self.outputs == STEPS else (batch, units)
        return [shape] if self.outputs else []

    def forward(self, *arrays: np.ndarray, room: np.ndarray | None = None) -> list[np.ndarray]:
        """h, c, the ticket, the seen moments of each site, the new tables and, if wanted, y.

        y are the outputs of all steps [B, T, H], in `room` unless a row has holes, or [B, H], what
        they are pooled to.
        """
        inputs = Inputs.of(arrays)
        record = self._run(inputs, room)
        empty = np.empty((0, 2, 0), self.spec.dtype)
        seen = [empty if value is None else value for value in moments(record)]
        tables = self._folded(inputs, record.rows, seen)
        y = [record.pooled] if self.outputs else []
        if self.outputs == STEPS:
            y = [record.rows.spread(record.h, self.repeat)]
        ticket = _ticket(record) if self.keep else np.zeros(TICKET, np.int64)
        return [*last_states(record, States(inputs.h, inputs.c)), ticket, *seen, *tables, *y]

    def _folded(self, inputs: Inputs, rows: Rows, seen: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The tables after this batch."""
        if not inputs.counted:
            return list(inputs.tables)
        flat: list[np.ndarray] = []
        by_site = zip(seen, self.tables_of(inputs.tables), self.mixings, strict=True)
        for of_site, tables, own in by_site:
            at = 0
            for table, mixing in zip(tables, own, strict=True):
                part = of_site[:, :, at : at + table.mean.shape[1]]
                flat += folded(table, part, rows.alive, mixing.momentum)
                at += part.shape[2]
        return flat

    def backward(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """Gradients of x (if needed), h, c, weights from ticket, dh, dc, (dy, y,) and inputs.

        The record does without a copy of y, which must therefore be as it was.
        """
        ticket, d_h, d_c, *rest = arrays
        d_y, y = rest[:2] if self.outputs else (None, None)
        inputs = Inputs.of(rest[2:] if self.outputs else rest)
        record = _RECORDS.pop(int(ticket[0]), None)
        if record is None:  # a second gradient of the same call: its memory is used up
            record = self._run(inputs)
        d_steps = None
        if self.outputs == STEPS:
            if not record.rows.holes:
                record.h = y
            d_steps, d_y = record.rows.collect(d_y, self.repeat), None
        initial, d_last = States(inputs.h, inputs.c), States(d_h, d_c)
        got = scan_backward(
            record, inputs.x, inputs.weights, initial, d_steps, d_last, d_y, self.need_x
        )
        d_x = [] if got.x is None else [got.x]
        return [*d_x, *got.initial, *got.weights]
