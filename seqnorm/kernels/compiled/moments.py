"""What a normalisation site divides and shifts by: moments of rows or columns, in compiled code.

Row kinds (LAYER, RMS) keep mean and scale = 1 / sqrt(variance + epsilon) for each row and piece;
the mean of RMS is zero, so both share every loop after the moments. Column kinds have the same two
numbers for each column of a step: FIXED is given them; BATCH mixes the moments of the rows alive,
which `together` takes, with given ones,

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
from seqnorm.kernels.spec import D_MAX, LAYER, R_MAX, RMS


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
def mixed(seen_mean, seen_variance, prior, epsilon, mean, scale):
    """BATCH: what columns are normalised by, from the moments seen and the prior [3, columns]."""
    width = mean.size
    one = mean.dtype.type(1)
    weight, prior_mean = window(prior, 0, width), window(prior, width, width)
    prior_variance = window(prior, 2 * width, width)
    for j in range(width):
        rest = one - weight[j]
        apart = seen_mean[j] - prior_mean[j]
        variance = weight[j] * seen_variance[j] + rest * (
            prior_variance[j] + weight[j] * apart * apart
        )
        mean[j] = weight[j] * seen_mean[j] + rest * prior_mean[j]
        scale[j] = one / np.sqrt(variance + epsilon)


@njit(**JIT)
def corrected(seen_mean, seen_variance, prior, epsilon, mean, scale):
    """RENORM: likewise."""
    width = mean.size
    one = mean.dtype.type(1)
    most_r, most_d = mean.dtype.type(R_MAX), mean.dtype.type(D_MAX)
    prior_mean, prior_variance = window(prior, width, width), window(prior, 2 * width, width)
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
def site_moments(site, source, token, rows):
    """Fills the moments of a block of rows; nothing to do for kinds that have those of columns."""
    kind, stride, count = site.kind, site.columns, site.pieces.shape[0]
    if kind not in (LAYER, RMS):
        return
    for p in range(count):
        low, width = site.pieces[p, 0], site.pieces[p, 1]
        for r in range(rows):
            slot = (token + r) * count + p
            row = window(source, (token + r) * stride + low, width)
            site.mean[slot], site.scale[slot] = _row_moments(kind, row, site.epsilon)
