"""Tasks that are no classification: an error, the lowest of which is the best, and no classes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seqnorm.lab.report.arms.grouping import compare
from seqnorm.lab.report.arms.trials import best_settings, leaders, merit_of
from seqnorm.lab.report.findings.collect import collect
from seqnorm.lab.report.findings.evidence import gather
from seqnorm.lab.report.page.comparison_tables import (
    cost_table,
    pairs_table,
    robust_table,
    tuning_table,
)
from seqnorm.lab.report.page.looks import MAX_LOOKS, arm_looks
from seqnorm.lab.report.page.report import write_report
from seqnorm.lab.report.page.section import Section, make_section
from seqnorm.lab.report.statistics.estimates import common_target
from seqnorm.lab.report.statistics.targets import target_near
from seqnorm.lab.runs.find import read_runs
from seqnorm.lab.tasks import Score
from tests.lab.report.fabricate import (
    ERRORS,
    fabricate_run,
    fabricate_trial,
    named,
    only,
)
from tests.lab.report.page_text import page_text

MEANS = {"none": 1.50, "layer": 1.20, "batch": 1.80}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Three arms of three seeds; layer has the lowest error, batch the highest."""
    folder = tmp_path / "runs"
    for norm, mean in MEANS.items():
        for seed in range(3):
            made = fabricate_run(
                folder, norm=norm, seed=seed, accuracy=mean + 0.01 * seed, macro_f1=0.5,
                changes=named(norm, optim__learning_rate=0.002), task=ERRORS,
            )  # fmt: skip
            lengths = np.repeat([3, 9], 10)
            np.savez(made / "predictions.npz", lengths=lengths, score=mean * lengths / 6)
    return folder


def section_of(runs: Path) -> Section:
    comparison = only(runs)
    return make_section(comparison, gather(comparison))


def test_the_best_arm_has_the_lowest_error(runs: Path) -> None:
    best, batch, layer, *_ = section_of(runs).sentences
    assert best == (
        "Lowest mean test mean error: lstm layer with 1.210 (1.200 to 1.220), above the median "
        "depth with 0.500: no arm beats what needs no model."
    )
    assert batch.startswith("lstm batch against lstm none: +0.300 levels (")
    assert "each of its 3 runs is above all 3 of the other" in batch
    assert layer.startswith("lstm layer against lstm none: -0.300 levels (")
    assert "each of its 3 runs is below all 3 of the other" in layer


def test_tables_say_what_was_measured(runs: Path) -> None:
    comparison = only(runs)
    table = robust_table(comparison)
    assert table.headings[:6] == ("arm", "mean error", "95 %", "IQM", "95 %", "bias")
    assert [row[:2] for row in table.rows] == [
        ("lstm none", "1.510"), ("lstm batch", "1.810"), ("lstm layer", "1.210"),
        ("median depth", "0.500"),
    ]  # fmt: skip
    pairs = pairs_table(comparison, gather(comparison))
    assert pairs is not None and "only right" not in pairs.headings
    better = {row[0]: row[pairs.headings.index("P(better)")] for row in pairs.rows}
    assert better == {"lstm batch": "0.00", "lstm layer": "1.00"}


def test_the_target_lies_above_the_lowest_error(runs: Path) -> None:
    comparison = only(runs)
    assert common_target(comparison) == pytest.approx(1.25)  # 103 % of 1.21, rounded up
    table = cost_table(comparison, gather(comparison), target=1.4)
    reached = {row[0]: row[table.headings.index("reach 1.40")] for row in table.rows}
    # Errors that grow from the first epoch on are below 1.4 at once where they begin so.
    assert reached["lstm layer"] == "3 of 3"


@pytest.mark.parametrize(
    ("best", "score", "target"),
    [
        (0.9012, Score("a", "a"), 0.87),
        (1.21, Score("a", "a", higher_is_better=False), 1.25),
        (-2.0, Score("a", "a"), -2.06),
        (0.01234, Score("a", "a", digits=6, higher_is_better=False), 0.0128),
    ],
)
def test_a_target_is_within_three_per_cent_of_the_best(
    best: float, score: Score, target: float
) -> None:
    assert target_near(best, score) == pytest.approx(target, abs=1e-12)


