"""How soon a run reaches a score, in steps or in seconds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from seqnorm.lab.tasks.score import Score


@dataclass(frozen=True)
class TimeToTarget:
    """How soon the runs of an arm reach a target.

    Attributes:
        median: Median over all runs, one that never gets there counting as infinite; infinite if
            half of them or more never do, NaN for no run.
        reached: Number of runs that get there.
        count: Number of runs.
    """

    median: float
    reached: int
    count: int


def target_digits(score: Score) -> int:
    """Decimals of a target, two fewer than the score's but no fewer than two."""
    return max(score.digits - 2, 2)


def target_near(best: float, score: Score) -> float:
    """A target that a usual run of a good arm reaches: within 3 % of the best score.

    Rounded away from it: 0.87 of an accuracy of 0.9012, 1.48 of an error of 1.43.
    """
    merit, unit = score.merit(best), 10 ** target_digits(score)
    hundredths = 97 if merit > 0 else 103  # of what is below zero, more is worse
    return score.merit(math.floor(hundredths * merit * (unit // 100)) / unit)


def first_reaching(places: ArrayLike, values: ArrayLike, target: float) -> float:
    """The first place at which a curve is at the target or above; infinite if it never is.

    No interpolation: a curve is known where it was measured. (10, 20, 30) with (0.6, 0.8, 0.7) and
    target 0.75 give 20.

    Args:
        places: float [n], rising: steps or seconds.
        values: float [n], finite.
        target: The value to reach.
    """
    there = np.flatnonzero(np.asarray(values, dtype=np.float64) >= target)
    return float(np.asarray(places, dtype=np.float64)[there[0]]) if there.size else np.inf


def time_to_target(times: Sequence[float]) -> TimeToTarget:
    """Summary of what `first_reaching` gave for each run: 10, 30 and infinity have median 30."""
    array = np.sort(np.asarray(times, dtype=np.float64))
    if not array.size:
        return TimeToTarget(np.nan, 0, 0)
    # The upper median: the mean of a finite time and infinity would be no time.
    median = float(array[array.size // 2])
    if array.size % 2 == 0 and np.isfinite(median):
        median = float((array[array.size // 2 - 1] + median) / 2)
    return TimeToTarget(median, int(np.isfinite(array).sum()), array.size)
