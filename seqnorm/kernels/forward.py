"""The time loop forward: one thread's share of rows (or, if rows are coupled, of units)."""

from __future__ import annotations

from typing import Any

from numba import njit

from seqnorm.kernels.flat import copy_rows
from seqnorm.kernels.gates import gru_output, lstm_cell, lstm_output, simple_output
from seqnorm.kernels.moments import site_moments
from seqnorm.kernels.options import ENTRY, PART, SOURCE
from seqnorm.kernels.products import product
from seqnorm.kernels.spec import GRU, LSTM, REPEAT, UNSET
from seqnorm.kernels.step import (
    compute_gates,
    inputs_at,
    normalise_state,
    output_before,
    project_inputs,
    state_before,
)
from seqnorm.kernels.sync import barrier
from seqnorm.kernels.window import window


@njit(**PART)
def _gates(call, step, token, rows):
    """Moments of both products of a block, then its gates."""
    codes, saved, pieces, wide = call.codes, call.saved, call.layout.pieces, call.sizes.columns
    first = (saved.mean_in, saved.scale_in, saved.seen_in)
    second = (saved.mean_rec, saved.scale_rec, saved.seen_rec)
    epsilons, priors = call.epsilons, call.priors
    site_moments(codes.input, inputs_at(call, step), token, rows, wide, pieces, epsilons[0], step,
                 first, priors.input)  # fmt: skip
    site_moments(codes.recurrent, saved.pre_rec, token, rows, wide, pieces, epsilons[1], step,
                 second, priors.recurrent)  # fmt: skip
    compute_gates(call, step, token, rows)


@njit(**PART)
def _lstm(call, step, row, rows):
    """States c and h of a block, from its gates."""
    sizes, saved, scratch, layout = call.sizes, call.saved, call.scratch, call.layout
    units, low, width = sizes.units, sizes.low, sizes.high - sizes.low
    token = layout.start[step] + row
    past, starts, first, shift = state_before(call, step, row)
    lstm_cell(scratch.z, rows, units, low, width, past, starts, first, shift, saved.state, token)
    moments = (saved.mean_state, saved.scale_state, saved.seen_state)
    site_moments(call.codes.state, saved.state, token, rows, units, layout.own_units,
                 call.epsilons[2], step, moments, call.priors.state)  # fmt: skip
    normalise_state(call, step, token, rows)
    if call.codes.carry:
        copy_rows(scratch.y, low, saved.carried, token * units + low, rows, units, width)
    lstm_output(scratch.z, scratch.y, rows, units, low, width, call.h, layout.h_tokens, token)


@njit(**PART)
def _block(call, step, row, rows):
    """A block of rows from its products to h."""
    sizes, tokens, z = call.sizes, call.layout.h_tokens, call.scratch.z
    units, low, width = sizes.units, sizes.low, sizes.high - sizes.low
    token = call.layout.start[step] + row
    _gates(call, step, token, rows)
    if call.codes.cell == LSTM:
        _lstm(call, step, row, rows)
    elif call.codes.cell == GRU:
        past, starts, first = output_before(call, step, row)
        gru_output(z, rows, units, low, width, past, starts, first, call.h, tokens, token)
    else:
        simple_output(z, rows, units, low, width, call.h, tokens, token)


@njit(**PART)
def _masked(call):
    """Outputs of the masked steps, before and after each row's alive ones."""
    sizes, layout, h = call.sizes, call.layout, call.h
    units, low, width = sizes.units, sizes.low, sizes.high - sizes.low
    for r in range(layout.lengths.size):
        first = layout.state_rows[r] * sizes.steps + low
        end = layout.begins[r] + layout.lengths[r]
        for step in range(layout.begins[r]):
            window(h, first + step * units, width)[:] = 0
        for step in range(end, sizes.steps):
            if call.masked == REPEAT:
                copy_rows(h, first + (end - 1) * units, h, first + step * units, 1, units, width)
            else:
                window(h, first + step * units, width)[:] = 0


@njit(**PART)
def _forward(call):
    """Fills call.h (masked steps as `call.masked` says) and call.saved."""
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
            product(alive, past, rows, at, 0, sizes.units, call.u, layout.blocks, target, starts,
                    token * wide, codes.joined, tables)  # fmt: skip
            for row in range(0, alive, sizes.block):
                _block(call, step, row, min(sizes.block, alive - row))
            barrier(call.sync, sizes.shares)
    if call.masked != UNSET:
        _masked(call)


def _entry(stamp: int) -> Any:
    @njit(**ENTRY)
    def forward(call):
        if stamp:
            _forward(call)

    return forward


forward = _entry(SOURCE)