def test_trials_choose_the_lowest_error(runs: Path) -> None:
    for rate, error in ((0.001, 1.9), (0.002, 1.3), (0.004, 1.6)):
        fabricate_trial(runs, "layer", 1000, rate, error, task=ERRORS)
    comparison = only(runs)
    (layer,) = (arm for arm in comparison.arms if arm.norm == "layer")
    ((chosen,),) = (best_settings(layer.trials),)
    assert dict(chosen)["optim.learning_rate"] == "0.002"
    table = tuning_table(comparison)
    assert table is not None
    row = dict(zip(table.headings, table.rows[0], strict=True))
    assert (row["median trial"], row["best"], row["second"]) == ("1.600", "1.300", "1.600")
    scores = {run.name: [merit_of(run)] for run in layer.trials}
    (name,) = leaders(scores)
    assert next(r for r in layer.trials if r.name == name).result.validation == 1.3
    (picture,) = (picture for picture in section_of(runs).pictures if picture.key == "trials")
    (line,) = (line for line in picture.charts[0].lines if line.label == "lstm layer")  # type: ignore
    # The expected lowest of 1, 2 and 3 trials falls.
    np.testing.assert_allclose(line.band.mean, [1.6, (1.3 + 1.3 + 1.6) / 3, 1.3])


def test_of_too_many_arms_those_with_the_lowest_error_are_drawn(tmp_path: Path) -> None:
    for index in range(MAX_LOOKS + 2):
        changes = {"cell.placement": f"place{index}"}
        fabricate_run(tmp_path, accuracy=1 + 0.1 * index, changes=changes, task=ERRORS)
    comparison = only(tmp_path)
    looks = arm_looks(comparison, gather(comparison))
    assert len(looks.arms) == MAX_LOOKS
    assert "the 10 with the lowest mean error are drawn" in looks.restriction
    assert max(arm.values("error")[1] for arm in looks.arms) < 2


def test_the_page_speaks_of_the_task_and_of_nothing_else(runs: Path, tmp_path: Path) -> None:
    report = write_report([runs], tmp_path / "out", pictures=False)
    page = page_text(report.path)
    assert page.count("\n## imdb, depth\n") == 1 and "\n| median depth | 0.500 | " in page
    assert "Median depth: mean error 0.500." in report.text
    assert "### Test scores" in page and "### Mean error by length" in page
    for word in ("accuracy", "macro-F1", "majority", "Bag of words", "McNemar"):
        assert word not in page and word not in report.text, word
    kept = write_report([tmp_path / "out"], tmp_path / "again", pictures=False)
    for name in ("report.html", "runs.csv", "findings.json"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()
    assert kept.text == report.text
    header = (tmp_path / "out" / "runs.csv").read_text().partition("\n")[0].split(",")
    assert {"test_error", "test_bias", "val_error", "median_error"} <= set(header)


def test_curves_have_the_score_and_its_bounds(runs: Path) -> None:
    (picture,) = (picture for picture in section_of(runs).pictures if picture.key == "curves")
    chart = picture.charts[0]
    assert chart.title == "validation mean error against steps"
    assert chart.bounds == (0.0, float("inf")) and "median depth (test)" in chart.references


def test_two_tasks_on_one_data_set_are_two_comparisons(runs: Path) -> None:
    fabricate_run(runs, norm="none", changes=named("none"))
    found, ignored = compare(read_runs([runs])[0])
    assert [(each.title, each.slug) for each in found] == [
        ("imdb", "imdb"), ("imdb, depth", "imdb-depth"),
    ]  # fmt: skip
    assert not ignored
    assert {part[0].title for part in collect([runs]).comparisons} == {"imdb", "imdb, depth"}


def test_a_task_that_has_changed_its_scores_is_no_longer_the_same(runs: Path) -> None:
    other = replace(ERRORS, scores=(replace(ERRORS.scores[0], higher_is_better=True),))
    odd = fabricate_run(runs, norm="rms", changes=named("rms"), task=ERRORS)
    result = read_runs([odd])[0][0].result
    changed = replace(result, task=other, test={"error": 1.0})
    (odd / "result.json").write_text(json.dumps(changed.to_json()))
    ((comparison,), (left_out,)) = compare(read_runs([runs])[0])
    assert comparison.task == ERRORS and left_out.folder == odd
    assert "a run whose task measured others than most" in left_out.reason
