"""Intervals and alignments: pure functions on arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean with a symmetric confidence interval.

    Attributes:
        mean: Mean of the values; NaN if there are none.
        half_width: Half the width of the interval; NaN for fewer than two values.
        count: Number of values.
    """

    mean: float
    half_width: float
    count: int

    @property
    def low(self) -> float:
        """Lower end."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """Upper end."""
        return self.mean + self.half_width


def t_interval(values: Sequence[float] | NDArray[np.floating], level: float = LEVEL) -> Interval:
    """Student's t interval of the mean.

        mean ± t(n - 1, (1 + level) / 2) * s / sqrt(n),   s^2 = sum (x - mean)^2 / (n - 1)

    For the values 1, 2, 3: mean 2, s = 1, t(2, 0.975) = 4.3027, so 2 ± 2.4841.

    Args:
        values: float [n], one value per seed.
        level: Coverage, between 0 and 1.

    Returns:
        The interval. One value has a mean and no interval (NaN); no value has neither.

    Raises:
        ValueError: If the level is not between 0 and 1, or a value is not finite.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(
            f"A confidence level lies between 0 and 1; received level={level}. Use 0.95."
        )
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise ValueError(
            f"An interval needs a flat list of finite values; received values={array.tolist()}. "
            "Decide first what a missing value counts as."
        )
    count = array.size
    if count == 0:
        return Interval(np.nan, np.nan, 0)
    mean = float(array.mean())
    if count == 1:
        return Interval(mean, np.nan, 1)
    error = float(array.std(ddof=1)) / np.sqrt(count)
    quantile = float(stats.t.ppf((1.0 + level) / 2.0, count - 1))
    return Interval(mean, quantile * error, count)


def paired_interval(
    treated: Mapping[int, float], baseline: Mapping[int, float], level: float = LEVEL
) -> Interval:
    """Student's t interval of the mean difference, paired by seed.

    With treated {1: 3, 2: 5, 9: 0} and baseline {1: 1, 2: 2}, the differences are 2 and 3 (seed 9
    has no partner): 2.5 ± 12.7062 * 0.7071 / sqrt(2) = 2.5 ± 6.3531.

    Args:
        treated: Value by seed.
        baseline: Value by seed.
        level: Coverage, between 0 and 1.

    Returns:
        The interval of treated - baseline over the seeds that both have.
    """
    seeds = sorted(treated.keys() & baseline.keys())
    return t_interval([treated[seed] - baseline[seed] for seed in seeds], level)


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


def resampled_band(
    curves: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]], points: int = 60
) -> Band:
    """Mean and range of curves whose places differ, as seconds do, by linear interpolation.

    From where all curves have begun to where the first one ends. (0, 2) -> (0, 2) and
    (1, 3) -> (3, 3) overlap from 1 to 2; at 1 the mean is 2, at 2 it is 2.5.

    Args:
        curves: Pairs (x [k], y [k]) with rising x.
        points: Places on the common axis.

    Returns:
        The band; empty for no curve or no overlap.
    """
    begin = max((x[0] for x, _ in curves), default=np.inf)
    end = min((x[-1] for x, _ in curves), default=-np.inf)
    if begin > end:
        return common_band([])
    common = np.linspace(begin, end, points if begin < end else 1)
    rows = np.stack([np.interp(common, x, y) for x, y in curves])
    return Band(common, rows.mean(axis=0), rows.min(axis=0), rows.max(axis=0))
