"""Batch statistics across threads: what the rows of all of them come to.

A thread has some of the rows. At a step it takes the sums over its own, writes them into its place
of `call.meeting`, waits for the others, and adds up what all have written, in the same order as
they do, so that all go on with the same bytes. The places of even and odd steps are apart: a thread
that is a step ahead overwrites nothing that another still reads, and to be two ahead it would have
to pass a barrier that the other has not reached.

Of moments the parts are mean and variance over a thread's n_s of n rows, which make

    mean = Σ n_s / n mean_s,  variance = Σ n_s / n (variance_s + (mean_s - mean)^2).

`site.sums` is what a meeting came to: forward mean and variance, backward the sums of dL/d(output)
and of that times the normalised value, over the number of rows; of RENORM also mean and scale of
the batch itself.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from seqnorm.kernels.compiled.columns import column_moments, sum_columns
from seqnorm.kernels.compiled.flat import add_rows, copy_rows
from seqnorm.kernels.compiled.moments import corrected, mixed, site_moments
from seqnorm.kernels.compiled.options import JIT, PART
from seqnorm.kernels.compiled.sync import barrier
from seqnorm.kernels.compiled.window import window
from seqnorm.kernels.spec import BATCH, RENORM


@njit(**JIT)
def of_batch(site):
    """Whether a site normalises by the moments of the rows alive."""
    return site.kind in (BATCH, RENORM)


@njit(**PART)
def _place(call, step, share, at, columns):
    """Where a thread writes the sums of one site, [2, columns]."""
    shares = call.sizes.shares
    wide = call.meeting.size // (2 * shares)
    return window(call.meeting, (step % 2 * shares + share) * wide + at, 2 * columns)


@njit(**PART)
def _rows(call, step, share):
    return call.layout.together[share * call.layout.alive.size + step]


@njit(**PART)
def _all_rows(call, step):
    total = 0
    for share in range(call.sizes.shares):
        total += _rows(call, step, share)
    return total


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
        place = _place(call, step, call.sizes.share, at, columns)
        column_moments(source, token * columns, rows, columns, window(place, 0, columns),
                       window(place, columns, columns))  # fmt: skip


@njit(**PART)
def _hear_moments(call, site, at, step):
    if not of_batch(site):
        return
    columns = site.columns
    mean, variance = window(site.sums, 0, columns), window(site.sums, columns, columns)
    one = site.sums.dtype.type(1)
    each = one / site.sums.dtype.type(_all_rows(call, step))
    mean[:] = 0
    variance[:] = 0
    for share in range(call.sizes.shares):
        weight = each * site.sums.dtype.type(_rows(call, step, share))
        part = _place(call, step, share, at, columns)
        if weight > 0:
            for j in range(columns):
                mean[j] += weight * part[j]
    for share in range(call.sizes.shares):
        weight = each * site.sums.dtype.type(_rows(call, step, share))
        part = _place(call, step, share, at, columns)
        if weight > 0:
            for j in range(columns):
                apart = part[j] - mean[j]
                variance[j] += weight * (part[columns + j] + apart * apart)
    if call.sizes.share == 0:
        copy_rows(site.sums, 0, site.seen, 2 * step * columns, 1, 0, 2 * columns)
    _settle(site, site.sums, 0, step)


@njit(**PART)
def product_moments(call, pre_in, token, rows, step):
    """Fills the moments of a block at the input and the recurrent site, in one meeting."""
    first, second, at = call.input, call.recurrent, 2 * call.sizes.columns
    site_moments(first, pre_in, token, rows)
    site_moments(second, call.saved.pre_rec, token, rows)
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
    site_moments(site, call.saved.state, token, rows)
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
        copy_rows(site.seen, 2 * step * columns, site.sums, 2 * columns, 1, 0, columns)
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


@njit(**JIT)
def own_moments(site):
    """(mean, scale) of what depends on the batch: of RENORM not those of the output."""
    columns = site.columns
    if site.kind == RENORM:
        own = window(site.sums, 2 * columns, columns), window(site.sums, 3 * columns, columns)
        return own
    return window(site.mean, 0, columns), window(site.scale, 0, columns)


@njit(**JIT)
def _add_to_gain(site, plain, weighted):
    """The gradient of the gain; of RENORM, whose output is r u + d, that of both its parts."""
    if site.kind == BATCH:
        add_rows(weighted, 0, site.d_gain, 0, 1, 0, site.columns)
        return
    mean, scale = own_moments(site)
    for j in range(site.columns):
        r, shift = site.scale[j] / scale[j], (mean[j] - site.mean[j]) * site.scale[j]
        site.d_gain[j] += r * weighted[j] + shift * plain[j]


@njit(**PART)
def _tell_sums(call, site, at, source, token, rows, step, d):
    if not of_batch(site):
        return
    columns = site.columns
    place = _place(call, step, call.sizes.share, at, columns)
    plain, weighted = window(place, 0, columns), window(place, columns, columns)
    mean, scale = own_moments(site)
    sum_columns(source, token * columns, rows, columns, mean, scale, d, 0, plain, weighted)
    _add_to_gain(site, plain, weighted)


@njit(**PART)
def _hear_sums(call, site, at, step):
    if not of_batch(site):
        return
    columns = site.columns
    sums, weight = (
        window(site.sums, 0, 2 * columns),
        window(site.prior, 3 * step * columns, columns),
    )
    each = sums.dtype.type(1) / sums.dtype.type(_all_rows(call, step))
    sums[:] = 0
    for share in range(call.sizes.shares):
        part = _place(call, step, share, at, columns)
        for j in range(2 * columns):
            sums[j] += part[j]
    for j in range(columns):
        sums[j] *= each * weight[j]
        sums[columns + j] *= each * weight[j]


@njit(**PART)
def product_sums(call, pre_in, token, rows, step, recurrent):
    """Sums of the gradients of a block at the input and the recurrent site, in one meeting."""
    first, second, at = call.input, call.recurrent, 2 * call.sizes.columns
    if of_batch(first) or of_batch(second):
        _tell_sums(call, first, 0, pre_in, token, rows, step, call.scratch.z)
        _tell_sums(call, second, at, call.saved.pre_rec, token, rows, step, recurrent)
        barrier(call.sync, call.sizes.shares)
        _hear_sums(call, first, 0, step)
        _hear_sums(call, second, at, step)


@njit(**PART)
def state_sums(call, token, rows, step):
    """Those at the state's site."""
    site, at = call.state, 4 * call.sizes.columns
    if of_batch(site):
        _tell_sums(call, site, at, call.saved.state, token, rows, step, call.scratch.dy)
        barrier(call.sync, call.sizes.shares)
        _hear_sums(call, site, at, step)
