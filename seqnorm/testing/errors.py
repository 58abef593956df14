"""What a property that does not hold says."""

from __future__ import annotations

from typing import NamedTuple


class Failure(NamedTuple):
    """One property that does not hold.

    Attributes:
        property: its name, as `skip` takes it.
        input: what was run: cell, norm, precision and mask.
        what: the number that is wrong, such as "outputs[0, 2, 1] after one more padded step".
        found: what came out.
        expected: what had to come out.
    """

    property: str
    input: str
    what: str
    found: str
    expected: str

    def __str__(self) -> str:
        return (
            f"`{self.property}` does not hold for {self.input}: {self.what}. "
            f"Received: {self.found}. Required: {self.expected}."
        )


class ConformanceError(AssertionError):
    """A norm or a cell that does not do what the layers count on.

    Args:
        *failures: every property that does not hold.

    Attributes:
        failures: the same, as `Failure`s.
    """

    def __init__(self, *failures: Failure):
        super().__init__("\n".join(map(str, failures)))
        self.failures = failures


def raised(name: str, given: object, error: Exception) -> ConformanceError:
    """That something raised where a property asks for numbers."""
    said = f"{type(error).__name__}: {error}"
    return ConformanceError(Failure(name, str(given), "it raised", said, "no error"))


class Disagreement(AssertionError):
    """Two numbers differ that a property says are equal; `Property` adds its name and the input."""

    def __init__(self, what: str, found: object, expected: object):
        super().__init__(what, found, expected)
        self.what, self.found, self.expected = what, str(found), str(expected)
