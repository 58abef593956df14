"""Charts as data: what is drawn, apart from how (`paper` for PNG and PDF, `svg` for the page)."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.report.page.styles import Look
from seqnorm.lab.report.statistics.curves import Band
from seqnorm.lab.runs.read import Curve

MOST_LETTERS = 32  # of a line of a row's label, which has half of the width
MOST_MARKS = 8  # of the shape of its arm on a line


@dataclass(frozen=True)
class Line:
    """One arm of a line chart.

    Attributes:
        look: Name, colour, dash and shape.
        band: The line and, unless low and high are equal to it, the band around it.
        tails: Thin lines of runs that went on where the band has ended.
        broken: Thin lines of runs that diverged, which end in a cross.
        marks: Whether the points are drawn for themselves, without a line.
    """

    look: Look
    band: Band
    tails: Sequence[Curve] = ()
    broken: Sequence[Curve] = ()
    marks: bool = False

    @property
    def label(self) -> str:
        """Text in the legend."""
        return self.look.name


@dataclass(frozen=True)
class LineChart:
    """Lines over a common axis.

    Attributes:
        title: What is shown, with its unit.
        x_label: The axis.
        lines: The arms; one without points keeps its place in the legend.
        references: Values of horizontal lines by name.
        log_x: Whether the x axis is logarithmic.
        log_y: Whether the y axis is logarithmic.
        x_ticks: What is written at the x axis; empty for round values.
        bounds: Where the y axis ends, however few values there are, as 0 and 1 of an accuracy.
    """

    title: str
    x_label: str
    lines: Sequence[Line]
    references: Mapping[str, float] = field(default_factory=dict)
    log_x: bool = False
    log_y: bool = False
    x_ticks: Sequence[float] = ()
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True)
class Dot:
    """One estimate of a dot chart.

    Attributes:
        label: The arm.
        look: Name in the legend, colour and shape.
        value: Where the dot is.
        low, high: Ends of its interval; NaN for none.
        points: Single runs, drawn small.
    """

    label: str
    look: Look
    value: float
    low: float = np.nan
    high: float = np.nan
    points: Sequence[float] = ()


@dataclass(frozen=True)
class Row:
    """A row of a dot chart: one arm, or one class with a dot for each arm."""

    label: str
    dots: Sequence[Dot]


@dataclass(frozen=True)
class DotChart:
    """Rows of dots with intervals.

    Attributes:
        title: What is shown, with its unit.
        rows: From top to bottom.
        references: Values of vertical lines by name.
        bounds: Where the axis ends, however few values there are, as 0 and 1 of an accuracy.
        log: Whether the axis is logarithmic.
    """

    title: str
    rows: Sequence[Row]
    references: Mapping[str, float] = field(default_factory=dict)
    bounds: tuple[float, float] | None = None
    log: bool = False


Chart = LineChart | DotChart


@dataclass(frozen=True)
class Picture:
    """Charts that belong together, with one legend.

    Attributes:
        key: Short name, used for the files.
        title: Heading.
        caption: What a reader has to know.
        charts: The charts.
        arms: The legend. Empty for none.
    """

    key: str
    title: str
    caption: str
    charts: Sequence[Chart]
    arms: Sequence[Look] = ()


def label_lines(label: str) -> list[str]:
    """The label of a row, in two or three lines where it is long."""
    wrapped = textwrap.wrap(
        label, MOST_LETTERS, max_lines=3, placeholder="…", break_on_hyphens=False
    )
    return wrapped or [label]


def dodged(count: int) -> list[float]:
    """Heights of the dots of one row, in rows from its middle: equal values hide no arm.

    Two dots lie at -0.1 and 0.1; many share two thirds of the row.
    """
    step = min(0.2, 0.66 / max(count - 1, 1))
    return [(place - (count - 1) / 2) * step for place in range(count)]


def marked_places(count: int, most: int) -> NDArray[np.intp]:
    """Positions of a few of so many points, evenly spread: where a line shows its arm's shape."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.intp))


def plain_band(x: NDArray, y: NDArray) -> Band:
    """A line without a band around it."""
    return Band(x, y, y, y)


def near_references(references: Mapping[str, float], values: NDArray) -> dict[str, float]:
    """The references that would not squeeze the values together: the axis makes room for them."""
    low, high = float(values.min()), float(values.max())
    margin = 0.35 * ((high - low) or 1.0)
    return {name: v for name, v in references.items() if low - margin <= v <= high + margin}


def dot_values(chart: DotChart) -> NDArray[np.float64]:
    """All finite values, ends of intervals and runs of the rows: what the axis has to hold."""
    dots = [dot for row in chart.rows for dot in row.dots]
    held = [v for dot in dots for v in (dot.value, dot.low, dot.high, *dot.points)]
    return np.array([value for value in held if np.isfinite(value)], np.float64)


def x_values(lines: Sequence[Line]) -> NDArray[np.float64]:
    """All x values of lines."""
    parts = [line.band.x for line in lines]
    parts += [x for line in lines for x, _ in (*line.tails, *line.broken)]
    return np.concatenate(parts) if parts else np.empty(0)


def finite_values(chart: LineChart) -> NDArray[np.float64]:
    """All finite y values of the lines: what the axis has to hold."""
    parts: list[NDArray] = []
    for line in chart.lines:
        parts += [line.band.low, line.band.mean, line.band.high]
        parts += [y for _, y in (*line.tails, *line.broken)]
    joined = np.concatenate(parts) if parts else np.empty(0)
    return joined[np.isfinite(joined) & ((joined > 0) | (not chart.log_y))]
