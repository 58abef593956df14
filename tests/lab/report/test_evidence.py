"""From files of runs to cells of tables and bands of charts, counted by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from seqnorm.lab.report.findings.evidence import gather
from seqnorm.lab.report.page.charts import Line, LineChart, Picture
from seqnorm.lab.report.page.comparison_tables import cost_table, pairs_table
from seqnorm.lab.report.page.looks import arm_looks
from seqnorm.lab.report.page.paper import draw_picture
from seqnorm.lab.report.page.section import make_section, remake_commands
from seqnorm.lab.report.page.sentences import sentences
from seqnorm.lab.report.page.styles import Look
from seqnorm.lab.report.page.svg import chart_svg
from seqnorm.lab.report.statistics.curves import Band, common_band, timed_band
from seqnorm.lab.report.statistics.estimates import common_target
from tests.lab.report.fabricate import change_result, fabricate_run, fabricate_trial, named, only

# Validation accuracy after each epoch of 100 steps, and how long an epoch took in seconds.
CURVES = {
    ("none", 0): ((0.70, 0.80, 0.90), 5.0),
    ("none", 1): ((0.60, 0.88, 0.89), 7.0),
    ("layer", 0): ((0.90, 0.91, 0.92), 10.0),
    ("layer", 1): ((0.50, 0.60, 0.70), 10.0),
}
# Answers to four test texts of 2, 2, 9 and 9 tokens and of classes 0, 1, 0 and 1.
LABELS, LENGTHS = [0, 1, 0, 1], [2, 2, 9, 9]
ANSWERS = {
    ("none", 0): [0, 1, 1, 0],
    ("none", 1): [0, 1, 0, 0],
    ("layer", 0): [0, 0, 0, 0],
    ("layer", 1): [0, 1, 0, 1],
}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for (norm, seed), (curve, pace) in CURVES.items():
        right = np.mean(np.equal(LABELS, ANSWERS[norm, seed]))
        folder = fabricate_run(
            tmp_path, norm=norm, seed=seed, accuracy=float(right), changes=named(norm), epochs=3
        )
        records = [
            {"event": "epoch", "step": 100 * epoch, "epoch": epoch, "seconds": pace * epoch,
             "loss": 1.0, "accuracy": value, "val_loss": 1 - value, "val_accuracy": value}
            for epoch, value in enumerate(curve, start=1)
        ]  # fmt: skip
        (folder / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
        macro_f1 = 0.1 * seed + (norm == "layer") / 2
        change_result(folder, validation__accuracy=max(curve), test__macro_f1=macro_f1)
        np.savez(
            folder / "predictions.npz",
            labels=LABELS, predicted=ANSWERS[norm, seed], lengths=LENGTHS,
            probability=np.full(4, 0.75, np.float32), label_names=np.array(["no", "yes"]),
        )  # fmt: skip
    return tmp_path


def by_label(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, dict[str, str]]:
    return {row[0]: dict(zip(headings, row, strict=True)) for row in rows}


def test_time_to_a_target(runs: Path) -> None:
    comparison = only(runs)
    # Median of the best: .895 of none (of layer .81), of which 97 % is .868.
    assert common_target(comparison) == pytest.approx(0.86)
    table = cost_table(comparison, gather(comparison))
    rows = by_label(table.headings, table.rows)
    none, layer = rows["lstm none"], rows["lstm layer"]
    # None gets there after 300 and 200 steps, 15 and 14 seconds; layer once, which is half.
    assert (none["reach 0.86"], none["steps to it"], none["seconds to it"]) == (
        "2 of 2",
        "250",
        "14.5",
    )
    assert (layer["reach 0.86"], layer["steps to it"]) == ("1 of 2", "never")


def test_the_sentence_says_never_and_leaves_out_less_than_an_epoch(runs: Path) -> None:
    def said() -> str:
        comparison = only(runs)
        return " ".join(sentences(arm_looks(comparison, gather(comparison))))

    assert (
        "it reaches 0.86 on validation data in 1 of its 2 runs, lstm none after 250 steps"
    ) in said()
    path = next(runs.glob("*-layer-s1-*/metrics.jsonl"))
    path.write_text(path.read_text().replace('"val_accuracy": 0.7', '"val_accuracy": 0.9'))
    # After 100 and 300 steps: the medians are 200 and 250.
    assert "on validation data" not in said()


def test_a_run_that_diverged_later_never_gets_there(runs: Path) -> None:
    path = next(runs.glob("*-layer-s0-*/result.json"))
    path.write_text(path.read_text().replace('"completed"', '"diverged"'))
    comparison = only(runs)
    table = cost_table(comparison, gather(comparison), target=0.5)
    assert by_label(table.headings, table.rows)["lstm layer"]["reach 0.50"] == "1 of 2"


def test_differences_by_seed(runs: Path) -> None:
    comparison = only(runs)
    table = pairs_table(comparison, gather(comparison))
    assert table is not None
    row = by_label(table.headings, table.rows)["lstm layer"]
    # Accuracy .50 - .50 and 1.00 - .75, macro-F1 .5 with each seed.
    assert (row["accuracy Δ"], row["macro-F1 Δ"]) == ("+0.1250", "+0.5000")
    # Together none says 0, 1 and, of two answers alike sure, class 0 to the last two.
    assert row["only right"] == "0 : 1"


def test_hours_of_trials(runs: Path) -> None:
    for rate in (0.001, 0.002):
        fabricate_trial(runs, "none", 1000, rate, 0.8, tracking__group="compare_imdb")
    seconds = 2 * 30.0
    table = cost_table(only(runs), gather(only(runs)))
    rows = by_label(table.headings, table.rows)
    assert rows["lstm none"]["settings tried"] == "2"
    assert rows["lstm none"]["hours of trials"] == f"{seconds / 3600:.2f}"
    assert rows["lstm layer"]["hours of trials"] == "-"


def pictures_of(runs: Path) -> dict[str, Picture]:
    comparison = only(runs)
    return {
        picture.key: picture for picture in make_section(comparison, gather(comparison)).pictures
    }


def lines_of(picture: Picture, title: str, x_label: str) -> dict[str, tuple[list[float], ...]]:
    (chart,) = (
        chart for chart in picture.charts
        if isinstance(chart, LineChart) and (chart.title, chart.x_label) == (title, x_label)
    )  # fmt: skip
    return {
        line.label: tuple(
            np.round(part, 12).tolist() for part in (line.band.x, line.band.mean, line.band.low)
        )
        for line in chart.lines
    }


def test_curves_against_steps_and_seconds(runs: Path) -> None:
    picture = pictures_of(runs)["curves"]
    steps = lines_of(picture, "validation accuracy against steps", "optimiser steps")
    assert steps["lstm none"] == ([100, 200, 300], [0.65, 0.84, 0.895], [0.6, 0.8, 0.89])
    losses = lines_of(picture, "validation loss (nats) against steps", "optimiser steps")
    assert losses["lstm layer"][1] == [0.3, 0.245, 0.19]
    seconds = lines_of(picture, "validation accuracy against seconds", "seconds of training")
    # The same points; epochs of 5 and of 7 seconds end at 6, 12 and 18 in the median.
    assert seconds["lstm none"] == ([6, 12, 18], *steps["lstm none"][1:])


def test_timed_band_by_hand() -> None:
    band = Band(*(np.array([1.0, 2.0, 3.0]) for _ in range(4)))
    clocks = [
        np.array([[1.0, 5.0], [2.0, 7.0], [3.0, np.nan], [4.0, 9.0]]),
        np.array([[1.0, 9.0], [2.0, 30.0], [3.0, np.nan]]),
        np.array([[1.0, 6.0], [2.0, np.nan], [3.0, np.nan]]),
    ]
    found = timed_band(band, clocks)
    np.testing.assert_array_equal(found.x, [6.0, 18.5])
    np.testing.assert_array_equal(found.mean, [1.0, 2.0])
    assert timed_band(common_band([]), []).x.size == 0


def test_seeds_of_one_epoch_have_no_empty_curves(tmp_path: Path) -> None:
    for seed in range(3):
        fabricate_run(tmp_path, norm="none", seed=seed, epochs=1)
    assert "curves" not in pictures_of(tmp_path)
    fabricate_run(tmp_path, norm="layer", epochs=3)
    for chart in pictures_of(tmp_path)["curves"].charts:
        assert isinstance(chart, LineChart)
        assert {line.label: line.band.x.size for line in chart.lines} == {
            "lstm none": 1,
            "lstm layer": 3,
        }


def test_one_epoch_of_several_seeds_shows_their_range(tmp_path: Path) -> None:
    band = Band(*(np.array([value]) for value in (100.0, 0.5, 0.4, 0.6)))
    chart = LineChart("accuracy", "steps", [Line(Look("layer", "layer"), band)])
    assert 'class="interval"' in chart_svg(chart)
    (axes,) = draw_picture(Picture("key", "title", "caption", [chart]), "heading").axes
    (stroke,) = axes.collections[-1].get_segments()
    np.testing.assert_array_equal(stroke[:, 1], [0.4, 0.6])


def test_scores_by_length_and_class(runs: Path) -> None:
    comparison = only(runs)
    found = gather(comparison)
    np.testing.assert_array_equal(found.common["edges"], [2, 9, 10])
    none, layer = found.arms["lstm none"], found.arms["lstm layer"]
    np.testing.assert_array_equal(none.answers["by_length"], [[1.0, 0.0], [1.0, 0.5]])
    np.testing.assert_array_equal(layer.answers["by_length"], [[0.5, 0.5], [1.0, 1.0]])
    # All answers 0: F1 of class 0 is 2 * 2 / (2 + 4), of class 1 zero.
    np.testing.assert_allclose(layer.answers["by_class"], [[2 / 3, 0.0], [1.0, 1.0]])
    assert found.common["support"].tolist() == [2, 2]
    assert found.common["classes"].tolist() == ["no", "yes"]
    lines = lines_of(
        pictures_of(runs)["lengths"],
        "test accuracy",
        "steps of the row (tokens of a text), as the network reads it",
    )
    assert lines["lstm none"] == ([5.0, 9.0], [1.0, 0.25], [1.0, 0.0])
    assert lines["lstm layer"][1] == [0.75, 0.75]
    table = make_section(comparison, found).values["lengths"].table
    assert table.headings == ("by length", "", "2–8", "9")
    assert [row for row in table.rows if row[0] != "bag of words"] == [
        ("lstm none", "accuracy", "1.0000 (1.0000–1.0000)", "0.2500 (0.0000–0.5000)"),
        ("lstm layer", "accuracy", "0.7500 (0.5000–1.0000)", "0.7500 (0.5000–1.0000)"),
        (
            "lstm layer",
            "Δ none",
            "-0.2500 (-0.5000 to +0.0000)",
            "+0.5000 (+0.5000 to +0.5000)",
        ),
    ]


def test_a_run_without_answers_leaves_its_arm_out_of_the_table_of_lengths(runs: Path) -> None:
    (folder,) = runs.glob("*-layer-s1*")
    (folder / "predictions.npz").unlink()
    comparison = only(runs)
    table = make_section(comparison, gather(comparison)).values["lengths"].table
    assert [row[:2] for row in table.rows] == [("lstm none", "accuracy")]


def test_commands_of_every_run_and_trial(runs: Path) -> None:
    """An arm that grew, and a trial of an earlier day, were made by commands of their own."""
    fabricate_trial(runs, "none", 1000, 0.001, 0.8, tracking__group="compare_imdb")
    for folder, seeds in (("*-none-s0-*", 1), ("*-none-s1-*", 2), ("*-s1000-*", 3)):
        (path,) = runs.glob(f"{folder}/environment.json")
        environment = json.loads(path.read_text())
        environment["command"] = f"seqnorm-compare compare.seeds={seeds}"
        path.write_text(json.dumps(environment))
    lines = remake_commands(only(runs))
    assert [f"seqnorm-compare compare.seeds={seeds}" for seeds in (1, 2, 3)] == [
        line for line in lines if line.startswith("seqnorm-compare")
    ]
    assert lines[-1].startswith("seqnorm-report ")
