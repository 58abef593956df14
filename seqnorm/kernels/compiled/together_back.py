"""Batch statistics backward: sums over the rows of all threads, and the gradient from them.

`site.sums` is what a meeting came to: the sums of dL/d(output) and of that times the normalised
value, over the number of rows. For BATCH, x - mean is also half the derivative of the variance by x
over w / rows, so the gradient is that of w = 1 with w / rows in place of 1 / rows. For RENORM,
whose r and d carry no gradient, it is r times that of u, what the batch's own moments give: the
normalised value is r u + d.
"""

from __future__ import annotations

from numba import njit

from seqnorm.kernels.compiled.columns import back_columns, sum_columns
from seqnorm.kernels.compiled.flat import add_row
from seqnorm.kernels.compiled.meeting import all_rows, of_batch, place_of
from seqnorm.kernels.compiled.options import JIT, PART, ZERO
from seqnorm.kernels.compiled.sites import site_backward
from seqnorm.kernels.compiled.sync import barrier
from seqnorm.kernels.compiled.window import window
from seqnorm.kernels.spec import BATCH, RENORM


@njit(**JIT)
def _own_moments(site):
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
        add_row(weighted, ZERO, site.d_gain, ZERO, site.columns)
        return
    mean, scale = _own_moments(site)
    for j in range(site.columns):
        r, shift = site.scale[j] / scale[j], (mean[j] - site.mean[j]) * site.scale[j]
        site.d_gain[j] += r * weighted[j] + shift * plain[j]


@njit(**PART)
def _tell_sums(call, site, at, source, token, rows, step, d):
    if not of_batch(site):
        return
    columns = site.columns
    place = place_of(call, step, call.sizes.share, at, columns)
    plain, weighted = window(place, 0, columns), window(place, columns, columns)
    mean, scale = _own_moments(site)
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
    each = sums.dtype.type(1) / sums.dtype.type(all_rows(call, step))
    sums[:] = 0
    for share in range(call.sizes.shares):
        part = place_of(call, step, share, at, columns)
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


@njit(**PART)
def gradient(call, site, source, token, rows, step, d):
    """Replaces the source block of a site by its gradient, with the sums that were heard."""
    if not of_batch(site):
        site_backward(site, source, token, rows, step, d)
        return
    columns = site.columns
    mean, scale = _own_moments(site)
    back_columns(source, token * columns, rows, columns, mean, scale, window(site.sums, 0, columns),
                 window(site.sums, columns, columns), site.gain, site.scale, d, 0)  # fmt: skip
