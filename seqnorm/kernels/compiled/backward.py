"""The time loop backward: gradients of one thread's share, the gates being recomputed.

Only du_t and dh_(t-1) are sequential. Gradients replace the saved products in place, and each chunk
of steps adds to dW and dU and writes dx while its rows are still in the cache.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from seqnorm.kernels.compiled.cells import cell_backward, gates_again
from seqnorm.kernels.compiled.coupling import gradient, product_sums, recall_moments
from seqnorm.kernels.compiled.flat import add_row, sum_rows
from seqnorm.kernels.compiled.options import ENTRY, PART, SOURCE, ZERO
from seqnorm.kernels.compiled.pooling import unpool
from seqnorm.kernels.compiled.products import outer, pack_left, product, product_to
from seqnorm.kernels.compiled.reference import reference
from seqnorm.kernels.compiled.step import inputs_at, project_inputs
from seqnorm.kernels.compiled.window import window
from seqnorm.kernels.spec import REPEAT


@njit(**PART)
def _block(call, step, row, rows):
    """A block of rows from dh to the gradients of its two products."""
    codes, scratch, first, second = call.codes, call.scratch, call.input, call.recurrent
    token = call.layout.start[step] + row
    pre_in, pre_rec = inputs_at(call, step), call.saved.pre_rec
    recall_moments(call, step)
    gates_again(call, step, token, rows)
    cell_backward(call, step, row, rows)
    recurrent = scratch.q if codes.apart else scratch.z
    product_sums(call, pre_in, token, rows, step, recurrent)
    sum_rows(scratch.z, rows, first.columns, first.d_offset)
    gradient(call, first, pre_in, token, rows, step, scratch.z)
    if codes.joined:
        return
    if codes.apart:
        sum_rows(recurrent, rows, second.columns, second.d_offset)
    gradient(call, second, pre_rec, token, rows, step, recurrent)


@njit(**PART)
def _chunk(call, begin, end, pre_rec):
    """Adds to dW and dU, and writes into dx, the part of steps [begin, end), some tokens."""
    sizes, layout, left, tables = call.sizes, call.layout, call.scratch.left, call.tables
    wide, units, inputs = sizes.columns, sizes.units, sizes.inputs
    pre_in = inputs_at(call, begin)
    first, last = layout.start[begin], layout.start[end]
    depth, rest, panel = last - first, first, call.scratch.panel
    if begin == 0:
        rest = layout.start[1]
        pack_left(rest, call.h0, layout.state_rows, ZERO, units, ZERO, depth, left)
    pack_left(last - rest, call.h, layout.h_tokens, rest, units, rest - first, depth, left)
    outer(units, depth, left, pre_rec, first * wide, wide, call.du, panel, tables)
    pack_left(depth, call.x, layout.x_tokens, first, inputs, ZERO, depth, left)
    outer(inputs, depth, left, pre_in, first * wide, wide, call.dw, panel, tables)
    if call.w_back.size > 0:
        product_to(depth, pre_in, layout.wide_rows, ZERO, first * wide, wide, call.w_back, inputs,
                   call.dx, layout.x_tokens, first, ZERO, ZERO, tables)  # fmt: skip


@njit(**PART)
def _repeated(call):
    """Adds to dh of each row's last state what comes through the outputs that repeat it."""
    sizes, layout = call.sizes, call.layout
    units = sizes.units
    for r in range(layout.lengths.size):
        first = layout.state_rows[r] * sizes.steps
        end = layout.begins[r] + layout.lengths[r]
        for step in range(end, sizes.steps):
            add_row(call.d_h, first + step * units, call.scratch.dh, r * units, units)


@njit(**PART)
def _rest(call, step, alive):
    """Ends the gradient that later steps send to states at rest; see `Spec.rests`."""
    sizes, dh, dc = call.sizes, call.scratch.dh, call.scratch.dc
    for r in range(alive):
        if step < min(call.silent[r], call.layout.lengths[r] - 1):
            window(dh, r * sizes.units, sizes.units)[:] = 0
            window(dc, r * sizes.units, sizes.units)[:] = 0


@njit(**PART)
def _backward(call):
    """Gradients of one share, into call.grads, dw, du and dx; uses up call.saved.

    scratch.dh and scratch.dc hold the gradients of the last states on entry and of the initial
    states on return.
    """
    sizes, layout, saved, dh = call.sizes, call.layout, call.saved, call.scratch.dh
    wide, units = sizes.columns, sizes.units
    pre_rec = saved.pre_in if call.codes.joined else saved.pre_rec
    if call.codes.masked == REPEAT and call.d_h.size > 0:
        _repeated(call)
    for chunk in range(layout.chunks.size - 2, -1, -1):
        begin, end = layout.chunks[chunk], layout.chunks[chunk + 1]
        if call.w.size > 0:
            project_inputs(call, begin, end)
        for step in range(end - 1, begin - 1, -1):
            token, alive = layout.start[step], layout.alive[step]
            _rest(call, step, alive)
            if call.d_h.size > 0:
                for r in range(alive):
                    add_row(call.d_h, layout.h_tokens[token + r] + units, dh, r * units, units)
            if call.codes.pooling:
                unpool(call, step)
            for row in range(0, max(alive, 1), sizes.block):  # a thread without rows meets too
                _block(call, step, row, min(sizes.block, alive - row))
            product(alive, pre_rec, layout.wide_rows, ZERO, token * wide, wide, call.u,
                    units, dh, layout.unit_rows, ZERO, call.codes.direct,
                    call.tables)  # fmt: skip
        if layout.start[end] > layout.start[begin]:
            _chunk(call, begin, end, pre_rec)


def _entry(stamp: int) -> Any:
    @njit(**ENTRY)
    def backward(call):
        if stamp:
            _backward(reference(call))

    return backward


backward = _entry(SOURCE)
