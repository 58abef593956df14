"""What the figures draw, read back from their artists."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from seqnorm.analysis.figures import ArmCurves, Panel, learning_curves, statistics_over_time
from seqnorm.analysis.records import Curve
from seqnorm.analysis.styles import COLOURS, arm_style


def curve(rng: np.random.Generator, length: int, base: float = 0.8) -> Curve:
    values = np.asarray(rng.normal(base, 0.02, size=length), np.float64)
    return np.linspace(100.0, 100.0 * length, length), values


def render(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def drawn(axes: Any) -> list[tuple[list[float], list[float]]]:
    return [(list(line.get_xdata()), list(line.get_ydata())) for line in axes.get_lines()]


def test_learning_curves_draw_mean_band_tail_and_divergence() -> None:
    rng = np.random.default_rng(0)
    short, long, broken = curve(rng, 3), curve(rng, 5), curve(rng, 2)
    panel = Panel("accuracy", [ArmCurves("a", [short, long], [broken])], {})
    figure = learning_curves("title", [panel])
    (axes,) = figure.axes
    lines = drawn(axes)
    mean = (short[1] + long[1][:3]) / 2
    assert lines[0][0] == [100.0, 200.0, 300.0]
    np.testing.assert_allclose(lines[0][1], mean)
    assert lines[1] == (list(long[0][2:]), list(long[1][2:]))
    assert lines[2] == (list(broken[0]), list(broken[1]))
    assert lines[3] == ([broken[0][-1]], [broken[1][-1]])
    assert axes.get_lines()[3].get_marker() == "x"
    extent = axes.collections[0].get_paths()[0].get_extents()
    assert extent.y0 == min(short[1].min(), long[1][:3].min())
    assert extent.y1 == max(short[1].max(), long[1][:3].max())


def test_one_point_is_visible() -> None:
    point = (np.array([100.0]), np.array([0.5]))
    figure = learning_curves("title", [Panel("accuracy", [ArmCurves("a", [point], [])], {})])
    assert figure.axes[0].get_lines()[0].get_marker() == "o"


def test_far_references_do_not_squeeze_the_curves() -> None:
    rng = np.random.default_rng(1)
    arms = [ArmCurves("a", [curve(rng, 8)], [])]
    references = {"majority": 0.1, "close": 0.8, "words": 0.99}
    figure = learning_curves("title", [Panel("accuracy", arms, references)])
    (axes,) = figure.axes
    low, high = axes.get_ylim()
    assert low > 0.6 and high < 0.95
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["majority 0.100 ↓", "close 0.800", "words 0.990 ↑"]
    assert sum(line == [0.8, 0.8] for _, line in drawn(axes)) == 1


def test_legend_names_every_arm_and_covers_no_panel() -> None:
    rng = np.random.default_rng(2)
    labels = [f"lstm layer, learning_rate={rate}" for rate in (0.001, 0.003, 0.01, 0.03)]
    panel = Panel("accuracy", [ArmCurves(label, [curve(rng, 4)], []) for label in labels], {})
    figure = learning_curves("title", [panel, panel])
    render(figure)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == labels
    box = legend.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width
    for axes in figure.axes:
        tight = axes.get_tightbbox()
        assert tight is not None and tight.y0 >= box.y1 - 1


def test_titles_fit_in_their_figure() -> None:
    rng = np.random.default_rng(3)
    names = ("mean", "spread", "gradient_norm", "distance", "rows")
    figure = statistics_over_time("title", [("a", {n: rng.random(9) + 0.1 for n in names})])
    render(figure)
    boxes = [axes.title.get_window_extent() for axes in figure.axes]
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width for box in boxes)
    for left, right in pairwise(boxes):
        assert not left.overlaps(right)


def test_statistics_draw_what_there_is() -> None:
    rng = np.random.default_rng(4)
    plain = {"mean": rng.normal(size=6), "rows": np.arange(6.0)}
    batch = {**plain, "mean": rng.normal(size=4), "distance": rng.random(4)}
    figure = statistics_over_time("title", [("none", plain), ("batch", batch)])
    titles = [axes.get_title() for axes in figure.axes]
    assert len(titles) == 3
    assert "mean" in titles[0] and "distance" in titles[1] and "valid rows" in titles[2]
    (_, first), (_, second) = drawn(figure.axes[0])
    assert first == list(plain["mean"]) and second == list(batch["mean"])
    (distance,) = figure.axes[1].get_lines()  # keeps the look of its arm although it is alone
    assert distance.get_color() == arm_style(1)["color"]


def test_arms_can_be_told_apart_without_colour() -> None:
    looks = {(style["color"], str(style["linestyle"])) for style in map(arm_style, range(35))}
    assert len(looks) == 35
    assert len({str(arm_style(index)["linestyle"]) for index in range(5)}) == 5
    white = (1.0, 1.0, 1.0)
    weights = np.array([0.299, 0.587, 0.114])
    for colour in COLOURS:  # dark enough on white also in grey
        assert float(np.dot(weights, np.subtract(white, to_rgb(colour)))) > 0.3
