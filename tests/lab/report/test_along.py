"""Two settings that are varied together, as depth and learning rate: panels, lines and tables."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqnorm.lab.report.findings.collect import collect
from seqnorm.lab.report.page.charts import LineChart, Picture
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


def grid_and_one_more(folder: Path, depth: int, rate: float) -> Section:
    """The grid, and an arm of layer norm with a choice that none has there."""
    settings = {"model.depth": depth, "optim.learning_rate": rate}
    arm = f"norm=layer model.depth={depth} optim.learning_rate={rate}"
    changes = {"study": "grid_imdb", "arm": arm, **settings}
    fabricate_run(folder, data="imdb", norm="layer", changes=changes, accuracy=0.7)
    return grid(folder)


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


def test_the_table_of_differences_does_not_repeat_what_both_arms_share(tmp_path: Path) -> None:
    table = grid(tmp_path).tables["differences"].table
    assert {row[:2] for row in table.rows} == {
        (f"lstm layer, depth={depth}, learning_rate={rate}", "lstm none")
        for depth, rate in product(DEPTHS, RATES)
    }


def test_a_value_that_an_arm_lacks_is_left_open(tmp_path: Path) -> None:
    section = grid_and_one_more(tmp_path, depth=4, rate=0.02)
    rows = {row[:2]: row[2:] for row in section.values["against-depth"].table.rows}
    assert rows["lstm layer, learning_rate=0.02", "accuracy"][-1] == "0.7000"
    assert rows["lstm layer, learning_rate=0.02", "Δ none"][-1] == "-"
    assert rows["lstm none, learning_rate=0.02", "accuracy"][-1] == "-"


def of_settings(
    folder: Path, arms: Iterable[dict[str, Any]], norms: tuple[str, ...] = ("none", "layer")
) -> Section:
    """One run of each norm with each of some settings; the n-th has an accuracy of 0.5 + n / 20."""
    for norm, (place, settings) in product(norms, enumerate(arms)):
        words = " ".join(f"{key}={value}" for key, value in settings.items())
        changes = {"study": "grid_imdb", "arm": f"norm={norm} {words}", **settings}
        accuracy = 0.5 + place / 20
        fabricate_run(folder, data="imdb", norm=norm, changes=changes, accuracy=accuracy)
    (part,) = collect([folder]).comparisons
    return make_section(*part)


def along(section: Section) -> dict[str, Picture]:
    return {each.key: each for each in section.pictures if each.key.startswith("against-")}


def test_a_setting_that_is_a_list_is_none_to_go_through(tmp_path: Path) -> None:
    section = of_settings(tmp_path, [{"model.units": [64] * layers} for layers in (1, 2, 3)])
    assert len(section.comparison.arms) == 6 and not along(section)


def test_an_arm_without_a_number_of_a_setting_is_named_and_not_drawn(tmp_path: Path) -> None:
    section = of_settings(tmp_path, [{"optim.clip": value} for value in (None, 1, 2, 5)])
    picture = along(section)["against-clip"]
    assert "Not drawn, since it has no number of it: lstm none, clip=null; lstm" in picture.caption
    assert section.values["against-clip"].table.headings == ("by clip", "", "1", "2", "5")


def test_arms_of_one_value_are_all_shown(tmp_path: Path) -> None:
    section = of_settings(tmp_path, [{"model.width": value} for value in (1, 2, 4, 4.0)])
    rows = {row[:2]: row[2:] for row in section.values["against-width"].table.rows}
    assert rows["lstm none", "accuracy"] == ("0.5000", "0.5500", "0.6000")
    assert rows["lstm none (2)", "accuracy"] == ("-", "-", "0.6500")


def test_settings_whose_names_end_alike_have_a_picture_and_a_table_each(tmp_path: Path) -> None:
    both = product((0.1, 0.2, 0.3), repeat=2)
    arms = [{"model.dropout": one, "cell.dropout": other} for one, other in both]
    section = of_settings(tmp_path, arms)
    assert {*along(section)} == {"against-model.dropout", "against-cell.dropout"}
    table = section.values["against-model.dropout"].table
    assert table.headings[0] == "by model.dropout"
    assert table.rows[0][0] == "lstm none, cell.dropout=0.1"
    charts = along(section)["against-model.dropout"].charts
    assert charts[0].title == "test accuracy, cell.dropout=0.1"


def test_a_choice_that_one_norm_alone_has_leaves_the_panels_of_the_others(tmp_path: Path) -> None:
    section = grid_and_one_more(tmp_path, depth=1, rate=0.2)
    charts = along(section)["against-depth"].charts
    assert [len(chart.lines) for chart in charts if isinstance(chart, LineChart)] == [2, 2, 1]


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
