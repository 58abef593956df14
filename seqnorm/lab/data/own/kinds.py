"""What rows may be labelled with beside classes: numbers, or nothing that matters."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.data.own.labels import Labels, short
from seqnorm.lab.data.own.numbers import number

LARGEST = float(np.finfo(np.float32).max)


class Kind(Protocol):
    """What takes the labels of rows as they are read, part after part, the training part first."""

    @property
    def column(self) -> str | None:
        """What labels are called in messages; None if none are read."""

    def add(self, value: Any) -> None:
        """Takes what a row holds; ValueError if it is no such label."""

    def taken(self) -> NDArray[Any]:
        """The labels [n, ...] of the rows since the last call."""

    def require(self, key: str, rows: int) -> None:
        """Refuses those of the training part if nothing can be learnt from them."""

    def close(self, key: str) -> None:
        """Says that the training part has been read."""

    def settled(self, labels: NDArray[Any]) -> NDArray[Any]:
        """What `taken` gave, as a model is trained on it, once all parts have been read."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the classes; empty if there are none."""


class Numbers:
    """One number a row.

    Args:
        column: what they are called in messages, such as "price".
    """

    names: tuple[str, ...] = ()

    def __init__(self, column: str | None) -> None:
        self.column = column
        self._values = array("d")

    def add(self, value: Any) -> None:
        """Takes a number, or a text that is one.

        Raises:
            ValueError: if it is none, or not finite.
        """
        found = number(value)
        if not math.isfinite(found) or abs(found) > LARGEST:
            raise ValueError(
                f"each row needs a number, received {self.column}={short(value)}. "
                "Correct it, remove the row, or name another column with data.label."
            )
        self._values.append(found)

    def taken(self) -> NDArray[Any]:
        """float32[n]."""
        found, self._values = np.array(self._values, np.float32), array("d")
        return found

    def require(self, key: str, rows: int) -> None:
        """Any numbers will do."""

    def close(self, key: str) -> None:
        """Other parts may hold other numbers."""

    def settled(self, labels: NDArray[Any]) -> NDArray[Any]:
        """As they are."""
        return labels


class Unlabelled(Numbers):
    """Rows without labels."""

    def __init__(self) -> None:
        super().__init__(None)

    def add(self, value: Any) -> None:
        """Takes whatever there is."""
        self._values.append(0.0)

    def taken(self) -> NDArray[Any]:
        """float32[n, 0]."""
        return super().taken()[:, None][:, :0]


def kind_of(
    labels: str, column: str, separator: str | None = None, order: Sequence[str] = ()
) -> Kind:
    """What takes labels of a kind.

    Args:
        labels: "class", "classes", "number" or "none", see `seqnorm.lab.config.data.LABELS`.
        column: as of `Labels`.
        separator: as of `Labels`.
        order: as of `Labels`.
    """
    if labels == "number":
        return Numbers(column)
    if labels == "none":
        return Unlabelled()
    return Labels(column, separator, order, several=labels == "classes")
