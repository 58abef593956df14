"""The time loop forward: one thread's share of rows."""

from __future__ import annotations

from typing import Any

from numba import njit

from seqnorm.kernels.compiled.cells import activate, cell_forward
from seqnorm.kernels.compiled.coupling import product_moments
from seqnorm.kernels.compiled.flat import copy_row
from seqnorm.kernels.compiled.options import ENTRY, PART, SOURCE, ZERO
from seqnorm.kernels.compiled.pooling import pool
from seqnorm.kernels.compiled.products import product
from seqnorm.kernels.compiled.reference import reference
from seqnorm.kernels.compiled.step import inputs_at, output_before, preactivate, project_inputs
from seqnorm.kernels.compiled.window import window
from seqnorm.kernels.spec import REPEAT, UNSET


@njit(**PART)
def _block(call, step, row, rows):
    """A block of rows from its products to h."""
    token = call.layout.start[step] + row
    product_moments(call, inputs_at(call, step), token, rows, step)
    preactivate(call, step, token, rows)
    activate(call, rows)
    cell_forward(call, step, row, rows)


@njit(**PART)
def _masked(call):
    """Outputs of the masked steps, before and after each row's alive ones."""
    sizes, layout, h = call.sizes, call.layout, call.h
    units = sizes.units
    for r in range(layout.lengths.size):
        first = layout.state_rows[r] * sizes.steps
        end = layout.begins[r] + layout.lengths[r]
        for step in range(layout.begins[r]):
            window(h, first + step * units, units)[:] = 0
        for step in range(end, sizes.steps):
            if call.codes.masked == REPEAT:
                copy_row(h, first + (end - 1) * units, h, first + step * units, units)
            else:
                window(h, first + step * units, units)[:] = 0


@njit(**PART)
def _forward(call):
    """Fills call.h (masked steps as `call.codes.masked` says) and call.saved."""
    codes, sizes, layout, saved, tables = (
        call.codes,
        call.sizes,
        call.layout,
        call.saved,
        call.tables,
    )
    wide, starts = sizes.columns, layout.wide_rows
    target = saved.pre_in if codes.joined else saved.pre_rec
    for chunk in range(layout.chunks.size - 1):
        begin, end = layout.chunks[chunk], layout.chunks[chunk + 1]
        project_inputs(call, begin, end)
        for step in range(begin, end):
            token, alive = layout.start[step], layout.alive[step]
            past, rows, at = output_before(call, step, 0)
            product(alive, past, rows, at, ZERO, sizes.units, call.u, wide, target, starts,
                    token * wide, codes.joined, tables)  # fmt: skip
            for row in range(0, max(alive, 1), sizes.block):  # a thread without rows meets too
                _block(call, step, row, min(sizes.block, alive - row))
            if codes.pooling:
                pool(call, step)
    if call.codes.masked != UNSET:
        _masked(call)


def _entry(stamp: int) -> Any:
    @njit(**ENTRY)
    def forward(call):
        if stamp:
            _forward(reference(call))

    return forward


forward = _entry(SOURCE)
