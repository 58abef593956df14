"""Normalisation sites inside compiled code, over a block of rows: forward and backward.

Row kinds (LAYER, RMS) keep mean and scale = 1 / sqrt(variance + epsilon) for each row and piece;
the mean of RMS is zero, so both share every loop after the moments. Column kinds keep the same two
numbers for each step and column: FIXED is given them; BATCH mixes the moments of the rows alive
with given ones,

    mean = w mean_B + (1 - w) mean_P,
    variance = w var_B + (1 - w) var_P + w (1 - w) (mean_B - mean_P)^2,

which is what the small-batch policies come to (w = 1: the batch alone). Since x - mean is also half
the derivative of the variance by x over w / rows, the gradient is that of w = 1 with w / rows in
place of 1 / rows.

A site's source is flat with `stride` columns a row; the block is its rows `token`, ..., token +
rows - 1. Its counterpart (z forward, d backward) is flat with the same stride and starts at row 0.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from seqnorm.kernels.options import JIT
from seqnorm.kernels.spec import BATCH, FIXED, LAYER, NONE
from seqnorm.kernels.window import window


@njit(**JIT)
def _row_moments(kind, row, epsilon):
    """(mean, scale) of a row; two passes, the second over centred values."""
    one = row.dtype.type(1)
    share = one / row.dtype.type(row.size)
    mean = one - one
    if kind == LAYER:
        for j in range(row.size):
            mean += row[j]
        mean *= share
    square = one - one
    for j in range(row.size):
        centred = row[j] - mean
        square += centred * centred
    return mean, one / np.sqrt(square * share + epsilon)


@njit(**JIT)
def _column_moments(source, first, rows, stride, mean, variance):
    """Moments of mean.size columns from `first` on over `rows` rows; two passes."""
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
def _mix(seen, prior, at, stride, epsilon, mean, scale):
    """What the columns are normalised by: the moments seen, mixed with the prior's."""
    width = mean.size
    one = mean.dtype.type(1)
    seen_mean, seen_variance = window(seen, at[0], width), window(seen, at[0] + stride, width)
    weight, prior_mean = window(prior, at[1], width), window(prior, at[1] + stride, width)
    prior_variance = window(prior, at[1] + 2 * stride, width)
    for j in range(width):
        rest = one - weight[j]
        apart = seen_mean[j] - prior_mean[j]
        variance = weight[j] * seen_variance[j] + rest * (
            prior_variance[j] + weight[j] * apart * apart
        )
        mean[j] = weight[j] * seen_mean[j] + rest * prior_mean[j]
        scale[j] = one / np.sqrt(variance + epsilon)


@njit(**JIT)
def site_moments(kind, source, token, rows, stride, pieces, epsilon, step, moments, prior):
    """Fills the moments of a block; nothing to do for NONE and FIXED."""
    mean, scale, seen = moments
    count = pieces.shape[0]
    if kind in (NONE, FIXED):
        return
    for p in range(count):
        low, width = pieces[p, 0], pieces[p, 1]
        if kind == BATCH:
            at, first = step * stride + low, 2 * step * stride + low
            _column_moments(source, token * stride + low, rows, stride, window(seen, first, width),
                            window(seen, first + stride, width))  # fmt: skip
            _mix(seen, prior, (first, 3 * step * stride + low), stride, epsilon,
                 window(mean, at, width), window(scale, at, width))  # fmt: skip
        else:
            for r in range(rows):
                slot = (token + r) * count + p
                row = window(source, (token + r) * stride + low, width)
                mean[slot], scale[slot] = _row_moments(kind, row, epsilon)


@njit(**JIT)
def _set_row(row, mean, scale, gain, base, target):
    for j in range(target.size):
        target[j] = (row[j] - mean) * scale * gain[j] + base[j]


@njit(**JIT)
def _set_columns(row, mean, scale, gain, base, target):
    for j in range(target.size):
        target[j] = (row[j] - mean[j]) * scale[j] * gain[j] + base[j]


@njit(**JIT)
def _set_plain(row, base, target):
    for j in range(target.size):
        target[j] = row[j] + base[j]


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


@njit(**JIT)
def _add_row(row, mean, scale, gain, target):
    for j in range(target.size):
        target[j] += (row[j] - mean) * scale * gain[j]


@njit(**JIT)
def _add_columns(row, mean, scale, gain, target):
    for j in range(target.size):
        target[j] += (row[j] - mean[j]) * scale[j] * gain[j]


