"""Charts on paper: matplotlib figures for PDF and PNG."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from seqnorm.lab.durable import write_bytes
from seqnorm.lab.report.page.charts import (
    MOST_MARKS,
    Chart,
    Dot,
    DotChart,
    Line,
    LineChart,
    Picture,
    dodged,
    dot_values,
    finite_values,
    label_lines,
    marked_places,
    near_references,
)
from seqnorm.lab.report.page.paper_axes import panel_inches, write_rows, write_x
from seqnorm.lab.report.page.styles import (
    REFERENCE,
    REFERENCE_DASHES,
    add_legend,
    legend_handle,
    new_figure,
)

# No date, so that the same runs give the same bytes.
_METADATA: dict[str, dict[str, None]] = {"png": {}, "pdf": {"CreationDate": None}}
ROW_HEIGHT = 0.3  # inches of one row of a dot chart
LINES_HEIGHT = 3.3  # inches of a panel of lines
TITLE_LETTER = 0.075  # inches of a letter of a panel's title
LABEL_LINE = 0.14  # inches of a line of a row's label
REFERENCE_LINE = 10  # points of the line that names a reference above a panel


def _draw_line(axes: Any, line: Line) -> None:
    look, band = line.look, line.band
    if line.marks:
        axes.plot(band.x, band.mean, look.marker, color=look.colour, markersize=5, alpha=0.8)
    elif band.x.size:
        places = marked_places(band.x.size, MOST_MARKS).tolist()
        shape = {"marker": look.marker, "markersize": 4.5, "markevery": places}
        axes.plot(band.x, band.mean, linewidth=1.9, clip_on=False, **shape, **look.line)
        axes.fill_between(band.x, band.low, band.high, color=look.colour, alpha=0.13, linewidth=0)
    if band.x.size == 1:  # one place has no area
        axes.vlines(band.x, band.low, band.high, color=look.colour, linewidth=1.2)
    for x, y in line.tails:
        axes.plot(x, y, linewidth=0.7, alpha=0.7, **look.line)
    for x, y in line.broken:
        axes.plot(x, y, linewidth=0.9, alpha=0.8, **look.line)
        axes.plot(x[-1:], y[-1:], marker="x", markersize=8, color=look.colour)


def _draw_references(
    axes: Any, references: Mapping[str, float], values: NDArray[np.float64], upright: bool
) -> None:
    """Lines where they are near; all are named above the panel, where no data lies.

    An arrow points towards one that would squeeze the data together.
    """
    if not references:
        return
    near = near_references(references, values) if values.size else references
    draw, arrows = (axes.axvline, "←→") if upright else (axes.axhline, "↓↑")
    handles, names = [], []
    for place, (name, value) in enumerate(references.items()):
        dash = REFERENCE_DASHES[place % len(REFERENCE_DASHES)]
        look = {"color": REFERENCE, "linewidth": 1.1, "linestyle": dash}
        far = ""
        if name in near:
            draw(value, zorder=0, **look)
        else:
            far = arrows[int(value > values.max())]
        handles.append(Line2D([], [], **look))
        names.append(" ".join(filter(None, (name, f"{value:.3f}" if value else "", far))))
    axes.legend(
        handles,
        names,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        frameon=False,
        fontsize=8,
        labelcolor="#505050",
        borderaxespad=0.1,
        labelspacing=0.1,
    )


def _draw_lines(axes: Any, chart: LineChart, inches: float) -> None:
    for line in chart.lines:
        _draw_line(axes, line)
    values = finite_values(chart)
    _draw_references(axes, chart.references, values, upright=False)
    axes.set_xlabel(chart.x_label)
    axes.tick_params(labelbottom=True)
    write_x(axes, chart, inches)
    if chart.log_y and values.size:
        # Clipped, a zero would be drawn far below the panel, since lines are not cut off there.
        axes.set_yscale("log", nonpositive="mask")
    elif chart.bounds is not None:
        axes.set_ylim(np.clip(axes.get_ylim(), *chart.bounds))


def _draw_dot(axes: Any, dot: Dot, height: float, size: float) -> None:
    colour = dot.look.colour
    axes.plot(dot.points, [height] * len(dot.points), "|", color=colour, alpha=0.5, markersize=8)
    axes.plot([dot.low, dot.high], [height, height], color=colour, linewidth=1.6)
    axes.plot([dot.value], [height], dot.look.marker, color=colour, markersize=size, clip_on=False)


def _draw_dots(axes: Any, chart: DotChart, inches: float) -> None:
    for number, row in enumerate(chart.rows):
        for dot, by in zip(row.dots, dodged(len(row.dots)), strict=True):
            _draw_dot(axes, dot, number + by, size=6 if len(row.dots) == 1 else 4.5)
        if len(row.dots) > 1:  # which lie beside the middle: a line says of which row they are
            axes.axhline(number + 0.5, color=REFERENCE, linewidth=0.4, alpha=0.4)
    _draw_references(axes, chart.references, dot_values(chart), upright=True)
    write_rows(axes, chart, inches)


def _height(charts: Sequence[Chart]) -> float:
    """Inches of a row of panels: what the highest of them needs."""
    names = max(len(chart.references) for chart in charts) * REFERENCE_LINE / 72
    return names + max(map(_panel_height, charts))


def _panel_height(chart: Chart) -> float:
    if isinstance(chart, LineChart):
        return LINES_HEIGHT
    lines = max((len(label_lines(row.label)) for row in chart.rows), default=1)
    return 1.1 + max(ROW_HEIGHT, LABEL_LINE * lines + 0.06) * len(chart.rows)


def write_figure(figure: Figure, stem: Path) -> list[Path]:
    """Write <stem>.png and <stem>.pdf, the same bytes for the same figure; returns both paths."""
    paths = []
    for ending, metadata in _METADATA.items():
        written = BytesIO()
        figure.savefig(written, format=ending, metadata=metadata)
        paths.append(stem.with_name(f"{stem.name}.{ending}"))
        write_bytes(paths[-1], written.getvalue())
    return paths


def draw_picture(picture: Picture, heading: str) -> Figure:
    """All charts of a picture on one sheet, two to a row.

    A line is the mean, with a band; thin lines are single runs, those that diverged end in a
    cross. References are named above their panel, with an arrow if they would squeeze the data.

    Args:
        picture: The charts.
        heading: Text above them.

    Returns:
        The figure.
    """
    columns = min(2, len(picture.charts))
    rows = [picture.charts[at : at + columns] for at in range(0, len(picture.charts), columns)]
    figure, axes = new_figure([*map(_height, rows)], columns)
    inches = panel_inches(figure, picture, columns)
    for number, (place, chart) in enumerate(zip(axes, picture.charts, strict=False)):
        names = max(len(each.references) for each in rows[number // columns])
        title = textwrap.fill(chart.title, max(20, int(inches / TITLE_LETTER)))
        place.set_title(title, pad=6 + REFERENCE_LINE * names)
        if isinstance(chart, LineChart):
            _draw_lines(place, chart, inches)
        else:
            _draw_dots(place, chart, inches)
    for place in axes[len(picture.charts) :]:
        figure.delaxes(place)
    figure.suptitle(heading, fontsize=13)
    dotted = isinstance(picture.charts[0], DotChart)
    if picture.arms:
        handles = [legend_handle(look, dotted) for look in picture.arms]
        add_legend(figure, handles, [look.name for look in picture.arms])
    return figure


def write_picture(picture: Picture, heading: str, stem: Path) -> list[Path]:
    """`draw_picture` and `write_figure`."""
    return write_figure(draw_picture(picture, heading), stem)
