"""A block of rows at one step: what the forward pass and the recomputation backward share.

`call` is a `Call`; the block is `rows` rows from `row` on, of those alive at `step`.
"""

from __future__ import annotations

from numba import njit

from seqnorm.kernels.compiled.options import ONE, PART, ZERO
from seqnorm.kernels.compiled.products import product
from seqnorm.kernels.compiled.sites import site_forward
from seqnorm.kernels.compiled.window import window


@njit(**PART)
def project_inputs(call, begin, end):
    """The product X W of the tokens of a chunk, steps [begin, end)."""
    sizes, layout, wide = call.sizes, call.layout, call.sizes.columns
    first = layout.start[begin]
    product(layout.start[end] - first, call.x, layout.x_tokens, first, ZERO, sizes.inputs, call.w,
            wide, inputs_at(call, begin), layout.wide_rows, first * wide, ZERO,
            call.tables)  # fmt: skip


@njit(**PART)
def inputs_at(call, step):
    """saved.pre_in, moved so that a token stands where it would if those of all steps were kept."""
    pre_in = call.saved.pre_in
    return window(pre_in, -call.layout.kept_from[step] * call.sizes.columns, pre_in.size)


@njit(**PART)
def preactivate(call, step, token, rows):
    """scratch.z = the normalised products of a block plus offsets; `apart`: h U into scratch.q."""
    codes, scratch = call.codes, call.scratch
    site_forward(call.input, inputs_at(call, step), token, rows, step, ZERO, scratch.z)
    if not codes.joined:
        site_forward(call.recurrent, call.saved.pre_rec, token, rows, step, ONE - codes.apart,
                     scratch.q if codes.apart else scratch.z)  # fmt: skip


@njit(**PART)
def output_before(call, step, row):
    """(array, starts, first): the h before row r of the block is at starts[first + r]."""
    layout = call.layout
    if step == 0:
        return call.h0, layout.state_rows, row
    return call.h, layout.h_tokens, layout.start[step] + row
