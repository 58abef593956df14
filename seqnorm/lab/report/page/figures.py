"""Charts on paper: matplotlib figures for PDF and PNG."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from seqnorm.lab.durable import write_bytes
from seqnorm.lab.report.page.axes import are_whole, logarithmic_ticks
from seqnorm.lab.report.page.charts import (
    Dot,
    DotChart,
    Line,
    LineChart,
    Plate,
    Row,
    dot_values,
    finite_values,
    near_references,
    x_values,
)
from seqnorm.lab.report.page.styles import MARKERS, REFERENCE, add_legend, arm_style, new_figure

# No date, so that the same runs give the same bytes.
_METADATA: dict[str, dict[str, None]] = {"png": {}, "pdf": {"CreationDate": None}}
ROW_HEIGHT = 0.3  # inches of one row of a dot chart


def _draw_line(axes: Any, line: Line) -> None:
    style, band = arm_style(line.style), line.band
    if line.marks:
        shape = MARKERS[line.style % len(MARKERS)]
        axes.plot(band.x, band.mean, shape, color=style["color"], markersize=5, alpha=0.8)
    elif band.x.size:
        marker = "o" if band.x.size == 1 else None  # a line needs two points to be seen
        axes.plot(band.x, band.mean, linewidth=1.9, marker=marker, **style)
        axes.fill_between(
            band.x, band.low, band.high, color=style["color"], alpha=0.13, linewidth=0
        )
    for x, y in line.tails:
        axes.plot(x, y, linewidth=0.7, alpha=0.7, **style)
    for x, y in line.broken:
        axes.plot(x, y, linewidth=0.9, alpha=0.8, **style)
        axes.plot(x[-1:], y[-1:], marker="x", markersize=8, color=style["color"])


def _draw_references(axes: Any, references: Mapping[str, float]) -> None:
    """Lines where they are in view; arrows towards those that would squeeze the curves together."""
    low, high = axes.get_ylim()
    margin = 0.15 * (high - low)
    for name, value in references.items():
        below, above = value < low - margin, value > high + margin
        text = f"{name} {value:.3f}{' ↓' if below else ' ↑' if above else ''}"
        if not below and not above:
            axes.axhline(value, color=REFERENCE, linewidth=1.0, linestyle="dotted", zorder=0)
        axes.annotate(
            text,
            (1.0, 0.0 if below else 1.0) if below or above else (1.0, value),
            xycoords="axes fraction" if below or above else ("axes fraction", "data"),
            xytext=(0, -10 if above else 2),
            textcoords="offset points",
            ha="right",
            fontsize=8,
            color="#505050",
        )


def _write_x(axes: Any, chart: LineChart) -> None:
    xs = x_values(chart.lines)
    if chart.x_ticks or (chart.log_x and xs.size):
        # matplotlib's own labels of less than a decade touch each other
        ticks = chart.x_ticks or logarithmic_ticks(float(xs.min()), float(xs.max()))
        axes.set_xticks(ticks, [f"{value:g}" for value in ticks])
        axes.minorticks_off()
    elif are_whole(xs):
        axes.xaxis.get_major_locator().set_params(integer=True)  # there is no trial 1.5


def _draw_lines(axes: Any, chart: LineChart) -> None:
    for line in chart.lines:
        _draw_line(axes, line)
    _draw_references(axes, chart.references)
    axes.set_xlabel(chart.x_label)
    axes.tick_params(labelbottom=True)
    if chart.log_x:
        axes.set_xscale("log")
    _write_x(axes, chart)
    if chart.log_y and finite_values(chart).size:
        axes.set_yscale("log")


def _draw_dot(axes: Any, dot: Dot, height: float) -> None:
    colour = arm_style(dot.style)["color"]
    axes.plot(dot.points, [height] * len(dot.points), "|", color=colour, alpha=0.5, markersize=8)
    axes.plot([dot.low, dot.high], [height, height], color=colour, linewidth=1.6)
    marker = MARKERS[dot.style % len(MARKERS)]
    axes.plot([dot.value], [height], marker, color=colour, markersize=6)


def _draw_dot_references(axes: Any, chart: DotChart) -> None:
    """Lines where they are near; arrows towards those that would squeeze the dots together."""
    values = dot_values(chart)
    near = near_references(chart.references, values) if values.size else chart.references
    for place, (name, value) in enumerate(chart.references.items()):
        text = f"{name} {value:.3f}" if value else name
        if name in near:
            axes.axvline(value, color=REFERENCE, linewidth=1.0, linestyle="dotted", zorder=0)
        else:
            text = f"{text} →" if value > values.max() else f"← {text}"
        axes.annotate(
            text,
            (value, 1.0) if name in near else (0.0, 1.0),
            xycoords=("data" if name in near else "axes fraction", "axes fraction"),
            xytext=(3, -9 - 9 * place),
            textcoords="offset points",
            fontsize=8,
            color="#505050",
        )


def _draw_dots(axes: Any, chart: DotChart) -> None:
    for number, row in enumerate(chart.rows):
        for dot in row.dots:
            _draw_dot(axes, dot, float(number))
    _draw_dot_references(axes, chart)
    axes.set_yticks(range(len(chart.rows)), [row.label for row in chart.rows], fontsize=8)
    axes.set_ylim(len(chart.rows) - 0.5, -0.5 - 0.6 * bool(chart.references))
    axes.grid(axis="y", visible=False)
    axes.locator_params(axis="x", nbins=6)  # labels of three decimals do not touch


def _handle(style: int, dotted: bool) -> Line2D:
    look = arm_style(style)
    if dotted:
        marker = MARKERS[style % len(MARKERS)]
        return Line2D([], [], color=look["color"], marker=marker, linestyle="none")
    return Line2D([], [], linewidth=1.9, **look)


def _height(plate: Plate) -> float:
    rows: list[list[Row]] = [list(c.rows) for c in plate.charts if isinstance(c, DotChart)]
    return 1.1 + ROW_HEIGHT * max(map(len, rows)) if rows else 3.4


def write_figure(figure: Figure, stem: Path) -> list[Path]:
    """Write <stem>.png and <stem>.pdf, the same bytes for the same figure; returns both paths."""
    paths = []
    for ending, metadata in _METADATA.items():
        drawn = BytesIO()
        figure.savefig(drawn, format=ending, metadata=metadata)
        paths.append(stem.with_name(f"{stem.name}.{ending}"))
        write_bytes(paths[-1], drawn.getvalue())
    return paths


def draw_plate(plate: Plate, heading: str) -> Figure:
    """All charts of a plate on one sheet, two to a row.

    A line is the mean, with a band; thin lines are single runs, those that diverged end in a
    cross. References that would squeeze the curves together are arrows at the edge.

    Args:
        plate: The charts.
        heading: Text above them.

    Returns:
        The figure.
    """
    columns = min(2, len(plate.charts))
    rows = -(-len(plate.charts) // columns)
    figure, axes = new_figure(rows, columns, height=_height(plate))
    for place, chart in zip(axes, plate.charts, strict=False):
        place.set_title(chart.title)
        if isinstance(chart, LineChart):
            _draw_lines(place, chart)
        else:
            _draw_dots(place, chart)
    for place in axes[len(plate.charts) :]:
        figure.delaxes(place)
    figure.suptitle(heading, fontsize=13)
    dotted = isinstance(plate.charts[0], DotChart)
    handles = [_handle(index, dotted) for index in range(len(plate.arms))]
    if handles:
        add_legend(figure, handles, plate.arms)
    return figure
