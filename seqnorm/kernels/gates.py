"""Gate algebra of a block of rows: forward, and backward with the gates recomputed.

z is flat with gates * units columns a row and holds the pre-activations, then the gates, and in the
backward pass the gradients of the pre-activations; q the same for the GRU's recurrent part. A
thread owns the units [low, high) of every gate. The state before is row r at past[where[first + r]
+ shift].
"""

from __future__ import annotations

import numpy as np
from numba import njit

from seqnorm.kernels.activations import sigmoid_in_place, tanh_in_place
from seqnorm.kernels.options import JIT
from seqnorm.kernels.window import window

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
def lstm_cell(z, rows, units, low, width, past, where, first, shift, state, token):
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
def lstm_output(z, y, rows, units, low, width, h, tokens, token):
    """Computes h = o * tanh(y)."""
    for r in range(rows):
        o = window(z, (4 * r + 3) * units + low, width)
        state = window(y, r * units + low, width)
        out = window(h, tokens[token + r] + units + low, width)
        tanh_in_place(state)
        for j in range(width):
            out[j] = o[j] * state[j]


@njit(**JIT)
def lstm_output_back(z, y, rows, units, low, width, dh, row, dy):
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
def lstm_cell_back(z, rows, units, low, width, past, where, first, shift, dc, row):
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


@njit(**JIT)
def gru_gates(z, q, rows, units, low, width):
    """Computes z = (sigmoid z, sigmoid r, tanh(candidate)), r times the recurrent candidate."""
    for r in range(rows):
        for start in range(2):
            at = (3 * r + start) * units + low
            gate, recurrent = window(z, at, width), window(q, at, width)
            for j in range(width):
                gate[j] += recurrent[j]
            sigmoid_in_place(gate)
        at = (3 * r + 2) * units + low
        reset, candidate, recurrent = (
            window(z, at - units, width),
            window(z, at, width),
            window(q, at, width),
        )
        for j in range(width):
            candidate[j] += reset[j] * recurrent[j]
        tanh_in_place(candidate)


@njit(**JIT)
def gru_output(z, rows, units, low, width, past, where, first, h, tokens, token):
    """Computes h = z * before + (1 - z) * candidate."""
    for r in range(rows):
        at = 3 * r * units + low
        gate, candidate = window(z, at, width), window(z, at + 2 * units, width)
        before = window(past, where[first + r] + low, width)
        out = window(h, tokens[token + r] + units + low, width)
        for j in range(width):
            out[j] = candidate[j] + gate[j] * (before[j] - candidate[j])


@njit(**JIT)
def gru_back(z, q, rows, units, low, width, past, where, first, dh, row):
    """Gradients of the input part into z, of the recurrent part into q; dh becomes z * dh."""
    for r in range(rows):
        at = 3 * r * units + low
        gate, reset, candidate = (
            window(z, at, width),
            window(z, at + units, width),
            window(z, at + 2 * units, width),
        )
        q_gate, q_reset, q_last = (
            window(q, at, width),
            window(q, at + units, width),
            window(q, at + 2 * units, width),
        )
        before = window(past, where[first + r] + low, width)
        d_out = window(dh, (row + r) * units + low, width)
        for j in range(width):
            through = d_out[j] * (_ONE - gate[j])
            q_gate[j] = through * (before[j] - candidate[j]) * gate[j]
            candidate[j] = through * (_ONE - candidate[j] * candidate[j])
            d_out[j] *= gate[j]
        for j in range(width):
            gate[j] = q_gate[j]
            q_reset[j] = candidate[j] * q_last[j] * reset[j] * (_ONE - reset[j])
        for j in range(width):
            q_last[j] = candidate[j] * reset[j]
            reset[j] = q_reset[j]


@njit(**JIT)
def simple_output(z, rows, units, low, width, h, tokens, token):
    """Computes h = tanh(z)."""
    for r in range(rows):
        row = window(z, r * units + low, width)
        out = window(h, tokens[token + r] + units + low, width)
        tanh_in_place(row)
        for j in range(width):
            out[j] = row[j]


@njit(**JIT)
def simple_back(z, rows, units, low, width, h, tokens, token, dh, row):
    """The pre-activation z becomes its own gradient, dh (1 - h^2)."""
    for r in range(rows):
        out = window(h, tokens[token + r] + units + low, width)
        d_out = window(dh, (row + r) * units + low, width)
        d_row = window(z, r * units + low, width)
        for j in range(width):
            d_row[j] = d_out[j] * (_ONE - out[j] * out[j])
