"""Scores at every value of a setting that is varied, and against no norm there."""

from __future__ import annotations

from seqnorm.lab.report.arms.arms import Comparison
from seqnorm.lab.report.page.comparison_tables import estimate_text
from seqnorm.lab.report.page.looks import Looks
from seqnorm.lab.report.page.series import Series
from seqnorm.lab.report.page.tables import NOT_AVAILABLE, Table
from seqnorm.lab.report.statistics.estimates import mean_estimate, paired_estimate

NOTE = (
    "Mean over seeds, and below it the difference by seed from the same without a norm (Δ none), "
    "each with its 95 % interval (bootstrap)."
)


def along_table(looks: Looks, key: str) -> Table:
    """A column for each value of a setting; for each series of arms its scores and differences."""
    comparison, series = looks.comparison, looks.series[key]
    values = sorted({value for each in series for value in each.values.tolist()})
    rows = []
    for each in series:
        scores = _scores(comparison, each)
        texts = [scores.get(value, NOT_AVAILABLE) for value in values]
        rows.append((each.label, comparison.task.score.title, *texts))
        if differences := _differences(comparison, each):
            texts = [differences.get(value, NOT_AVAILABLE) for value in values]
            rows.append((each.label, "Δ none", *texts))
    headings = (f"by {looks.short[key].replace('_', ' ')}", "")
    return Table((*headings, *(f"{value:.12g}" for value in values)), tuple(rows), words=2)


def _scores(comparison: Comparison, series: Series) -> dict[float, str]:
    score = comparison.task.score
    return {
        value: estimate_text(mean_estimate([*arm.values(score.name).values()]), score.digits)
        for value, arm in series.by_value.items()
    }


def _differences(comparison: Comparison, series: Series) -> dict[float, str]:
    score, found = comparison.task.score, dict[float, str]()
    for value, arm in series.by_value.items():
        base = comparison.baseline_of(arm)
        ours = arm.values(score.name)
        if base is not None and ours.keys() & base.values(score.name):
            difference = paired_estimate(ours, base.values(score.name))
            found[value] = estimate_text(difference, score.digits, signed=True)
    return found
