"""The list of settings that every arm tries: quasi-random, the same for all, never shuffled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.stats import qmc

from seqnorm.lab.comparison.config import RangeConfig

_DIGITS = 4  # of a value: enough for any setting, and short on a command line


def draw_settings(
    space: Mapping[str, RangeConfig], count: int, seed: int
) -> list[dict[str, float]]:
    """Settings that fill a space evenly: a scrambled Halton sequence.

    A longer list begins with the shorter one, so that raising the number of trials repeats none.

    Args:
        space: Ranges by name.
        count: Number of settings.
        seed: Of the scrambling.

    Returns:
        One value per config key for each setting.
    """
    if not space or not count:
        return []
    points = qmc.Halton(len(space), rng=np.random.default_rng(seed)).random(
        count
    )  # [count, ranges]
    return [
        {
            key: _value(share, place)
            for share, place in zip(point, space.values(), strict=True)
            for key in place.keys
        }
        for point in points
    ]


def _value(share: float, place: RangeConfig) -> float:
    if place.log:
        value = place.low * (place.high / place.low) ** share
    else:
        value = place.low + (place.high - place.low) * share
    return rounded(value)


def rounded(value: float) -> float:
    """A setting as it is written."""
    return float(f"{value:.{_DIGITS}g}")
