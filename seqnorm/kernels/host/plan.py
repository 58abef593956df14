"""How a call is divided: which rows a thread has, and where their tokens lie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from seqnorm.kernels.compiled.arguments import Layout, Sizes
from seqnorm.kernels.host.rows import Rows
from seqnorm.kernels.spec import SiteSpec, Spec

_BLOCK_ROWS = 8  # few enough for their gates to stay in the first cache
# Units per input from which x W is computed again on the way back instead of kept: a step then
# takes 6 % longer (less with more units), and of 9 numbers per token and unit only 5 are kept.
_AGAIN = 4
_CHUNK_TOKENS = 128  # enough steps together for the products over tokens to run at full speed


@dataclass(frozen=True)
class Share:
    """One thread's part of a call; `layout.rows` are its rows, from long to short."""

    sizes: Sizes
    layout: Layout
    pieces: tuple[np.ndarray, ...]  # [., 2] of each site, see `arguments.Site`
    keeps: bool  # whether x W of all tokens is kept for the backward pass

    @property
    def tokens(self) -> int:
        """Alive tokens of the share."""
        return int(self.layout.start[-1])

    @property
    def chunk_tokens(self) -> int:
        """Tokens of the largest chunk."""
        return int(np.diff(self.layout.start[self.layout.chunks]).max(initial=0))

    @property
    def kept_tokens(self) -> int:
        """Tokens whose x W is held at a time."""
        return self.tokens if self.keeps else self.chunk_tokens


@lru_cache(maxsize=8)  # of the layers and directions of one batch; the next has another mask
def plan(spec: Spec, batch: Rows, inputs: int, units: int, threads: int) -> tuple[Share, ...]:
    """Shares of a batch; never more shares than rows.

    Rows are dealt so that the shares have equal work. If batch moments couple them, the shares meet
    at every step, also those that have no row left: so there they have equal work at each step.
    """
    shares = max(1, min(threads, len(batch.lengths)))
    order = np.argsort(-batch.lengths, kind="stable")
    if spec.couples_rows:
        dealt = [order[index::shares] for index in range(shares)]
        return tuple(_share(spec, batch, inputs, units, index, dealt) for index in range(shares))
    dealt = _deal(order, batch.lengths, shares)
    return tuple(_share(spec, batch, inputs, units, 0, [rows]) for rows in dealt)


def _deal(order: np.ndarray, lengths: np.ndarray, shares: int) -> list[np.ndarray]:
    """The rows of each share: the next one in order goes to that with the least work so far.

    A step reads U, which takes about as long as one row more; a share's first row has its steps.
    """
    work, dealt = [0] * shares, [list[int]() for _ in range(shares)]
    for row in order.tolist():
        share = work.index(min(work))
        work[share] += max(int(lengths[row]), 1) * (1 if dealt[share] else 2)
        dealt[share].append(row)
    return [np.array(rows, np.int64) for rows in dealt]


def _share(
    spec: Spec, batch: Rows, inputs: int, units: int, index: int, met: list[np.ndarray]
) -> Share:
    """The share that has the rows met[index], and meets those that have the others."""
    rows, steps, columns = met[index], batch.mask.shape[1], spec.gates * units
    own = batch.lengths[rows]
    times = np.arange(max(int(batch.lengths[each].max(initial=0)) for each in met))[:, None]
    alive_grid = times < own[None, :]
    together = [(times < batch.lengths[each]).sum(1, dtype=np.int64) for each in met]
    alive = together[index]
    start = np.concatenate([[0], np.cumsum(alive)]).astype(np.int64)

    def tokens(where: np.ndarray, width: int) -> np.ndarray:
        return ((rows[None, :] * steps + where) * width)[alive_grid].astype(np.int64)

    chunks = _chunks(start)
    keeps = spec.joined or units < _AGAIN * inputs
    kept_from = np.repeat(start[chunks[:-1]] * (not keeps), np.diff(chunks))
    longest = max(int(np.diff(start[chunks]).max(initial=0)), len(rows), 1)
    counting = np.arange(longest, dtype=np.int64)
    layout = Layout(
        alive=alive, together=np.concatenate(together), start=start, chunks=chunks,
        kept_from=kept_from, lengths=own,
        begins=batch.begins[rows], rows=rows.astype(np.int64),
        x_tokens=tokens(batch.positions[rows, : len(times)].T, inputs),
        h_tokens=tokens(times - 1 + batch.begins[rows], units),
        state_rows=(rows * units).astype(np.int64),
        wide_rows=counting * columns, unit_rows=counting * units,
    )  # fmt: skip
    block = max(len(rows), 1) if spec.couples_rows else _BLOCK_ROWS
    sizes = Sizes(steps, inputs, units, columns, index, len(met), block)
    pieces = tuple(
        _pieces(site, gates, units)
        for site, gates in zip(spec.sites, (spec.gates, spec.gates, 1), strict=True)
    )
    return Share(sizes, layout, pieces, keeps)


def _chunks(start: np.ndarray) -> np.ndarray:
    edges = [0]
    for step in range(1, len(start)):
        if start[step] - start[edges[-1]] >= _CHUNK_TOKENS or step == len(start) - 1:
            edges.append(step)
    return np.array(edges, np.int64)


def _pieces(site: SiteSpec, gates: int, units: int) -> np.ndarray:
    """Column ranges (start, width) that are normalised together."""
    widths: list[int] = []
    for own, groups in site.parts or ((gates, 1),):
        widths += [own * units // groups] * groups
    starts = np.cumsum([0, *widths[:-1]])
    return np.stack([starts, widths], axis=1).astype(np.int64)
