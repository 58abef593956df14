"""The simple recurrent cell in compiled code: h = tanh(z), no gate.

z is flat with `units` columns a row and holds the pre-activations, and on the way back their
gradients. A thread owns the units [low, high).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from seqnorm.kernels.compiled.activations import tanh_in_place
from seqnorm.kernels.compiled.options import JIT, PART
from seqnorm.kernels.compiled.window import window

_ONE = np.float32(1)


@njit(**JIT)
def _output(z, rows, units, low, width, h, tokens, token):
    """Computes h = tanh(z)."""
    for r in range(rows):
        row = window(z, r * units + low, width)
        out = window(h, tokens[token + r] + units + low, width)
        tanh_in_place(row)
        for j in range(width):
            out[j] = row[j]


@njit(**JIT)
def _back(z, rows, units, low, width, h, tokens, token, dh, row):
    """The pre-activation z becomes its own gradient, dh (1 - h^2)."""
    for r in range(rows):
        out = window(h, tokens[token + r] + units + low, width)
        d_out = window(dh, (row + r) * units + low, width)
        d_row = window(z, r * units + low, width)
        for j in range(width):
            d_row[j] = d_out[j] * (_ONE - out[j] * out[j])


@njit(**PART)
def simple_forward(call, step, row, rows):
    """The outputs h of a block, from its pre-activations."""
    sizes, layout = call.sizes, call.layout
    _output(call.scratch.z, rows, sizes.units, sizes.low, sizes.high - sizes.low, call.h,
            layout.h_tokens, layout.start[step] + row)  # fmt: skip


@njit(**PART)
def simple_backward(call, step, row, rows):
    """From dh of a block to the gradients of its pre-activations."""
    sizes, layout, scratch = call.sizes, call.layout, call.scratch
    _back(scratch.z, rows, sizes.units, sizes.low, sizes.high - sizes.low, call.h, layout.h_tokens,
          layout.start[step] + row, scratch.dh, row)  # fmt: skip
