"""What a normalisation site divides and shifts by: moments of rows or columns, in compiled code.

Row kinds (LAYER, RMS) keep mean and scale = 1 / sqrt(variance + epsilon) for each row and piece;
the mean of RMS is zero, so both share every loop after the moments. Column kinds keep the same two
numbers for each step and column: FIXED is given them; BATCH mixes the moments of the rows alive
with given ones,

    mean = w mean_B + (1 - w) mean_P,
    variance = w var_B + (1 - w) var_P + w (1 - w) (mean_B - mean_P)^2,

which is what most small-batch policies come to (w = 1: the batch alone). RENORM is Ioffe's (2017):
with r = s_B / s_P and d = (mean_B - mean_P) / s_P, s being sqrt(variance + epsilon), both clipped,

    mean = mean_B - d s_B / r,  scale = r / s_B,

so that (x - mean) scale is r times what the batch gives, plus d; r = 1 and d = 0 where var_P < 0,
which says that nothing has run yet.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from seqnorm.kernels.compiled.options import JIT
from seqnorm.kernels.compiled.window import window
from seqnorm.kernels.spec import BATCH, D_MAX, FIXED, LAYER, NONE, R_MAX, RENORM


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
def _renormalise(seen, prior, at, stride, epsilon, mean, scale):
    """What the columns are normalised by: the moments seen, corrected towards the prior's."""
    width = mean.size
    one = mean.dtype.type(1)
    most_r, most_d = mean.dtype.type(R_MAX), mean.dtype.type(D_MAX)
    seen_mean, seen_variance = window(seen, at[0], width), window(seen, at[0] + stride, width)
    prior_mean = window(prior, at[1] + stride, width)
    prior_variance = window(prior, at[1] + 2 * stride, width)
    for j in range(width):
        own = np.sqrt(seen_variance[j] + epsilon)
        r, d = one, one - one
        if not prior_variance[j] < 0:  # NaN is no "none yet", and must show
            known = np.sqrt(prior_variance[j] + epsilon)
            r = min(max(own / known, one / most_r), most_r)
            d = min(max((seen_mean[j] - prior_mean[j]) / known, -most_d), most_d)
        mean[j] = seen_mean[j] - d * own / r
        scale[j] = r / own


@njit(**JIT)
def site_moments(site, source, token, rows, step):
    """Fills the moments of a block; nothing to do for NONE and FIXED."""
    kind, stride, count = site.kind, site.columns, site.pieces.shape[0]
    if kind in (NONE, FIXED):
        return
    for p in range(count):
        low, width = site.pieces[p, 0], site.pieces[p, 1]
        if kind in (BATCH, RENORM):
            at, first = step * stride + low, 2 * step * stride + low
            _column_moments(source, token * stride + low, rows, stride,
                            window(site.seen, first, width),
                            window(site.seen, first + stride, width))  # fmt: skip
            both = first, 3 * step * stride + low
            centre, factor = window(site.mean, at, width), window(site.scale, at, width)
            if kind == BATCH:
                _mix(site.seen, site.prior, both, stride, site.epsilon, centre, factor)
            else:
                _renormalise(site.seen, site.prior, both, stride, site.epsilon, centre, factor)
        else:
            for r in range(rows):
                slot = (token + r) * count + p
                row = window(source, (token + r) * stride + low, width)
                site.mean[slot], site.scale[slot] = _row_moments(kind, row, site.epsilon)
