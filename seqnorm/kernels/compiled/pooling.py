"""The mean or maximum of each row's outputs, step by step, while they are in the cache."""

from __future__ import annotations

from numba import njit

from seqnorm.kernels.compiled.flat import add_row
from seqnorm.kernels.compiled.options import JIT, PART, ZERO
from seqnorm.kernels.compiled.window import window
from seqnorm.kernels.spec import MAX


@njit(**JIT)
def _first(h, pooled, ties):
    one = h.dtype.type(1)
    for j in range(h.size):
        pooled[j] = h[j]
        ties[j] = one


@njit(**JIT)
def _raise(h, pooled, ties):
    """The maximum so far, and how many steps have it; NaN is above everything."""
    one = h.dtype.type(1)
    for j in range(h.size):
        above = h[j] > pooled[j] or h[j] != h[j]
        others = ties[j] + one if h[j] == pooled[j] else ties[j]
        ties[j] = one if above else others
        pooled[j] = h[j] if above else pooled[j]


@njit(**JIT)
def _where_equal(h, pooled, shares, dh):
    for j in range(h.size):
        dh[j] += shares[j] if h[j] == pooled[j] else shares[j] - shares[j]


@njit(**PART)
def pool(call, step):
    """Takes the outputs of a step in; the host divides a sum by the number of steps."""
    layout, units = call.layout, call.sizes.units
    token = layout.start[step]
    for r in range(layout.alive[step]):
        h = window(call.h, layout.h_tokens[token + r] + units, units)
        pooled = window(call.pooled, layout.state_rows[r], units)
        if step == 0:
            _first(h, pooled, window(call.shares, layout.state_rows[r], units))
        elif call.codes.pooling == MAX:
            _raise(h, pooled, window(call.shares, layout.state_rows[r], units))
        else:
            add_row(h, ZERO, pooled, ZERO, units)


@njit(**PART)
def unpool(call, step):
    """Adds to dh what the outputs of a step get of the gradient."""
    layout, units = call.layout, call.sizes.units
    token = layout.start[step]
    for r in range(layout.alive[step]):
        dh = window(call.scratch.dh, r * units, units)
        shares = window(call.shares, layout.state_rows[r], units)
        if call.codes.pooling == MAX:
            h = window(call.h, layout.h_tokens[token + r] + units, units)
            _where_equal(h, window(call.pooled, layout.state_rows[r], units), shares, dh)
        else:
            add_row(shares, ZERO, dh, ZERO, units)
