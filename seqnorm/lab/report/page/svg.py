"""Charts on the page: SVG with classes, so that the page can dim an arm and show values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.report.page.axes import Axis, make_axis
from seqnorm.lab.report.page.charts import (
    Chart,
    Dot,
    DotChart,
    Line,
    LineChart,
    dot_values,
    finite_values,
    near_references,
    x_values,
)
from seqnorm.lab.report.page.styles import DASHES, arm_style

WIDTH, HEIGHT = 440, 290
TOP, RIGHT, BOTTOM, LEFT = 14, 14, 44, 54
ROW, DOT_TOP = 24, 16
MOST_LETTERS = 32  # of the label of a row, which has half of the width
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


def _dashes(style: int) -> str:
    dash: Any = DASHES[style % len(DASHES)]
    if dash == "solid":
        return ""
    return f' stroke-dasharray="{" ".join(f"{2 * part:g}" for part in dash[1])}"'


def _colour(style: int) -> str:
    return str(arm_style(style)["color"])


def symbol(style: int, x: float, y: float, radius: float) -> str:
    """The shape of an arm at a place."""
    shape = _SHAPES[style % len(_SHAPES)]
    return f'<path d="{shape}" transform="translate({_pixel(x)} {_pixel(y)})scale({radius:g})"/>'


def sample(style: int, dotted: bool) -> str:
    """A piece of line, or the dot, of an arm for the legend."""
    colour = _colour(style)
    if dotted:
        inner = f'<g fill="{colour}">{symbol(style, 15, 6, 4.5)}</g>'
    else:
        inner = f'<path d="M0 6H30" stroke="{colour}" stroke-width="2.4"{_dashes(style)}/>'
    return f'<svg class="sample" viewBox="0 0 30 12" aria-hidden="true">{inner}</svg>'


def _thinned(values: NDArray) -> NDArray:
    if values.size <= MOST_POINTS:
        return values
    return values[np.unique(np.linspace(0, values.size - 1, MOST_POINTS).round().astype(int))]


def _thin_line(x: NDArray, y: NDArray, style: int, kind: str) -> str:
    return f'<polyline class="{kind}" points="{_points(x, y)}"{_dashes(style)}/>'


def _series(line: Line, x_axis: Axis, y_axis: Axis) -> str:
    """One arm: band, mean, thin lines, crosses; its values for the reader of the page."""
    colour = _colour(line.style)
    parts: list[str] = []
    x, mean, low, high = (
        _thinned(v) for v in (line.band.x, line.band.mean, line.band.low, line.band.high)
    )
    seen = np.isfinite(mean) & ((mean > 0) | (not y_axis.logarithmic))
    x, mean, low, high = x[seen], mean[seen], low[seen], high[seen]
    px, py = x_axis.place(x), y_axis.place(mean)
    if x.size > 1 and not np.array_equal(low, high):
        edge_x, edge_y = np.append(px, px[::-1]), y_axis.place(np.append(low, high[::-1]))
        parts.append(f'<polygon class="band" points="{_points(edge_x, edge_y)}"/>')
    if line.marks or x.size == 1:
        dots = "".join(symbol(line.style, a, b, 3.4) for a, b in zip(px, py, strict=True))
        parts.append(f'<g class="mark">{dots}</g>')
    elif x.size:
        parts.append(f'<polyline class="mean" points="{_points(px, py)}"{_dashes(line.style)}/>')
    for kind, curves in (("tail", line.tails), ("broken", line.broken)):
        for curve_x, curve_y in curves:
            tx, ty = x_axis.place(curve_x), y_axis.place(curve_y)
            parts.append(_thin_line(tx, ty, line.style, kind))
            if kind == "broken":
                a, b = float(tx[-1]), float(ty[-1])
                parts.append(f'<path class="end" d="M{a - 4:.1f} {b - 4:.1f}l8 8m0-8l-8 8"/>')
    values = " ".join(f"{a:.5g},{b:.4g}" for a, b in zip(x, mean, strict=True))
    places = "" if line.marks else f' data-places="{_points(px, py)}" data-values="{values}"'
    name = escape(line.label)
    return (
        f'<g class="series" data-arm="{line.style}" data-label="{name}" style="--c:{colour}"'
        f"{places}>{''.join(parts)}</g>"
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


def _far_note(name: str, value: float, arrow: str, line: int, low: bool) -> str:
    y = HEIGHT - BOTTOM - 6 - 13 * line if low else TOP + 10 + 13 * line
    text = f"{escape(name)} {value:.3f} {arrow}"
    return (
        f'<text class="reference" x="{WIDTH - RIGHT - 2}" y="{y}" text-anchor="end">{text}</text>'
    )


def _references(references: Mapping[str, float], axis: Axis) -> str:
    """Lines where they are in view, else a note with an arrow at the edge."""
    parts, below, above = [], 0, 0
    for name, value in references.items():
        if value < axis.low:
            parts.append(_far_note(name, value, "↓", below, low=True))
            below += 1
        elif value > axis.high:
            parts.append(_far_note(name, value, "↑", above, low=False))
            above += 1
        else:
            y = _pixel(float(axis.place(value)))
            parts.append(f'<path class="rule" d="M{LEFT} {y}H{WIDTH - RIGHT}"/>')
            parts.append(
                f'<text class="reference" x="{LEFT + 4}" y="{float(y) - 4:.1f}">'
                f"{escape(name)} {value:.3f}</text>"
            )
    return "".join(parts)


def _line_svg(chart: LineChart) -> str:
    xs, ys = x_values(chart.lines), finite_values(chart)
    if not xs.size or not ys.size:
        return ""
    ys = np.append(ys, list(near_references(chart.references, ys).values()))
    bottom = HEIGHT - BOTTOM
    x_axis = make_axis(
        xs, LEFT, WIDTH - RIGHT, chart.log_x, margin=0.04 * chart.log_x, at=chart.x_ticks
    )
    y_axis = make_axis(ys, bottom, TOP, chart.log_y, margin=0.06)
    parts = [_frame(x_axis, y_axis, bottom, LEFT, TOP), _references(chart.references, y_axis)]
    parts += [_series(line, x_axis, y_axis) for line in chart.lines]
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        f'<text class="label" x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">'
        f"{escape(chart.x_label)}</text>"
    )
    ends = {line.label: float(line.band.mean[-1]) for line in chart.lines if line.band.x.size}
    return _wrapped(parts, HEIGHT, _said(chart.title, ends), "lines", x_label=chart.x_label)


def _dot(dot: Dot, axis: Axis, y: float) -> str:
    if not math.isfinite(dot.value):
        return ""
    strokes = "".join(f"M{_pixel(float(axis.place(point)))} {y - 5:.1f}v10" for point in dot.points)
    parts = [f'<path class="run" d="{strokes}"/>'] if strokes else []
    interval = ""
    if math.isfinite(dot.low):
        low, high = (_pixel(float(axis.place(end))) for end in (dot.low, dot.high))
        parts.append(f'<path class="interval" d="M{low} {_pixel(y)}H{high}"/>')
        interval = f" ({dot.low:.4f} to {dot.high:.4f})"
    parts.append(symbol(dot.style, float(axis.place(dot.value)), y, 4.6))
    title = f"{escape(dot.label)}: {dot.value:.4f}{interval}"
    return (
        f'<g class="dot" data-arm="{dot.style}" style="--c:{_colour(dot.style)}">'
        f"<title>{title}</title>{''.join(parts)}</g>"
    )


def _dots_svg(chart: DotChart) -> str:
    values = dot_values(chart)
    if not values.size:
        return ""
    values = np.append(values, list(near_references(chart.references, values).values()))
    left = min(230.0, 8 + 7.2 * max(len(row.label) for row in chart.rows))
    axis = make_axis(values, left, WIDTH - RIGHT, False, margin=0.05)
    bottom = DOT_TOP + ROW * len(chart.rows)
    parts = [_frame(axis, None, bottom, left, DOT_TOP - 4)]
    parts += [_dot_reference(name, v, axis, bottom) for name, v in chart.references.items()]
    for number, row in enumerate(chart.rows):
        y = DOT_TOP + ROW * (number + 0.5)
        label = row.label if len(row.label) <= MOST_LETTERS else row.label[:MOST_LETTERS] + "…"
        parts.append(
            f'<text class="row" x="{left - 8}" y="{y + 4}" text-anchor="end">{escape(label)}</text>'
        )
        parts += [_dot(dot, axis, y) for dot in row.dots]
    far = [
        f"{escape(name)} {value:.3f} {'←' if value < axis.low else '→'}"
        for name, value in chart.references.items()
        if not axis.low <= value <= axis.high
    ]
    if far:
        parts.append(
            f'<text class="reference" x="{WIDTH - RIGHT}" y="{bottom + 32}" text-anchor="end">'
            f"{'; '.join(far)}</text>"
        )
    single = {row.label: row.dots[0].value for row in chart.rows if len(row.dots) == 1}
    return _wrapped(parts, bottom + (40 if far else 24), _said(chart.title, single), "dots")


def _dot_reference(name: str, value: float, axis: Axis, bottom: float) -> str:
    if not axis.low <= value <= axis.high:
        return ""
    x = float(axis.place(value))
    text = f"{escape(name)} {value:.3f}" if value else escape(name)
    anchor = "start" if x < WIDTH / 2 else "end"
    return (
        f'<path class="rule" d="M{x:.1f} {DOT_TOP - 4}V{bottom}"/>'
        f'<text class="reference" x="{x:.1f}" y="9" text-anchor="{anchor}">{text}</text>'
    )


def _said(title: str, values: Mapping[str, float]) -> str:
    """What a screen reader reads: the title, and the last value of each line or that of a row."""
    return ", ".join([title, *(f"{name} {value:.4g}" for name, value in values.items())])


def _wrapped(parts: Sequence[str], height: float, title: str, kind: str, x_label: str = "") -> str:
    label = f' data-x="{escape(x_label)}"' if x_label else ""
    return (
        f'<svg class="chart {kind}" viewBox="0 0 {WIDTH} {height:g}" role="img" '
        f'aria-label="{escape(title)}"{label}>{"".join(parts)}</svg>'
    )


def chart_svg(chart: Chart) -> str:
    """One chart as an SVG element; empty text if there is nothing to draw."""
    return _line_svg(chart) if isinstance(chart, LineChart) else _dots_svg(chart)
