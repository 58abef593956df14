"""What a property that does not hold says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from seqnorm.spelling import uncoloured

MOST_LETTERS = 160  # of the values of a row
# What Keras puts around the cause of an error in a layer's call.
_AROUND = ("Exception encountered when calling", "Arguments received by", "•")


class Failure(NamedTuple):
    """One property that does not hold.

    Attributes:
        property: its name, as `skip` takes it.
        input: what was run: cell, norm, precision and mask.
        what: the number that is wrong, such as "outputs[0, 2, 1] after one more padded step".
        found: what came out.
        expected: what had to come out.
        values: the input of the row at fault, shortened; empty where no single row is.
    """

    property: str
    input: str
    what: str
    found: str
    expected: str
    values: str = ""

    def __str__(self) -> str:
        return self.said([self])

    def said(self, alike: Sequence[Failure]) -> str:
        """One message for failures of one cause, this among them."""
        names = dict.fromkeys(f"`{each.property}`" for each in alike)
        given = dict.fromkeys(each.input for each in alike)
        values = f" The input of that row: {self.values}." if self.values else ""
        return (
            f"{', '.join(names)} {'does' if len(names) == 1 else 'do'} not hold for "
            f"{', for '.join(given)}: {self.what}. "
            f"Received: {self.found}. Required: {self.expected}.{values}"
        )


class ConformanceError(AssertionError):
    """A norm or a cell that does not do what the layers count on.

    Args:
        *failures: every property that does not hold; the message has those of one cause once.

    Attributes:
        failures: the same, as `Failure`s.
    """

    def __init__(self, *failures: Failure):
        causes: dict[tuple[str, ...], list[Failure]] = {}
        for each in failures:
            causes.setdefault((each.what, each.found, each.expected), []).append(each)
        super().__init__("\n".join(alike[0].said(alike) for alike in causes.values()))
        self.failures = failures


def raised(name: str, given: object, error: Exception) -> ConformanceError:
    """That something raised where a property asks for numbers."""
    text = error.args[0] if isinstance(error, KeyError) and error.args else error  # not quoted
    lines = [line.strip() for line in uncoloured(str(text)).splitlines()]
    cause = next((line for line in lines if line and not line.startswith(_AROUND)), "")
    said = f"{type(error).__name__}: {cause}" if cause else type(error).__name__
    return ConformanceError(
        Failure(name, str(given), "it raised", said.removesuffix(" name:").rstrip("."), "no error")
    )


class Disagreement(AssertionError):
    """Two numbers differ that a property says are equal; `Property` adds its name and the input.

    Args:
        what: the number that is wrong.
        found: it.
        expected: what it had to be.
        row: the input of the row it belongs to, as far as it belongs to one.
    """

    def __init__(self, what: str, found: object, expected: object, row: Any = None):
        super().__init__(what, found, expected)
        self.what, self.found, self.expected = what, str(found), str(expected)
        self.values = "" if row is None else shortened(row)


def shortened(values: Any) -> str:
    """Numbers on one line, three digits each; what is beyond `MOST_LETTERS` as dots."""
    text = np.array2string(np.asarray(values), precision=3, separator=", ", max_line_width=10**6)
    line = " ".join(text.replace("[ ", "[").split())
    return line if len(line) <= MOST_LETTERS else f"{line[:MOST_LETTERS]}…"
