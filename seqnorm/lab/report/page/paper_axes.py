"""Axes of charts on paper: which values and labels are written, and that they do not touch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from seqnorm.lab.report.page.axes import apart, are_whole, logarithmic_ticks
from seqnorm.lab.report.page.charts import (
    DotChart,
    LineChart,
    Picture,
    dot_values,
    label_lines,
    x_values,
)

BESIDE_PANEL = 0.8  # inches beside a panel, of its values and of the room to the next
LETTER, ROW_LETTER = 0.085, 0.065  # inches of a letter below an axis, and of a row's label


def write_ticks(axes: Any, ticks: Sequence[float], inches: float) -> None:
    """Writes values that do not touch each other: matplotlib's own of less than a decade do.

    Args:
        axes: The panel, its scale set.
        ticks: The values.
        inches: About how wide the panel is.
    """
    height = axes.get_ylim()[0]
    shares = (axes.transScale + axes.transLimits).transform([(value, height) for value in ticks])
    texts = [f"{value:.4g}" for value in ticks]
    written = apart((inches * shares[:, 0]).tolist(), texts, LETTER)
    axes.set_xticks(ticks, [text * seen for text, seen in zip(texts, written, strict=True)])
    axes.minorticks_off()


def write_x(axes: Any, chart: LineChart, inches: float) -> None:
    """Writes the x axis of lines."""
    xs = x_values(chart.lines)
    if chart.log_x:
        axes.set_xscale("log")
    if not xs.size:
        return
    if chart.x_ticks or chart.log_x:
        ticks = chart.x_ticks or logarithmic_ticks(float(xs.min()), float(xs.max()))
        write_ticks(axes, ticks, inches)
    elif are_whole(xs):
        axes.xaxis.get_major_locator().set_params(integer=True)  # there is no trial 1.5


def write_rows(axes: Any, chart: DotChart, inches: float) -> None:
    """Writes both axes of dots."""
    labels = ["\n".join(label_lines(row.label)) for row in chart.rows]
    axes.set_yticks(range(len(chart.rows)), labels, fontsize=8)
    axes.set_ylim(len(chart.rows) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    values = dot_values(chart)
    if chart.log and values.size:
        axes.set_xscale("log")
        write_ticks(axes, logarithmic_ticks(float(values.min()), float(values.max())), inches)
    else:
        axes.locator_params(axis="x", nbins=6)  # labels of three decimals do not touch
        if values.size and np.isclose(values.min(), values.max(), rtol=1e-9):
            room = abs(float(values[0])) / 2 or 0.5  # equal but for rounding
            axes.set_xlim(values[0] - room, values[0] + room)
    if chart.bounds is not None:
        axes.set_xlim(np.clip(axes.get_xlim(), *chart.bounds))


def panel_inches(figure: Figure, picture: Picture, columns: int) -> float:
    """About how wide a panel is: all have the width that the longest labels beside one leave."""
    rows = [row for chart in picture.charts if isinstance(chart, DotChart) for row in chart.rows]
    letters = max((len(line) for row in rows for line in label_lines(row.label)), default=0)
    return float(figure.get_figwidth()) / columns - BESIDE_PANEL - ROW_LETTER * letters
