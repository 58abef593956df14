"""The simple recurrent cell in compiled code: h = tanh(z), no gate.

z is flat with `units` columns a row and holds the pre-activations, and on the way back their
gradients.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from seqnorm.kernels.compiled.activations import tanh_in_place
from seqnorm.kernels.compiled.options import JIT, PART
from seqnorm.kernels.compiled.window import window

_ONE = np.float32(1)


@njit(**JIT)
def _output(z, rows, units, h, tokens, token):
    """Computes h = tanh(z)."""
    for r in range(rows):
        row = window(z, r * units, units)
        out = window(h, tokens[token + r] + units, units)
        tanh_in_place(row)
        for j in range(units):
            out[j] = row[j]


@njit(**JIT)
def _back(z, rows, units, h, tokens, token, dh, row):
    """The pre-activation z becomes its own gradient, dh (1 - h^2)."""
    for r in range(rows):
        out = window(h, tokens[token + r] + units, units)
        d_out = window(dh, (row + r) * units, units)
        d_row = window(z, r * units, units)
        for j in range(units):
            d_row[j] = d_out[j] * (_ONE - out[j] * out[j])


@njit(**PART)
def simple_forward(call, step, row, rows):
    """The outputs h of a block, from its pre-activations."""
    sizes, layout = call.sizes, call.layout
    _output(call.scratch.z, rows, sizes.units, call.h, layout.h_tokens, layout.start[step] + row)


@njit(**PART)
def simple_backward(call, step, row, rows):
    """From dh of a block to the gradients of its pre-activations."""
    sizes, layout, scratch = call.sizes, call.layout, call.scratch
    _back(scratch.z, rows, sizes.units, call.h, layout.h_tokens, layout.start[step] + row,
          scratch.dh, row)  # fmt: skip
