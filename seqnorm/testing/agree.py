"""Numbers that a property says are equal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from seqnorm.testing.case import TOLERANCE
from seqnorm.testing.errors import Disagreement


def agree(
    what: str,
    found: Any,
    expected: Any,
    dtype: str = "float64",
    factor: float = 1.0,
    scale: float | None = None,
    rows: Any = None,
) -> None:
    """Raise `Disagreement`, with both numbers, where two arrays differ by more than rounding.

    Args:
        what: what the arrays are.
        found: an array of finite numbers.
        expected: another of the same shape.
        dtype: whose row of `TOLERANCE` it is.
        factor: of the tolerance.
        scale: what the tolerance is in units of; None for the largest expected number, or 1.
        rows: the inputs of the first axis, which the message shows of the worst place; or None.
    """
    found, expected = np.asarray(found), np.asarray(expected)
    if found.shape != expected.shape:
        raise Disagreement(what, f"shape {found.shape}", f"shape {expected.shape}")
    if not found.size:
        return
    if scale is None:
        scale = max(1.0, np.max(np.abs(expected)))
    tolerance = TOLERANCE[dtype] * factor * scale
    off = np.abs(found - expected)
    off = np.where(np.isnan(off), np.inf, off)
    worst = np.unravel_index(np.argmax(off), off.shape)
    if off[worst] > tolerance:
        place = f"[{', '.join(map(str, worst))}]" if worst else ""
        row = None if rows is None else rows[worst[0]]
        wanted = f"{expected[worst]}, to {tolerance:.2g}"
        raise Disagreement(f"{what}{place}", found[worst], wanted, row)


def agree_all(
    names: Iterable[str],
    found: Sequence[Any],
    expected: Sequence[Any],
    dtype: str = "float64",
    factor: float = 1.0,
    scale: float | None = None,
    rows: Any = None,
) -> None:
    """`agree` of each pair."""
    for name, a, b in zip(names, found, expected, strict=True):
        agree(name, a, b, dtype, factor, scale, rows)


def largest(arrays: Sequence[Any]) -> float:
    """The largest number there is, or 1: small gradients can be differences of large ones."""
    return max(1.0, *(float(np.max(np.abs(array), initial=0)) for array in arrays))
