"""A barrier for the threads of one call."""

from __future__ import annotations

import os
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from seqnorm.kernels.compiled.options import JIT

_SPINS = 2_000
OPEN = -(1 << 62)  # counters[0] of a barrier that nobody waits at any more


@intrinsic
def _arrive_at(typing, counters):
    """Adds one to counters[0] with release and acquire order; returns the new value."""

    def generate(context, builder, signature, values):
        data = context.make_array(signature.args[0])(context, builder, values[0]).data
        one = ir.Constant(ir.IntType(64), 1)
        return builder.add(builder.atomic_rmw("add", data, one, "acq_rel"), one)

    return types.int64(counters), generate


@intrinsic
def _read_from(typing, counters):
    """counters[0] with acquire order."""

    def generate(context, builder, signature, values):
        data = context.make_array(signature.args[0])(context, builder, values[0]).data
        return builder.load_atomic(data, "acquire", 8)

    return types.int64(counters), generate


# The decorator's result takes no `typing` argument, which type checkers cannot see.
_arrive: Any = _arrive_at
_read: Any = _read_from
_sched_yield = types.ExternalFunction("sched_yield", types.int32())
_POSIX = os.name == "posix"


@njit(**JIT)
def barrier(counters, threads):
    """Waits until all `threads` have called as often as this one.

    counters is int64[>= 1], zero at first, and `OPEN` once a thread that will not come has said
    so. A thread that has waited long gives its core away: the others may not be running at all.
    """
    if threads == 1:
        return
    arrived = _arrive(counters)
    goal = (arrived + threads - 1) // threads * threads
    spins = 0
    while True:
        seen = _read(counters)
        if seen < 0 or seen >= goal:
            return
        spins += 1
        if _POSIX and spins > _SPINS:
            _sched_yield()
