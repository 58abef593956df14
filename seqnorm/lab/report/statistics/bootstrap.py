"""Bootstrap estimates: what would other seeds have given? Each takes an explicit generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from seqnorm.lab.report.statistics.curves import LEVEL

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
RESAMPLES = 20_000
MOST_ENUMERATED = 6  # values, of which there are 46,656 resamples


@dataclass(frozen=True)
class Estimate:
    """A number with its confidence interval.

    Attributes:
        value: The statistic of the values themselves; NaN if there are none.
        low, high: Ends of the interval; NaN for fewer than two values.
        count: Number of values.
    """

    value: float
    low: float
    high: float
    count: int


def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean along the last axis."""
    return np.mean(values, axis=-1)


def interquartile_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the middle half along the last axis: 1, 2, 3, 10 give 2.5.

    A quarter of the values (rounded down) is left out at each end (Agarwal et al., 2021).
    """
    return stats.trim_mean(values, 0.25, axis=-1)


def expanded_levels(count: int, level: float) -> tuple[float, float]:
    """Percentiles that widen a bootstrap interval to what few values deserve.

    The plain percentile interval of n values is too narrow by sqrt((n - 1) / n) and by the ratio of
    the normal to Student's t quantile (Hesterberg, 2015, section 5.3).
    """
    quantile = stats.t.ppf((1.0 + level) / 2.0, count - 1)
    tail = float(stats.norm.cdf(-quantile * np.sqrt(count / (count - 1))))
    return tail, 1.0 - tail


def _resampled(
    values: NDArray[np.float64], resamples: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """float64 [resamples, n]: draws with replacement."""
    return values[rng.integers(values.size, size=(resamples, values.size))]


def _all_resamples(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64 [n^n, n]: every draw with replacement once."""
    return values[np.indices((values.size,) * values.size).reshape(values.size, -1).T]


def _flat(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise ValueError(
            f"A bootstrap needs a flat list of finite values; received values={array.tolist()}. "
            "Decide first what a missing value counts as."
        )
    return array


def bootstrap(
    values: ArrayLike,
    rng: np.random.Generator,
    statistic: Statistic = mean,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> Estimate:
    """A statistic with its expanded percentile interval.

    Args:
        values: float [n], one per seed.
        rng: Where the resamples come from; six values or fewer need none, as all n^n are taken.
        statistic: Reduces the last axis, for example `mean` or `interquartile_mean`.
        level: Coverage, between 0 and 1.
        resamples: Number of draws of n values with replacement.

    Returns:
        The estimate; fewer than two values have no interval (NaN). No interval reaches beyond the
        values themselves, so that below five of them it covers less often than it says.
    """
    array = _flat(values)
    if not array.size:
        return Estimate(np.nan, np.nan, np.nan, 0)
    value = float(statistic(array))
    if array.size == 1:
        return Estimate(value, np.nan, np.nan, 1)
    few = array.size <= MOST_ENUMERATED
    drawn = statistic(_all_resamples(array) if few else _resampled(array, resamples, rng))
    low, high = np.quantile(drawn, expanded_levels(array.size, level))
    return Estimate(value, float(low), float(high), array.size)


def paired_bootstrap(
    treated: Mapping[int, float],
    baseline: Mapping[int, float],
    rng: np.random.Generator,
    statistic: Statistic = mean,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> Estimate:
    """A statistic of treated - baseline over the seeds that both have, and its interval.

    With treated {1: 3, 2: 5, 9: 0} and baseline {1: 1, 2: 2} it is that of the differences 2 and 3.
    """
    seeds = sorted(treated.keys() & baseline.keys())
    differences = [treated[seed] - baseline[seed] for seed in seeds]
    return bootstrap(differences, rng, statistic, level=level, resamples=resamples)


def _share_above(treated: NDArray[np.float64], baseline: NDArray[np.float64]) -> NDArray:
    shares = [
        np.mean((one > baseline) + 0.5 * (one == baseline), axis=-1)
        for one in np.moveaxis(treated[..., None], -2, 0)  # all pairs at once would be large
    ]
    return np.mean(shares, axis=0)


def probability_of_improvement(
    treated: ArrayLike,
    baseline: ArrayLike,
    rng: np.random.Generator,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> Estimate:
    """How likely a run of one arm is to beat a run of the other, a tie counting half.

        P = 1 / (m n) Σ_i Σ_j [a_i > b_j] + ½ [a_i = b_j]     (Agarwal et al., 2021; Mann-Whitney U)

    (2, 3) against (1, 2): of four pairs three are better and one is a tie, so 0.875.

    Args:
        treated: float [m].
        baseline: float [n].
        rng: Where the resamples come from; both arms are resampled.
        level: Coverage, between 0 and 1.
        resamples: Number of draws.

    Returns:
        The estimate, within 0 and 1. No interval (NaN) if an arm has fewer than two values, or if
        all pairs agree: then all resamples agree as well and say nothing about other seeds.
    """
    left, right = _flat(treated), _flat(baseline)
    count = min(left.size, right.size)
    if not count:
        return Estimate(np.nan, np.nan, np.nan, 0)
    value = float(_share_above(left, right))
    if count == 1 or value in (0.0, 1.0):
        return Estimate(value, np.nan, np.nan, count)
    drawn = _share_above(_resampled(left, resamples, rng), _resampled(right, resamples, rng))
    low, high = np.quantile(drawn, expanded_levels(count, level))
    return Estimate(value, float(low), float(high), count)
