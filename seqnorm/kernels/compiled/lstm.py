"""The LSTM in compiled code: gates i, f, g, o and a cell state c with a site of its own.

z is flat with 4 * units columns a row and holds the pre-activations, then the gates, and on the way
back the gradients of the pre-activations. A thread owns the units [low, high) of every gate. The
state before is row r at past[where[first + r] + shift].
"""

from __future__ import annotations

import numpy as np
from numba import njit

from seqnorm.kernels.compiled.activations import sigmoid_in_place, tanh_in_place
from seqnorm.kernels.compiled.flat import add_rows, copy_rows, sum_rows
from seqnorm.kernels.compiled.moments import site_moments
from seqnorm.kernels.compiled.options import JIT, PART
from seqnorm.kernels.compiled.sites import site_backward, site_forward
from seqnorm.kernels.compiled.window import window

_ONE = np.float32(1)


@njit(**JIT)
def lstm_gates(z, rows, units, low, width):
    """Computes z = (sigmoid i, sigmoid f, tanh c, sigmoid o)."""
    for r in range(rows):
        at = 4 * r * units + low
        sigmoid_in_place(window(z, at, width))
        sigmoid_in_place(window(z, at + units, width))
        tanh_in_place(window(z, at + 2 * units, width))
        sigmoid_in_place(window(z, at + 3 * units, width))


@njit(**JIT)
def _cell(z, rows, units, low, width, past, where, first, shift, state, token):
    """Computes state = f * before + i * g."""
    for r in range(rows):
        at = 4 * r * units + low
        i, f, g = (
            window(z, at, width),
            window(z, at + units, width),
            window(z, at + 2 * units, width),
        )
        before = window(past, where[first + r] + shift + low, width)
        c = window(state, (token + r) * units + low, width)
        for j in range(width):
            c[j] = f[j] * before[j] + i[j] * g[j]


@njit(**JIT)
def _output(z, y, rows, units, low, width, h, tokens, token):
    """Computes h = o * tanh(y)."""
    for r in range(rows):
        o = window(z, (4 * r + 3) * units + low, width)
        state = window(y, r * units + low, width)
        out = window(h, tokens[token + r] + units + low, width)
        tanh_in_place(state)
        for j in range(width):
            out[j] = o[j] * state[j]


@njit(**JIT)
def _output_back(z, y, rows, units, low, width, dh, row, dy):
    """Computes y = tanh(y), dy += dh o (1 - y^2); o becomes its pre-activation's gradient."""
    for r in range(rows):
        o = window(z, (4 * r + 3) * units + low, width)
        state = window(y, r * units + low, width)
        d_out = window(dh, (row + r) * units + low, width)
        d_state = window(dy, r * units + low, width)
        tanh_in_place(state)
        for j in range(width):
            through = d_out[j] * o[j]
            d_state[j] += through * (_ONE - state[j] * state[j])
            o[j] = through * state[j] * (_ONE - o[j])


@njit(**JIT)
def _cell_back(z, rows, units, low, width, past, where, first, shift, dc, row):
    """Gates i, f, g become their pre-activations' gradients, dc that of the state before."""
    for r in range(rows):
        at = 4 * r * units + low
        i, f, g = (
            window(z, at, width),
            window(z, at + units, width),
            window(z, at + 2 * units, width),
        )
        before = window(past, where[first + r] + shift + low, width)
        d_state = window(dc, (row + r) * units + low, width)
        for j in range(width):
            from_i = d_state[j] * g[j] * i[j] * (_ONE - i[j])
            g[j] = d_state[j] * i[j] * (_ONE - g[j] * g[j])
            i[j] = from_i
        for j in range(width):
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
    sizes, saved, scratch, layout = call.sizes, call.saved, call.scratch, call.layout
    units, low, width = sizes.units, sizes.low, sizes.high - sizes.low
    token = layout.start[step] + row
    past, starts, first, shift = _state_before(call, step, row)
    _cell(scratch.z, rows, units, low, width, past, starts, first, shift, saved.state, token)
    site_moments(call.state, saved.state, token, rows, step)
    site_forward(call.state, saved.state, token, rows, step, False, scratch.y)
    if call.codes.carry:
        copy_rows(scratch.y, low, saved.carried, token * units + low, rows, units, width)
    _output(scratch.z, scratch.y, rows, units, low, width, call.h, layout.h_tokens, token)


@njit(**PART)
def lstm_backward(call, step, row, rows):
    """From dh and dc of a block to the gradients of its gates and to dc of the step before."""
    sizes, saved, scratch, site = call.sizes, call.saved, call.scratch, call.state
    units, low, width = sizes.units, sizes.low, sizes.high - sizes.low
    token, at = call.layout.start[step] + row, row * units + low
    dy = scratch.dy
    site_forward(site, saved.state, token, rows, step, False, scratch.y)
    if call.codes.carry:
        copy_rows(scratch.dc, at, dy, low, rows, units, width)
    else:
        dy[: rows * units] = 0
    _output_back(scratch.z, scratch.y, rows, units, low, width, scratch.dh, row, dy)
    sum_rows(dy, rows, units, site.pieces, site.d_offset)
    site_backward(site, saved.state, token, rows, step, dy, scratch.sums)
    if call.codes.carry:
        copy_rows(saved.state, token * units + low, scratch.dc, at, rows, units, width)
    else:
        add_rows(saved.state, token * units + low, scratch.dc, at, rows, units, width)
    past, starts, first, shift = _state_before(call, step, row)
    _cell_back(scratch.z, rows, units, low, width, past, starts, first, shift, scratch.dc, row)
