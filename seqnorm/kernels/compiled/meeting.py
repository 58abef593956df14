"""Where threads whose rows see each other meet: what the rows of all of them come to.

A thread has some of the rows. At a step it takes the sums over its own, writes them into its place
of `call.meeting`, waits for the others, and adds up what all have written, in the same order as
they do, so that all go on with the same bytes. The places of even and odd steps are apart: a thread
that is a step ahead overwrites nothing that another still reads, and to be two ahead it would have
to pass a barrier that the other has not reached.
"""

from __future__ import annotations

from numba import njit

from seqnorm.kernels.compiled.options import JIT, PART
from seqnorm.kernels.compiled.window import window
from seqnorm.kernels.spec import BATCH, RENORM


@njit(**JIT)
def of_batch(site):
    """Whether a site normalises by the moments of the rows alive."""
    return site.kind in (BATCH, RENORM)


@njit(**PART)
def place_of(call, step, share, at, columns):
    """Where a thread writes the sums of one site, [2, columns]."""
    shares = call.sizes.shares
    wide = call.meeting.size // (2 * shares)
    return window(call.meeting, (step % 2 * shares + share) * wide + at, 2 * columns)


@njit(**PART)
def rows_of(call, step, share):
    """How many rows of a thread are alive."""
    return call.layout.together[share * call.layout.alive.size + step]


@njit(**PART)
def all_rows(call, step):
    """How many are alive in all."""
    total = 0
    for share in range(call.sizes.shares):
        total += rows_of(call, step, share)
    return total
