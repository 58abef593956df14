"""One line of a check: what was expected, what was measured, and whether they agree."""

from __future__ import annotations

from typing import Any, NamedTuple


class Row(NamedTuple):
    """One claim.

    Attributes:
        name: what is claimed, in words.
        expected: the number, or the bound.
        measured: what the code gave.
        tolerance: how `measured` must stand to `expected`, in words.
        source: where the expectation comes from.
        passed: whether it does; NaN never does. So the worst of several is `np.max` of them:
            the built-in `max` would lose a NaN.
    """

    name: str
    expected: float
    measured: float
    tolerance: str
    source: str
    passed: bool


def near(
    name: str,
    expected: Any,
    measured: Any,
    source: str,
    *,
    relative: float = 0.0,
    absolute: float = 0.0,
) -> Row:
    """`measured` equals `expected` up to a relative or an absolute error; exactly with neither."""
    expected, measured = float(expected), float(measured)
    passed = abs(measured - expected) <= relative * abs(expected) + absolute
    words = f"± {absolute:g}" if absolute else "equal"
    if relative:
        words = f"± {relative:.0%}" if relative >= 0.01 else f"relative {relative:g}"
    return Row(name, expected, measured, words, source, passed)


def at_most(name: str, bound: float, measured: Any, source: str) -> Row:
    """`measured` is no larger than `bound`."""
    return Row(name, bound, float(measured), "at most", source, bool(measured <= bound))


def at_least(name: str, bound: float, measured: Any, source: str) -> Row:
    """`measured` is no smaller than `bound`."""
    return Row(name, bound, float(measured), "at least", source, bool(measured >= bound))
