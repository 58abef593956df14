"""Rows of flat arrays in compiled code: added, copied, summed."""

from __future__ import annotations

from numba import njit

from seqnorm.kernels.compiled.options import JIT
from seqnorm.kernels.compiled.window import window


@njit(**JIT)
def add_rows(source, first, target, at, rows, stride, width):
    """Adds `width` columns of `rows` rows to the target; both are flat with `stride` a row."""
    for r in range(rows):
        row, out = window(source, first + r * stride, width), window(target, at + r * stride, width)
        for j in range(width):
            out[j] += row[j]


@njit(**JIT)
def copy_rows(source, first, target, at, rows, stride, width):
    """Copies `width` columns of `rows` rows to the target; both are flat with `stride` a row."""
    for r in range(rows):
        row, out = window(source, first + r * stride, width), window(target, at + r * stride, width)
        for j in range(width):
            out[j] = row[j]


@njit(**JIT)
def sum_rows(source, rows, stride, pieces, total):
    """Adds every row of a block to `total`, in the columns of the pieces; four rows at a time."""
    fours = rows // 4 * 4
    for p in range(pieces.shape[0]):
        low, width = pieces[p, 0], pieces[p, 1]
        out = window(total, low, width)
        for r in range(0, fours, 4):
            at = r * stride + low
            first, second = window(source, at, width), window(source, at + stride, width)
            third = window(source, at + 2 * stride, width)
            fourth = window(source, at + 3 * stride, width)
            for j in range(width):
                out[j] += (first[j] + second[j]) + (third[j] + fourth[j])
        for r in range(fours, rows):
            add_rows(source, r * stride + low, total, low, 1, stride, width)
