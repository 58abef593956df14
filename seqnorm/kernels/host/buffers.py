"""Memory of one call: what is kept for the backward pass, working memory, packed weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from seqnorm.kernels.compiled.arguments import Saved, Scratch, Site, Tables
from seqnorm.kernels.compiled.products import pack
from seqnorm.kernels.compiled.tile import ROWS, VECTOR_BYTES
from seqnorm.kernels.host.compile import compile_here
from seqnorm.kernels.host.plan import Share
from seqnorm.kernels.host.pool import POOL
from seqnorm.kernels.spec import KINDS, OF_BATCH, OF_ROW, SiteSpec, Spec


def cut(sizes: Sequence[int], dtype: np.dtype) -> tuple[np.ndarray, list[np.ndarray]]:
    """A flat array from the pool, and its parts of these sizes, aligned for vectors."""
    lanes = VECTOR_BYTES // dtype.itemsize
    starts = [0, *accumulate(-(-size // lanes) * lanes for size in sizes)]
    block = POOL.lend((starts[-1],), dtype)
    return block, [block[at : at + size] for at, size in zip(starts, sizes, strict=False)]


def zeros(
    shapes: Sequence[tuple[int, ...]], dtype: np.dtype
) -> tuple[np.ndarray, list[np.ndarray]]:
    """As `cut`, with these shapes and zeroed."""
    block, parts = cut([math.prod(shape) for shape in shapes], dtype)
    block.fill(0)
    return block, [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def packed(matrix: np.ndarray) -> np.ndarray:
    """A matrix [K, N] in panels, for `product`."""
    width = 2 * VECTOR_BYTES // matrix.itemsize
    columns = -(-matrix.shape[1] // width) * width
    out = POOL.lend((columns * matrix.shape[0],), matrix.dtype)
    flags = matrix.flags
    kind = matrix.dtype, flags.c_contiguous, flags.f_contiguous, flags.writeable
    compile_here(pack, (matrix, out), kind)
    pack(matrix, out)
    return out


def saved(spec: Spec, shares: tuple[Share, ...]) -> list[Saved]:
    """Buffers of every share."""
    return [_saved(spec, share) for share in shares]


def _saved(spec: Spec, share: Share) -> Saved:
    dtype = np.dtype(spec.dtype)
    tokens, columns, units = share.tokens, share.sizes.columns, share.sizes.units
    pre_in = POOL.lend((share.kept_tokens * columns,), dtype)
    pre_rec = pre_in if spec.joined else POOL.lend((tokens * columns,), dtype)
    cells = tokens * units if spec.kind.state else 0
    state = POOL.lend((cells,), dtype)
    carried = POOL.lend((cells,), dtype) if spec.carry else state
    return Saved(pre_in, pre_rec, state, carried)


def sites(spec: Spec, shares: tuple[Share, ...], given: Sequence[Any]) -> list[tuple[Site, ...]]:
    """The sites of every share, without gains and offsets.

    `given` has for each site of kind "fixed" its mean and scale, [steps, 2, columns], and for those
    of batch moments the prior, [steps, 3, columns], or None: these moments have all the weight.
    """
    columns, units = shares[0].sizes.columns, shares[0].sizes.units
    by_site = [
        _sites(each, np.dtype(spec.dtype), shares, index, width, given[index])
        for index, (each, width) in enumerate(
            zip(spec.sites, (columns, columns, units), strict=True)
        )
    ]
    return list(zip(*by_site, strict=True))


def _sites(
    spec: SiteSpec,
    dtype: np.dtype,
    shares: tuple[Share, ...],
    index: int,
    columns: int,
    given: Any,
) -> list[Site]:
    """One site of every share; what holds for all rows is theirs together."""
    steps = len(shares[0].layout.alive)
    empty = np.empty(0, dtype)
    whole = Site(
        KINDS[spec.kind], dtype.type(spec.epsilon), columns, shares[0].pieces[index],
        *[empty] * 9,
    )  # fmt: skip
    if spec.kind in OF_BATCH:
        prior = _no_prior(steps, columns, dtype) if given is None else given
        prior = np.ascontiguousarray(prior, dtype).reshape(-1)
        whole = whole._replace(seen=POOL.lend((2 * steps * columns,), dtype), prior=prior)
    elif spec.kind == "fixed":
        mean, scale = (given[:, part].astype(dtype).reshape(-1) for part in range(2))
        whole = whole._replace(mean=mean, scale=scale)
    return [_own(whole, spec, share, dtype) for share in shares]


def _own(whole: Site, spec: SiteSpec, share: Share, dtype: np.dtype) -> Site:
    """With room for what a share takes from its own rows, or has of one step."""
    if spec.kind in OF_ROW:
        mean, scale = (np.empty(share.tokens * len(whole.pieces), dtype) for _ in range(2))
        return whole._replace(mean=mean, scale=scale)
    if spec.kind in OF_BATCH:
        _, (mean, scale, sums) = cut([whole.columns * size for size in (1, 1, 4)], dtype)
        return whole._replace(mean=mean, scale=scale, sums=sums)
    return whole


def meeting(shares: tuple[Share, ...], dtype: np.dtype) -> np.ndarray:
    """Where shares whose rows see each other tell sums: twice a place for each, [2, shares, .]."""
    sizes = shares[0].sizes
    lanes = VECTOR_BYTES // dtype.itemsize
    wide = -(-(4 * sizes.columns + 2 * sizes.units) // lanes) * lanes
    return cut([2 * len(shares) * wide], dtype)[1][0]


def _no_prior(steps: int, columns: int, dtype: np.dtype) -> np.ndarray:
    """The batch has all the weight, and nothing is known to correct it towards."""
    prior = np.zeros((steps, 3, columns), dtype)
    prior[:, 0], prior[:, 2] = 1, -1
    return prior


def scratch(share: Share, dtype: np.dtype, backward: bool) -> Scratch:
    """Working memory of one thread, cut from one array."""
    sizes, rows, kept = share.sizes, len(share.layout.rows), share.sizes.block
    depth = share.chunk_tokens if backward else 0
    carried = rows * sizes.units if backward else 0
    tall = -(-max(sizes.inputs, sizes.units) // ROWS) * ROWS
    wanted = {
        "z": kept * sizes.columns,
        "q": kept * sizes.columns,
        "y": kept * sizes.units,
        "dy": kept * sizes.units,
        "dh": carried,
        "dc": carried,
        "left": tall * depth,
        "panel": 2 * VECTOR_BYTES // dtype.itemsize * depth,
    }
    _, parts = cut(list(wanted.values()), dtype)
    return Scratch(**dict(zip(wanted, parts, strict=True)))


def tables(share: Share, dtype: np.dtype) -> Tables:
    """Offsets for the register tile."""
    width = 2 * VECTOR_BYTES // dtype.itemsize
    counting = np.arange(ROWS, dtype=np.int64)
    spill = np.empty(ROWS * width, dtype)
    return Tables(spill, counting * width, counting, counting * share.sizes.columns)
