"""Labels as people write them: names, numbers, true and false, one or several a row."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]*))(?:\.0*)?")
_BROKEN = re.compile(r"-?[0-9]*\.[0-9]+(?:[eE][-+]?[0-9]+)?")


class Labels:
    """Numbers labels as they are read, and gives them their order at the end.

    Args:
        column: what they are called in messages, such as "stars".
        separator: splits a label that is a text into several; None does not.
        order: the names in their order, if that is published; others may not occur.
        several: whether a row may have none or several. If not, each has one.
    """

    def __init__(
        self,
        column: str,
        separator: str | None = None,
        order: Sequence[str] = (),
        several: bool = False,
    ) -> None:
        self.column, self.separator, self.several = column, separator, several
        self._place = {name: place for place, name in enumerate(order)}
        # Of the rows since the last `taken`: provisional numbers of all labels, and how many each
        # row has.
        self._codes, self._counts = array("i"), array("i")
        self._numbers: dict[int | str, int] = {}
        self._known: dict[str, int] = {}  # what was read before as it stands, for speed
        self._closed = ""

    def __len__(self) -> int:
        return len(self._numbers)

    def close(self, key: str) -> None:
        """From here on a label that was not read before is refused; ``key`` is where those were."""
        self._closed = key

    def add(self, value: Any) -> None:
        """Takes what a row holds.

        Raises:
            ValueError: if it is no label, saying what is needed and what was received.
        """
        if isinstance(value, str) and (known := self._known.get(value)) is not None:
            self._codes.append(known)
            self._counts.append(1)
            return
        each = self._each(value) or ([] if self.several else [None])  # an empty list is no label
        labels = [self._label(one) for one in each]
        if not self.several and len(labels) != 1:
            raise ValueError(
                f"each row needs one label, received {self.column}={short(value)}, which are "
                f"{len(labels)}. Keep one of them, or train on all with task=multilabel."
            )
        numbers = [self._number(label) for label in labels]
        self._codes.extend(numbers)
        self._counts.append(len(numbers))
        if isinstance(value, str) and len(numbers) == 1:
            self._known[value] = numbers[0]

    def _each(self, value: Any) -> list[Any]:
        if isinstance(value, list | tuple):
            return list(value)
        if isinstance(value, str) and self.separator is not None:
            return value.split(self.separator) if value.strip() or not self.several else []
        return [value]

    def _label(self, value: Any) -> int | str:
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, int):
            return value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        text = value.strip() if isinstance(value, str) else value
        if text is None or text == "" or _is_nan(text):
            raise ValueError(
                f"each row needs a label, received {self.column}={short(value)}. Fill it in, or "
                "remove the row."
            )
        if isinstance(text, str) and (number := _WHOLE.fullmatch(text)):
            return int(number[1])
        if isinstance(text, float) or (isinstance(text, str) and _BROKEN.fullmatch(text)):
            raise ValueError(
                f"a label is a name or a whole number, received {self.column}={short(value)}. "
                "Name another column with data.label, or round to classes."
            )
        if not isinstance(text, str):
            raise ValueError(
                "a label is a text, a whole number, true or false, received "
                f"{self.column}={short(value)} ({type(value).__name__}). Name another column with "
                "data.label."
            )
        return text

    def _number(self, label: int | str) -> int:
        if self._closed and label not in self._numbers:
            raise ValueError(
                f"each label needs examples in {self._closed}, received {self.column}="
                f"{short(label)}, which has none there; those are {self._listed()}. Correct the "
                f"label, or add examples of it to {self._closed}."
            )
        return self._numbers.setdefault(label, len(self._numbers))

    def _listed(self) -> str:
        names, _ = self.in_order()
        return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")

    def in_order(self) -> tuple[tuple[str, ...], NDArray[np.int32]]:
        """The names in their order, and the class of each provisional number, int32[classes].

        Without a published order whole numbers stand by their value and all else alphabetically,
        whatever was read first.
        """
        whole = all(isinstance(label, int) for label in self._numbers)

        def key(label: int | str) -> Any:
            return self._place[str(label)] if self._place else label if whole else str(label)

        order = sorted(self._numbers, key=key)
        classes = np.empty(len(order), dtype=np.int32)
        classes[[self._numbers[label] for label in order]] = np.arange(len(order))
        return tuple(map(str, order)), classes

    @property
    def names(self) -> tuple[str, ...]:
        """The names in their order."""
        return self.in_order()[0]

    def taken(self) -> NDArray[Any]:
        """The labels of the rows since the last call, by their provisional numbers.

        Returns:
            int32[n]; where a row may have several uint8[n, labels so far], 1 for those that it has.
        """
        codes, counts = (np.array(each, np.int32) for each in (self._codes, self._counts))
        self._codes, self._counts = array("i"), array("i")
        if not self.several:
            return codes
        found = np.zeros((len(counts), len(self)), np.uint8)
        found[np.repeat(np.arange(len(counts)), counts), codes] = 1
        return found

    def settled(self, labels: NDArray[Any]) -> NDArray[Any]:
        """What `taken` gave, by the final order of the names."""
        _, classes = self.in_order()
        return labels[:, np.argsort(classes)] if self.several else classes[labels]

    def require(self, key: str, rows: int) -> None:
        """Refuses what has no classes to tell apart.

        Args:
            key: of the configuration, whose labels were read so far.
            rows: how many have them.

        Raises:
            ValueError: if all are the same, or no two.
        """
        names = self.names
        if len(names) < 2:
            raise ValueError(
                f"{key} needs rows of two classes or more, received {self.column}="
                f"{names[0] if names else 'nothing'} in all {rows:,}. Name another data.label, or "
                "add rows of another class."
            )
        if len(names) == rows > 2 and not self.several:
            raise ValueError(
                f"{key} needs classes that have several rows, received {rows:,} different labels "
                f"in as many rows ({self.column}={names[0]}, {names[1]}, ...). Name the column of "
                "classes with data.label."
            )


def _is_nan(value: Any) -> bool:
    if isinstance(value, str):
        return value.lower() == "nan"
    return isinstance(value, float) and math.isnan(value)


def short(value: Any) -> str:
    """A value as Python writes it, cut."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
