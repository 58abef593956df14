"""A score against the learning rate: picture, table and sentences say where it is good."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from seqnorm.lab.report.findings.collect import collect
from seqnorm.lab.report.page.charts import DotChart, LineChart
from seqnorm.lab.report.page.paper import write_picture
from seqnorm.lab.report.page.pictures import picture_heading
from seqnorm.lab.report.page.section import Section, make_section
from seqnorm.lab.report.page.svg import chart_svg
from seqnorm.lab.report.page.terminal import terminal_text
from seqnorm.lab.tasks.score import Scoring
from tests.lab.report.fabricate import CLASSES, ERRORS, fabricate_run

RATES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
MEANS = {"none": (0.5, 0.8, 0.9, 0.6, 0.5), "layer": (0.6, 0.9, 0.9, 0.9, 0.9)}


def curve(
    folder: Path,
    cells: tuple[str, ...] = ("lstm",),
    task: Scoring = CLASSES,
    seeds: int = 3,
    norms: tuple[str, ...] = ("none", "layer"),
) -> Section:
    for cell in cells:
        for norm in norms:
            for rate, mean in zip(RATES, MEANS[norm], strict=True):
                arm = f"cell={cell} norm={norm} optim.learning_rate={rate}"
                changes = {"study": "curve_imdb", "arm": arm, "optim.learning_rate": rate}
                for seed in range(seeds):
                    score = mean + 0.004 * (seed - 1) if seeds > 1 else mean
                    fabricate_run(
                        folder, cell=cell, norm=norm, seed=seed, changes=changes, task=task,
                        accuracy=score if task is CLASSES else 1 - score,
                        diverged=norm == "none" and rate == 1.0 and seed == 0,
                    )  # fmt: skip
    (part,) = collect([folder]).comparisons
    return make_section(*part)


def test_the_table_says_from_where_to_where_and_how_sure_that_is(tmp_path: Path) -> None:
    section = curve(tmp_path)
    entry = section.tables["against-learning_rate"]
    none, layer = (dict(zip(entry.table.headings, row, strict=True)) for row in entry.table.rows)
    # 2 % of 0.9 are 0.018: 0.882 lies at 0.82 of the way from 0.8 to 0.9, at 0.06 of that to 0.6.
    assert (none["from"], none["to"]) == (f"{10**-2.18:.2g}", f"{10**-1.94:.2g}")
    assert none["decades"] == "0.24" and none["best at"] == "0.01"
    assert none["diverged"] == "1 of 15"
    assert (layer["from"], layer["to"]) == (f"{10**-3.06:.2g}", "≥ 1")
    assert layer["decades"] == "3.06"
    low, high = map(float, entry.table.rows[0][7].split("–"))
    assert low < 0.24 < high
    # Over four decades: 0.75 and three of 0.9; 0.65, 0.85, 0.75 and 0.55, in which the run that
    # diverged has the baseline's 0.5 for 0.496.
    assert (layer["over all"], none["over all"]) == ("0.8625", "0.7002")
    assert (layer["Δ none"], none["Δ none"]) == ("+0.1623", "-")
    assert entry.table.markdown() in terminal_text([section], [])


def test_the_sentences_are_about_plateaus_and_not_about_each_rate(tmp_path: Path) -> None:
    best, none, layer, untuned = curve(tmp_path).sentences
    assert best.startswith("Highest mean test accuracy: lstm ")
    assert none.startswith(
        "lstm none: within 2% of its best accuracy (0.9000 at 0.01) at a learning rate from "
        "0.0066 to 0.011, 0.24 decades ("
    )
    assert none.endswith("); diverged 1 of 15.") and "over all" not in none
    assert "from 0.00087 to ≥ 1, 3.06 decades" in layer
    assert re.search(r"\); over all, \+0\.1\d+ \(.*\) against no norm; diverged 0 of 15\.$", layer)
    assert untuned.startswith("No arm was tuned here: gain is as given")


def test_without_an_arm_of_no_norm_there_is_no_difference(tmp_path: Path) -> None:
    (without,) = curve(tmp_path, norms=("layer",)).tables["against-learning_rate"].table.rows
    assert without[8:11] == ("0.8625", "-", "-")


def test_a_norm_of_few_values_beside_curves_has_a_sentence_of_its_own(tmp_path: Path) -> None:
    for rate in RATES[:3]:
        arm = f"cell=lstm norm=rms optim.learning_rate={rate}"
        changes = {"study": "curve_imdb", "arm": arm, "optim.learning_rate": rate}
        fabricate_run(tmp_path, norm="rms", changes=changes, accuracy=0.7)
    told = [each for each in curve(tmp_path).sentences if each.startswith("lstm rms")]
    assert len(told) == 1 and "by learning rate: at 0.0001 +20.00 points" in told[0]


def test_without_a_seed_that_all_values_have_there_is_no_mean_over_all(tmp_path: Path) -> None:
    for place, rate in enumerate(RATES):
        arm = f"cell=lstm norm=layer optim.learning_rate={rate}"
        changes = {"study": "curve_imdb", "arm": arm, "optim.learning_rate": rate}
        fabricate_run(tmp_path, norm="layer", seed=place, changes=changes, accuracy=0.7)
    (part,) = collect([tmp_path]).comparisons
    (row,) = make_section(*part).tables["against-learning_rate"].table.rows
    assert row[8:11] == ("-", "-", "-")


def test_the_picture_comes_first_and_shows_curve_plateau_width_and_divergence(
    tmp_path: Path,
) -> None:
    section = curve(tmp_path, ("lstm", "gru"))
    picture = section.pictures[0]
    assert picture.key == "against-learning_rate"
    assert [look.name for look in picture.arms] == ["none", "layer"]
    assert [chart.title for chart in picture.charts] == [
        "test accuracy, gru",
        "test accuracy, lstm",
        "optim.learning_rate, within 2% of its best",
        "decades within 2% of its best",
        "accuracy over all values, Δ from no norm",
        "share of runs that diverged, gru",
        "share of runs that diverged, lstm",
    ]
    curves, plateaus, shares = picture.charts[0], picture.charts[2], picture.charts[5]
    assert isinstance(curves, LineChart) and isinstance(shares, LineChart)
    np.testing.assert_array_equal(curves.lines[0].band.x, RATES)
    np.testing.assert_allclose(shares.lines[0].band.mean, [0, 0, 0, 0, 1 / 3])
    assert isinstance(plateaus, DotChart) and plateaus.log
    assert [row.label for row in plateaus.rows] == [
        f"{cell} {norm}" for cell in ("gru", "lstm") for norm in MEANS
    ]
    differences = picture.charts[4]
    assert isinstance(differences, DotChart)
    assert [row.label for row in differences.rows] == ["gru layer", "lstm layer"]
    assert "<title>gru layer: 0.001 (0.00087 to 1)</title>" in chart_svg(plateaus)
    assert all(
        path.stat().st_size > 10_000
        for path in write_picture(
            picture, picture_heading(picture, section.comparison), tmp_path / "p"
        )
    )


def test_of_an_error_the_lowest_is_the_best(tmp_path: Path) -> None:
    section = curve(tmp_path, task=ERRORS, seeds=1)
    none, _ = section.tables["against-learning_rate"].table.rows
    assert none[1:4] == ("0.01", "0.100", "-")
    assert none[7] == "-"  # one seed has no interval


def test_four_values_are_no_curve(tmp_path: Path) -> None:
    for size in (2, 8, 32, 128):
        fabricate_run(tmp_path, changes={"data.batch_size": size, "arm": f"data.batch_size={size}"})
    (part,) = collect([tmp_path]).comparisons
    section = make_section(*part)
    assert "against-batch_size" in [picture.key for picture in section.pictures]
    assert "against-batch_size" not in section.tables


def test_a_setting_that_may_be_zero_has_no_decades(tmp_path: Path) -> None:
    for share in (0.0, 0.1, 0.2, 0.3, 0.4):
        changes = {"model.dropout": share, "arm": f"model.dropout={share}"}
        fabricate_run(tmp_path, changes=changes)
    (part,) = collect([tmp_path]).comparisons
    assert "against-dropout" not in make_section(*part).tables
