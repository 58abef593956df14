"""Moments of two sets of rows taken together, in compiled code."""

from __future__ import annotations

from typing import Any

from numba import njit

from seqnorm.kernels.compiled.options import ENTRY, JIT, SOURCE
from seqnorm.kernels.compiled.window import window

# As it is written, which is what `seqnorm.ops.moments.merge` computes, to the last bit.
EXACT = JIT | {"fastmath": False}


@njit(**EXACT)
def _merge(known_mean, known_variance, seen, share, mean, variance):
    """Flat [R * columns] each, but seen [R * 2 * columns], mean before variance, and share [R]."""
    columns = mean.size // share.size
    for row in range(share.size):
        at = row * columns
        part, rest = share[row], share.dtype.type(1) - share[row]
        m, v = window(seen, 2 * at, columns), window(seen, 2 * at + columns, columns)
        old_m, old_v = window(known_mean, at, columns), window(known_variance, at, columns)
        new_m, new_v = window(mean, at, columns), window(variance, at, columns)
        for j in range(columns):
            apart = m[j] - old_m[j]
            new_m[j] = old_m[j] + apart * part
            new_v[j] = (old_v[j] * rest + v[j] * part) + ((apart * apart) * part) * rest


def _entry(stamp: int) -> Any:
    @njit(**ENTRY | {"fastmath": False})
    def merge(known_mean, known_variance, seen, share, mean, variance):
        if stamp:
            _merge(known_mean, known_variance, seen, share, mean, variance)

    return merge


merge = _entry(SOURCE)
