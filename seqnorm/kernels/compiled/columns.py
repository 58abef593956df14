"""Columns over a block of rows: their moments, and what is normalised by moments of columns.

`first` is where a block's first row begins, `stride` how far the next row is; vectors hold a number
for each column. Whole panels of columns go down the rows together, the rest a row at a time.
"""

from __future__ import annotations

from numba import njit

from seqnorm.kernels.compiled.options import JIT
from seqnorm.kernels.compiled.panel import on_panel
from seqnorm.kernels.compiled.products import panel_width
from seqnorm.kernels.compiled.window import address, window


@on_panel
def _moments_of_panel(panel, source, mean, variance):
    def total(row, sums):
        return [panel.add(sums, panel.load(row))]

    def squares(row, sums):
        centred = panel.subtract(panel.load(row), centre)
        return [panel.multiply_add(centred, centred, sums)]

    centre = panel.mean(panel.down([source], [panel.zeros], total)[0])
    panel.store(centre, mean)
    panel.store(panel.mean(panel.down([source], [panel.zeros], squares)[0]), variance)


@njit(**JIT)
def _moments_of_rest(source, first, rows, stride, mean, variance):
    width = mean.size
    share = mean.dtype.type(1) / mean.dtype.type(rows)
    mean[:] = 0
    variance[:] = 0
    for r in range(rows):
        row = window(source, first + r * stride, width)
        for j in range(width):
            mean[j] += row[j]
    for j in range(width):
        mean[j] *= share
    for r in range(rows):
        row = window(source, first + r * stride, width)
        for j in range(width):
            centred = row[j] - mean[j]
            variance[j] += centred * centred
    for j in range(width):
        variance[j] *= share


@njit(**JIT)
def column_moments(source, first, rows, stride, mean, variance):
    """Mean and variance of columns over rows; two passes."""
    width, unit = panel_width(source), source.dtype.type(0)
    whole = mean.size // width * width
    for j in range(0, whole, width):
        places = address(source, first + j), address(mean, j), address(variance, j)
        _moments_of_panel(unit, rows, stride, places)
    if whole < mean.size:
        rest = mean.size - whole
        _moments_of_rest(source, first + whole, rows, stride, window(mean, whole, rest),
                         window(variance, whole, rest))  # fmt: skip


@on_panel
def _set_panel(panel, source, mean, scale, gain, base, target):
    centre, factor = panel.load(mean), panel.multiply(panel.load(scale), panel.load(gain))
    start = panel.load(base)

    def normalise(row, out):
        centred = panel.subtract(panel.load(row), centre)
        panel.store(panel.multiply_add(centred, factor, start), out)
        return []

    panel.down([source, target], [], normalise)


@on_panel
def _add_panel(panel, source, mean, scale, gain, target):
    centre, factor = panel.load(mean), panel.multiply(panel.load(scale), panel.load(gain))

    def normalise(row, out):
        centred = panel.subtract(panel.load(row), centre)
        panel.store(panel.multiply_add(centred, factor, panel.load(out)), out)
        return []

    panel.down([source, target], [], normalise)


@njit(**JIT)
def set_columns(source, first, rows, stride, mean, scale, gain, base, target, at):
    """Computes target = (source - mean) * scale * gain + base, the target's block being at `at`."""
    width, unit = panel_width(source), source.dtype.type(0)
    whole = mean.size // width * width
    for j in range(0, whole if rows else 0, width):
        places = (address(source, first + j), address(mean, j), address(scale, j),
                  address(gain, j), address(base, j), address(target, at + j))  # fmt: skip
        _set_panel(unit, rows, stride, places)
    for r in range(rows if whole < mean.size else 0):
        row = window(source, first + r * stride, mean.size)
        out = window(target, at + r * stride, mean.size)
        for j in range(whole, mean.size):
            out[j] = (row[j] - mean[j]) * scale[j] * gain[j] + base[j]


@njit(**JIT)
def add_columns(source, first, rows, stride, mean, scale, gain, target, at):
    """Adds (source - mean) * scale * gain to the target."""
    width, unit = panel_width(source), source.dtype.type(0)
    whole = mean.size // width * width
    for j in range(0, whole if rows else 0, width):
        places = (address(source, first + j), address(mean, j), address(scale, j),
                  address(gain, j), address(target, at + j))  # fmt: skip
        _add_panel(unit, rows, stride, places)
    for r in range(rows if whole < mean.size else 0):
        row = window(source, first + r * stride, mean.size)
        out = window(target, at + r * stride, mean.size)
        for j in range(whole, mean.size):
            out[j] += (row[j] - mean[j]) * scale[j] * gain[j]


@on_panel
def _sums_of_panel(panel, source, d, mean, scale, plain, weighted):
    centre = panel.load(mean)

    def add(row, d_row, first, second):
        slope, centred = panel.load(d_row), panel.subtract(panel.load(row), centre)
        return panel.add(first, slope), panel.multiply_add(slope, centred, second)

    first, second = panel.down([source, d], [panel.zeros, panel.zeros], add)
    panel.store(first, plain)
    panel.store(panel.multiply(second, panel.load(scale)), weighted)


@njit(**JIT)
def sum_columns(source, first, rows, stride, mean, scale, d, at, plain, weighted):
    """Sums over rows of d and of d * (source - mean) * scale, into plain and weighted."""
    width, unit = panel_width(source), source.dtype.type(0)
    whole = mean.size // width * width if rows else 0
    for j in range(0, whole, width):
        places = (address(source, first + j), address(d, at + j), address(mean, j),
                  address(scale, j), address(plain, j), address(weighted, j))  # fmt: skip
        _sums_of_panel(unit, rows, stride, places)
    plain[whole:] = 0
    weighted[whole:] = 0
    for r in range(rows if whole < mean.size else 0):
        row = window(source, first + r * stride, mean.size)
        d_row = window(d, at + r * stride, mean.size)
        for j in range(whole, mean.size):
            plain[j] += d_row[j]
            weighted[j] += d_row[j] * ((row[j] - mean[j]) * scale[j])


@on_panel
def _back_of_panel(panel, source, d, mean, scale, plain, weighted, gain, factor):
    centre, shift = panel.load(mean), panel.load(plain)
    slope = panel.multiply(panel.load(weighted), panel.load(scale))
    outer = panel.multiply(panel.load(gain), panel.load(factor))

    def replace(row, d_row):
        centred = panel.subtract(centre, panel.load(row))
        through = panel.subtract(panel.load(d_row), shift)
        panel.store(panel.multiply(panel.multiply_add(centred, slope, through), outer), row)
        return []

    panel.down([source, d], [], replace)


@njit(**JIT)
def back_columns(source, first, rows, stride, mean, scale, plain, weighted, gain, factor, d, at):
    """Replaces source by (d - plain - (source - mean) * scale * weighted) * gain * factor."""
    width, unit = panel_width(source), source.dtype.type(0)
    whole = mean.size // width * width
    for j in range(0, whole if rows else 0, width):
        places = (address(source, first + j), address(d, at + j), address(mean, j),
                  address(scale, j), address(plain, j), address(weighted, j), address(gain, j),
                  address(factor, j))  # fmt: skip
        _back_of_panel(unit, rows, stride, places)
    for r in range(rows if whole < mean.size else 0):
        row = window(source, first + r * stride, mean.size)
        d_row = window(d, at + r * stride, mean.size)
        for j in range(whole, mean.size):
            hat = (row[j] - mean[j]) * scale[j]
            row[j] = (d_row[j] - plain[j] - hat * weighted[j]) * (gain[j] * factor[j])
