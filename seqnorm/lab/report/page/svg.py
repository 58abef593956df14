"""Charts on the page: SVG with classes, so that the page can dim an arm and show values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.report.page.axes import Axis, make_axis, two_digits
from seqnorm.lab.report.page.charts import (
    MOST_MARKS,
    Chart,
    Dot,
    DotChart,
    Line,
    LineChart,
    dodged,
    dot_values,
    finite_values,
    label_lines,
    marked_places,
    near_references,
    x_values,
)
from seqnorm.lab.report.page.styles import REFERENCE_DASHES, Look

WIDTH, HEIGHT = 440, 290
TOP, RIGHT, BOTTOM, LEFT = 14, 14, 44, 54
ROW, DOT_TOP = 24, 8
HEAD = 15  # of each line above a chart that names a reference
LINE = 12  # of a label of several
MOST_POINTS = 400  # of a line; more cannot be told apart at this width
_SHAPES = (  # of radius 1: circle, square, diamond, triangles, cross
    "M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0Z",
    "M-.9-.9H.9V.9H-.9Z",
    "M0-1.25L1.25 0 0 1.25-1.25 0Z",
    "M0-1.2L1.15.85H-1.15Z",
    "M0 1.2L1.15-.85H-1.15Z",
    "M-.4-1.1H.4V-.4H1.1V.4H.4V1.1H-.4V.4H-1.1V-.4H-.4Z",
)


def _pixel(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _points(x: NDArray, y: NDArray) -> str:
    return " ".join(f"{_pixel(a)},{_pixel(b)}" for a, b in zip(x, y, strict=True))


def _dashes(dash: Any) -> str:
    if dash == "solid":
        return ""
    return f' stroke-dasharray="{" ".join(f"{2 * part:g}" for part in dash[1])}"'


def symbol(look: Look, x: float, y: float, radius: float) -> str:
    """The shape of an arm at a place."""
    shape = _SHAPES[look.shape % len(_SHAPES)]
    return f'<path d="{shape}" transform="translate({_pixel(x)} {_pixel(y)})scale({radius:g})"/>'


def sample(look: Look, dotted: bool) -> str:
    """A piece of line with its shape, or the shape alone, of an arm for the legend."""
    inner = f'<g fill="{look.colour}">{symbol(look, 15, 6, 4.5 if dotted else 3.6)}</g>'
    if not dotted:
        line = f'<path d="M0 6H30" stroke="{look.colour}" stroke-width="2.4"{_dashes(look.dash)}/>'
        inner = line + inner
    return f'<svg class="sample" viewBox="0 0 30 12" aria-hidden="true">{inner}</svg>'


def _thinned(values: NDArray) -> NDArray:
    if values.size <= MOST_POINTS:
        return values
    return values[marked_places(values.size, MOST_POINTS)]


def _thin_line(x: NDArray, y: NDArray, look: Look, kind: str) -> str:
    return f'<polyline class="{kind}" points="{_points(x, y)}"{_dashes(look.dash)}/>'


def _marks(look: Look, x: NDArray, y: NDArray, radius: float, alone: bool) -> str:
    """Shapes at all places where there is no line, else at a few of them."""
    places = range(x.size) if alone else marked_places(x.size, MOST_MARKS)
    dots = "".join(symbol(look, x[place], y[place], radius) for place in places)
    return f'<g class="mark">{dots}</g>'


def _series(line: Line, x_axis: Axis, y_axis: Axis) -> str:
    """One arm: band, mean, thin lines, crosses; its values for the reader of the page."""
    look = line.look
    parts: list[str] = []
    x, mean, low, high = (
        _thinned(v) for v in (line.band.x, line.band.mean, line.band.low, line.band.high)
    )
    seen = np.isfinite(mean) & ((mean > 0) | (not y_axis.logarithmic))
    x, mean, low, high = x[seen], mean[seen], low[seen], high[seen]
    px, py = x_axis.place(x), y_axis.place(mean)
    if x.size and not np.array_equal(low, high):
        edge_x, edge_y = np.append(px, px[::-1]), y_axis.place(np.append(low, high[::-1]))
        kind = "band" if x.size > 1 else "interval"  # one place has no area
        parts.append(f'<polygon class="{kind}" points="{_points(edge_x, edge_y)}"/>')
    alone = line.marks or x.size == 1
    if x.size and not alone:
        parts.append(f'<polyline class="mean" points="{_points(px, py)}"{_dashes(look.dash)}/>')
    if x.size:
        parts.append(_marks(look, px, py, 3.4 if alone else 2.9, alone))
    for kind, curves in (("tail", line.tails), ("broken", line.broken)):
        for curve_x, curve_y in curves:
            tx, ty = x_axis.place(curve_x), y_axis.place(curve_y)
            parts.append(_thin_line(tx, ty, look, kind))
            if kind == "broken":
                a, b = float(tx[-1]), float(ty[-1])
                parts.append(f'<path class="end" d="M{a - 4:.1f} {b - 4:.1f}l8 8m0-8l-8 8"/>')
    values = " ".join(f"{a:.5g},{b:.4g}" for a, b in zip(x, mean, strict=True))
    read_out = "" if line.marks or not x.size else f' data-values="{values}"'
    if read_out and alone:  # else the script takes the places of the line
        read_out += f' data-places="{_points(px, py)}"'
    return (
        f'<g class="series" data-arm="{escape(look.name)}" style="--c:{look.colour}"'
        f"{read_out}>{''.join(parts)}</g>"
    )


def _frame(x_axis: Axis, y_axis: Axis | None, bottom: float, left: float, top: float) -> str:
    parts = []
    for value, text in x_axis.ticks:
        x = _pixel(float(x_axis.place(value)))
        parts.append(f'<path class="grid" d="M{x} {top}V{bottom}"/>')
        parts.append(
            f'<text class="tick" x="{x}" y="{bottom + 15}" text-anchor="middle">{text}</text>'
        )
    for value, text in y_axis.ticks if y_axis else ():
        y = float(y_axis.place(value)) if y_axis else 0.0
        parts.append(f'<path class="grid" d="M{left} {_pixel(y)}H{WIDTH - RIGHT}"/>')
        parts.append(
            f'<text class="tick" x="{left - 6}" y="{_pixel(y + 4)}" text-anchor="end">{text}</text>'
        )
    parts.append(f'<path class="axis" d="M{left} {bottom}H{WIDTH - RIGHT}"/>')
    return "".join(parts)


def _rule(path: str, place: int) -> str:
    dash = _dashes(REFERENCE_DASHES[place % len(REFERENCE_DASHES)])
    return f'<path class="rule" d="{path}"{dash}/>'


def _heads(references: Mapping[str, float], axis: Axis, arrows: str) -> Iterator[str]:
    """A line above the chart for each reference, where no data lies: its dash, name and value.

    An arrow points to one that would squeeze the data together.
    """
    for place, (name, value) in enumerate(references.items()):
        y = 10 + HEAD * place
        far = arrows[0] if value < axis.low else arrows[1] if value > axis.high else ""
        text = " ".join(filter(None, (escape(name), f"{value:.3f}" if value else "", far)))
        x = WIDTH - RIGHT - 26
        yield _rule(f"M{x} {y - 3.5}h26", place)
        yield f'<text class="reference" x="{x - 6}" y="{y}" text-anchor="end">{text}</text>'


def _in_view(references: Mapping[str, float], axis: Axis) -> Iterator[tuple[int, float]]:
    """Position and pixel of those that the axis holds."""
    for place, value in enumerate(references.values()):
        if axis.low <= value <= axis.high:
            yield place, float(axis.place(value))


def _line_svg(chart: LineChart) -> str:
    xs, ys = x_values(chart.lines), finite_values(chart)
    if not xs.size or not ys.size:
        return ""
    ys = np.append(ys, list(near_references(chart.references, ys).values()))
    head = HEAD * len(chart.references)
    top, height = TOP + head, HEIGHT + head
    bottom = height - BOTTOM
    x_axis = make_axis(
        xs, LEFT, WIDTH - RIGHT, chart.log_x, margin=0.04 * chart.log_x, at=chart.x_ticks
    )
    y_axis = make_axis(ys, bottom, top, chart.log_y, margin=0.06, bounds=chart.bounds)
    parts = [_frame(x_axis, y_axis, bottom, LEFT, top)]
    parts += _heads(chart.references, y_axis, "↓↑")
    parts += [
        _rule(f"M{LEFT} {_pixel(y)}H{WIDTH - RIGHT}", place)
        for place, y in _in_view(chart.references, y_axis)
    ]
    parts += [_series(line, x_axis, y_axis) for line in chart.lines]
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        f'<text class="label" x="{middle}" y="{height - 8}" text-anchor="middle">'
        f"{escape(chart.x_label)}</text>"
    )
    ends = {line.label: float(line.band.mean[-1]) for line in chart.lines if line.band.x.size}
    return _wrapped(parts, height, _said(chart.title, ends), "lines", (chart.x_label, top, bottom))


def _dot(dot: Dot, axis: Axis, y: float, radius: float) -> str:
    if not math.isfinite(dot.value):
        return ""
    written = two_digits if axis.logarithmic else "{:.4f}".format
    strokes = "".join(f"M{_pixel(float(axis.place(point)))} {y - 5:.1f}v10" for point in dot.points)
    parts = [f'<path class="run" d="{strokes}"/>'] if strokes else []
    interval = ""
    if math.isfinite(dot.low):
        low, high = (_pixel(float(axis.place(end))) for end in (dot.low, dot.high))
        parts.append(f'<path class="interval" d="M{low} {_pixel(y)}H{high}"/>')
        interval = f" ({written(dot.low)} to {written(dot.high)})"
    parts.append(symbol(dot.look, float(axis.place(dot.value)), y, radius))
    title = f"{escape(dot.label)}: {written(dot.value)}{interval}"
    return (
        f'<g class="dot" data-arm="{escape(dot.look.name)}" style="--c:{dot.look.colour}">'
        f"<title>{title}</title>{''.join(parts)}</g>"
    )


def _row_label(label: str, x: float, y: float) -> str:
    lines = label_lines(label)
    first = y + 4 - LINE / 2 * (len(lines) - 1)
    texts = "".join(
        f'<text class="row" x="{x}" y="{_pixel(first + LINE * number)}" text-anchor="end">'
        f"{escape(line)}</text>"
        for number, line in enumerate(lines)
    )
    return f"<g><title>{escape(label)}</title>{texts}</g>" if len(lines) > 1 else texts


def _dots_svg(chart: DotChart) -> str:
    values = dot_values(chart)
    if not values.size:
        return ""
    values = np.append(values, list(near_references(chart.references, values).values()))
    labels = [label_lines(row.label) for row in chart.rows]
    left = min(230.0, 12 + 7.4 * max(len(line) for lines in labels for line in lines))
    axis = make_axis(values, left, WIDTH - RIGHT, chart.log, margin=0.05, bounds=chart.bounds)
    top = DOT_TOP + HEAD * len(chart.references)
    height = max(ROW, LINE * max(map(len, labels)) + 6)
    bottom = top + height * len(chart.rows)
    parts = [_frame(axis, None, bottom, left, top - 4)]
    parts += _heads(chart.references, axis, "←→")
    parts += [
        _rule(f"M{_pixel(x)} {top - 4}V{bottom}", place)
        for place, x in _in_view(chart.references, axis)
    ]
    for number, row in enumerate(chart.rows):
        y = top + height * (number + 0.5)
        parts.append(_row_label(row.label, left - 8, y))
        if len(row.dots) > 1:  # which lie beside the middle: a line says of which row they are
            parts.append(f'<path class="grid" d="M{left} {y + height / 2}H{WIDTH - RIGHT}"/>')
        radius = 4.6 if len(row.dots) == 1 else 3.4
        heights = dodged(len(row.dots))
        parts += [
            _dot(dot, axis, y + height * by, radius)
            for dot, by in zip(row.dots, heights, strict=True)
        ]
    single = {row.label: row.dots[0].value for row in chart.rows if len(row.dots) == 1}
    return _wrapped(parts, bottom + 24, _said(chart.title, single), "dots")


def _said(title: str, values: Mapping[str, float]) -> str:
    """What a screen reader reads: the title, and the last value of each line or that of a row."""
    return ", ".join([title, *(f"{name} {value:.4g}" for name, value in values.items())])


def _wrapped(
    parts: Sequence[str],
    height: float,
    title: str,
    kind: str,
    cursor: tuple[str, float, float] | None = None,
) -> str:
    """The element; where values can be read out, with the x axis's name and the cursor's ends."""
    data = ""
    if cursor is not None:
        x_label, top, bottom = cursor
        data = f' data-x="{escape(x_label)}" data-top="{top:g}" data-bottom="{bottom:g}"'
    return (
        f'<svg class="chart {kind}" viewBox="0 0 {WIDTH} {height:g}" role="img" '
        f'aria-label="{escape(title)}"{data}>{"".join(parts)}</svg>'
    )


def chart_svg(chart: Chart) -> str:
    """One chart as an SVG element; empty text if there is nothing to draw."""
    return _line_svg(chart) if isinstance(chart, LineChart) else _dots_svg(chart)
