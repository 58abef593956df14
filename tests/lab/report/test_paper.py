"""What the figures draw, read back from their artists."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from seqnorm.lab.report.page.charts import (
    Chart,
    Dot,
    DotChart,
    Line,
    LineChart,
    Picture,
    Row,
    plain_band,
)
from seqnorm.lab.report.page.paper import draw_picture
from seqnorm.lab.report.page.styles import (
    MARKERS,
    NORM_COLOURS,
    OTHER_COLOURS,
    Look,
    make_looks,
    norm_colour,
)
from seqnorm.lab.report.page.time_pictures import against_rows
from seqnorm.lab.report.statistics.curves import common_band
from seqnorm.lab.runs.read import Curve

A, B = Look("a", "none"), Look("b", "layer")


def test_a_chart_over_a_logarithm_without_a_value_is_empty() -> None:
    empty = Line(A, plain_band(np.empty(0), np.empty(0)))
    chart = LineChart("nothing yet", "learning rate", [empty], log_x=True)
    draw_picture(Picture("trials", "Trials", "", [chart]), "heading")
    rows = DotChart("nothing yet", [Row("one", [Dot("a", A, np.nan)])], log=True)
    draw_picture(Picture("probe", "Probe", "", [rows]), "heading")


@pytest.mark.parametrize("value", [0.0034123, 0.001])
def test_the_one_value_over_a_logarithm_is_written(value: float) -> None:
    """A comparison of one trial has one learning rate, which is seldom round."""
    trial = Line(A, plain_band(np.array([value]), np.array([0.5])))
    charts = (
        LineChart("trials", "learning rate", [trial], log_x=True),
        DotChart("probe", [Row("one", [Dot("a", A, value)])], log=True),
    )
    for chart in charts:
        (axes,) = draw(chart).axes
        assert [text.get_text() for text in axes.get_xticklabels()] == [f"{value:.4g}"]


def curve(rng: np.random.Generator, length: int, base: float = 0.8) -> Curve:
    values = np.asarray(rng.normal(base, 0.02, size=length), np.float64)
    return np.linspace(100.0, 100.0 * length, length), values


def draw(*charts: Chart, arms: tuple[Look, ...] = (A,)) -> Figure:
    return draw_picture(Picture("key", "title", "caption", charts, arms), "heading")


def render(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def lines_on(axes: Any) -> list[tuple[list[float], list[float]]]:
    return [(list(line.get_xdata()), list(line.get_ydata())) for line in axes.get_lines()]


def named(axes: Any) -> list[str]:
    """The references that are named above a panel."""
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_a_line_has_its_mean_band_tail_and_divergence() -> None:
    rng = np.random.default_rng(0)
    short, long, broken = curve(rng, 3), curve(rng, 5), curve(rng, 2)
    tail = (long[0][2:], long[1][2:])
    line = Line(A, common_band([short, long]), [tail], [broken])
    (axes,) = draw(LineChart("accuracy", "steps", [line])).axes
    lines = lines_on(axes)
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
    line = Line(A, plain_band(np.array([100.0]), np.array([0.5])))
    figure = draw(LineChart("accuracy", "steps", [line]))
    assert figure.axes[0].get_lines()[0].get_marker() == "o"


def test_far_references_do_not_squeeze_the_curves() -> None:
    x, y = curve(np.random.default_rng(1), 8)
    references = {"majority": 0.1, "close": 0.8, "words": 0.99}
    (axes,) = draw(LineChart("accuracy", "steps", [Line(A, plain_band(x, y))], references)).axes
    low, high = axes.get_ylim()
    assert low > 0.6 and high < 0.95
    assert named(axes) == ["majority 0.100 ↓", "close 0.800", "words 0.990 ↑"]
    assert sum(line == [0.8, 0.8] for _, line in lines_on(axes)) == 1


def test_dots_have_interval_runs_and_the_shape_of_their_arm() -> None:
    rows = [Row("one", [Dot("a", A, 0.8, 0.7, 0.9, [0.75, 0.85])]), Row("two", [Dot("b", B, 0.6)])]
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
    rows = [Row("one", [Dot("a", A, 0.8, 0.79, 0.81, [0.78, 0.82])])]
    (axes,) = draw(DotChart("accuracy", rows, {"low": 0.5, "near": 0.81, "high": 0.95})).axes
    low, high = axes.get_xlim()
    assert low > 0.7 and high < 0.9
    assert named(axes) == ["low 0.500 ←", "near 0.810", "high 0.950 →"]


def test_values_below_a_panel_do_not_touch() -> None:
    rates = np.logspace(-4.5, -1.5, 7)
    line = Line(A, plain_band(rates, np.linspace(0.5, 0.9, 7)))
    chart = LineChart("score", "rate", [line], log_x=True, x_ticks=rates.tolist())
    dots = DotChart("a", [Row("a long name of an arm, in two lines or three", [Dot("a", A, 0.5)])])
    figure = draw_picture(Picture("p", "p", "", [chart, dots]), "")
    figure.draw_without_rendering()
    labels = [label for label in figure.axes[0].get_xticklabels() if label.get_text()]
    places = [label.get_window_extent() for label in labels]
    assert len(labels) > 2
    assert all(left.x1 < right.x0 for left, right in pairwise(places))


def test_equal_values_have_an_axis_of_short_numbers() -> None:
    rows = [
        Row(name, [Dot(name, A, value)]) for name, value in (("a", 0.04375), ("b", 0.04375 + 1e-17))
    ]
    (axes,) = draw_picture(Picture("p", "p", "", [DotChart("d", rows)]), "").axes
    low, high = axes.get_xlim()
    assert low < 0.03 and high > 0.06


def test_a_zero_is_not_drawn_over_a_logarithm() -> None:
    # Where lines are not cut off at their panel, one drawn to the smallest number of all would
    # cross the sheet, and the panels would have to make room for it.
    x = np.arange(4.0)
    zero = Line(A, plain_band(x, np.array([1.0, 0.1, 0.0, 0.1])))
    figure = draw_picture(Picture("p", "p", "", [LineChart("g", "step", [zero], log_y=True)]), "")
    (axes,) = figure.axes
    assert not np.isfinite(axes.transScale.transform([(2.0, 0.0)])[0, 1])
    assert np.isfinite(axes.transScale.transform([(2.0, 0.1)])[0, 1])


def test_labels_of_the_x_axis_are_whole_for_trials_and_do_not_touch_for_rates() -> None:
    trials = Line(A, plain_band(np.arange(1.0, 5.0), np.array([0.70, 0.75, 0.78, 0.79])))
    rates = np.array([6.4e-4, 2e-3, 8.8e-3])
    single = Line(A, plain_band(rates, np.array([0.7, 0.8, 0.75])), marks=True)
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
    labels = [f"lstm layer, learning_rate={rate}" for rate in (0.001, 0.003, 0.01, 0.03)]
    looks = make_looks((label, "layer") for label in labels)
    lines = [Line(look, plain_band(*curve(rng, 4))) for look in looks]
    chart = LineChart("accuracy", "steps", lines)
    figure = draw(chart, chart, arms=tuple(looks))
    render(figure)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == labels
    box = legend.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width
    for axes in figure.axes:
        tight = axes.get_tightbbox()
        assert tight is not None and tight.y0 >= box.y1 - 1


def test_titles_fit_in_their_figure() -> None:
    line = Line(A, plain_band(np.arange(9.0), np.arange(1.0, 10)))
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


def test_a_norm_has_its_colour_and_shape_in_any_company() -> None:
    norms = ("none", "layer", "batch", "rms", "group", "dyt")
    alone = {norm: make_looks([(norm, norm)])[0] for norm in norms}
    for company in (norms, norms[::-1], ("mine", *norms[1:3])):
        for look in make_looks((norm, norm) for norm in company if norm in alone):
            assert look == alone[look.name]
    assert len({look.colour for look in alone.values()}) == len(norms)
    assert len({look.shape for look in alone.values()}) == len(norms)  # without colour


def test_a_norm_that_is_not_in_the_table_has_a_colour_of_its_own() -> None:
    assert norm_colour("mine") == norm_colour("mine") in OTHER_COLOURS
    assert not set(OTHER_COLOURS) & set(NORM_COLOURS.values())
    assert len({norm_colour(f"mine {number}") for number in range(20)}) == len(OTHER_COLOURS)


def test_arms_of_one_norm_differ_in_shade_and_dash_and_many_in_shape() -> None:
    looks = make_looks((f"batch, size={size}", "batch") for size in range(10))
    assert looks[0].colour == norm_colour("batch")
    assert len({(look.colour, str(look.dash)) for look in looks[:5]}) == 5
    assert len({str(look.dash) for look in looks[:5]}) == 5
    assert len({(look.colour, str(look.dash), look.shape) for look in looks}) == 10
    cells = make_looks((f"{cell} none", "none") for cell in ("gru", "lstm"))
    assert cells[0].dash != cells[1].dash


def test_colours_are_dark_enough_on_white_also_in_grey() -> None:
    white, weights = (1.0, 1.0, 1.0), np.array([0.299, 0.587, 0.114])
    for colour in (*NORM_COLOURS.values(), *OTHER_COLOURS):
        assert float(np.dot(weights, np.subtract(white, to_rgb(colour)))) > 0.3


def test_the_name_of_a_reference_lies_above_the_data() -> None:
    """However near to each other and to the edge: names cover no data and not each other."""
    x, y = curve(np.random.default_rng(3), 8, base=0.55)
    references = {"bag of words (test)": 0.53, "majority class (test)": 0.499}
    line = LineChart("accuracy", "steps", [Line(A, plain_band(x, y))], references)
    dots = DotChart("accuracy", [Row("a", [Dot("a", A, 0.55)])], references)
    figure = draw(line, dots)
    render(figure)
    for axes in figure.axes:
        panel = axes.get_window_extent()
        boxes = [text.get_window_extent() for text in axes.get_legend().get_texts()]
        assert all(box.y0 >= panel.y1 - 1 for box in boxes)
        assert not boxes[0].overlaps(boxes[1])
        assert axes.title.get_window_extent().y0 >= max(box.y1 for box in boxes) - 1


def test_an_axis_of_accuracy_ends_at_one() -> None:
    one = plain_band(np.array([1.0, 2.0]), np.array([0.97, 0.99]))
    chart = LineChart("accuracy", "steps", [Line(A, one)], bounds=(0.0, 1.0))
    dots = DotChart("F1", [Row("a", [Dot("a", A, 0.0), Dot("b", B, 1.0)])], bounds=(0.0, 1.0))
    line, dot = draw(chart, dots).axes
    assert line.get_ylim()[1] <= 1.0 and dot.get_xlim() == (0.0, 1.0)


def test_arms_of_equal_value_do_not_hide_each_other() -> None:
    dots = [Dot(name, Look(name, name), 0.0) for name in ("none", "layer", "batch", "rms")]
    (axes,) = draw(DotChart("F1", [Row("rare", dots), Row("common", dots)])).axes
    marks = [line for line in axes.get_lines() if line.get_marker() in MARKERS]
    heights = [float(line.get_ydata()[0]) for line in marks]
    assert len(set(heights)) == 8 and max(heights[:4]) < 0.5 < min(heights[4:])


def test_a_profile_against_valid_rows_by_hand() -> None:
    band = against_rows(np.array([4.0, 4.0, 1.0, 0.0]), np.array([1.0, 3.0, 7.0, np.nan]))
    np.testing.assert_array_equal(band.x, [1, 4])
    np.testing.assert_array_equal(band.mean, [7, 2])
    assert against_rows(np.zeros(2), np.ones(2)).x.size == 0


def test_each_row_of_panels_has_its_own_height_and_titles_stay_on_the_sheet() -> None:
    """Twenty long rows of dots draw the curves above them neither high nor beyond the edge."""
    line = Line(A, plain_band(np.array([1.0, 2.0]), np.array([0.5, 0.6])))
    curves = LineChart("test accuracy, bidirectional=false, pooling=mean", "rate", [line])
    label = "lstm layer, bidirectional=false, pooling=mean"
    dots = DotChart("decades", [Row(f"{label} {place}", [Dot("a", A, 0.5)]) for place in range(20)])
    figure = draw(curves, curves, dots)
    render(figure)
    heights = [axes.get_position().height * figure.get_figheight() for axes in figure.axes]
    assert heights[0] < 3.3 < 5 < heights[2]
    for axes in figure.axes:
        assert axes.title.get_window_extent().x1 <= figure.bbox.width
