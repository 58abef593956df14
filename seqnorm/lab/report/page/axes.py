"""Axes of the page's charts: where a value lies and which values are written beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

LETTER = 6.4  # pixels of a letter beside an axis of the page


@dataclass(frozen=True)
class Axis:
    """Values from low to high on the pixels from begin to end.

    Attributes:
        low, high: The ends, in values.
        begin, end: Where they lie, in pixels.
        logarithmic: Whether equal ratios are equal lengths.
        ticks: (value, text) of what is written.
    """

    low: float
    high: float
    begin: float
    end: float
    logarithmic: bool
    ticks: tuple[tuple[float, str], ...]

    def place(self, values: ArrayLike) -> Any:
        """Pixels of values, an array or one number; what is beyond an end lies at the end."""
        held = np.clip(np.asarray(values, dtype=np.float64), self.low, self.high)
        low, high = self.low, self.high
        if self.logarithmic:
            held, low, high = np.log10(held), math.log10(low), math.log10(high)
        return self.begin + (held - low) / (high - low) * (self.end - self.begin)


def are_whole(values: NDArray[np.float64]) -> bool:
    """Whether all values are integers, as numbers of trials or steps are."""
    return bool((values == np.round(values)).all())


def rise_by_ratios(values: NDArray[np.float64]) -> bool:
    """Whether rising values are even as ratios rather than as differences.

    2, 8, 32 and 0.1, 0.2, 0.5 are, and 1, 2, 3 and whatever begins at zero are not.
    """
    if values[0] <= 0 or len(values) < 3:
        return bool(values[0] > 0)
    steps, ratios = np.diff(values), np.diff(np.log(values))
    return bool(np.std(ratios) * np.sum(steps) <= np.std(steps) * np.sum(ratios) + 1e-12)


def linear_ticks(low: float, high: float, most: int = 6, whole: bool = False) -> list[float]:
    """Round values between two others, at most that many: 0.81 and 0.87 give 0.82, 0.84, 0.86.

    With whole, none lies between two integers: there is no trial 1.5.
    """
    raw = (high - low) / (most - 1)
    if whole:
        raw = max(raw, 1.0)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [step * number for number in range(first, last + 1)]


def logarithmic_ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Powers of ten, every second or third if there are many; 2 and 5 as well if there are few.

    Between values that are equal but for rounding nothing is round: the value itself.
    """
    if math.isclose(low, high, rel_tol=1e-9):
        return [low]
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    stride = max(1, -(-(last - first) // most))
    factors = (1, 2, 5) if high <= 100 * low else (1,)
    values = [f * 10.0**power for power in range(first, last + 1, stride) for f in factors]
    found = [value for value in values if low * 0.999 <= value <= high * 1.001]
    return found if len(found) > 1 else linear_ticks(low, high, most=4)


def two_digits(value: float) -> str:
    """A value of a logarithmic axis, as 170 and 0.0034: .2g alone writes 1.7e+02."""
    return f"{float(f'{value:.2g}'):g}"


def apart(places: Sequence[float], texts: Sequence[str], letter: float) -> list[bool]:
    """Which texts are written so that none touches the one before it.

    Args:
        places: Their middles, rising.
        texts: What would be written.
        letter: Width of a letter, in the unit of places.
    """
    written, end = [], -math.inf
    for place, text in zip(places, texts, strict=True):
        half = letter * len(text) / 2
        written.append(place - half > end)
        end = place + half + letter if written[-1] else end
    return written


def _texts(values: list[float], logarithmic: bool) -> list[str]:
    if logarithmic:
        return [f"{value:g}" for value in values]
    step = min(np.diff(values), default=1.0)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if max(map(abs, values), default=0) >= 10_000:
        return [f"{value / 1000:g}k" for value in values]
    return [f"{value:.{decimals}f}".replace("-0.0000", "0.0000") for value in values]


def make_axis(
    values: NDArray[np.float64],
    begin: float,
    end: float,
    logarithmic: bool = False,
    margin: float = 0.0,
    at: Sequence[float] = (),
    bounds: tuple[float, float] | None = None,
) -> Axis:
    """An axis that holds some values.

    Args:
        values: float [n], finite, at least one; positive for a logarithmic axis.
        begin: Pixel of the low end.
        end: Pixel of the high end.
        logarithmic: Whether equal ratios are equal lengths.
        margin: Room beyond the values, as a share of their range.
        at: What is written at the axis; empty for round values.
        bounds: Where the axis ends at the latest, unless values lie beyond.
    """
    low, high = float(values.min()), float(values.max())
    if math.isclose(low, high, rel_tol=1e-9):  # equal but for rounding: no room for a tick between
        low = high
    if logarithmic:
        room = (high / low) ** margin if high > low else 2.0
        low, high = low / room, high * room
        ticks = logarithmic_ticks(low, high)
    else:
        room = margin * (high - low) if high > low else 0.5 * abs(high) or 0.5
        inner = (
            (-math.inf, math.inf) if bounds is None else (min(bounds[0], low), max(bounds[1], high))
        )
        low, high = max(low - room, inner[0]), min(high + room, inner[1])
        ticks = linear_ticks(low, high, whole=high > low and are_whole(values))
    ticks = list(at) or ticks
    texts = [f"{value:g}" for value in at] or _texts(ticks, logarithmic)
    axis = Axis(low, high, begin, end, logarithmic, tuple(zip(ticks, texts, strict=True)))
    if not at:
        return axis
    written = apart(axis.place(ticks).tolist(), texts, LETTER)
    texts = [text if seen else "" for text, seen in zip(texts, written, strict=True)]
    return replace(axis, ticks=tuple(zip(ticks, texts, strict=True)))
