"""Two settings that are varied together, as depth and learning rate: panels, lines and tables."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from seqnorm.lab.report.findings.collect import collect
from seqnorm.lab.report.page.charts import LineChart
from seqnorm.lab.report.page.html import html_page
from seqnorm.lab.report.page.section import Section, make_section
from seqnorm.lab.report.page.terminal import terminal_text
from tests.lab.report.fabricate import fabricate_run, named

DEPTHS, RATES = (1, 2, 3), (0.002, 0.02)


def grid(
    folder: Path, norms: tuple[str, ...] = ("none", "layer"), pooling: bool = False
) -> Section:
    """Accuracy 0.9 less 0.1 a layer; with layer norm 0.05 a layer and, by seed, 0.01 more or less.

    Args:
        pooling: Whether half of the arms read out another thing.
    """
    for norm, depth, rate, seed in product(norms, DEPTHS, RATES, range(3)):
        lost = 0.1 * depth if norm == "none" else 0.05 * depth + 0.01 * (seed - 1)
        for read_out in ("max", "last") if pooling else ("max",):
            settings = {"model.depth": depth, "optim.learning_rate": rate}
            settings |= {"model.pooling": read_out} if pooling else {}
            words = " ".join(f"{key}={value}" for key, value in settings.items())
            changes = {"study": "grid_imdb", "arm": f"norm={norm} {words}", **settings}
            accuracy = 0.9 - lost - 0.2 * (read_out == "last")
            fabricate_run(
                folder, data="imdb", norm=norm, seed=seed, changes=changes, accuracy=accuracy
            )
    (part,) = collect([folder]).comparisons
    return make_section(*part)


def test_each_choice_beside_the_norm_is_a_panel_and_each_norm_a_line(tmp_path: Path) -> None:
    first = grid(tmp_path).pictures[0]
    assert first.key == "against-depth"
    assert [look.name for look in first.arms] == ["lstm none", "lstm layer"]
    assert [chart.title for chart in first.charts] == [
        "test accuracy, learning_rate=0.002",
        "test accuracy, learning_rate=0.02",
    ]
    for chart in first.charts:
        assert isinstance(chart, LineChart) and not chart.log_x  # depths rise by differences
        plain, layer = chart.lines
        np.testing.assert_array_equal(plain.band.x, DEPTHS)
        np.testing.assert_allclose(plain.band.mean, [0.8, 0.7, 0.6])
        np.testing.assert_allclose(layer.band.mean, [0.85, 0.8, 0.75])


def test_a_norm_alone_has_a_line_for_each_choice(tmp_path: Path) -> None:
    first = grid(tmp_path, norms=("layer",)).pictures[0]
    (chart,) = first.charts
    assert chart.title == "test accuracy"
    assert [look.name for look in first.arms] == [
        f"lstm layer, learning_rate={rate}" for rate in RATES
    ]


def test_words_beside_the_norm_make_panels_as_well(tmp_path: Path) -> None:
    first = grid(tmp_path, pooling=True).pictures[0]
    assert {chart.title for chart in first.charts} == {
        f"test accuracy, pooling={read_out}, learning_rate={rate}"
        for read_out, rate in product(("max", "last"), RATES)
    }
    assert all(isinstance(c, LineChart) and len(c.lines) == 2 for c in first.charts)


def test_the_table_has_a_column_for_each_value_and_the_differences(tmp_path: Path) -> None:
    section = grid(tmp_path)
    table = section.values["against-depth"].table
    assert table.headings == ("by depth", "", "1", "2", "3")
    rows = {row[:2]: row[2:] for row in table.rows}
    assert rows["lstm none, learning_rate=0.02", "accuracy"] == tuple(
        f"{mean} ({mean}–{mean})" for mean in ("0.8000", "0.7000", "0.6000")
    )
    assert rows["lstm layer, learning_rate=0.02", "Δ none"] == (
        "+0.0500 (+0.0400 to +0.0600)",
        "+0.1000 (+0.0900 to +0.1100)",
        "+0.1500 (+0.1400 to +0.1600)",
    )
    assert ("lstm none, learning_rate=0.02", "Δ none") not in rows
    text, page = terminal_text([section], []), html_page([section], [], [], "")
    assert table.markdown() in text and "+0.0900 to +0.1100" in page
    assert f'download="{section.comparison.slug}-against-depth-values.csv"' in page


def test_a_value_that_an_arm_lacks_is_left_open(tmp_path: Path) -> None:
    grid(tmp_path)
    changes = {"study": "grid_imdb", "model.depth": 4, "optim.learning_rate": 0.02}
    changes["arm"] = "norm=layer model.depth=4 optim.learning_rate=0.02"
    fabricate_run(tmp_path, data="imdb", norm="layer", changes=changes, accuracy=0.7)
    (part,) = collect([tmp_path]).comparisons
    rows = {row[:2]: row[2:] for row in make_section(*part).values["against-depth"].table.rows}
    assert rows["lstm layer, learning_rate=0.02", "accuracy"][-1] == "0.7000"
    assert rows["lstm layer, learning_rate=0.02", "Δ none"][-1] == "-"
    assert rows["lstm none, learning_rate=0.02", "accuracy"][-1] == "-"


@pytest.mark.parametrize("trials", [False, True])
def test_the_page_says_what_the_runs_took(tmp_path: Path, trials: bool) -> None:
    for seed in range(3):
        fabricate_run(tmp_path, norm="layer", seed=seed, seconds=1800.0, changes=named("layer"))
    if trials:
        fabricate_run(
            tmp_path, norm="layer", seed=9, seconds=900.0, trial=True, changes=named("layer")
        )
    (part,) = collect([tmp_path]).comparisons
    page = html_page([make_section(*part)], [], [], "")
    tried, hours = (", 1 trial", "1.8") if trials else ("", "1.5")
    assert f"3 runs on the test set{tried}; seeds 0, 1, 2; {hours} hours of training" in page