@njit(**JIT)
def site_forward(kind, source, token, rows, stride, pieces, moments, step, gain, base, add, z):
    """Computes z = base + gain * normalised source, base being one row.

    If `add`, z itself takes the place of base.

    Loops that set and loops that add are apart because arrays that overlap are not vectorised.
    """
    mean, scale = moments
    count = pieces.shape[0]
    for p in range(count):
        low, width = pieces[p, 0], pieces[p, 1]
        weight, start, at = window(gain, low, width), window(base, low, width), step * stride + low
        for r in range(rows):
            row = window(source, (token + r) * stride + low, width)
            target = window(z, r * stride + low, width)
            if kind == NONE:
                if add:
                    add_rows(row, 0, target, 0, 1, 0, width)
                else:
                    _set_plain(row, start, target)
            elif kind in (BATCH, FIXED):
                centre, factor = window(mean, at, width), window(scale, at, width)
                if add:
                    _add_columns(row, centre, factor, weight, target)
                else:
                    _set_columns(row, centre, factor, weight, start, target)
            else:
                slot = (token + r) * count + p
                if add:
                    _add_row(row, mean[slot], scale[slot], weight, target)
                else:
                    _set_row(row, mean[slot], scale[slot], weight, start, target)


@njit(**JIT)
def _back_row(kind, row, mean, scale, gain, d, d_gain):
    """Computes row = gradient of a row kind, from d = dL/d(output); adds to the gain's gradient."""
    share = row.dtype.type(1) / row.dtype.type(row.size)
    first = share - share
    second = share - share
    for j in range(row.size):
        hat = (row[j] - mean) * scale
        row[j] = hat
        weighted = d[j] * hat
        d_gain[j] += weighted
        second += weighted * gain[j]
        first += d[j] * gain[j]
    first *= share
    second *= share
    if kind != LAYER:
        first = share - share
    for j in range(row.size):
        row[j] = scale * (d[j] * gain[j] - first - row[j] * second)


@njit(**JIT)
def _back_fixed(row, mean, scale, gain, d, d_gain):
    for j in range(row.size):
        d_gain[j] += d[j] * (row[j] - mean[j]) * scale[j]
        row[j] = d[j] * gain[j] * scale[j]


@njit(**JIT)
def _back_columns(
    source, first, rows, stride, mean, scale, share_of, gain, d, low, d_gain, plain, weighted
):
    """Gradient through the batch moments of mean.size columns; d_gain gains."""
    width = mean.size
    share = mean.dtype.type(1) / mean.dtype.type(rows)
    plain[:] = 0
    weighted[:] = 0
    for r in range(rows):
        row = window(source, first + r * stride, width)
        d_row = window(d, low + r * stride, width)
        for j in range(width):
            plain[j] += d_row[j]
            weighted[j] += d_row[j] * ((row[j] - mean[j]) * scale[j])
    for j in range(width):
        d_gain[j] += weighted[j]
        plain[j] *= share * share_of[j]
        weighted[j] *= share * share_of[j]
    for r in range(rows):
        row = window(source, first + r * stride, width)
        d_row = window(d, low + r * stride, width)
        for j in range(width):
            hat = (row[j] - mean[j]) * scale[j]
            row[j] = (d_row[j] - plain[j] - hat * weighted[j]) * (gain[j] * scale[j])


@njit(**JIT)
def site_backward(
    kind, source, token, rows, stride, pieces, moments, prior, step, gain, d, d_gain, sums
):
    """Replaces the source block by its gradient, from d = dL/d(output); adds to d_gain.

    sums is working memory, twice the widest piece.
    """
    mean, scale = moments
    count = pieces.shape[0]
    for p in range(count):
        low, width = pieces[p, 0], pieces[p, 1]
        weight, d_weight = window(gain, low, width), window(d_gain, low, width)
        at = step * stride + low
        if kind == BATCH:
            _back_columns(
                source,
                token * stride + low,
                rows,
                stride,
                window(mean, at, width),
                window(scale, at, width),
                window(prior, 3 * step * stride + low, width),
                weight,
                d,
                low,
                d_weight,
                window(sums, 0, width),
                window(sums, width, width),
            )
            continue
        for r in range(rows):
            row = window(source, (token + r) * stride + low, width)
            d_row = window(d, r * stride + low, width)
            if kind == NONE:
                copy_rows(d_row, 0, row, 0, 1, 0, width)
            elif kind == FIXED:
                _back_fixed(
                    row, window(mean, at, width), window(scale, at, width), weight, d_row, d_weight
                )
            else:
                slot = (token + r) * count + p
                _back_row(kind, row, mean[slot], scale[slot], weight, d_row, d_weight)
