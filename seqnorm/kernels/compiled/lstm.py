"""The LSTM in compiled code: gates i, f, g, o and a cell state c with a site of its own.

z is flat with 4 * units columns a row and holds the pre-activations, then the gates, and on the way
back the gradients of the pre-activations. The state before is row r at past[where[first + r] +
shift].
"""

from __future__ import annotations

import numpy as np
from numba import njit

from seqnorm.kernels.compiled.activations import sigmoid_in_place, tanh_in_place
from seqnorm.kernels.compiled.coupling import gradient, state_moments, state_sums
from seqnorm.kernels.compiled.flat import add_row, copy_row, sum_rows
from seqnorm.kernels.compiled.options import JIT, PART, ZERO
from seqnorm.kernels.compiled.sites import site_forward
from seqnorm.kernels.compiled.window import window

_ONE = np.float32(1)


@njit(**JIT)
def lstm_gates(z, rows, units):
    """Computes z = (sigmoid i, sigmoid f, tanh c, sigmoid o)."""
    for r in range(rows):
        at = 4 * r * units
        sigmoid_in_place(window(z, at, 2 * units))
        tanh_in_place(window(z, at + 2 * units, units))
        sigmoid_in_place(window(z, at + 3 * units, units))


@njit(**JIT)
def _cell(z, rows, units, past, where, first, shift, state, token):
    """Computes state = f * before + i * g."""
    for r in range(rows):
        at = 4 * r * units
        i, f, g = (
            window(z, at, units),
            window(z, at + units, units),
            window(z, at + 2 * units, units),
        )
        before = window(past, where[first + r] + shift, units)
        c = window(state, (token + r) * units, units)
        for j in range(units):
            c[j] = f[j] * before[j] + i[j] * g[j]


@njit(**JIT)
def _output(z, y, rows, units, h, tokens, token):
    """Computes h = o * tanh(y)."""
    for r in range(rows):
        o = window(z, (4 * r + 3) * units, units)
        state = window(y, r * units, units)
        out = window(h, tokens[token + r] + units, units)
        tanh_in_place(state)
        for j in range(units):
            out[j] = o[j] * state[j]


@njit(**JIT)
def _output_back(z, y, rows, units, dh, row, dy):
    """Computes y = tanh(y), dy += dh o (1 - y^2); o becomes its pre-activation's gradient."""
    for r in range(rows):
        o = window(z, (4 * r + 3) * units, units)
        state = window(y, r * units, units)
        d_out = window(dh, (row + r) * units, units)
        d_state = window(dy, r * units, units)
        tanh_in_place(state)
        for j in range(units):
            through = d_out[j] * o[j]
            d_state[j] += through * (_ONE - state[j] * state[j])
            o[j] = through * state[j] * (_ONE - o[j])


@njit(**JIT)
def _cell_back(z, rows, units, past, where, first, shift, dc, row):
    """Gates i, f, g become their pre-activations' gradients, dc that of the state before."""
    for r in range(rows):
        at = 4 * r * units
        i, f, g = (
            window(z, at, units),
            window(z, at + units, units),
            window(z, at + 2 * units, units),
        )
        before = window(past, where[first + r] + shift, units)
        d_state = window(dc, (row + r) * units, units)
        for j in range(units):
            from_i = d_state[j] * g[j] * i[j] * (_ONE - i[j])
            g[j] = d_state[j] * i[j] * (_ONE - g[j] * g[j])
            i[j] = from_i
        for j in range(units):
            kept = d_state[j] * f[j]
            f[j] = kept * before[j] * (_ONE - f[j])
            d_state[j] = kept


@njit(**PART)
def _state_before(call, step, row):
    """(array, starts, first, shift): c before row r is at starts[first + r] + shift."""
    layout = call.layout
    if step == 0:
        return call.c0, layout.state_rows, row, 0
    return call.saved.carried, layout.unit_rows, row, layout.start[step - 1] * call.sizes.units


@njit(**PART)
def lstm_forward(call, step, row, rows):
    """States c and h of a block, from its gates."""
    saved, scratch, layout, units = call.saved, call.scratch, call.layout, call.sizes.units
    token = layout.start[step] + row
    past, starts, first, shift = _state_before(call, step, row)
    _cell(scratch.z, rows, units, past, starts, first, shift, saved.state, token)
    state_moments(call, token, rows, step)
    site_forward(call.state, saved.state, token, rows, step, ZERO, scratch.y)
    if call.codes.carry:
        copy_row(scratch.y, ZERO, saved.carried, token * units, rows * units)
    _output(scratch.z, scratch.y, rows, units, call.h, layout.h_tokens, token)


@njit(**PART)
def lstm_backward(call, step, row, rows):
    """From dh and dc of a block to the gradients of its gates and to dc of the step before."""
    saved, scratch, site, units = call.saved, call.scratch, call.state, call.sizes.units
    token, at, size = call.layout.start[step] + row, row * units, rows * units
    dy = scratch.dy
    site_forward(site, saved.state, token, rows, step, ZERO, scratch.y)
    if call.codes.carry:
        copy_row(scratch.dc, at, dy, ZERO, size)
    else:
        dy[:size] = 0
    _output_back(scratch.z, scratch.y, rows, units, scratch.dh, row, dy)
    sum_rows(dy, rows, units, site.d_offset)
    state_sums(call, token, rows, step)
    gradient(call, site, saved.state, token, rows, step, dy)
    if call.codes.carry:
        copy_row(saved.state, token * units, scratch.dc, at, size)
    else:
        add_row(saved.state, token * units, scratch.dc, at, size)
    past, starts, first, shift = _state_before(call, step, row)
    _cell_back(scratch.z, rows, units, past, starts, first, shift, scratch.dc, row)
