"""Normalisation sites inside compiled code, over a block of rows: forward and backward.

`moments` fills what they normalise by. For BATCH, x - mean is also half the derivative of the
variance by x over w / rows, so the gradient is that of w = 1 with w / rows in place of 1 / rows.
For RENORM, whose r and d carry no gradient, it is r times that of u, what the batch's own moments
give: the normalised value is r u + d.

`site` is a `Site`. The block is the rows `token`, ..., token + rows - 1 of its source; their
counterpart (z forward, d backward) is as wide and starts at row 0.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from seqnorm.kernels.compiled.flat import add_rows, copy_rows
from seqnorm.kernels.compiled.options import JIT
from seqnorm.kernels.compiled.window import window
from seqnorm.kernels.spec import BATCH, FIXED, LAYER, NONE, RENORM


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
def _add_row(row, mean, scale, gain, target):
    for j in range(target.size):
        target[j] += (row[j] - mean) * scale * gain[j]


@njit(**JIT)
def _add_columns(row, mean, scale, gain, target):
    for j in range(target.size):
        target[j] += (row[j] - mean[j]) * scale[j] * gain[j]


@njit(**JIT)
def site_forward(site, source, token, rows, step, add, z):
    """Computes z = offset + gain * normalised source; if `add`, z itself stands for the offset.

    Loops that set and loops that add are apart because arrays that overlap are not vectorised.
    """
    kind, stride, count = site.kind, site.columns, site.pieces.shape[0]
    for p in range(count):
        low, width = site.pieces[p, 0], site.pieces[p, 1]
        gain, start = window(site.gain, low, width), window(site.offset, low, width)
        at = step * stride + low
        for r in range(rows):
            row = window(source, (token + r) * stride + low, width)
            target = window(z, r * stride + low, width)
            if kind == NONE:
                if add:
                    add_rows(row, 0, target, 0, 1, 0, width)
                else:
                    _set_plain(row, start, target)
            elif kind in (BATCH, FIXED, RENORM):
                centre, factor = window(site.mean, at, width), window(site.scale, at, width)
                if add:
                    _add_columns(row, centre, factor, gain, target)
                else:
                    _set_columns(row, centre, factor, gain, start, target)
            else:
                slot = (token + r) * count + p
                if add:
                    _add_row(row, site.mean[slot], site.scale[slot], gain, target)
                else:
                    _set_row(row, site.mean[slot], site.scale[slot], gain, start, target)


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
def _own_scale(variance, epsilon, scale):
    one = scale.dtype.type(1)
    for j in range(scale.size):
        scale[j] = one / np.sqrt(variance[j] + epsilon)


@njit(**JIT)
def _gain_of_renorm(own_mean, own_scale, mean, scale, plain, weighted, d_gain):
    """The gradient of the gain, in r u + d, from the sums of dL/d(output) and of that times u."""
    for j in range(mean.size):
        r, shift = scale[j] / own_scale[j], (own_mean[j] - mean[j]) * scale[j]
        d_gain[j] += r * weighted[j] + shift * plain[j]


@njit(**JIT)
def _back_columns(
    kind, source, first, rows, stride, own, used, share_of, gain, d, low, d_gain, plain, weighted
):
    """Gradient through the batch moments of some columns; d_gain gains.

    `own` and `used` are mean and scale: of the hat that depends on the batch, and of the output.
    For BATCH they are the same.
    """
    mean, scale = own
    factor = used[1]
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
    if kind == RENORM:
        _gain_of_renorm(mean, scale, used[0], used[1], plain, weighted, d_gain)
    else:
        add_rows(weighted, 0, d_gain, 0, 1, 0, width)
    for j in range(width):
        plain[j] *= share * share_of[j]
        weighted[j] *= share * share_of[j]
    for r in range(rows):
        row = window(source, first + r * stride, width)
        d_row = window(d, low + r * stride, width)
        for j in range(width):
            hat = (row[j] - mean[j]) * scale[j]
            row[j] = (d_row[j] - plain[j] - hat * weighted[j]) * (gain[j] * factor[j])


@njit(**JIT)
def _back_block(site, source, token, rows, step, low, width, d, sums):
    """`site_backward` of one piece of a kind that takes the moments of the rows alive."""
    kind, stride, at = site.kind, site.columns, step * site.columns + low
    used = window(site.mean, at, width), window(site.scale, at, width)
    own = used
    if kind == RENORM:
        own = window(site.seen, at + step * stride, width), window(sums, 2 * width, width)
        _own_scale(window(site.seen, at + (step + 1) * stride, width), site.epsilon, own[1])
    _back_columns(kind, source, token * stride + low, rows, stride, own, used,
                  window(site.prior, 3 * step * stride + low, width),
                  window(site.gain, low, width), d, low, window(site.d_gain, low, width),
                  window(sums, 0, width), window(sums, width, width))  # fmt: skip


@njit(**JIT)
def site_backward(site, source, token, rows, step, d, sums):
    """Replaces the source block by its gradient, from d = dL/d(output); adds to d_gain.

    sums is working memory, thrice the widest piece.
    """
    kind, stride, count = site.kind, site.columns, site.pieces.shape[0]
    for p in range(count):
        low, width = site.pieces[p, 0], site.pieces[p, 1]
        if kind in (BATCH, RENORM):
            _back_block(site, source, token, rows, step, low, width, d, sums)
            continue
        gain, d_gain = window(site.gain, low, width), window(site.d_gain, low, width)
        at = step * stride + low
        for r in range(rows):
            row = window(source, (token + r) * stride + low, width)
            d_row = window(d, r * stride + low, width)
            if kind == NONE:
                copy_rows(d_row, 0, row, 0, 1, 0, width)
            elif kind == FIXED:
                _back_fixed(row, window(site.mean, at, width), window(site.scale, at, width), gain,
                            d_row, d_gain)  # fmt: skip
            else:
                slot = (token + r) * count + p
                _back_row(kind, row, site.mean[slot], site.scale[slot], gain, d_row, d_gain)
