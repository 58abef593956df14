"""What a data set is made of: reserved ids, ragged sequences, splits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqnorm.lab.data.vocabulary import PAD, START, UNKNOWN, Vocabulary

__all__ = ["PAD", "START", "UNKNOWN", "Dataset", "Sequences", "Split", "Vocabulary"]


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


class Sequences:
    """Rows of ids of different lengths in two flat arrays, so that 50,000 texts are two objects.

    Row ``i`` is ``values[offsets[i]:offsets[i + 1]]``.

    Args:
        values: int32[total], the ids of all rows, one row after the other.
        offsets: int64[n + 1], where each row begins; rising, from 0 to ``total``.

    Raises:
        ValueError: if ``offsets`` do not cut ``values`` into rows.

    Examples:
        >>> rows = Sequences.from_rows([[1, 7, 8], [1]])
        >>> len(rows), rows[0].tolist(), rows.lengths.tolist()
        (2, [1, 7, 8], [3, 1])
    """

    def __init__(self, values: ArrayLike, offsets: ArrayLike) -> None:
        self.values: NDArray[np.int32] = np.asarray(values, dtype=np.int32)
        self.offsets: NDArray[np.int64] = np.asarray(offsets, dtype=np.int64)
        ends = self.offsets[[0, -1]].tolist() if self.offsets.size else []
        if ends != [0, self.values.size] or np.any(np.diff(self.offsets) < 0):
            raise ValueError(
                "Sequences needs offsets that rise from 0 to the number of values, received "
                f"offsets={self.offsets} for {self.values.size} values. "
                "Build ragged rows with Sequences.from_rows."
            )

    @classmethod
    def from_rows(cls, rows: Iterable[ArrayLike]) -> Sequences:
        """Joins rows, each a sequence of ids, possibly empty."""
        arrays = [np.asarray(row, dtype=np.int32) for row in rows]
        return cls.from_lengths(
            np.concatenate(arrays) if arrays else [], [len(array) for array in arrays]
        )

    @classmethod
    def from_lengths(cls, values: ArrayLike, lengths: Sequence[int] | NDArray) -> Sequences:
        """Cuts flat ``values`` into rows of the given lengths."""
        return cls(values, np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]))

    def __len__(self) -> int:
        return self.offsets.size - 1

    def __getitem__(self, index: int) -> NDArray[np.int32]:
        """Row ``index`` as an int32 view, not a copy; negative counts from the end."""
        size = len(self)
        if not -size <= index < size:
            raise IndexError(
                f"Sequences has rows 0 to {size - 1}, received index={index}. Use len() first."
            )
        index %= size
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    def __iter__(self) -> Iterator[NDArray[np.int32]]:
        return (self[index] for index in range(len(self)))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """int64[n], the number of ids of each row."""
        return np.diff(self.offsets)

    def slices(self, starts: NDArray, lengths: NDArray) -> Sequences:
        """New rows ``values[starts[i] : starts[i] + lengths[i]]``, copied without a loop over rows.

        Positions take three times the memory of the ids: they are made for some rows at a time.
        """
        ends = np.cumsum(lengths, dtype=np.int64)
        values = np.empty(int(ends[-1]) if ends.size else 0, dtype=np.int32)
        for rows in pieces_of(ends):
            own, first, last = lengths[rows], ends[rows.start] - lengths[rows.start], ends[rows][-1]
            positions = np.arange(first, last) + np.repeat(starts[rows] - (ends[rows] - own), own)
            values[first:last] = self.values[positions]
        return Sequences.from_lengths(values, lengths)

    def take(self, indices: ArrayLike) -> Sequences:
        """The rows ``indices``, in that order, as new Sequences (a copy)."""
        chosen = np.asarray(indices, dtype=np.int64)
        return self.slices(self.offsets[chosen], self.lengths[chosen])

    def padded(self, indices: ArrayLike) -> NDArray[np.int32]:
        """The rows ``indices`` as int32[rows, longest of them], padded on the right with PAD."""
        rows = self.take(indices)
        lengths = rows.lengths
        valid = np.arange(int(lengths.max(initial=0))) < lengths[:, None]  # [B, T]
        tokens = np.full(valid.shape, PAD, dtype=np.int32)
        tokens[valid] = rows.values  # both run row by row, left to right
        return tokens


@dataclass(frozen=True)
class Split:
    """One part of a data set.

    Attributes:
        sequences: the rows; each begins with START, so none is empty.
        labels: [n, ...], what is right for each row; of classes int32[n].
    """

    sequences: Sequences
    labels: NDArray[Any]

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
        return Split(self.sequences.take(indices), self.labels[np.asarray(indices, np.int64)])


@dataclass(frozen=True)
class Dataset:
    """A data set, ready to be cut into batches.

    Attributes:
        name: registered name.
        train, validation: the published training part, divided by the seed of the run.
        test: the published test part, the same for every seed.
        label_names: one per class, in the order of the labels; empty if there are no classes.
        vocabulary: words by id.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    label_names: tuple[str, ...]
    vocabulary: Vocabulary

    @property
    def num_classes(self) -> int:
        """Number of classes, whether or not each occurs in every part."""
        return len(self.label_names)

    def decode(self, ids: ArrayLike) -> str:
        """The words of one row of ids, as a split or a batch holds it."""
        return self.vocabulary.decode(ids)

    @property
    def majority_accuracy(self) -> float:
        """Test accuracy of always answering the most frequent class of the training part."""
        majority = np.bincount(self.train.labels, minlength=self.num_classes).argmax()
        return float(np.mean(self.test.labels == majority))
