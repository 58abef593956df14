"""Plateaus as the page shows them: table, charts and sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator

from seqnorm.lab.report.page.charts import Chart, Dot, DotChart, Row
from seqnorm.lab.report.page.comparison_tables import estimate_cells, estimate_text
from seqnorm.lab.report.page.looks import Looks
from seqnorm.lab.report.page.plateaus import NEAR
from seqnorm.lab.report.page.tables import NOT_AVAILABLE, Table
from seqnorm.lab.report.statistics.bootstrap import Estimate

DRAWN = (
    f" Below: the plateau of each arm, the values at which its mean is within {NEAR:.0%} of its "
    "best (a dot), how wide it is, and how far the mean of the whole curve is from no norm's."
)
NOTE = (
    f"From, to: where the mean score is within {NEAR:.0%} of the arm's best mean; between two "
    "values the curve is taken for a line over the logarithm. ≤ and ≥: it reaches the end of what "
    "was tried and may be wider. Decades: log10 of to by from, with its bootstrap interval over "
    "seeds. Over all: the mean score along the whole curve, over the logarithm, of seeds that all "
    "values have: what is to be expected where nobody tunes; Δ: its difference by seed from the "
    "same without a norm. Diverged: of all runs along the curve."
)


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
            NOT_AVAILABLE if math.isnan(each.along) else f"{each.along:.{score.digits}f}",
            *_difference_cells(each.against, score.digits),
            each.diverged,
        )
        for each in looks.plateaus[key]
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
    found = looks.plateaus[key]
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
    score, short = looks.comparison.task.score, looks.short[key].replace("_", " ")
    for each in looks.plateaus[key]:
        begin, end = each.ends
        width, interval = estimate_cells(each.plateau.decades, 2)
        decades = f"{width} decades" + f" ({interval})" * (interval != NOT_AVAILABLE)
        over_all = ""
        if each.against is not None:
            value = estimate_text(each.against, score.digits, signed=True)
            over_all = f"; over all, {value} against no norm"
        yield (
            f"{each.series.label}: within {NEAR:.0%} of its best {score.title} "
            f"({score.write(each.best.value)} at {each.plateau.best:g}) at a {short} from {begin} "
            f"to {end}, {decades}{over_all}; diverged {each.diverged}."
        )
