"""Pure steps from rows to a data set: cutting, the start token, held-out examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.data.spec import START, UNKNOWN, Dataset, Sequences, Split, pieces_of

if TYPE_CHECKING:
    from seqnorm.lab.config.data import DataConfig, OwnSeriesConfig, OwnTextConfig


def limit_ids(values: NDArray[np.int32], num_words: int) -> NDArray[np.int32]:
    """Replaces ids from ``num_words`` on by UNKNOWN."""
    return np.where(values < num_words, values, UNKNOWN).astype(np.int32)


def start_and_cut(
    rows: Sequences,
    max_length: int,
    truncate: str,
    *,
    indices: NDArray[np.int64] | None = None,
    ids: NDArray[np.int32] | None = None,
) -> Sequences:
    """Cuts rows to ``max_length - 1`` ids and puts START in front.

    An empty row becomes [START]: every row has at least one token.

    Args:
        rows: word ids without START.
        max_length: longest row that comes out, START included; at least 2.
        truncate: the part that is cut off, "head" (keep the end) or "tail" (keep the beginning).
        indices: the rows that are wanted, int64[n]; None for all.
        ids: the id of each number that stands in the rows; None if these are ids already.

    Examples:
        With ``max_length=3``, [5, 6, 7, 8] becomes [START, 7, 8] for "head" and [START, 5, 6] for
        "tail"; [5, 6] becomes [START, 5, 6] for both.
    """
    wanted = slice(None) if indices is None else indices
    starts, lengths = rows.offsets[:-1][wanted], rows.lengths[wanted]
    kept = np.minimum(lengths, max_length - 1)
    if truncate == "head":
        starts = starts + lengths - kept
    ends = np.cumsum(kept + 1)
    values = np.empty(int(ends[-1]) if ends.size else 0, dtype=np.int32)
    for piece in pieces_of(ends):  # a whole part at once would be there several times
        cut = rows.slices(starts[piece], kept[piece])
        found = cut.values if ids is None else ids[cut.values]
        # np.insert counts positions before insertion; an empty row's equals its neighbour's.
        first = ends[piece.start] - kept[piece.start] - 1
        values[first : ends[piece][-1]] = np.insert(found, cut.offsets[:-1], START)
    return Sequences.from_lengths(values, kept + 1)


def cut(rows: Sequences, max_length: int, truncate: str) -> Sequences:
    """Cuts rows of numbers, [time, features], to ``max_length`` steps; see `start_and_cut`."""
    kept = np.minimum(rows.lengths, max_length)
    late = rows.lengths - kept if truncate == "head" else 0
    return rows.slices(rows.offsets[:-1] + late, kept)


def stratified_split(
    labels: NDArray[np.int32], fraction: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divides examples so that each class has its share in both parts.

    Each class gives the whole part of ``fraction * its examples``; what is missing to
    ``round(fraction * n)`` comes from the classes that lost most by rounding, the lower class
    first. A class never gives its last example, so a class with one example stays in the first
    part.

    Args:
        labels: int32[n].
        fraction: share of the second part, between 0 and 1.
        rng: decides which examples of a class go.

    Returns:
        Indices of the first and of the second part, each int64 and rising.
    """
    counts = np.bincount(labels)
    quota = fraction * counts
    given = np.floor(quota).astype(np.int64)
    wanted = round(fraction * len(labels)) - int(given.sum())
    open_classes = np.flatnonzero(given < counts - 1)
    by_loss = open_classes[np.argsort(-(quota - given)[open_classes], kind="stable")]
    given[by_loss[:wanted]] += 1
    held_out = np.zeros(len(labels), dtype=bool)
    for label, number in enumerate(given):
        held_out[rng.permutation(np.flatnonzero(labels == label))[:number]] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def strata(labels: NDArray | Sequences) -> NDArray[np.int32]:
    """int32[n]: what each part has its share of: the classes, or nothing where there are none."""
    if isinstance(labels, Sequences) or labels.ndim > 1 or labels.dtype.kind not in "iub":
        return np.zeros(len(labels), np.int32)
    return labels.astype(np.int32, copy=False)


def hold_out(
    labels: NDArray | Sequences, config: DataConfig, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divides the training examples as ``config`` says into training and validation part.

    Each class of labels int[n] has its share in both.

    Returns:
        Indices of both parts, each int64 and rising.

    Raises:
        ValueError: if the first ``config.validation_first`` examples are all there are, or the
            share leaves one of the parts empty.
    """
    first = config.validation_first
    if first is None:
        rng = np.random.default_rng(seed)
        parts = stratified_split(strata(labels), config.validation_fraction, rng)
        if not all(part.size for part in parts):
            raise ValueError(
                "data.validation_fraction must leave examples to train on and to validate with, "
                f"received data.validation_fraction={config.validation_fraction} of {len(labels)} "
                "training examples. Choose another share, or more data."
            )
        return parts
    if first >= len(labels):
        raise ValueError(
            "data.validation_first must leave examples to train on, received "
            f"data.validation_first={first} of {len(labels)} training examples. Hold out fewer."
        )
    indices = np.arange(len(labels))
    return indices[first:], indices[:first]


def divided(
    config: DataConfig, seed: int, train: Split, test: Split, *args: Any, **kwargs: Any
) -> Dataset:
    """A data set of two published parts, of which the first is divided by `hold_out`.

    Args:
        config: as of `hold_out`; has the name of the data set.
        seed: as of `hold_out`.
        train: everything that may be trained on.
        test: the test part.
        *args: of `Dataset`, from `label_names` on.
        **kwargs: likewise.

    Raises:
        ValueError: as of `hold_out`.
    """
    kept, held = hold_out(train.labels, config, seed)
    return Dataset(config.name, train.take(kept), train.take(held), test, *args, **kwargs)


def hold_out_test(
    labels: NDArray | Sequences, config: OwnTextConfig | OwnSeriesConfig
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divides rows into those to train on and those to test with, alike for every seed of a run.

    Returns:
        Indices of both parts, each int64 and rising.

    Raises:
        ValueError: if ``config.test_fraction`` leaves one of them empty.
    """
    rng = np.random.default_rng(config.split_seed)
    kept, tested = stratified_split(strata(labels), config.test_fraction, rng)
    if not (kept.size and tested.size):
        raise ValueError(
            "data.test_fraction must leave rows to train on and to test with, received "
            f"data.test_fraction={config.test_fraction} of {len(labels)} rows. Choose another "
            "share, or more data."
        )
    return kept, tested
