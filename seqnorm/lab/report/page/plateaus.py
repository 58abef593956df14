"""How wide a range of a setting does, arm by arm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seqnorm.lab.report.arms.arms import Comparison
from seqnorm.lab.report.page.axes import two_digits
from seqnorm.lab.report.page.series import Series
from seqnorm.lab.report.statistics.bootstrap import Estimate
from seqnorm.lab.report.statistics.estimates import (
    mean_estimate,
    paired_estimate,
    plateau_estimate,
)
from seqnorm.lab.report.statistics.plateau import Plateau

NEAR = 0.02  # of the best mean: more than seeds differ by, less than one would give away unasked
LEAST_VALUES = 5  # fewer are no curve


@dataclass(frozen=True)
class Found:
    """The plateau of a series of arms.

    Attributes:
        series: The arms.
        plateau: Where they are good.
        best: Mean score at the best value, with its interval.
        along: Mean score along the whole curve.
        against: Its difference by seed from the series without a norm; None without one.
    """

    series: Series
    plateau: Plateau
    best: Estimate
    along: float
    against: Estimate | None

    @property
    def ends(self) -> tuple[str, str]:
        """Where it begins and ends as text, as ("≤ 0.0002", "0.0123")."""
        begin, end = two_digits(self.plateau.begin), two_digits(self.plateau.end)
        return f"{'≤ ' * self.plateau.open_begin}{begin}", f"{'≥ ' * self.plateau.open_end}{end}"

    @property
    def diverged(self) -> str:
        """Runs that diverged, of all."""
        arms = self.series.arms
        return f"{sum(arm.diverged for arm in arms)} of {sum(len(arm.runs) for arm in arms)}"


def find_plateaus(comparison: Comparison, along: Sequence[Series]) -> list[Found]:
    """The plateau of each series along a setting that goes through many values above zero."""
    score, found = comparison.task.score, []
    for series in along:
        if len(series.arms) < LEAST_VALUES or series.values[0] <= 0:
            continue
        by_value = {
            value: [*arm.values(score.name).values()] for value, arm in series.by_value.items()
        }
        plateau = plateau_estimate(by_value, score, NEAR)
        best = mean_estimate(by_value[plateau.best])
        means = series.along(score.name)
        mean = float(np.mean([*means.values()])) if means else math.nan
        found.append(Found(series, plateau, best, mean, _against_none(comparison, series, means)))
    return found


def _against_none(
    comparison: Comparison, series: Series, along: dict[int, float]
) -> Estimate | None:
    bases = {value: comparison.baseline_of(arm) for value, arm in series.by_value.items()}
    known = {value: base for value, base in bases.items() if base is not None}
    if len(known) < len(bases):
        return None
    plain = replace(series, by_value=known).along(comparison.task.score.name)
    return paired_estimate(along, plain) if along.keys() & plain else None
