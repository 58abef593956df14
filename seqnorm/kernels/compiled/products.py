"""Matrix products of the time loop, built on the register tile.

A weight [K, N] is packed once a call into panels of `panel_width` columns, each stored k by k,
padded with zeros.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numba.extending import register_jitable

from seqnorm.kernels.compiled.options import ENTRY, JIT, ONE, SOURCE, ZERO
from seqnorm.kernels.compiled.tile import ROWS, TILES, VECTOR_BYTES, move
from seqnorm.kernels.compiled.window import address, window

_ROWS = np.int64(ROWS)  # see `options.ZERO`
_1, _2, _3, _4, _5, _6, _7, _8 = (TILES[rows] for rows in range(1, 9))


@register_jitable
def panel_width(array):
    """Columns of one packed panel for the element type of `array`."""
    return 2 * VECTOR_BYTES // array.itemsize


@njit(**JIT)
def _tile(m, unit, a, a_rows, a_step, depth, panel, c, c_rows, add):
    """Calls the tile of m rows, 1 <= m <= ROWS."""
    if m == 8:
        _8(unit, a, a_rows, a_step, depth, panel, c, c_rows, add)
    elif m == 7:
        _7(unit, a, a_rows, a_step, depth, panel, c, c_rows, add)
    elif m == 6:
        _6(unit, a, a_rows, a_step, depth, panel, c, c_rows, add)
    elif m == 5:
        _5(unit, a, a_rows, a_step, depth, panel, c, c_rows, add)
    elif m == 4:
        _4(unit, a, a_rows, a_step, depth, panel, c, c_rows, add)
    elif m == 3:
        _3(unit, a, a_rows, a_step, depth, panel, c, c_rows, add)
    elif m == 2:
        _2(unit, a, a_rows, a_step, depth, panel, c, c_rows, add)
    else:
        _1(unit, a, a_rows, a_step, depth, panel, c, c_rows, add)


@njit(**JIT)
def _pack(matrix, packed):
    """Packs the columns of a matrix [K, N] into panels."""
    width = panel_width(matrix)
    depth, columns = matrix.shape
    for column in range(0, columns, width):
        count = min(width, columns - column)
        for k in range(depth):
            target = window(packed, column * depth + k * width, width)
            for j in range(count):
                target[j] = matrix[k, column + j]
            for j in range(count, width):
                target[j] = 0


def _entry(stamp: int) -> Any:
    @njit(**ENTRY)
    def pack(matrix, packed):
        if stamp:
            _pack(matrix, packed)

    return pack


pack = _entry(SOURCE)


@njit(**JIT)
def _copy_tile(spill, c, c_rows, c_first, c_shift, m, width, count, add):
    """Writes (or adds) the first `count` columns of a spilled tile to c."""
    for i in range(m):
        start = c_rows[c_first + i] + c_shift
        target = window(c, start, count)
        source = window(spill, i * width, count)
        if add:
            for j in range(count):
                target[j] += source[j]
        else:
            for j in range(count):
                target[j] = source[j]


@njit(**JIT)
def product_to(
    rows, a, a_rows, a_first, a_shift, depth, packed, columns, c, c_rows, c_first, c_shift, add,
    tables,
):  # fmt: skip
    """c[rows, columns] (+)= a[rows, depth] @ packed; both a and c may be scattered rows.

    Row i of a starts at a_rows[a_first + i] + a_shift of the flat array a, row i of c at
    c_rows[c_first + i] + c_shift. `tables` is a `Tables`.
    """
    width = panel_width(a)
    unit = a.dtype.type(0)
    spill, spill_rows = address(tables.spill, 0), address(tables.spill_rows, 0)
    left = address(a, a_shift)
    for column in range(0, columns, width):
        whole = columns - column >= width
        panel = address(packed, column * depth)
        target = address(c, c_shift + column) if whole else spill
        for first in range(0, rows, ROWS):
            m, at = min(ROWS, rows - first), c_first + first
            out_rows = address(c_rows, at) if whole else spill_rows
            _tile(m, unit, left, address(a_rows, a_first + first), ONE, depth, panel,
                  target, out_rows, add if whole else ZERO)  # fmt: skip
            if not whole:
                _copy_tile(tables.spill, c, c_rows, at, c_shift + column, m, width,
                           columns - column, add)  # fmt: skip


@njit(**JIT)
def product(
    rows, a, a_rows, a_first, a_shift, depth, packed, columns, c, c_rows, c_shift, add, tables
):
    """As `product_to`, row i of c starting at c_rows[i] + c_shift."""
    product_to(rows, a, a_rows, a_first, a_shift, depth, packed, columns, c, c_rows, ZERO,
               c_shift, add, tables)  # fmt: skip


@njit(**JIT)
def pack_left(rows, source, source_rows, first, features, position, depth, packed):
    """Writes `rows` rows [features] as columns `position`... of the left factor of `outer`.

    packed is [feature tile][depth][ROWS]; the last tile is padded with whatever it holds, its rows
    being left out of the product.
    """
    whole = features // ROWS * ROWS
    unit = source.dtype.type(0)
    for i in range(rows):
        start = source_rows[first + i]
        for tile in range(0, whole, ROWS):
            move(
                unit,
                address(source, start + tile),
                address(packed, tile * depth + (position + i) * ROWS),
            )
        row = window(source, start + whole, features - whole)
        target = window(packed, whole * depth + (position + i) * ROWS, features - whole)
        for j in range(features - whole):
            target[j] = row[j]


@njit(**JIT)
def outer(features, depth, left, right, right_first, columns, c, panel, tables):
    """c[features, columns] += left^T @ right over `depth` rows, at least one; c is flat.

    left comes from `pack_left`; right is flat, its row k starting at right_first + k * columns;
    `panel` has room for [depth, panel_width]. tables.c_rows must hold multiples of `columns`.
    """
    width = panel_width(right)
    unit = right.dtype.type(0)
    spill, spill_rows = address(tables.spill, 0), address(tables.spill_rows, 0)
    left_rows, c_rows = address(tables.left_rows, 0), address(tables.c_rows, 0)
    for column in range(0, columns, width):
        count = min(width, columns - column)
        for k in range(depth):
            row = window(right, right_first + k * columns + column, count)
            target = window(panel, k * width, width)
            for j in range(count):
                target[j] = row[j]
            for j in range(count, width):
                target[j] = 0
        whole = count == width
        for first in range(0, features, ROWS):
            m, at = min(ROWS, features - first), first * columns + column
            _tile(m, unit, address(left, first * depth), left_rows, _ROWS, depth,
                  address(panel, 0), address(c, at) if whole else spill,
                  c_rows if whole else spill_rows, ONE if whole else ZERO)  # fmt: skip
            if not whole:
                _copy_tile(tables.spill, c, tables.c_rows, ZERO, at, m, width, count, ONE)
