"""Where rows do not see each other: moments are their own or given, and no thread waits."""

from __future__ import annotations

from numba import njit

from seqnorm.kernels.compiled.moments import site_moments
from seqnorm.kernels.compiled.options import PART
from seqnorm.kernels.compiled.sites import site_backward


@njit(**PART)
def product_moments(call, pre_in, token, rows, step):
    """Fills the moments of a block at the input and the recurrent site."""
    site_moments(call.input, pre_in, token, rows)
    site_moments(call.recurrent, call.saved.pre_rec, token, rows)


@njit(**PART)
def state_moments(call, token, rows, step):
    """Fills those at the state's site."""
    site_moments(call.state, call.saved.state, token, rows)


@njit(**PART)
def recall_moments(call, step):
    """Nothing: they were kept."""


@njit(**PART)
def product_sums(call, pre_in, token, rows, step, recurrent):
    """Nothing: the gradient of a row needs sums over that row alone."""


@njit(**PART)
def state_sums(call, token, rows, step):
    """Likewise."""


@njit(**PART)
def gradient(call, site, source, token, rows, step, d):
    """Replaces the source block of a site by its gradient."""
    site_backward(site, source, token, rows, step, d)
