"""A block of rows at one step: what the forward pass and the recomputation backward share.

`call` is a `Call`; the block is `rows` rows from `row` on, of those alive at `step`.
"""

from __future__ import annotations

from numba import njit

from seqnorm.kernels.gates import gru_gates, lstm_gates
from seqnorm.kernels.options import PART
from seqnorm.kernels.products import product
from seqnorm.kernels.sites import site_forward
from seqnorm.kernels.spec import GRU, LSTM
from seqnorm.kernels.window import window


@njit(**PART)
def project_inputs(call, begin, end):
    """The product X W of the tokens of a chunk, steps [begin, end)."""
    sizes, layout, wide = call.sizes, call.layout, call.sizes.columns
    first = layout.start[begin]
    product(layout.start[end] - first, call.x, layout.x_tokens, first, 0, sizes.inputs, call.w,
            layout.blocks, inputs_at(call, begin), layout.wide_rows, first * wide, 0,
            call.tables)  # fmt: skip


@njit(**PART)
def inputs_at(call, step):
    """saved.pre_in, moved so that a token stands where it would if those of all steps were kept."""
    pre_in = call.saved.pre_in
    return window(pre_in, -call.layout.kept_from[step] * call.sizes.columns, pre_in.size)


@njit(**PART)
def compute_gates(call, step, token, rows):
    """scratch.z (and, for the GRU, scratch.q): normalised products plus offsets, then the gates.

    A SimpleRNN has no gates; its z stays the pre-activation.
    """
    codes, sizes, saved, z, q = call.codes, call.sizes, call.saved, call.scratch.z, call.scratch.q
    vectors, wide, pieces = call.vectors, call.sizes.columns, call.layout.pieces
    apart = codes.cell == GRU
    inner, rec, state = (
        (saved.mean_in, saved.scale_in),
        (saved.mean_rec, saved.scale_rec),
        sizes.units,
    )
    site_forward(codes.input, inputs_at(call, step), token, rows, wide, pieces, inner, step,
                 vectors.gain_in, vectors.offset_in, False, z)  # fmt: skip
    if not codes.joined:
        site_forward(codes.recurrent, saved.pre_rec, token, rows, wide, pieces, rec, step,
                     vectors.gain_rec, vectors.offset_rec, not apart,
                     q if apart else z)  # fmt: skip
    width = sizes.high - sizes.low
    if codes.cell == LSTM:
        lstm_gates(z, rows, state, sizes.low, width)
    elif apart:
        gru_gates(z, q, rows, state, sizes.low, width)


@njit(**PART)
def normalise_state(call, step, token, rows):
    """scratch.y = N(c)."""
    saved, vectors, units = call.saved, call.vectors, call.sizes.units
    moments = (saved.mean_state, saved.scale_state)
    site_forward(call.codes.state, saved.state, token, rows, units, call.layout.own_units, moments,
                 step, vectors.gain_state, vectors.offset_state, False, call.scratch.y)  # fmt: skip


@njit(**PART)
def state_before(call, step, row):
    """(array, starts, first, shift): c before row r is at starts[first + r] + shift."""
    layout = call.layout
    if step == 0:
        return call.c0, layout.state_rows, row, 0
    return call.saved.carried, layout.unit_rows, row, layout.start[step - 1] * call.sizes.units


@njit(**PART)
def output_before(call, step, row):
    """(array, starts, first): the h before row r of the block is at starts[first + r]."""
    layout = call.layout
    if step == 0:
        return call.h0, layout.state_rows, row
    return call.h, layout.h_tokens, layout.start[step] + row
