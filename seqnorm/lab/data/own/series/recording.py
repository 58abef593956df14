"""What a reader of rows of numbers is asked, what it gives, and which numbers are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqnorm.lab.data.spec import Sequences, pieces_of

EXACT = 2**24  # float32 holds whole numbers up to this


class Layout(NamedTuple):
    """How a file is to be read.

    Attributes:
        kind: which labels are wanted, "class", "number" or "tags" (one at every step); None reads
            none.
        label: name of the array or column of labels; None for the usual one of the format.
        id: Parquet: name of the column that says which row a step belongs to.
        time: Parquet: name of the column that the steps of a row are sorted by.
        features: Parquet: names of the columns of numbers; None for all others that hold numbers.
    """

    kind: str | None = None
    label: str | None = None
    id: str = "id"
    time: str = "time"
    features: tuple[str, ...] | None = None


class Written(NamedTuple):
    """Labels as they stand in a file.

    Attributes:
        column: what they are called there.
        values: each that occurs, once: names, numbers, or what is no label.
        codes: int32[n] of rows, or of all steps for "tags": the place of each in `values`.
    """

    column: str
    values: list[Any]
    codes: NDArray[np.int32]


@dataclass(frozen=True)
class Recording:
    """What one file holds.

    Attributes:
        rows: float32[time, features] each, as they were written.
        features: their names; None if the file has none.
        labels: None if none were asked for.
        place: where row 0, 1, ... stands: "train.npz, row 1".
        hint: what else may be the reason of a number that is missing, as a sentence; or nothing.
        passed_over: columns that are no features because of their kind, or as the index of pandas,
            with their kind; None where the features were not looked for.
    """

    rows: Sequences
    features: tuple[str, ...] | None
    labels: Written | None
    place: Callable[[int], str]
    hint: str = ""
    passed_over: tuple[str, ...] | None = None

    def whole(self) -> Recording:
        """Without the steps that miss a number.

        To a network that is as if they were masked: it goes on from the state before. But rows are
        then padded at their ends alone, which statistics per step need.
        """
        rows, kept = whole_steps(self.rows)
        if kept is None:
            return self
        labels = self.labels
        if labels is not None and len(labels.codes) == len(kept):  # of steps
            labels = labels._replace(codes=labels.codes[kept])
        return replace(self, rows=rows, labels=labels)


def whole_steps(rows: Sequences) -> tuple[Sequences, NDArray[np.bool_] | None]:
    """Rows without the steps that have NaN, and which they keep; None if all."""
    kept = ~np.isnan(rows.values).any(axis=-1)
    if kept.all():
        return rows, None
    before = np.concatenate([[0], np.cumsum(kept)])
    return Sequences(rows.values[kept], before[rows.offsets]), kept


def distinct(column: str, labels: ArrayLike) -> Written:
    """Labels of one NumPy dtype, as `Written`."""
    found = np.asarray(labels)
    if found.dtype.kind == "S":
        found = np.char.decode(found, "utf-8")
    values, codes = np.unique(found, return_inverse=True)
    return Written(column, values.tolist(), codes.ravel().astype(np.int32))


def unnamed(width: int) -> tuple[str, ...]:
    """What features are called that have no names."""
    return tuple(f"feature {number}" for number in range(1, width + 1))


def as_float32(values: NDArray, what: str) -> NDArray[np.float32]:
    """Numbers of any real dtype as float32; what is too large for that becomes infinite.

    Args:
        values: of any shape.
        what: what they are, for messages.

    Raises:
        ValueError: if they are no real numbers, or whole ones that float32 would round.
    """
    if values.dtype.kind not in "fiub":
        raise ValueError(
            f"{what} must be real numbers, received {values.dtype}. Convert them to float32."
        )
    if values.dtype.kind in "iu" and values.size:
        low, high = int(values.min()), int(values.max())
        if max(-low, high) > EXACT:
            raise ValueError(
                f"{what} are kept as float32, which holds whole numbers up to {EXACT:,}; received "
                f"{low if -low > high else high}. Subtract an offset, such as the first time, or "
                "leave an identifier out."
            )
    with np.errstate(over="ignore"):
        return values.astype(np.float32, copy=False)


def problem(row: NDArray[np.float32], features: tuple[str, ...], missing: str) -> str | None:
    """What is wrong with the numbers of a row, in words; None if nothing is.

    Args:
        row: float32[time, features].
        features: their names.
        missing: "refuse" or "mask", see `OwnSeriesConfig`.
    """
    if not len(row):
        return "each row needs a step or more, received none. Remove the row."
    nan, infinite = np.isnan(row), np.isinf(row)
    wrong = infinite if infinite.any() else nan
    if not wrong.any():
        return None
    step, feature = np.argwhere(wrong)[0].tolist()
    where = f"in {features[feature]} at step {step + 1} of {len(row)}"
    if infinite.any():
        return (
            f"each number must be finite, and below 3.4e38, received {row[step, feature]} "
            f"{where}. Correct it."
        )
    if missing == "refuse":
        return (
            f"each step needs all its numbers, received NaN {where}. Fill it in, or set "
            "data.missing=mask, which leaves such steps out."
        )
    if nan.any(axis=-1).all():
        return (
            "each row needs a step that has all its numbers, received NaN in each of its "
            f"{len(row)}, first {where}. Remove the row, or the feature."
        )
    return None


def suspects(rows: Sequences) -> Iterator[int]:
    """The rows that `problem` is to look at: those with NaN or infinity, and empty ones."""
    for piece in pieces_of(rows.offsets[1:]):
        first, last = rows.offsets[piece.start], rows.offsets[piece.stop]
        whole = np.isfinite(rows.values[first:last]).all(axis=-1)
        steps = first + np.flatnonzero(~whole)
        broken = np.searchsorted(rows.offsets, steps, side="right") - 1
        empty = piece.start + np.flatnonzero(rows.lengths[piece] == 0)
        yield from np.union1d(broken, empty).tolist()
