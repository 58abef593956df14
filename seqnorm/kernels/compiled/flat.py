"""Rows of flat arrays in compiled code: added, copied, summed."""

from __future__ import annotations

from numba import njit

from seqnorm.kernels.compiled.options import JIT, ZERO
from seqnorm.kernels.compiled.window import window


@njit(**JIT)
def add_row(source, first, target, at, width):
    """Adds source[first : first + width] to the target from `at` on."""
    row, out = window(source, first, width), window(target, at, width)
    for j in range(width):
        out[j] += row[j]


@njit(**JIT)
def copy_row(source, first, target, at, width):
    """Copies source[first : first + width] to the target from `at` on."""
    row, out = window(source, first, width), window(target, at, width)
    for j in range(width):
        out[j] = row[j]


@njit(**JIT)
def sum_rows(source, rows, width, total):
    """Adds every row of a block to `total`; four rows at a time."""
    fours = rows // 4 * 4
    for r in range(0, fours, 4):
        at = r * width
        first, second = window(source, at, width), window(source, at + width, width)
        third, fourth = window(source, at + 2 * width, width), window(source, at + 3 * width, width)
        for j in range(width):
            total[j] += (first[j] + second[j]) + (third[j] + fourth[j])
    for r in range(fours, rows):
        add_row(source, r * width, total, ZERO, width)
