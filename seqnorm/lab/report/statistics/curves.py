"""Curves on one axis: pure functions on arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95


@dataclass(frozen=True)
class Band:
    """Several curves on one axis.

    Attributes:
        x: float [n].
        mean, low, high: float [n]; mean, lowest and highest of the curves.
    """

    x: NDArray[np.float64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def common_band(curves: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]]) -> Band:
    """Mean and range of curves at the places that all of them have.

    A curve that ends early (early stopping) ends the band: beyond it, the mean would be over the
    longer runs only. (0, 1, 2) -> (1, 2, 6) and (0, 1) -> (3, 4) give x = (0, 1), mean (2, 3),
    low (1, 2), high (3, 4).

    Args:
        curves: Pairs (x [k], y [k]) with rising x; lengths may differ.

    Returns:
        The band at the common x; empty for no curve or nothing in common.
    """
    if not curves:
        empty = np.empty(0)
        return Band(empty, empty, empty, empty)
    common = curves[0][0]
    for x, _ in curves[1:]:
        common = np.intersect1d(common, x)
    rows = np.stack([y[np.searchsorted(x, common)] for x, y in curves])  # [curves, common]
    return Band(np.asarray(common, float), rows.mean(axis=0), rows.min(axis=0), rows.max(axis=0))


def mean_profile(profiles: Sequence[NDArray[np.floating]]) -> NDArray[np.float64]:
    """Mean over profiles at each time step, over those that have a finite value there.

    (1, 2, NaN) and (3, NaN) give (2, 2, NaN).

    Args:
        profiles: float [T_i] each; lengths may differ.

    Returns:
        float64 [max T_i]; NaN where no profile has a finite value; empty for no profile.
    """
    longest = max((profile.size for profile in profiles), default=0)
    total, count = np.zeros(longest), np.zeros(longest)
    for profile in profiles:
        finite = np.isfinite(profile)
        total[: profile.size] += np.where(finite, profile, 0.0)
        count[: profile.size] += finite
    return np.divide(total, count, out=np.full(longest, np.nan), where=count > 0)


def timed_band(band: Band, clocks: Sequence[NDArray[np.float64]]) -> Band:
    """A band against steps, moved to the median time at which its runs got to each step.

    The values stay those of the steps: one slow run moves no point. Steps (1, 2) of runs that were
    there after (5, 9) and (7, 30) seconds go to 6 and 19.5.

    Args:
        band: What `common_band` gave for these runs.
        clocks: float64 [n, 2] of each run, its steps and seconds; NaN where not recorded.

    Returns:
        The band, without the steps whose time no run has recorded.
    """
    if not clocks:
        return band
    times = np.stack([clock[np.searchsorted(clock[:, 0], band.x), 1] for clock in clocks])
    kept = np.isfinite(times).any(axis=0)
    seconds = np.nanmedian(times[:, kept], axis=0)
    return Band(seconds, band.mean[kept], band.low[kept], band.high[kept])
