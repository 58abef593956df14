"""Scores of short and of long texts: chart and table."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.report.arms.arms import Arm
from seqnorm.lab.report.arms.floors import capitalised, is_floor
from seqnorm.lab.report.page.charts import Line, LineChart, Picture
from seqnorm.lab.report.page.comparison_tables import estimate_text
from seqnorm.lab.report.page.looks import Looks, no_band
from seqnorm.lab.report.page.score_pictures import mean_and_range
from seqnorm.lab.report.page.tables import Table
from seqnorm.lab.report.statistics.estimates import mean_estimate, paired_estimate

KEY = "lengths"
NOTE = (
    "Mean over seeds in bins of about equal number by length, and below it the difference by seed "
    "from the same without a norm (Δ none), each with its 95 % interval (bootstrap)."
)


def lengths_picture(looks: Looks) -> Picture | None:
    """First test score by length of the text."""
    task = looks.comparison.task
    score, edges = task.score, looks.evidence.common.get("edges", np.empty(0)).astype(float)
    middles = (edges[:-1] + edges[1:] - 1) / 2

    def line(arm: Arm) -> Line:
        rows = looks.of(arm).answers.get("by_length")
        return looks.line(arm, no_band() if rows is None else mean_and_range(rows, middles))

    charts = [
        LineChart(
            f"test {score.title}{ending}",
            "steps of the row (tokens of a text), as the network reads it",
            lines,
            bounds=score.bounds,
        )
        for ending, lines in looks.lines(line)
    ]
    if not any(line.band.x.size > 1 for chart in charts for line in chart.lines):
        return None
    caption = (
        "Test rows in bins of about equal number by length (rows that were cut share the last "
        "one); mean over seeds, band from the lowest to the highest. A diverged run answers with "
        f"the {task.baseline}." + looks.restriction
    )
    return Picture(KEY, f"{capitalised(score.title)} by length", caption, charts, looks.legend)


def lengths_table(looks: Looks) -> Table | None:
    """A column for each bin of lengths; scores of each arm, and differences from no norm."""
    comparison, score = looks.comparison, looks.comparison.task.score
    edges = looks.evidence.common.get("edges", np.empty(0)).astype(int).tolist()
    rows = []
    for arm in comparison.arms:
        ours, base = _by_seed(looks, arm), comparison.baseline_of(arm)
        if not ours or is_floor(arm):
            continue
        places = range(len(edges) - 1)
        each = [mean_estimate([values[place] for values in ours.values()]) for place in places]
        texts = [estimate_text(found, score.digits) for found in each]
        rows.append((arm.label, score.title, *texts))
        theirs = {} if base is None else _by_seed(looks, base)
        if ours.keys() & theirs:
            differences = [paired_estimate(_bin(ours, at), _bin(theirs, at)) for at in places]
            texts = [estimate_text(found, score.digits, signed=True) for found in differences]
            rows.append((arm.label, "Δ none", *texts))
    bins = [f"{low}" if high - low == 1 else f"{low}–{high - 1}" for low, high in pairwise(edges)]
    return Table(("by length", "", *bins), tuple(rows), words=2) if rows and len(bins) > 1 else None


def _by_seed(looks: Looks, arm: Arm) -> Mapping[int, NDArray[np.float64]]:
    """The scores of each bin, [bins], by seed; empty if those of a run are not known."""
    found = looks.of(arm).answers.get("by_length", np.empty((0, 0)))
    if len(found) != len(arm.runs):
        return {}
    return {run.result.seed: row for run, row in zip(arm.runs, found, strict=True)}


def _bin(scores: Mapping[int, NDArray[np.float64]], place: int) -> dict[int, float]:
    return {seed: float(row[place]) for seed, row in scores.items()}
