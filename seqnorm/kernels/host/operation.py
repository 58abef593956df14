"""A call as the binding of each backend makes it: NumPy arrays in, NumPy arrays out, and a ticket.

What the backward pass needs stays here, under a ticket that travels through the backend as a small
array. When the backend drops the ticket, the memory goes back to the pool, whether or not a
backward pass came. A backward pass whose record is gone computes it again.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any, NamedTuple

import numpy as np

from seqnorm.kernels.contract import KernelTable, Mixing
from seqnorm.kernels.host.pool import POOL
from seqnorm.kernels.host.rows import Rows, rows_of
from seqnorm.kernels.host.scan import (
    Record,
    States,
    Weights,
    last_states,
    moments,
    scan_backward,
    scan_forward,
)
from seqnorm.kernels.host.tables import Table, folded, prior
from seqnorm.kernels.spec import OF_BATCH, POOLINGS, REPEAT, SITES, STEPS, UNSET, ZEROS, Spec

FIRST_ONLY = (
    "The fused kernels have first derivatives only; a second one was asked for. Build the layer "
    "with implementation='loop'."
)
TICKET = (8,)  # shape; a cache line, as the backends like arrays to be aligned
WEIGHTS = len(Weights._fields)
_RECORDS: dict[int, Record] = {}
_NUMBERS = count(1)


class Outputs(NamedTuple):
    """Result of `fused_scan`."""

    y: Any | None  # what was asked for: [B, T, H] in running order, or [B, H] over alive steps
    h: Any  # [B, H] after the last alive step
    c: Any  # [B, H]
    # Site -> mean and variance of the rows alive [steps, 2, columns]; the steps that no row reached
    # are absent, or of no meaning where the backend needs to know all shapes before.
    moments: dict[str, Any]
    # Site -> the tables with the batch folded in, one for each that was given there.
    tables: dict[str, list[Table]]

    @classmethod
    def of(cls, scan: Scan, h: Any, c: Any, rest: Sequence[Any]) -> Outputs:
        """From what `Scan.forward` gives, without the ticket."""
        found = zip(SITES, scan.spec.norms, rest, strict=False)
        seen = {site: each for site, name, each in found if name in OF_BATCH}
        tables = dict(zip(SITES, scan.tables_of(rest[len(SITES) :]), strict=True))
        return cls(rest[-1] if scan.outputs else None, h, c, seen, tables)


class Inputs(NamedTuple):
    """Arrays of one call, in the order in which the operation takes them."""

    x: Any
    mask: Any
    h: Any
    c: Any
    weights: tuple[Any, ...]
    given: tuple[Any, ...]
    counted: Any  # bool[]: whether the batch goes into the tables
    tables: tuple[Any, ...]  # one after the other, as `Scan.tables_of` takes them

    @classmethod
    def full(
        cls,
        x: Any,
        weights: Weights,
        mask: Any,
        initial: tuple[Any, Any] | None,
        given: Mapping[str, Any] | None,
        tables: Sequence[KernelTable],
        counted: Any,
        *,
        ones: Callable[[], Any],
        zeros: Callable[[], Any],
        none: Any,
    ) -> Inputs:
        """From the arguments of `fused_scan`.

        Args:
            x: likewise.
            weights: likewise.
            mask: likewise.
            initial: likewise.
            given: likewise.
            tables: likewise, those of all sites in order.
            counted: likewise.
            ones: makes the mask where there is none, bool[B, T].
            zeros: makes the initial states likewise, [B, H].
            none: what stands for a site without given moments, of no element.
        """
        mask = ones() if mask is None else mask
        found = tuple((given or {}).get(site, none) for site in SITES)
        flat = tuple(value for table in tables for value in table[:3])
        counted = True if counted is None else counted
        return cls(x, mask, *(initial or (zeros(),) * 2), tuple(weights), found, counted, flat)

    @classmethod
    def of(cls, flat: Sequence[Any]) -> Inputs:
        """The opposite of `flat`."""
        cut, end = 4 + WEIGHTS, 4 + WEIGHTS + len(SITES)
        weights, given, tables = flat[4:cut], flat[cut:end], flat[end + 1 :]
        return cls(*flat[:4], tuple(weights), tuple(given), flat[end], tuple(tables))

    def flat(self) -> list[Any]:
        """All arrays in one list."""
        return [*self[:4], *self.weights, *self.given, self.counted, *self.tables]

    @property
    def constants(self) -> int:
        """How many of `flat`, at its end, have no gradient."""
        return len(self.given) + 1 + len(self.tables)


def _ticket(record: Record) -> np.ndarray:
    """A small array that stands for the record and releases it when it is dropped."""
    number = next(_NUMBERS)
    ticket = POOL.lend(TICKET, np.dtype(np.int64))
    ticket[:] = number
    _RECORDS[number] = record
    weakref.finalize(ticket, _RECORDS.pop, number, None).atexit = False
    return ticket


def require_shapes(inputs: Inputs) -> None:
    """Compiled code checks no bounds: what does not fit would be read and written elsewhere."""
    (batch, steps, _), units = inputs.x.shape, inputs.weights[1].shape[0]
    for name, value, wanted in (
        ("mask", inputs.mask, (batch, steps)),
        ("initial h", inputs.h, (batch, units)),
        ("initial c", inputs.c, (batch, units)),
        ("kernel", inputs.weights[0], (inputs.x.shape[2], inputs.weights[1].shape[1])),
    ):
        if tuple(value.shape) != wanted:
            raise ValueError(
                f"The fused kernels need {name} of shape {wanted} for inputs of shape "
                f"{tuple(inputs.x.shape)}. Received: {name}.shape={tuple(value.shape)}. Give every "
                "row and step its own entry."
            )


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

    def _run(self, inputs: Inputs, room: np.ndarray | None = None) -> Record:
        require_shapes(inputs)
        rows = rows_of(inputs.mask, self.backwards)
        dtype = np.dtype(self.spec.dtype)
        found = zip(inputs.given, self.tables_of(inputs.tables), self.mixings, strict=True)
        given = tuple(
            prior(tables, own, rows.alive, dtype) if own else (value if value.size else None)
            for value, tables, own in found
        )
        initial, weights = States(inputs.h, inputs.c), Weights(*inputs.weights)
        masked = REPEAT if self.repeat else ZEROS
        if rows.holes or self.outputs != STEPS:
            masked, room = UNSET, None
        pooling = POOLINGS.get(self.outputs or "", 0)
        return scan_forward(
            self.spec, inputs.x, weights, rows, initial, given, masked, pooling, room
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
        initial, weights = States(inputs.h, inputs.c), Weights(*inputs.weights)
        d_last = States(d_h, d_c)
        got = scan_backward(record, inputs.x, weights, initial, d_steps, d_last, d_y, self.need_x)
        d_x = [] if got.x is None else [got.x]
        return [*d_x, *got.initial, *got.weights]
