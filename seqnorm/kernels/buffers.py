"""Memory of one call: what is kept for the backward pass, working memory, packed weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from seqnorm.kernels.arguments import Codes, Priors, Saved, Scratch, Tables
from seqnorm.kernels.compiled import compile_here
from seqnorm.kernels.plan import Share
from seqnorm.kernels.pool import POOL
from seqnorm.kernels.products import pack
from seqnorm.kernels.spec import OF_BATCH, Spec
from seqnorm.kernels.tile import ROWS, VECTOR_BYTES


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


def packed(matrix: np.ndarray, pieces: np.ndarray) -> np.ndarray:
    """The columns `pieces` [., 2] (start, width) of a matrix [K, N] in panels, for `product`."""
    width = 2 * VECTOR_BYTES // matrix.itemsize
    columns = sum(-(-int(size) // width) * width for _, size in pieces)
    out = POOL.lend((columns * matrix.shape[0],), matrix.dtype)
    flags = matrix.flags
    kind = matrix.dtype, flags.c_contiguous, flags.f_contiguous, flags.writeable
    compile_here(pack, (matrix, pieces, out), kind)
    pack(matrix, pieces, out)
    return out


def priors(spec: Spec, share: Share, given: Any) -> Priors:
    """The prior of each site of batch moments; without one these have all the weight."""
    dtype, steps = np.dtype(spec.dtype), len(share.layout.alive)
    found = []
    for site, name in enumerate(spec.norms):
        prior = np.empty(0, dtype)
        if name in OF_BATCH and given[site] is None:
            prior = np.zeros(
                (steps, 3, share.sizes.units if site == 2 else share.sizes.columns), dtype
            )
            prior[:, 0], prior[:, 2] = 1, -1
        elif name in OF_BATCH:
            prior = np.ascontiguousarray(given[site], dtype)
        found.append(prior.reshape(-1))
    return Priors(*found)


def saved(codes: Codes, spec: Spec, shares: tuple[Share, ...], given: Any) -> list[Saved]:
    """Buffers of every share; shares that split units see the same ones.

    `given` has for each site of kind "fixed" its mean and scale, [steps, 2, columns].
    """
    first = _saved(codes, spec, shares[0], given)
    if spec.couples_rows:
        return [first] * len(shares)
    return [first] + [_saved(codes, spec, share, given) for share in shares[1:]]


def _saved(codes: Codes, spec: Spec, share: Share, given: Any) -> Saved:
    dtype = np.dtype(spec.dtype)
    tokens, columns, units = share.tokens, share.sizes.columns, share.sizes.units
    steps, pieces = len(share.layout.alive), len(share.layout.pieces)
    pre_in = POOL.lend((share.kept_tokens * columns,), dtype)
    pre_rec = pre_in if codes.joined else POOL.lend((tokens * columns,), dtype)
    cells = tokens * units if spec.cell == "lstm" else 0
    state = POOL.lend((cells,), dtype)
    carried = POOL.lend((cells,), dtype) if spec.carry else state
    sites: list[np.ndarray] = []
    for site, name in enumerate(spec.norms):
        wide, parts = (units, 1) if site == 2 else (columns, pieces)
        sites += _moments(name, tokens * parts, (steps, wide), given[site], dtype)
    return Saved(pre_in, pre_rec, state, carried, *sites)


def _moments(
    name: str, by_row: int, by_column: tuple[int, int], given: Any, dtype: np.dtype
) -> list[np.ndarray]:
    """Mean, scale and seen moments of one site."""
    empty = np.empty(0, dtype)
    if name in ("layer", "rms"):
        return [np.empty(by_row, dtype), np.empty(by_row, dtype), empty]
    if name in OF_BATCH:
        steps, wide = by_column
        return [np.empty(size * steps * wide, dtype) for size in (1, 1, 2)]
    if name == "fixed":
        return [given[:, 0].astype(dtype).reshape(-1), given[:, 1].astype(dtype).reshape(-1), empty]
    return [empty, empty, empty]


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
        "sums": 3 * sizes.columns,
    }
    _, parts = cut(list(wanted.values()), dtype)
    return Scratch(**dict(zip(wanted, parts, strict=True)))


def tables(share: Share, dtype: np.dtype) -> Tables:
    """Offsets for the register tile."""
    width = 2 * VECTOR_BYTES // dtype.itemsize
    counting = np.arange(ROWS, dtype=np.int64)
    spill = np.empty(ROWS * width, dtype)
    return Tables(spill, counting * width, counting, counting * share.sizes.columns)
