"""How wide a range of a setting does, arm by arm: table, charts and sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from seqnorm.lab.report.page.charts import Chart, Dot, DotChart, Row
from seqnorm.lab.report.page.comparison_tables import estimate_cells
from seqnorm.lab.report.page.looks import Looks
from seqnorm.lab.report.page.series import Series, series_along
from seqnorm.lab.report.page.tables import NOT_AVAILABLE, Table
from seqnorm.lab.report.statistics.bootstrap import Estimate
from seqnorm.lab.report.statistics.estimates import (
    mean_estimate,
    paired_estimate,
    plateau_estimate,
)
from seqnorm.lab.report.statistics.plateau import Plateau

NEAR = 0.02  # of the best mean: more than seeds differ by, less than one would give away unasked
LEAST_VALUES = 5  # fewer are no curve
DRAWN = (
    f" Below: the plateau of each arm, the values at which its mean is within {NEAR:.0%} of its "
    "best (a dot), how wide it is, and how far the mean of the whole curve is from no norm's."
)
NOTE = (
    f"From, to: where the mean score is within {NEAR:.0%} of the arm's best mean; between two "
    "values the curve is taken for a line over the logarithm. ≤ and ≥: it reaches the end of what "
    "was tried and may be wider. Decades: log10 of to by from, with its bootstrap interval over "
    "seeds. Over all: the mean score along the whole curve, over the logarithm: what is to be "
    "expected where nobody tunes; Δ: its difference by seed from the same without a norm. "
    "Diverged: of all runs along the curve."
)


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
        begin, end = f"{self.plateau.begin:.2g}", f"{self.plateau.end:.2g}"
        return f"{'≤ ' * self.plateau.open_begin}{begin}", f"{'≥ ' * self.plateau.open_end}{end}"

    @property
    def diverged(self) -> str:
        """Runs that diverged, of all."""
        arms = self.series.arms
        return f"{sum(arm.diverged for arm in arms)} of {sum(len(arm.runs) for arm in arms)}"


def find_plateaus(looks: Looks, key: str) -> list[Found]:
    """The plateau of each series along a setting that goes through many values above zero."""
    score, found = looks.comparison.task.score, []
    for series in series_along(looks, key):
        if len(series.arms) < LEAST_VALUES or series.values[0] <= 0:
            continue
        scores = [[*arm.values(score.name).values()] for arm in series.arms]
        by_value = dict(zip(series.values.tolist(), scores, strict=True))
        plateau = plateau_estimate(by_value, score, NEAR)
        best = mean_estimate(by_value[plateau.best])
        along = series.along(score.name)
        mean = float(np.mean([*along.values()])) if along else math.nan
        found.append(Found(series, plateau, best, mean, _against_none(looks, series, along)))
    return found


def _against_none(looks: Looks, series: Series, along: dict[int, float]) -> Estimate | None:
    bases = [base for arm in series.arms if (base := looks.comparison.baseline_of(arm))]
    if len(bases) < len(series.arms):
        return None
    plain = replace(series, arms=bases).along(looks.comparison.task.score.name)
    return paired_estimate(along, plain) if along.keys() & plain else None


def plateau_table(looks: Looks, key: str) -> Table | None:
    """Each series: its best value and score, its plateau, and how many runs diverged."""
    score = looks.comparison.task.score
    rows = tuple(
        (
            each.series.label,
            f"{each.plateau.best:g}",
            *estimate_cells(each.best, score.digits),
            *each.ends,
            *estimate_cells(each.plateau.decades, 2),
            f"{each.along:.{score.digits}f}",
            *_difference_cells(each.against, score.digits),
            each.diverged,
        )
        for each in find_plateaus(looks, key)
    )
    headings = (
        *("arm", "best at", score.title, "95 %", "from", "to", "decades", "95 %"),
        *("over all", "Δ none", "95 %", "diverged"),
    )
    return Table(headings, rows) if rows else None


def _difference_cells(found: Estimate | None, digits: int) -> tuple[str, str]:
    return estimate_cells(found, digits, signed=True) if found else (NOT_AVAILABLE,) * 2


def plateau_charts(looks: Looks, key: str) -> list[Chart]:
    """From where to where, how wide, and over all against no norm; none if there is no plateau."""
    found = find_plateaus(looks, key)
    if not found:
        return []
    places, widths, differences = [], [], []
    for each in found:
        label, look, width = each.series.label, each.series.look, each.plateau.decades
        where = Dot(label, look, each.plateau.best, each.plateau.begin, each.plateau.end)
        places.append(Row(label, [where]))
        widths.append(Row(label, [Dot(label, look, width.value, width.low, width.high)]))
        if (over_all := each.against) is not None:
            dot = Dot(label, look, over_all.value, over_all.low, over_all.high)
            differences.append(Row(label, [dot]))
    within = f"within {NEAR:.0%} of its best"
    title = f"{looks.comparison.task.score.title} over all values, Δ from no norm"
    return [
        DotChart(f"{key}, {within}", places, log=True),
        DotChart(f"decades {within}", widths),
        *([DotChart(title, differences, {"no difference": 0.0})] if differences else []),
    ]


def plateau_sentences(looks: Looks, key: str) -> Iterator[str]:
    """One sentence for each series."""
    score, short = looks.comparison.task.score, key.rsplit(".", 1)[-1].replace("_", " ")
    for each in find_plateaus(looks, key):
        begin, end = each.ends
        width, interval = estimate_cells(each.plateau.decades, 2)
        over_all = ""
        if each.against is not None:
            value, own = _difference_cells(each.against, score.digits)
            over_all = f"; over all, {value} ({own}) against no norm"
        yield (
            f"{each.series.label}: within {NEAR:.0%} of its best {score.title} "
            f"({score.write(each.best.value)} at {each.plateau.best:g}) at a {short} from {begin} "
            f"to {end}, {width} decades ({interval}){over_all}; diverged {each.diverged}."
        )
