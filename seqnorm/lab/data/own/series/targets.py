"""Labels of rows of numbers as a task takes them: classes, numbers, or a class at every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.data.own.labels import Labels
from seqnorm.lab.data.own.numbers import number
from seqnorm.lab.data.own.series.recording import Recording, Written
from seqnorm.lab.data.own.source import bad
from seqnorm.lab.data.spec import Sequences


class Classes:
    """Classes of rows or, with `steps`, of steps; the names of all parts together.

    Args:
        column: what labels are called in messages.
        steps: whether each step has one.
    """

    def __init__(self, column: str, steps: bool = False) -> None:
        self.labels, self.steps = Labels(column), steps

    def read(self, recording: Recording) -> NDArray[np.int32] | Sequences:
        """Provisional numbers: int32[n], or rows of them.

        Raises:
            ValueError: if something is no label, naming the row.
        """
        written = _written(recording)
        self.labels.column = written.column
        for place, value in enumerate(written.values):
            try:
                self.labels.add(value)
            except ValueError as error:
                row = _first(recording, written, place, self.steps)
                raise bad(recording.place(row), error) from error
        found = self.labels.taken()[written.codes]
        return Sequences.from_lengths(found, recording.rows.lengths) if self.steps else found

    def close(self, key: str, count: int) -> None:
        """After the training part, of `count` labels: no other class may follow."""
        self.labels.require(key, count)
        self.labels.close(key)

    def finish(self) -> tuple[tuple[str, ...], Callable[[Any], Any]]:
        """The names in their order, and what turns provisional numbers into classes."""
        names, order = self.labels.in_order()
        if self.steps:
            return names, lambda labels: Sequences(order[labels.values], labels.offsets)
        return names, lambda labels: order[labels]


class Numbers:
    """A number of each row; it stays as it is."""

    steps = False

    def read(self, recording: Recording) -> NDArray[np.float32]:
        """float32[n].

        Raises:
            ValueError: if something is no finite number, naming the row.
        """
        written = _written(recording)
        numbers = np.array([number(value) for value in written.values], np.float64)
        with np.errstate(over="ignore"):
            kept = numbers.astype(np.float32)
        wrong = ~np.isfinite(kept)
        if wrong.any():
            place = int(wrong.argmax())
            row = _first(recording, written, place, steps=False)
            raise bad(
                recording.place(row),
                f"each row needs a finite number, received {written.column}="
                f"{written.values[place]!r}. Correct it, or use task=classification for names.",
            )
        return kept[written.codes]

    def close(self, key: str, count: int) -> None:
        """Any number may follow."""

    def finish(self) -> tuple[tuple[str, ...], Callable[[Any], Any]]:
        """No names, and nothing to do."""
        return (), lambda labels: labels


def _written(recording: Recording) -> Written:
    assert recording.labels is not None  # a layout with a kind asks for them
    return recording.labels


def _first(recording: Recording, written: Written, place: int, steps: bool) -> int:
    """The first row that has the value at that place."""
    at = int((written.codes == place).argmax())
    return int(np.searchsorted(recording.rows.offsets, at, side="right")) - 1 if steps else at
