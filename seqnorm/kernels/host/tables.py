"""Running statistics of batch normalisation: what a step is mixed with, and what a batch leaves.

In NumPy and inside the operation, since elsewhere they cost more than the difference between layer
and batch normalisation: TensorFlow updates a table while the kernels go back, and torch's threads
keep a core busy for a while after they have; either takes a core from threads that meet at every
step. The formulas are those of `seqnorm.normalizers`.

Row t of a table is step t's; later steps share the last row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seqnorm.kernels.compiled.merge import merge
from seqnorm.kernels.contract import Mixing
from seqnorm.kernels.host.compile import compile_here
from seqnorm.kernels.host.pool import POOL


class Table(NamedTuple):
    """Running statistics of one normaliser, with R rows."""

    mean: np.ndarray  # [R, columns]
    variance: np.ndarray  # [R, columns]
    count: np.ndarray  # [R, 1], rows of batches seen at the step, decayed


def prior(
    tables: Sequence[Table], mixings: Sequence[Mixing], alive: np.ndarray, dtype: np.dtype
) -> np.ndarray | None:
    """What `scan_forward` mixes the batch's moments with, [steps, 3, columns]; None: nothing.

    Args:
        tables: of the normalisers that stand side by side at a site.
        mixings: of each.
        alive: rows alive at each step.
        dtype: of the result.
    """
    if all(mixing.policy == "naive" for mixing in mixings):
        return None
    columns = sum(table.mean.shape[1] for table in tables)
    out = POOL.lend((len(alive), 3, columns), dtype)
    at = 0
    for table, mixing in zip(tables, mixings, strict=True):
        part = out[:, :, at : at + table.mean.shape[1]]
        count = _by_step(table.count, len(alive))
        part[:, 0] = _weight(mixing, alive[:, None].astype(count.dtype), count)
        _fill(part[:, 1], table.mean)
        _fill(part[:, 2], table.variance)
        if mixing.policy == "renorm":
            part[count[:, 0] <= 0, 2] = -1  # nothing to correct towards yet
        at += part.shape[2]
    return out


def _weight(mixing: Mixing, n: np.ndarray, running: np.ndarray) -> np.ndarray:
    """λ(n, N) of `seqnorm.normalizers.small_batch`, [steps, 1]."""
    if mixing.policy == "running":
        return ((n >= mixing.few) | (running <= 0)).astype(n.dtype)
    if mixing.policy == "shrink":
        return n / (n + np.minimum(running, n.dtype.type(mixing.few)))
    return np.ones_like(n)


def _by_step(values: np.ndarray, steps: int) -> np.ndarray:
    return values[np.minimum(np.arange(steps), len(values) - 1)]


def _fill(out: np.ndarray, values: np.ndarray) -> None:
    own = min(len(out), len(values))
    out[:own] = values[:own]
    out[own:] = values[-1]


def folded(table: Table, seen: np.ndarray, alive: np.ndarray, momentum: float) -> Table:
    """The table with a batch folded into it: the moments of both sets of rows taken together.

    Args:
        table: before.
        seen: mean and variance of the rows alive, [steps, 2, columns].
        alive: how many these are; none is 0.
        momentum: what the table's counts are multiplied by before.
    """
    new = Table(*(POOL.lend(each.shape, each.dtype) for each in table))
    count, rows = alive[:, None].astype(table.count.dtype), len(table.count)
    if len(count) > rows:
        seen, count = _joined(seen, count, rows)
    own = len(count)
    for to, value in zip(new, table, strict=True):
        to[own:] = value[own:]
    before = table.count[:own] * table.count.dtype.type(momentum)
    np.add(before, count, out=new.count[:own])
    share = count / new.count[:own]
    known, out = (
        [each[:own].reshape(-1) for each in pair]
        for pair in ((table.mean, table.variance), (new.mean, new.variance))
    )
    for each in known:  # as some backends give them; to numba the others are another type
        each.flags.writeable = False
    arrays = (*known, np.ascontiguousarray(seen, share.dtype).reshape(-1), share[:, 0], *out)
    compile_here(merge, arrays, share.dtype)
    merge(*arrays)
    return new


def _joined(seen: np.ndarray, count: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """The moments and count of each row of a table, whose last one has all later steps."""
    tail = slice(rows - 1, None)
    total = count[tail].sum(0)
    share = count[tail] / total
    mean = (share * seen[tail, 0]).sum(0)
    about = seen[tail, 1] + (seen[tail, 0] - mean) ** 2
    last = np.stack([mean, (share * about).sum(0)])
    whole = np.concatenate([seen[: rows - 1], last[None]])
    return whole, np.concatenate([count[: rows - 1], total[None]])
