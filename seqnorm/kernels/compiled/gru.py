"""The GRU in compiled code (reset-after form): gates z, r and the candidate.

z is flat with 3 * units columns a row and holds what comes from the inputs, then the gates, and on
the way back its gradients; q the same for the recurrent part, which the reset gate meets. The h
before is row r at past[where[first + r]].
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
def gru_gates(z, q, rows, units):
    """Computes z = (sigmoid z, sigmoid r, tanh(candidate)), r times the recurrent candidate."""
    for r in range(rows):
        at = 3 * r * units
        gates, recurrent = window(z, at, 2 * units), window(q, at, 2 * units)
        for j in range(2 * units):
            gates[j] += recurrent[j]
        sigmoid_in_place(gates)
        at += 2 * units
        reset, candidate, recurrent = (
            window(z, at - units, units),
            window(z, at, units),
            window(q, at, units),
        )
        for j in range(units):
            candidate[j] += reset[j] * recurrent[j]
        tanh_in_place(candidate)


@njit(**JIT)
def _output(z, rows, units, past, where, first, h, tokens, token):
    """Computes h = z * before + (1 - z) * candidate."""
    for r in range(rows):
        at = 3 * r * units
        gate, candidate = window(z, at, units), window(z, at + 2 * units, units)
        before = window(past, where[first + r], units)
        out = window(h, tokens[token + r] + units, units)
        for j in range(units):
            out[j] = candidate[j] + gate[j] * (before[j] - candidate[j])


@njit(**JIT)
def _back(z, q, rows, units, past, where, first, dh, row):
    """Gradients of the input part into z, of the recurrent part into q; dh becomes z * dh."""
    for r in range(rows):
        at = 3 * r * units
        gate, reset, candidate = (
            window(z, at, units),
            window(z, at + units, units),
            window(z, at + 2 * units, units),
        )
        q_gate, q_reset, q_last = (
            window(q, at, units),
            window(q, at + units, units),
            window(q, at + 2 * units, units),
        )
        before = window(past, where[first + r], units)
        d_out = window(dh, (row + r) * units, units)
        for j in range(units):
            through = d_out[j] * (_ONE - gate[j])
            q_gate[j] = through * (before[j] - candidate[j]) * gate[j]
            candidate[j] = through * (_ONE - candidate[j] * candidate[j])
            d_out[j] *= gate[j]
        for j in range(units):
            gate[j] = q_gate[j]
            q_reset[j] = candidate[j] * q_last[j] * reset[j] * (_ONE - reset[j])
        for j in range(units):
            q_last[j] = candidate[j] * reset[j]
            reset[j] = q_reset[j]


@njit(**PART)
def gru_forward(call, step, row, rows):
    """The outputs h of a block, from its gates."""
    layout = call.layout
    past, starts, first = output_before(call, step, row)
    _output(call.scratch.z, rows, call.sizes.units, past, starts, first, call.h, layout.h_tokens,
            layout.start[step] + row)  # fmt: skip


@njit(**PART)
def gru_backward(call, step, row, rows):
    """From dh of a block to the gradients of both its parts, and to what passes h U by."""
    scratch = call.scratch
    past, starts, first = output_before(call, step, row)
    _back(scratch.z, scratch.q, rows, call.sizes.units, past, starts, first, scratch.dh, row)
