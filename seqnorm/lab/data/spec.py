"""What a data set is made of: reserved ids, ragged sequences, splits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqnorm.lab.data.scale import Scale
from seqnorm.lab.data.vocabulary import PAD, START, UNKNOWN, Vocabulary

__all__ = [
    "IGNORED",
    "PAD",
    "START",
    "UNKNOWN",
    "Dataset",
    "Scale",
    "Sequences",
    "Split",
    "Vocabulary",
    "present",
]


IGNORED = -1  # a label of a step that is not asked for
PIECE = 2**18  # ids that are worked on at a time, where that takes more memory than the ids


def pieces_of(ends: NDArray[np.int64]) -> Iterator[slice]:
    """Rows in pieces of about `PIECE` ids, at least one row each.

    Args:
        ends: int64[n], where each row ends; rising.
    """
    first = 0
    while first < ends.size:
        begin = int(ends[first - 1]) if first else 0
        last = max(int(np.searchsorted(ends, begin + PIECE, side="right")), first + 1)
        yield slice(first, last)
        first = last


def present(batch: NDArray) -> NDArray[np.bool_]:
    """bool[B, T]: where a padded batch has steps, and not padding.

    Args:
        batch: int32[B, T], padded with PAD, or float32[B, T, F], padded with NaN. A step of which
            a feature is NaN is none.
    """
    return batch != PAD if batch.ndim == 2 else ~np.isnan(batch).any(axis=-1)


class Sequences:
    """Rows of different lengths in two flat arrays, so that 50,000 texts are two objects.

    Row ``i`` is ``values[offsets[i]:offsets[i + 1]]``: ids, or at each step the numbers of some
    features.

    Args:
        values: int32[total] or float32[total, features], all rows, one after the other.
        offsets: int64[n + 1], where each row begins; rising, from 0 to ``total``.

    Raises:
        ValueError: if ``offsets`` do not cut ``values`` into rows.

    Examples:
        >>> rows = Sequences.from_rows([[1, 7, 8], [1]])
        >>> len(rows), rows[0].tolist(), rows.lengths.tolist()
        (2, [1, 7, 8], [3, 1])
    """

    def __init__(self, values: ArrayLike, offsets: ArrayLike) -> None:
        kind = np.float32 if np.ndim(values) == 2 else np.int32
        self.values: NDArray[Any] = np.asarray(values, dtype=kind)
        self.offsets: NDArray[np.int64] = np.asarray(offsets, dtype=np.int64)
        ends = self.offsets[[0, -1]].tolist() if self.offsets.size else []
        if ends != [0, len(self.values)] or np.any(np.diff(self.offsets) < 0):
            raise ValueError(
                "Sequences needs offsets that rise from 0 to the number of values, received "
                f"offsets={self.offsets} for {len(self.values)} values. "
                "Build ragged rows with Sequences.from_rows."
            )

    @classmethod
    def from_rows(cls, rows: Iterable[ArrayLike]) -> Sequences:
        """Joins rows, each of ids, possibly none, or each of numbers, [time, features]."""
        arrays = [np.asarray(row) for row in rows]
        return cls.from_lengths(
            np.concatenate(arrays) if arrays else [], [len(array) for array in arrays]
        )

    @classmethod
    def from_lengths(cls, values: ArrayLike, lengths: Sequence[int] | NDArray) -> Sequences:
        """Cuts flat ``values`` into rows of the given lengths."""
        return cls(values, np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]))

    def __len__(self) -> int:
        return self.offsets.size - 1

    def __getitem__(self, index: int) -> NDArray[Any]:
        """Row ``index`` as a view, not a copy; negative counts from the end."""
        size = len(self)
        if not -size <= index < size:
            raise IndexError(
                f"Sequences has rows 0 to {size - 1}, received index={index}. Use len() first."
            )
        index %= size
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (self[index] for index in range(len(self)))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """int64[n], the number of steps of each row."""
        return np.diff(self.offsets)

    @property
    def features(self) -> int:
        """How many numbers a step has; 0 of ids."""
        return self.values.shape[1] if self.values.ndim == 2 else 0

    def slices(self, starts: NDArray, lengths: NDArray) -> Sequences:
        """New rows ``values[starts[i] : starts[i] + lengths[i]]``, copied without a loop over rows.

        Positions take three times the memory of the ids: they are made for some rows at a time.
        """
        ends = np.cumsum(lengths, dtype=np.int64)
        total = int(ends[-1]) if ends.size else 0
        values = np.empty((total, *self.values.shape[1:]), dtype=self.values.dtype)
        for rows in pieces_of(ends):
            own, first, last = lengths[rows], ends[rows.start] - lengths[rows.start], ends[rows][-1]
            positions = np.arange(first, last) + np.repeat(starts[rows] - (ends[rows] - own), own)
            values[first:last] = self.values[positions]
        return Sequences.from_lengths(values, lengths)

    def take(self, indices: ArrayLike) -> Sequences:
        """The rows ``indices``, in that order, as new Sequences (a copy)."""
        chosen = np.asarray(indices, dtype=np.int64)
        return self.slices(self.offsets[chosen], self.lengths[chosen])

    def padded(self, indices: ArrayLike, padding: int = PAD) -> NDArray[Any]:
        """The rows ``indices``, padded on the right up to the longest of them.

        Args:
            indices: which rows.
            padding: what ids are padded with; numbers are padded with NaN, because each number may
                be one of a row.

        Returns:
            int32[rows, time] or float32[rows, time, features]; see `present`.
        """
        rows = self.take(indices)
        lengths = rows.lengths
        valid = np.arange(int(lengths.max(initial=0))) < lengths[:, None]  # [B, T]
        shape = (*valid.shape, *self.values.shape[1:])
        batch = np.full(shape, np.nan if self.features else padding, dtype=self.values.dtype)
        batch[valid] = rows.values  # both run row by row, left to right
        return batch


@dataclass(frozen=True)
class Split:
    """One part of a data set.

    Attributes:
        sequences: the rows, of which none is empty; those of ids begin with START.
        labels: [n, ...], what is right for each row: of classes int32[n]. Or what is right at each
            step, as rows of ids of the same lengths: there START has the id `IGNORED`.
    """

    sequences: Sequences
    labels: Any  # an array, or `Sequences` of steps

    def __post_init__(self) -> None:
        if len(self.sequences) != len(self.labels):
            raise ValueError(
                "Split needs one label per sequence, received "
                f"len(sequences)={len(self.sequences)}, len(labels)={len(self.labels)}. "
                "Take both with the same indices."
            )

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: ArrayLike) -> Split:
        """The rows ``indices`` with their labels."""
        labels, chosen = self.labels, np.asarray(indices, np.int64)
        of_steps = isinstance(labels, Sequences)
        return Split(
            self.sequences.take(chosen), labels.take(chosen) if of_steps else labels[chosen]
        )

    def batch(self, indices: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
        """The rows ``indices`` padded on the right, and their labels.

        Labels of steps are int32[rows, time] with `IGNORED` where there is no step.
        """
        labels, chosen = self.labels, np.asarray(indices, np.int64)
        if isinstance(labels, Sequences):
            return self.sequences.padded(chosen), labels.padded(chosen, IGNORED)
        return self.sequences.padded(chosen), labels[chosen]


@dataclass(frozen=True)
class Dataset:
    """A data set, ready to be cut into batches.

    Attributes:
        name: registered name.
        train, validation: the published training part, divided by the seed of the run.
        test: the published test part, the same for every seed.
        label_names: one per class, in the order of the labels; empty if there are no classes.
        vocabulary: words by id; None of rows of numbers.
        scale: what was done to the numbers of rows; None of rows of ids.
        notes: what was left out of the rows, in sentences.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    label_names: tuple[str, ...]
    vocabulary: Vocabulary | None = None
    scale: Scale | None = None
    notes: tuple[str, ...] = ()

    @property
    def num_classes(self) -> int:
        """Number of classes, whether or not each occurs in every part."""
        return len(self.label_names)

    @property
    def features(self) -> int:
        """How many numbers a step has; 0 of ids."""
        return self.train.sequences.features

    @property
    def words(self) -> Vocabulary:
        """The vocabulary of rows of ids.

        Raises:
            ValueError: if rows are numbers.
        """
        if self.vocabulary is None:
            raise ValueError(
                f"words are needed; received data={self.name}, whose rows are numbers. Use a model "
                "that reads numbers, such as model=classifier, or data of ids."
            )
        return self.vocabulary

    def decode(self, row: ArrayLike) -> str:
        """A row as text: the words of ids, or how many steps of numbers there are."""
        if self.vocabulary is None:
            return f"{len(np.asarray(row))} steps of {self.features} numbers"
        return self.vocabulary.decode(row)

    @property
    def majority_accuracy(self) -> float:
        """Test accuracy of always answering the most frequent class of the training part."""
        majority = np.bincount(self.train.labels, minlength=self.num_classes).argmax()
        return float(np.mean(self.test.labels == majority))
