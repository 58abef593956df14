"""The GRU in compiled code (reset-after form): gates z, r and the candidate.

z is flat with 3 * units columns a row and holds what comes from the inputs, then the gates, and on
the way back its gradients; q the same for the recurrent part, which the reset gate meets. A thread
owns the units [low, high) of every gate. The h before is row r at past[where[first + r]].
"""

from __future__ import annotations

import numpy as np
from numba import njit

from seqnorm.kernels.compiled.activations import sigmoid_in_place, tanh_in_place
from seqnorm.kernels.compiled.options import JIT, PART
from seqnorm.kernels.compiled.step import output_before
from seqnorm.kernels.compiled.window import window

_ONE = np.float32(1)


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
def _output(z, rows, units, low, width, past, where, first, h, tokens, token):
    """Computes h = z * before + (1 - z) * candidate."""
    for r in range(rows):
        at = 3 * r * units + low
        gate, candidate = window(z, at, width), window(z, at + 2 * units, width)
        before = window(past, where[first + r] + low, width)
        out = window(h, tokens[token + r] + units + low, width)
        for j in range(width):
            out[j] = candidate[j] + gate[j] * (before[j] - candidate[j])


@njit(**JIT)
def _back(z, q, rows, units, low, width, past, where, first, dh, row):
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


@njit(**PART)
def gru_forward(call, step, row, rows):
    """The outputs h of a block, from its gates."""
    sizes, layout = call.sizes, call.layout
    low, width = sizes.low, sizes.high - sizes.low
    past, starts, first = output_before(call, step, row)
    _output(call.scratch.z, rows, sizes.units, low, width, past, starts, first, call.h,
            layout.h_tokens, layout.start[step] + row)  # fmt: skip


@njit(**PART)
def gru_backward(call, step, row, rows):
    """From dh of a block to the gradients of both its parts, and to what passes h U by."""
    sizes, scratch = call.sizes, call.scratch
    low, width = sizes.low, sizes.high - sizes.low
    past, starts, first = output_before(call, step, row)
    _back(scratch.z, scratch.q, rows, sizes.units, low, width, past, starts, first, scratch.dh, row)
