"""Batches of rows of similar length, padded on the right, in an order set by the seed alone."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqnorm.lab.data.spec import Split

if TYPE_CHECKING:
    from seqnorm.lab.config.data import DataConfig


def batch_bounds(rows: int, batch_size: int, even: bool = True) -> NDArray[np.int64]:
    """Where batches begin and end.

    Even batches are as few as ``batch_size`` allows, equal to within one row: 129 rows with
    ``batch_size=64`` are three batches of 43, not two of 64 and one of a single row, whose batch
    statistics would erase it. Only where pairs do not come out even (``batch_size=2``, an odd
    number of rows) one batch has three rows rather than one.

    Uneven ones have ``batch_size`` rows each, and the last one what is left, as Keras cuts arrays:
    140 rows are 64, 64 and 12. A single row that is left joins the batch before it: 129 rows are
    64 and 65.

    Returns:
        int64[batches + 1], rising from 0 to ``rows``.
    """
    if not even:
        whole, rest = divmod(rows, batch_size)
        starts = np.arange(whole + (rest > 0)) * batch_size
        if rest == 1 and whole:
            starts = starts[:-1]
        return np.append(starts, rows)
    batches = math.ceil(rows / batch_size)
    if batch_size > 1:
        batches = min(batches, max(1, rows // 2))
    return _even(rows, batches)


def _even(rows: int, batches: int) -> NDArray[np.int64]:
    return np.arange(batches + 1) * rows // max(batches, 1)


def token_bounds(
    lengths: NDArray[np.int64], bounds: NDArray[np.int64], edges: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Batches of equal tokens where there were batches of equal rows.

    Args:
        lengths: int64[n], length of each row, in the order in which rows are batched.
        bounds: int64[batches + 1] from ``batch_bounds``.
        edges: int64[.], the bounds at which a new pool begins.

    Returns:
        int64[batches + 1] with the same edges; between two of them batches hold the same number of
        tokens to within a row, and two rows or more where ``bounds`` does.
    """
    before = np.concatenate([[0], np.cumsum(lengths)])
    found = bounds.copy()
    for low, high in itertools.pairwise([0, *np.searchsorted(bounds, edges), len(bounds) - 1]):
        start, stop = before[bounds[low]], before[bounds[high]]
        shares = np.linspace(start, stop, high - low + 1)[1:-1]
        inner = np.searchsorted(before, shares)
        # Every batch keeps two rows (or one, where pairs do not come out even).
        least = min(2, (bounds[high] - bounds[low]) // max(high - low, 1))
        steps = least * np.arange(1, high - low)
        inner = np.maximum.accumulate(np.maximum(inner, bounds[low] + steps) - steps) + steps
        found[low + 1 : high] = np.minimum(inner, bounds[high] - steps[::-1])
    return found


def batch_order(
    lengths: NDArray[np.int64],
    bounds: NDArray[np.int64],
    bucket: int,
    rng: np.random.Generator | None,
    by_tokens: bool = False,
    rest_last: bool = False,
) -> list[NDArray[np.int64]]:
    """The rows of each batch of one epoch.

    All rows are shuffled and cut into pools of ``bucket`` batches; each pool is sorted by length
    (equal lengths keep their order) and cut into batches; then the batches are shuffled.

    Examples:
        Lengths [5, 1, 4, 2, 3, 6], batches of 2, ``bucket=3``, no shuffle: one pool, sorted to
        lengths 1 2 | 3 4 | 5 6, which are the rows [1, 3], [4, 2], [0, 5] and need 3 padding
        tokens. Unsorted, the rows [0, 1], [2, 3], [4, 5] need 4 + 2 + 3 = 9.

    Args:
        lengths: int64[n], length of each row.
        bounds: int64[batches + 1] from ``batch_bounds``.
        bucket: batches per pool; 0 or 1 does not sort.
        rng: what shuffles; None keeps rows and batches in order.
        by_tokens: whether the batches of a pool have equal tokens rather than equal rows.
        rest_last: whether the last batch, which holds the rest, stays the last.

    Returns:
        One int64 array of row indices per batch; together they hold every row once.
    """
    rows = np.arange(len(lengths)) if rng is None else rng.permutation(len(lengths))
    edges = bounds[bucket:-1:bucket] if bucket > 1 else bounds[:0]
    if bucket > 1:
        pools = np.split(rows, edges)
        rows = np.concatenate([pool[np.argsort(lengths[pool], kind="stable")] for pool in pools])
    if by_tokens:
        bounds = token_bounds(lengths[rows], bounds, edges)
    batches = np.split(rows, bounds[1:-1])
    if rng is None:
        return batches
    moved = len(batches) - rest_last
    return [*(batches[i] for i in rng.permutation(moved)), *batches[moved:]]


class Batches(keras.utils.PyDataset):
    """A split as padded batches ``(tokens int32[B, T], labels [B, ...])``.

    T is the longest row of the batch; shorter rows are padded on the right with 0, so the mask is
    ``tokens != 0``. Rows of numbers are float32[B, T, F], padded with NaN. The order of an epoch
    follows from ``(seed, epoch)`` alone, whatever ran before and however many workers fetch.
    ``on_epoch_end`` goes on to the next epoch; set ``epoch`` to continue a run.

    Two habits of Keras's ``fit``: it shuffles the batches of a PyDataset once more with Python's
    global random state unless it is called with ``shuffle=False``, so pass that; and it calls
    ``on_epoch_end`` once before its first epoch, which therefore has the order of epoch 1.

    A batch of a single row has no batch statistics (its variance is 0, so batch normalisation
    leaves nothing of it). Batches are therefore equal to within one row, and a rest of one row
    joins another batch, see ``batch_bounds``: one row comes alone only for ``batch_size=1`` or if
    the split has one row.

    Args:
        split: rows and labels.
        batch_size: rows of a batch at most (but see ``batch_bounds``), at least 1.
        seed: decides the order, with the epoch; not negative.
        shuffle: False yields the same order every epoch; ``order`` and ``restore`` undo it.
        bucket: batches in a pool that is sorted by length; 0 or 1 does not sort.
        batch_tokens: cut batches by tokens instead: about this many in each, so that an epoch has
            `tokens / batch_tokens` batches; ``batch_size`` and ``even`` are then not used.
        even: whether batches are equal to within one row. If not, all but the last have
            ``batch_size`` rows, and the last batch of every epoch has the rest, as in Keras's
            ``fit`` of arrays.
        **kwargs: ``workers``, ``use_multiprocessing``, ``max_queue_size`` of ``PyDataset``.

    Raises:
        ValueError: if the split is empty or a number is out of range.
    """

    def __init__(
        self,
        split: Split,
        batch_size: int,
        seed: int = 0,
        shuffle: bool = True,
        bucket: int = 0,
        batch_tokens: int | None = None,
        even: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if len(split) < 1 or batch_size < 1 or bucket < 0 or seed < 0 or (batch_tokens or 1) < 1:
            raise ValueError(
                "Batches needs at least one row, batch_size >= 1, bucket >= 0, seed >= 0 and "
                f"batch_tokens >= 1 or None, received len(split)={len(split)}, "
                f"batch_size={batch_size}, bucket={bucket}, seed={seed}, "
                f"batch_tokens={batch_tokens}. Check the data configuration."
            )
        self.split = split
        self.batch_size, self.seed, self.shuffle, self.bucket = batch_size, seed, shuffle, bucket
        self.batch_tokens, self.even = batch_tokens, even or batch_tokens is not None
        self._bounds = batch_bounds(len(split), batch_size, self.even)
        if batch_tokens is not None:
            batches = min(round(self.tokens / batch_tokens), len(split) // 2)
            self._bounds = _even(len(split), max(batches, 1))
        self.epoch = 0

    @classmethod
    def configured(cls, split: Split, config: DataConfig, seed: int) -> Batches:
        """The batches that training takes of a split with this configuration and seed."""
        return cls(
            split,
            config.batch_size,
            seed,
            bucket=config.bucket,
            batch_tokens=config.batch_tokens,
            even=config.even_batches,
        )

    @property
    def epoch(self) -> int:
        """Which epoch's order is served, from 0."""
        return self._epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        rng = np.random.default_rng((self.seed, epoch)) if self.shuffle else None
        by_tokens = self.batch_tokens is not None
        lengths = self.split.sequences.lengths
        self._batches = batch_order(
            lengths, self._bounds, self.bucket, rng, by_tokens, rest_last=not self.even
        )
        self._epoch = epoch

    def on_epoch_end(self) -> None:
        """Goes on to the order of the next epoch; Keras calls it, a loop of one's own must."""
        self.epoch += 1

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def __getitem__(self, index: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Batch ``index`` of the current epoch, see `Split.batch`."""
        return self.split.batch(self._batches[index])

    @property
    def tokens(self) -> int:
        """Real steps of one epoch, START included and padding not."""
        return len(self.split.sequences.values)

    @property
    def rows(self) -> list[NDArray[np.int64]]:
        """The rows of the split in each batch of the current epoch."""
        return list(self._batches)

    @property
    def order(self) -> NDArray[np.int64]:
        """int64[n]: the row of the split that is yielded at each place of the current epoch."""
        return np.concatenate(self._batches)

    def restore(self, outputs: ArrayLike) -> NDArray[Any]:
        """Puts outputs [n, ...], one per row as yielded, back into the order of the split."""
        values = np.asarray(outputs)
        if len(values) != len(self.split):
            raise ValueError(
                f"restore needs one output for each of the {len(self.split)} rows, received "
                f"outputs of shape {values.shape}. Join the outputs of all batches of one epoch."
            )
        restored = np.empty_like(values)
        restored[self.order] = values
        return restored
