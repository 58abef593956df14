"""A whole comparison with trials: arms by name, tables, charts, and the report without folders."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from seqnorm.lab.report.arms.arms import Comparison
from seqnorm.lab.report.arms.grouping import compare
from seqnorm.lab.report.classes.statistics import mcnemar, pooled
from seqnorm.lab.report.findings.evidence import Evidence, gather
from seqnorm.lab.report.findings.findings import FINDINGS
from seqnorm.lab.report.page.charts import Picture
from seqnorm.lab.report.page.comparison_tables import (
    cost_table,
    pairs_table,
    robust_table,
    tuning_table,
)
from seqnorm.lab.report.page.looks import arm_looks
from seqnorm.lab.report.page.pictures import make_pictures, picture_heading
from seqnorm.lab.report.page.report import write_report
from seqnorm.lab.report.page.sentences import sentences
from seqnorm.lab.runs.find import read_runs
from tests.lab.report.fabricate import CLASSES, fabricate_comparison, fabricate_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("runs")
    fabricate_comparison(runs, cells=("lstm", "gru"), diverged=("batch", 2))
    return runs


@pytest.fixture(scope="module")
def found(folder: Path) -> tuple[Comparison, Evidence]:
    (comparison,), repeated = compare(read_runs([folder])[0])
    assert repeated == []
    return comparison, gather(comparison)


def test_arms_by_name_hold_their_trials(found: tuple[Comparison, Evidence]) -> None:
    comparison, _ = found
    labels = [arm.label for arm in comparison.arms]
    assert labels == [
        f"{cell} {norm}" for cell in ("gru", "lstm") for norm in ("none", "batch", "layer")
    ]
    for arm in comparison.arms:
        assert (len(arm.runs), len(arm.trials)) == (3, 4)
        assert all(trial.result.trial for trial in arm.trials)
        baseline = comparison.baseline_of(arm)
        assert (baseline is None) == (arm.norm == "none")
    assert len(comparison.everything) == 6 * 7


def test_settings_in_the_name_of_an_arm_are_in_its_label(tmp_path: Path) -> None:
    for norm in ("none", "batch"):
        for size in (2, 8, 32):
            arm = f"cell=lstm norm={norm} data.batch_size={size}"
            changes = {
                "arm": arm,
                "data.batch_size": size,
                "optim.learning_rate": size / 1e4,
            }
            fabricate_run(tmp_path, norm=norm, changes=changes)
    (comparison,), _ = compare(read_runs([tmp_path])[0])
    by_label = {arm.label: arm for arm in comparison.arms}
    assert list(by_label)[:3] == [f"lstm none, batch_size={size}" for size in (2, 8, 32)]
    baseline = comparison.baseline_of(by_label["lstm batch, batch_size=8"])
    assert baseline is by_label["lstm none, batch_size=8"]
    pictures = {
        picture.key: picture for picture in make_pictures(arm_looks(comparison, gather(comparison)))
    }
    (chart,) = pictures["against-batch_size"].charts
    assert [line.label for line in chart.lines] == ["lstm none", "lstm batch"]
    np.testing.assert_array_equal(chart.lines[0].band.x, [2, 8, 32])
    curves = pictures["curves"]
    assert [look.name for look in curves.arms] == [
        "lstm none",
        "lstm batch",
    ]  # one look per norm, one panel per size
    assert [c.title for c in curves.charts if c.title.startswith("validation acc")][::2] == [
        f"validation accuracy against steps, batch_size={size}" for size in (2, 8, 32)
    ]
    _, batch = sentences(arm_looks(comparison, gather(comparison)))
    assert re.fullmatch(
        r"lstm batch against lstm none, by batch size: at 2 .*; at 8 .*; at 32 .*\.", batch
    )


def test_runs_of_one_name_with_other_settings_are_not_mixed(tmp_path: Path) -> None:
    for epochs in (3, 5):
        fabricate_run(tmp_path, changes={"arm": "norm=layer", "train.epochs": epochs})
    fabricate_run(tmp_path, changes={"train.epochs": 9})
    (comparison,), repeated = compare(read_runs([tmp_path])[0])
    assert repeated == []
    assert [arm.label for arm in comparison.arms] == [
        "lstm layer",
        "lstm layer, epochs=3",
        "lstm layer, epochs=5",
    ]


def test_trials_alone_are_no_comparison(tmp_path: Path) -> None:
    trial = fabricate_run(tmp_path, trial=True)
    found, ignored = compare(read_runs([tmp_path])[0])
    assert found == [] and [item.folder for item in ignored] == [trial]
    with pytest.raises(ValueError, match=r"evaluated on the test set\); received .*none finished"):
        write_report([tmp_path])


def test_a_trial_of_an_arm_that_is_not_tested_is_named(tmp_path: Path) -> None:
    fabricate_run(tmp_path, seed=1)
    trial = fabricate_run(tmp_path, seed=2, trial=True)
    (comparison,), (ignored,) = compare(read_runs([tmp_path])[0])
    assert len(comparison.everything) == 1
    assert ignored.folder == trial and "needs a run on the test set" in ignored.reason


def test_a_diverged_trial_counts_as_the_majority_class(tmp_path: Path) -> None:
    fabricate_run(tmp_path, trial=True, diverged=True, accuracy=0.9)
    (record,), _ = read_runs([tmp_path])
    assert record.result.validation == record.result.validation_score == 0.5


def test_tables_hold_the_numbers_of_the_runs(found: tuple[Comparison, Evidence]) -> None:
    comparison, evidence = found
    table = robust_table(comparison)
    row = dict(zip(table.headings, table.rows[3], strict=True))  # of the columns "95 %" the last
    values = list(comparison.arms[3].values("accuracy").values())
    assert (row["arm"], row["runs"], row["accuracy"]) == (
        "lstm none",
        "3",
        f"{np.mean(values):.4f}",
    )
    assert [row[0] for row in table.rows[-2:]] == ["majority class", "bag of words"]
    assert table.rows[1][-1] == "1"  # the run that diverged
    pairs = pairs_table(comparison, evidence)
    assert pairs is not None
    assert [row[:3] for row in pairs.rows][-1] == ("lstm layer", "lstm none", "3")
    cost = cost_table(comparison, evidence, target=0.75)
    assert cost.headings[6] == "reach 0.75" and cost.rows[-1][6] == "3 of 3"
    assert cost.rows[-1][1:3] == ("12,345", "12,000")
    assert cost.rows[-1][-2] == "4"
    tuning = tuning_table(comparison)
    assert tuning is not None and "optim.learning_rate" in tuning.headings
    best = max(trial.result.validation_score for trial in comparison.arms[-1].trials)
    row = dict(zip(tuning.headings, tuning.rows[-1], strict=True))
    assert row["best"] == f"{best:.4f}" > row["second"] > row["median trial"]
    tested = np.mean([run.result.validation_score for run in comparison.arms[-1].runs])
    assert row["its runs"] == f"{tested:.4f}"


def test_finalists_decide_by_the_mean_of_their_runs(tmp_path: Path) -> None:
    arm = {"arm": "norm=layer"}
    scores = {1e-3: (0.80, 0.70), 2e-3: (0.79, 0.80), 3e-3: (0.795,)}
    for rate, values in scores.items():
        for seed, value in enumerate(values, start=1000):
            fabricate_run(tmp_path, trial=True, seed=seed, accuracy=value, suffix=f"{rate}",
                          changes={**arm, "optim.learning_rate": rate})  # fmt: skip
        fabricate_run(tmp_path, seed=0, suffix=f"{rate}",
                      changes={**arm, "optim.learning_rate": rate})  # fmt: skip
    (comparison,), ignored = compare(read_runs([tmp_path])[0])
    (layer,) = comparison.arms
    assert [run.config["optim.learning_rate"] for run in layer.runs] == [2e-3]
    assert len(ignored) == 2  # the luckiest first run, and the setting that ran once
    table = tuning_table(comparison)
    assert table is not None
    assert dict(zip(table.headings, table.rows[0], strict=True)) == {
        "arm": "lstm layer", "trials": "3", "optim.learning_rate": "0.002",
        "median trial": "0.7950", "best": "0.8000", "second": "0.7950",
        "best finalist": "0.7950 (2 runs)", "its runs": "0.8500",
    }  # fmt: skip


def test_mcnemar_pools_the_runs_of_an_arm(found: tuple[Comparison, Evidence]) -> None:
    comparison, evidence = found
    layer = next(arm for arm in comparison.arms if arm.label == "lstm layer")
    baseline = comparison.baseline_of(layer)
    assert baseline is not None
    right = []
    for arm in (layer, baseline):
        read = [run.predictions() for run in arm.runs]
        answers = pooled([r["predicted"] for r in read], [r["probability"] for r in read], 5)
        right.append(answers == read[0]["labels"])
        np.testing.assert_array_equal(evidence.arms[arm.label].answers["right"], right[-1])
    pairs, test = pairs_table(comparison, evidence), mcnemar(*right)
    assert pairs is not None
    assert pairs.rows[-1][-2:] == (f"{test.only_first} : {test.only_second}", f"{test.p_value:.4f}")


def test_charts_of_a_comparison(found: tuple[Comparison, Evidence]) -> None:
    pictures = {picture.key: picture for picture in make_pictures(arm_looks(*found))}
    assert list(pictures) == [
        "accuracy",
        "differences",
        "curves",
        "trials",
        "lengths",
        "classes",
        "statistics-layer1",
    ]
    # One look per norm in both cells.
    assert [look.name for look in pictures["curves"].arms] == ["none", "batch", "layer"]
    titles = [chart.title for chart in pictures["curves"].charts]
    assert titles[0] == "validation accuracy against steps, gru" and len(set(titles)) == 8
    classes = pictures["classes"].charts[0].rows
    assert len(classes) == 5 and re.fullmatch(r"topic 0 \(\d+\)", classes[0].label)
    expected = pictures["trials"].charts[0].lines[0].band
    np.testing.assert_array_equal(expected.x, [1, 2, 3, 4])


def test_no_two_charts_of_a_picture_have_the_same_title(found: tuple[Comparison, Evidence]) -> None:
    for picture in make_pictures(arm_looks(*found)):
        titles = [chart.title for chart in picture.charts]
        assert len(set(titles)) == len(titles), picture.key


def test_rows_that_are_the_same_for_all_arms_are_one_line(
    found: tuple[Comparison, Evidence],
) -> None:
    pictures = {picture.key: picture for picture in make_pictures(arm_looks(*found))}
    rows = [c for c in pictures["statistics-layer1"].charts if c.title.startswith("valid rows")]
    assert [[line.label for line in chart.lines] for chart in rows] == [["all arms"]]


@pytest.mark.parametrize(
    ("question", "key", "heading"),
    [
        ("batch size", "curves", "reuters, batch size: learning curves and cost"),
        ("batch size", "against", "reuters: accuracy against batch size"),
        ("", "curves", "reuters: learning curves and cost"),
    ],
)
def test_a_picture_says_its_question_once(question: str, key: str, heading: str) -> None:
    title = {"curves": "Learning curves and cost", "against": "Accuracy against batch size"}[key]
    comparison = Comparison("reuters", CLASSES, (), {}, question)
    assert picture_heading(Picture(key, title, "", []), comparison) == heading


def test_single_runs_need_no_paragraph_on_intervals(tmp_path: Path) -> None:
    for norm in ("none", "layer"):
        fabricate_run(tmp_path, norm=norm, seed=1)
    alone = write_report([tmp_path], tmp_path / "a", pages=False).text
    assert "bootstrap" not in alone and "single runs" in alone
    fabricate_run(tmp_path, norm="layer", seed=2)
    assert "bootstrap" in write_report([tmp_path], tmp_path / "b", pages=False).text


def test_sentences_say_what_favours_no_norm_too(tmp_path: Path) -> None:
    for seed in range(3):
        fabricate_run(tmp_path, norm="none", seed=seed, accuracy=0.85)
        fabricate_run(tmp_path, norm="layer", seed=seed, accuracy=0.84 + 0.001 * seed)
    (comparison,), _ = compare(read_runs([tmp_path])[0])
    best, layer = sentences(arm_looks(comparison, gather(comparison)))
    assert best.startswith("Highest mean test accuracy: lstm none with 0.8500")
    assert layer.startswith("lstm layer against lstm none: -0.90 points (-1.00 to -0.80)")
    assert "each of its 3 runs is below all 3 of the other" in layer


def test_a_probability_has_its_interval(tmp_path: Path) -> None:
    for seed, (none, layer) in enumerate([(0.84, 0.85), (0.86, 0.83), (0.87, 0.83), (0.88, 0.81)]):
        fabricate_run(tmp_path, norm="none", seed=seed, accuracy=none)
        fabricate_run(tmp_path, norm="layer", seed=seed, accuracy=layer)
    (comparison,), _ = compare(read_runs([tmp_path])[0])
    *_, layer = sentences(arm_looks(comparison, gather(comparison)))
    # Of sixteen pairs one is better.
    assert "; of two runs, one of each, its own is the better in 6% (0% to " in layer


@pytest.mark.parametrize(
    ("none", "layer"), [([0.85], [0.84]), ([0.84, 0.86], [0.86, 0.84])], ids=["one", "even"]
)
def test_pairs_of_runs_that_say_nothing_are_left_out(
    tmp_path: Path, none: list[float], layer: list[float]
) -> None:
    for norm, scores in (("none", none), ("layer", layer)):
        for seed, score in enumerate(scores):
            fabricate_run(tmp_path, norm=norm, seed=seed, accuracy=score)
    (comparison,), _ = compare(read_runs([tmp_path])[0])
    *_, sentence = sentences(arm_looks(comparison, gather(comparison)))
    assert sentence.startswith("lstm layer against lstm none: ")
    assert "pair" not in sentence and "of two runs" not in sentence


@pytest.mark.parametrize(
    ("floor", "side"), [(0.80, "above"), (0.8455, "not told apart from"), (0.86, "below")]
)
def test_a_floor_inside_the_interval_is_not_told_apart(
    tmp_path: Path, floor: float, side: str
) -> None:
    for seed in range(3):
        fabricate_run(tmp_path, norm="none", seed=seed, accuracy=0.84 + 0.005 * seed)
    words = {"model.name": "bag_of_words"}
    fabricate_run(tmp_path, cell="bag_of_words", norm="none", accuracy=floor, changes=words)
    (comparison,), _ = compare(read_runs([tmp_path])[0])
    first, *_ = sentences(arm_looks(comparison, gather(comparison)))
    assert f"(0.8400 to 0.8500), {side} the bag of words with {floor:.4f}." in first


@pytest.mark.parametrize(
    ("score", "side"),
    [
        (0.6, "above the majority class with 0.5000."),
        (0.5, "not told apart from the majority class with 0.5000: no arm beats what needs no"),
        (0.4, "below the majority class with 0.5000: no arm beats what needs no model."),
    ],
)
def test_without_a_floor_the_best_arm_is_held_against_the_baseline(
    tmp_path: Path, score: float, side: str
) -> None:
    fabricate_run(tmp_path, norm="none", accuracy=score, probes=False)
    (comparison,), _ = compare(read_runs([tmp_path])[0])
    first, *_ = sentences(arm_looks(comparison, gather(comparison)))
    assert first.startswith(f"Highest mean test accuracy: lstm none with {score:.4f}, {side}")


def test_the_report_is_made_again_from_its_findings(folder: Path, tmp_path: Path) -> None:
    first = write_report([folder], tmp_path / "a", pictures=False).path.parent
    kept = tmp_path / "results"
    kept.mkdir()
    (kept / FINDINGS).write_bytes((first / FINDINGS).read_bytes())
    second = write_report([kept], tmp_path / "b", pictures=False).path.parent
    names = sorted(path.name for path in first.iterdir())
    assert names == ["findings.json", "report.html", "runs.csv"]
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    with (second / "runs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 42 and {row["commit"] for row in rows} == {"0123abc"}
    assert sum(row["test_accuracy"] == "" for row in rows) == 24


def test_findings_of_another_version_are_refused(tmp_path: Path) -> None:
    (tmp_path / FINDINGS).write_text(json.dumps({"format": 99}))
    with pytest.raises(ValueError, match=r"this version.*received format=99\. Make the report"):
        write_report([tmp_path])
