"""The numbers of the report as rows of text."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO

from seqnorm.lab.config.models import FLOORS
from seqnorm.lab.report.arms.arms import Comparison, is_setting

NOT_AVAILABLE = "-"


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        headings: One per column.
        rows: One cell per column each.
        words: How many columns from the left hold words (and are set left); the rest are numbers.
        floors: How the rows begin that are no networks.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1
    floors: tuple[str, ...] = tuple(FLOORS.values())

    def csv(self) -> str:
        """As CSV, the cells as they are on the page."""
        written = StringIO()
        csv.writer(written, lineterminator="\n").writerows([self.headings, *self.rows])
        return written.getvalue()

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
        seeds = ", ".join(str(run.result.seed) for run in arm.runs)
        rows.append((arm.label, ", ".join(own) or NOT_AVAILABLE, seeds))
    return Table(("arm", "settings of its own", "seeds"), tuple(rows), words=3)
