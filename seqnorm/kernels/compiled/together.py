"""Batch statistics forward: the moments of the rows of all threads, which meet at every step.

Of moments the parts are mean and variance over a thread's n_s of n rows, which make

    mean = Σ n_s / n mean_s,  variance = Σ n_s / n (variance_s + (mean_s - mean)^2).

`site.sums` is what a meeting came to: mean and variance; of RENORM also mean and scale of the batch
itself, which the gradient needs.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from seqnorm.kernels.compiled.columns import column_moments
from seqnorm.kernels.compiled.flat import copy_row
from seqnorm.kernels.compiled.meeting import all_rows, of_batch, place_of, rows_of
from seqnorm.kernels.compiled.moments import corrected, mixed
from seqnorm.kernels.compiled.options import JIT, PART, ZERO
from seqnorm.kernels.compiled.sync import barrier
from seqnorm.kernels.compiled.window import window
from seqnorm.kernels.spec import BATCH, RENORM


@njit(**JIT)
def _settle(site, seen, first, step):
    """What the columns are normalised by, from the moments of the rows alive."""
    columns = site.columns
    mean, variance = window(seen, first, columns), window(seen, first + columns, columns)
    prior = window(site.prior, 3 * step * columns, 3 * columns)
    if site.kind == BATCH:
        mixed(mean, variance, prior, site.epsilon, site.mean, site.scale)
    else:
        corrected(mean, variance, prior, site.epsilon, site.mean, site.scale)


@njit(**PART)
def _tell_moments(call, site, at, source, token, rows, step):
    columns = site.columns
    if of_batch(site) and rows > 0:
        place = place_of(call, step, call.sizes.share, at, columns)
        column_moments(source, token * columns, rows, columns, window(place, 0, columns),
                       window(place, columns, columns))  # fmt: skip


@njit(**PART)
def _hear_moments(call, site, at, step):
    if not of_batch(site):
        return
    columns = site.columns
    mean, variance = window(site.sums, 0, columns), window(site.sums, columns, columns)
    one = site.sums.dtype.type(1)
    each = one / site.sums.dtype.type(all_rows(call, step))
    mean[:] = 0
    variance[:] = 0
    for share in range(call.sizes.shares):
        weight = each * site.sums.dtype.type(rows_of(call, step, share))
        part = place_of(call, step, share, at, columns)
        if weight > 0:
            for j in range(columns):
                mean[j] += weight * part[j]
    for share in range(call.sizes.shares):
        weight = each * site.sums.dtype.type(rows_of(call, step, share))
        part = place_of(call, step, share, at, columns)
        if weight > 0:
            for j in range(columns):
                apart = part[j] - mean[j]
                variance[j] += weight * (part[columns + j] + apart * apart)
    if call.sizes.share == 0:
        copy_row(site.sums, ZERO, site.seen, 2 * step * columns, 2 * columns)
    _settle(site, site.sums, 0, step)


@njit(**PART)
def product_moments(call, pre_in, token, rows, step):
    """Fills the moments of a block at the input and the recurrent site, in one meeting."""
    first, second, at = call.input, call.recurrent, 2 * call.sizes.columns
    if of_batch(first) or of_batch(second):
        _tell_moments(call, first, 0, pre_in, token, rows, step)
        _tell_moments(call, second, at, call.saved.pre_rec, token, rows, step)
        barrier(call.sync, call.sizes.shares)
        _hear_moments(call, first, 0, step)
        _hear_moments(call, second, at, step)


@njit(**PART)
def state_moments(call, token, rows, step):
    """Fills those at the state's site."""
    site, at = call.state, 4 * call.sizes.columns
    if of_batch(site):
        _tell_moments(call, site, at, call.saved.state, token, rows, step)
        barrier(call.sync, call.sizes.shares)
        _hear_moments(call, site, at, step)


@njit(**JIT)
def _recall(site, step):
    if not of_batch(site):
        return
    columns = site.columns
    _settle(site, site.seen, 2 * step * columns, step)
    if site.kind == RENORM:
        copy_row(site.seen, 2 * step * columns, site.sums, 2 * columns, columns)
        variance = window(site.seen, (2 * step + 1) * columns, columns)
        scale = window(site.sums, 3 * columns, columns)
        one = scale.dtype.type(1)
        for j in range(columns):
            scale[j] = one / np.sqrt(variance[j] + site.epsilon)


@njit(**PART)
def recall_moments(call, step):
    """What the batch's columns are normalised by, from the moments that the forward pass saw."""
    _recall(call.input, step)
    _recall(call.recurrent, step)
    _recall(call.state, step)
