"""Normalisation sites inside compiled code, over a block of rows: forward and backward.

`moments` and `together` fill what they normalise by.

`site` is a `Site`. The block is the rows `token`, ..., token + rows - 1 of its source; their
counterpart (z forward, d backward) is as wide and starts at row 0.
"""

from __future__ import annotations

from numba import njit

from seqnorm.kernels.compiled.columns import add_columns, set_columns
from seqnorm.kernels.compiled.flat import add_row, copy_row
from seqnorm.kernels.compiled.options import JIT, ZERO
from seqnorm.kernels.compiled.window import window
from seqnorm.kernels.spec import BATCH, FIXED, LAYER, NONE, RENORM


@njit(**JIT)
def _set_row(row, mean, scale, gain, base, target):
    for j in range(target.size):
        target[j] = (row[j] - mean) * scale * gain[j] + base[j]


@njit(**JIT)
def _set_plain(row, base, target):
    for j in range(target.size):
        target[j] = row[j] + base[j]


@njit(**JIT)
def _add_row(row, mean, scale, gain, target):
    for j in range(target.size):
        target[j] += (row[j] - mean) * scale * gain[j]


@njit(**JIT)
def site_forward(site, source, token, rows, step, add, z):
    """Computes z = offset + gain * normalised source; if `add`, z itself stands for the offset.

    Loops that set and loops that add are apart because arrays that overlap are not vectorised.
    """
    kind, stride, count = site.kind, site.columns, site.pieces.shape[0]
    if kind in (BATCH, FIXED, RENORM):
        at = step * stride if kind == FIXED else 0
        centre, factor = window(site.mean, at, stride), window(site.scale, at, stride)
        if add:
            add_columns(source, token * stride, rows, stride, centre, factor, site.gain, z, 0)
        else:
            set_columns(source, token * stride, rows, stride, centre, factor, site.gain,
                        site.offset, z, 0)  # fmt: skip
        return
    for p in range(count):
        low, width = site.pieces[p, 0], site.pieces[p, 1]
        gain, start = window(site.gain, low, width), window(site.offset, low, width)
        for r in range(rows):
            row = window(source, (token + r) * stride + low, width)
            target = window(z, r * stride + low, width)
            if kind == NONE:
                if add:
                    add_row(row, ZERO, target, ZERO, width)
                else:
                    _set_plain(row, start, target)
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
def site_backward(site, source, token, rows, step, d):
    """Replaces the source block by its gradient, from d = dL/d(output); adds to d_gain.

    That of BATCH and RENORM is in `together_back`.
    """
    kind, stride, count = site.kind, site.columns, site.pieces.shape[0]
    for p in range(count):
        low, width = site.pieces[p, 0], site.pieces[p, 1]
        gain, d_gain = window(site.gain, low, width), window(site.d_gain, low, width)
        at = step * stride + low
        for r in range(rows):
            row = window(source, (token + r) * stride + low, width)
            d_row = window(d, r * stride + low, width)
            if kind == NONE:
                copy_row(d_row, ZERO, row, ZERO, width)
            elif kind == FIXED:
                _back_fixed(row, window(site.mean, at, width), window(site.scale, at, width), gain,
                            d_row, d_gain)  # fmt: skip
            else:
                slot = (token + r) * count + p
                _back_row(kind, row, site.mean[slot], site.scale[slot], gain, d_row, d_gain)
