"""The numbers of rows of numbers: what each feature is like, and how it runs over the steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from seqnorm.lab.data.spec import Dataset
from seqnorm.lab.report.page.styles import REFERENCE, add_legend, new_figure, other_style

PERCENT = (0, 5, 25, 50, 75, 95, 100)
DRAWN = 12  # features that a picture has room for
LINES = 5  # those whose course can be told apart


def of_training(dataset: Dataset) -> list[dict[str, Any]]:
    """A card's numbers of each feature in the training part, in the units of the data.

    ``course`` is the mean at each step over the rows that reach it, in the model's units.
    """
    scale, rows = dataset.scale, dataset.train.sequences
    assert scale is not None  # rows of numbers have one
    positions = np.arange(len(rows.values)) - np.repeat(rows.offsets[:-1], rows.lengths)
    reached = np.bincount(positions)
    found = []
    for number, name in enumerate(scale.features):
        values = rows.values[:, number].astype(np.float64)
        spread, mean = scale.spread[number], scale.mean[number]
        found.append(
            {
                "name": name,
                "mean": float(values.mean() * spread + mean),
                "spread": float(values.std() * spread),
                "percentiles": (np.percentile(values, PERCENT) * spread + mean).tolist(),
                "seen": np.percentile(values, PERCENT).tolist(),
                "course": (np.bincount(positions, values) / reached).tolist(),
            }
        )
    return found


def rows_of_table(features: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Name, mean, spread and range of each feature as text."""
    return [
        [each["name"], *(_short(each[key]) for key in ("mean", "spread"))]
        + [_short(each["percentiles"][at]) for at in (0, 3, 6)]
        for each in features
    ]


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def draw_features(card: dict[str, Any]) -> Figure:
    """Ranges of the features, and their course, both as the model sees them."""
    features = card["features"]
    figure, (ranges, course) = new_figure([3.6], 2)
    shown = features[:DRAWN]
    for place, each in enumerate(shown):
        low, few, quarter, middle, most, nearly, high = each["seen"]
        color = other_style(0)["color"]
        ranges.plot((low, high), (place, place), color=REFERENCE, linewidth=1.0)
        ranges.plot((few, nearly), (place, place), color=color, linewidth=2.2, alpha=0.5)
        ranges.plot((quarter, most), (place, place), color=color, linewidth=5.0)
        ranges.plot(middle, place, marker="o", color="white", markersize=4, zorder=3)
    ranges.set_yticks(range(len(shown)), [each["name"] for each in shown])
    ranges.set_ylim(len(shown) - 0.5, -0.5)
    some = f", the first {len(shown)} of {len(features)}" if len(features) > len(shown) else ""
    ranges.set_title(f"Range of each feature{some}")
    ranges.set_xlabel("as the model sees it (all, 90 %, half, median)")
    ranges.grid(axis="y", visible=False)
    lines = []
    for place, each in enumerate(features[:LINES]):
        time = np.arange(1, len(each["course"]) + 1)
        lines += course.plot(time, each["course"], linewidth=1.6, **other_style(place))
    course.set_title("Mean at each step, of the rows that reach it")
    course.set_xlabel("time step")
    course.set_ylabel("as the model sees it")
    add_legend(figure, lines, [each["name"] for each in features[:LINES]])
    return figure
