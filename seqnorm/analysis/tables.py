"""The numbers of the report as rows of text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from seqnorm.analysis.arms import Arm, Comparison, is_setting
from seqnorm.analysis.statistics import Interval, paired_interval, t_interval

# Metric of a run, heading, decimals.
METRICS = (("accuracy", "accuracy", 4), ("macro_f1", "macro-F1", 4), ("seconds", "seconds", 1))
NOT_AVAILABLE = "-"


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        headings: One per column.
        rows: One cell per column each.
        words: How many columns from the left hold words (and are set left); the rest are numbers.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1

    def markdown(self) -> str:
        """As a Markdown table, its columns aligned so that it reads well as plain text."""
        cells = [[text.replace("|", "\\|") for text in row] for row in (self.headings, *self.rows)]
        widths = [max(3, *(len(row[i]) for row in cells)) for i in range(len(self.headings))]

        def line(row: Sequence[str]) -> str:
            padded = [
                text.ljust(width) if column < self.words else text.rjust(width)
                for column, (text, width) in enumerate(zip(row, widths, strict=True))
            ]
            return f"| {' | '.join(padded)} |"

        rule = [
            "-" * width if column < self.words else "-" * (width - 1) + ":"
            for column, width in enumerate(widths)
        ]
        return "\n".join([line(cells[0]), line(rule), *map(line, cells[1:])])


def format_interval(interval: Interval, decimals: int, signed: bool = False) -> tuple[str, str]:
    """Mean and half-width as text; "-" for what does not exist.

    Args:
        interval: The interval.
        decimals: Digits after the point.
        signed: Whether the mean always carries its sign, as differences should.

    Returns:
        For example ("0.8712", "±0.0041"), ("0.8712", "-") for one value, ("-", "-") for none.
    """
    if not interval.count:
        return NOT_AVAILABLE, NOT_AVAILABLE
    mean = f"{interval.mean:{'+' if signed else ''}.{decimals}f}"
    if math.isnan(interval.half_width):
        return mean, NOT_AVAILABLE
    return mean, f"±{interval.half_width:.{decimals}f}"


def _metric_headings(suffix: str = "") -> tuple[str, ...]:
    return tuple(text for _, heading, _ in METRICS for text in (f"{heading}{suffix}", "95 %"))


def arm_table(comparison: Comparison) -> Table:
    """One row per arm: number of runs, how many diverged, and each metric with its interval."""
    rows = []
    for arm in comparison.arms:
        cells = [arm.label, str(len(arm.runs)), str(arm.diverged)]
        for metric, _, decimals in METRICS:
            cells += format_interval(t_interval(list(arm.values(metric).values())), decimals)
        rows.append(tuple(cells))
    return Table(("arm", "runs", "diverged", *_metric_headings()), tuple(rows))


def _difference_row(arm: Arm, baseline: Arm) -> tuple[str, ...]:
    cells = [arm.label, baseline.label]
    for position, (metric, _, decimals) in enumerate(METRICS):
        interval = paired_interval(arm.values(metric), baseline.values(metric))
        if position == 0:
            cells.append(str(interval.count))
        cells += format_interval(interval, decimals, signed=True)
    return tuple(cells)


def difference_table(comparison: Comparison) -> Table | None:
    """One row per normalised arm: its difference to the arm without normalisation, seed by seed.

    Returns:
        The table, or `None` if no arm has such a counterpart.
    """
    pairs = [(arm, comparison.baseline_of(arm)) for arm in comparison.arms]
    rows = tuple(_difference_row(arm, baseline) for arm, baseline in pairs if baseline is not None)
    if not rows:
        return None
    return Table(("arm", "minus", "seeds", *_metric_headings(" Δ")), rows, words=2)


def settings_table(comparison: Comparison) -> Table:
    """One row per arm with every setting that not all runs share, and the seeds.

    The constants of a normalisation (epsilon, initial gain) are among them, which differ between
    libraries by a factor of a thousand.
    """
    rows = []
    for arm in comparison.arms:
        own = [
            f"{key}={value}"
            for key, value in sorted(arm.runs[0].config.items())
            if key not in comparison.shared and is_setting(key)
        ]
        seeds = ", ".join(str(run.seed) for run in arm.runs)
        rows.append((arm.label, ", ".join(own) or NOT_AVAILABLE, seeds))
    return Table(("arm", "settings of its own", "seeds"), tuple(rows), words=3)
