"""How wide a range of learning rates does, in decades: between two values a curve is a line."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.report.statistics.bootstrap import Estimate, expanded_levels
from seqnorm.lab.report.statistics.curves import LEVEL

RESAMPLES = 2_000


@dataclass(frozen=True)
class Plateau:
    """The values of a setting around the best one at which the score is nearly as good.

    Attributes:
        best: The value with the best mean.
        begin, end: Its ends.
        decades: log10(end / begin), with its interval.
        open_begin, open_end: Whether the plateau reaches the first or last value that was tried, so
            that it may be wider.
    """

    best: float
    begin: float
    end: float
    decades: Estimate
    open_begin: bool
    open_end: bool


def find_plateau(
    scores: Mapping[float, Sequence[float]], margin: float, rng: np.random.Generator
) -> Plateau:
    """The plateau of mean scores, higher being better, and how sure its width is.

    Where the mean score falls below best - margin, the end lies on the line between two values of
    the setting, on a logarithmic axis. Means 0.5, 0.8, 0.8, 0.5 at 0.001, 0.01, 0.1, 1 and a margin
    of 0.1 give a plateau from 0.00464 to 0.215, 1.67 decades.

    Args:
        scores: Scores of each value of the setting, one per seed; at least two values, all
            positive, each with a finite score.
        margin: How much worse than the best mean a mean may be.
        rng: Where the resamples come from: seeds are drawn again at each value by itself, so that
            the best value may be another one each time.
    """
    values = np.array(sorted(scores), dtype=np.float64)
    if values.size < 2 or values[0] <= 0:
        raise ValueError(
            "A plateau needs two values or more, all above zero; received "
            f"values={values.tolist()}. Try more of them."
        )
    runs = [np.asarray(scores[value], dtype=np.float64) for value in values]
    places = np.log10(values)
    means = np.array([each.mean() for each in runs])
    [(begin, end)] = _ends(places, means[None], margin)
    low = high = math.nan
    if min(each.size for each in runs) > 1:
        drawn = np.stack([_means(each, rng) for each in runs], axis=1)  # [resamples, values]
        ends = _ends(places, drawn, margin)
        levels = expanded_levels(min(each.size for each in runs), LEVEL)
        low, high = np.quantile(ends[:, 1] - ends[:, 0], levels)
    width = Estimate(float(end - begin), float(low), float(high), runs[0].size)
    best = float(values[means.argmax()])
    return Plateau(
        best,
        float(10**begin),
        float(10**end),
        width,
        open_begin=bool(begin == places[0]),
        open_end=bool(end == places[-1]),
    )


def mean_along(scores: Mapping[float, float]) -> float:
    """The mean height of a curve over the logarithm of its setting.

    What is to be expected of a setting that nobody tunes, where one decade is as likely as another.
    Scores 0.5, 0.8, 0.6 at 0.001, 0.01, 1 are 0.683.

    Args:
        scores: Score of each value of the setting; at least two values, all positive.
    """
    values = sorted(scores)
    places = np.log10(values)
    return float(np.trapezoid([scores[value] for value in values], places) / np.ptp(places))


def _means(scores: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    return scores[rng.integers(scores.size, size=(RESAMPLES, scores.size))].mean(axis=1)


def _ends(
    places: NDArray[np.float64], means: NDArray[np.float64], margin: float
) -> NDArray[np.float64]:
    """float64 [n, 2]: places where the plateau of each row of means [n, places] begins and ends."""
    found = np.empty((len(means), 2))
    for row, curve in enumerate(means):
        best = int(curve.argmax())
        least = curve[best] - margin
        found[row] = _reach(places, curve, best, -1, least), _reach(places, curve, best, 1, least)
    return found


def _reach(
    places: NDArray[np.float64], curve: NDArray[np.float64], best: int, step: int, least: float
) -> float:
    """How far the curve stays above a level on one side of its best place."""
    at = best
    while 0 <= at + step < len(curve) and curve[at + step] >= least:
        at += step
    beyond = at + step
    if not 0 <= beyond < len(curve):
        return float(places[at])
    share = (curve[at] - least) / (curve[at] - curve[beyond])
    return float(places[at] + share * (places[beyond] - places[at]))
