"""What the figures draw, read back from their artists."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from seqnorm.lab.report.page.charts import (
    Chart,
    Dot,
    DotChart,
    Line,
    LineChart,
    Plate,
    Row,
    plain_band,
)
from seqnorm.lab.report.page.figures import draw_plate
from seqnorm.lab.report.page.styles import COLOURS, MARKERS, arm_style
from seqnorm.lab.report.page.time_plates import against_rows
from seqnorm.lab.report.statistics.curves import common_band
from seqnorm.lab.runs.read import Curve


def curve(rng: np.random.Generator, length: int, base: float = 0.8) -> Curve:
    values = np.asarray(rng.normal(base, 0.02, size=length), np.float64)
    return np.linspace(100.0, 100.0 * length, length), values


def draw(*charts: Chart, arms: tuple[str, ...] = ("a",)) -> Figure:
    return draw_plate(Plate("key", "title", "caption", charts, arms), "heading")


def render(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def drawn(axes: Any) -> list[tuple[list[float], list[float]]]:
    return [(list(line.get_xdata()), list(line.get_ydata())) for line in axes.get_lines()]


def test_a_line_has_its_mean_band_tail_and_divergence() -> None:
    rng = np.random.default_rng(0)
    short, long, broken = curve(rng, 3), curve(rng, 5), curve(rng, 2)
    tail = (long[0][2:], long[1][2:])
    line = Line("a", 0, common_band([short, long]), [tail], [broken])
    (axes,) = draw(LineChart("accuracy", "steps", [line])).axes
    lines = drawn(axes)
    assert lines[0][0] == [100.0, 200.0, 300.0]
    np.testing.assert_allclose(lines[0][1], (short[1] + long[1][:3]) / 2)
    assert lines[1] == (list(tail[0]), list(tail[1]))
    assert lines[2] == (list(broken[0]), list(broken[1]))
    assert lines[3] == ([broken[0][-1]], [broken[1][-1]])
    assert axes.get_lines()[3].get_marker() == "x"
    extent = axes.collections[0].get_paths()[0].get_extents()
    assert extent.y0 == min(short[1].min(), long[1][:3].min())
    assert extent.y1 == max(short[1].max(), long[1][:3].max())


def test_one_point_is_visible() -> None:
    line = Line("a", 0, plain_band(np.array([100.0]), np.array([0.5])))
    figure = draw(LineChart("accuracy", "steps", [line]))
    assert figure.axes[0].get_lines()[0].get_marker() == "o"


def test_far_references_do_not_squeeze_the_curves() -> None:
    x, y = curve(np.random.default_rng(1), 8)
    references = {"majority": 0.1, "close": 0.8, "words": 0.99}
    (axes,) = draw(
        LineChart("accuracy", "steps", [Line("a", 0, plain_band(x, y))], references)
    ).axes
    low, high = axes.get_ylim()
    assert low > 0.6 and high < 0.95
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["majority 0.100 ↓", "close 0.800", "words 0.990 ↑"]
    assert sum(line == [0.8, 0.8] for _, line in drawn(axes)) == 1


def test_dots_have_interval_runs_and_the_shape_of_their_arm() -> None:
    rows = [Row("one", [Dot("a", 0, 0.8, 0.7, 0.9, [0.75, 0.85])]), Row("two", [Dot("b", 2, 0.6)])]
    (axes,) = draw(DotChart("accuracy", rows, {"floor": 0.5}), arms=()).axes
    runs, interval, dot, _, _, alone = axes.get_lines()[:6]
    assert list(runs.get_xdata()) == [0.75, 0.85]
    assert (list(interval.get_xdata()), list(interval.get_ydata())) == ([0.7, 0.9], [0.0, 0.0])
    assert (list(dot.get_xdata()), list(alone.get_ydata())) == ([0.8], [1.0])
    assert (dot.get_marker(), alone.get_marker()) == (MARKERS[0], MARKERS[2])
    assert [text.get_text() for text in axes.get_yticklabels()] == ["one", "two"]
    low, high = axes.get_ylim()
    assert low > high  # the first row is at the top


def test_far_references_do_not_squeeze_the_dots() -> None:
    rows = [Row("one", [Dot("a", 0, 0.8, 0.79, 0.81, [0.78, 0.82])])]
    (axes,) = draw(DotChart("accuracy", rows, {"low": 0.5, "near": 0.81, "high": 0.95})).axes
    low, high = axes.get_xlim()
    assert low > 0.7 and high < 0.9
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["← low 0.500", "near 0.810", "high 0.950 →"]


def test_labels_of_the_x_axis_are_whole_for_trials_and_do_not_touch_for_rates() -> None:
    trials = Line("a", 0, plain_band(np.arange(1.0, 5.0), np.array([0.70, 0.75, 0.78, 0.79])))
    rates = np.array([6.4e-4, 2e-3, 8.8e-3])
    single = Line("a", 0, plain_band(rates, np.array([0.7, 0.8, 0.75])), marks=True)
    figure = draw(
        LineChart("best", "trials", [trials]), LineChart("each", "rate", [single], log_x=True)
    )
    render(figure)
    left, right = figure.axes
    assert all(tick == round(tick) for tick in left.get_xticks())
    shown = [text for text in right.get_xticklabels(which="both") if text.get_text()]
    assert [text.get_text() for text in shown] == ["0.001", "0.002", "0.005"]
    boxes = [text.get_window_extent() for text in shown]
    assert not any(one.overlaps(other) for one, other in pairwise(boxes))


def test_legend_names_every_arm_and_covers_no_panel() -> None:
    rng = np.random.default_rng(2)
    labels = tuple(f"lstm layer, learning_rate={rate}" for rate in (0.001, 0.003, 0.01, 0.03))
    lines = [Line(label, i, plain_band(*curve(rng, 4))) for i, label in enumerate(labels)]
    chart = LineChart("accuracy", "steps", lines)
    figure = draw(chart, chart, arms=labels)
    render(figure)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(labels)
    box = legend.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width
    for axes in figure.axes:
        tight = axes.get_tightbbox()
        assert tight is not None and tight.y0 >= box.y1 - 1


def test_titles_fit_in_their_figure() -> None:
    line = Line("a", 0, plain_band(np.arange(9.0), np.arange(1.0, 10)))
    names = ("gradient norm of the loss in the state, simple_rnn", "distance of batch mean", "rows")
    charts = [LineChart(name, "time step", [line], log_y=True) for name in names]
    figure = draw(*charts)
    render(figure)
    assert len(figure.axes) == 3  # the fourth place of the grid stays empty
    boxes = [axes.title.get_window_extent() for axes in figure.axes]
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width for box in boxes)
    for left, right in pairwise(boxes):
        assert not left.overlaps(right)
    assert figure.axes[0].get_yscale() == "log"


def test_arms_can_be_told_apart_without_colour() -> None:
    looks = {(style["color"], str(style["linestyle"])) for style in map(arm_style, range(35))}
    assert len(looks) == 35
    assert len({str(arm_style(index)["linestyle"]) for index in range(5)}) == 5
    white = (1.0, 1.0, 1.0)
    weights = np.array([0.299, 0.587, 0.114])
    for colour in COLOURS:  # dark enough on white also in grey
        assert float(np.dot(weights, np.subtract(white, to_rgb(colour)))) > 0.3


def test_a_profile_against_valid_rows_by_hand() -> None:
    band = against_rows(np.array([4.0, 4.0, 1.0, 0.0]), np.array([1.0, 3.0, 7.0, np.nan]))
    np.testing.assert_array_equal(band.x, [1, 4])
    np.testing.assert_array_equal(band.mean, [7, 2])
    assert against_rows(np.zeros(2), np.ones(2)).x.size == 0
