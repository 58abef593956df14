"""Which runs make an arm and which arms a pair, where several folders and recipes lie together."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from seqnorm.lab.report.arms.arms import Arm, Comparison
from seqnorm.lab.report.arms.grouping import compare
from seqnorm.lab.report.arms.trials import tried_alike
from seqnorm.lab.report.findings.collect import collect
from seqnorm.lab.report.findings.evidence import gather
from seqnorm.lab.report.page.comparison_tables import pairs_table
from seqnorm.lab.report.page.looks import arm_looks
from seqnorm.lab.report.page.report import write_report
from seqnorm.lab.report.page.section import make_section
from seqnorm.lab.report.page.sentences import sentences
from seqnorm.lab.report.statistics.estimates import arm_time_to_target
from seqnorm.lab.runs.find import read_runs
from tests.lab.report.fabricate import (
    change_result,
    fabricate_comparison,
    fabricate_run,
    fabricate_trial,
    named,
    only,
)
from tests.lab.report.page_text import page_text


def arm(comparison: Comparison, label: str) -> Arm:
    (found,) = (arm for arm in comparison.arms if arm.label == label)
    return found


def test_a_trial_in_two_folders_is_one_trial(tmp_path: Path) -> None:
    whole, look = tmp_path / "whole", tmp_path / "look"
    for number in range(4):
        changes = named("layer", optim__learning_rate=(number + 1) / 1000)
        trial = fabricate_run(whole, trial=True, seed=1000, accuracy=0.8 + number / 100,
                              suffix=f"{number}", changes=changes)  # fmt: skip
        if number < 2:
            shutil.copytree(trial, look / trial.name)
    for seed in range(3):
        fabricate_run(whole, seed=seed, changes=changes)
    for folders in ([whole], [whole, look], [look, whole]):
        found = only(*folders)
        assert [run.result.seed for run in found.runs] == [0, 1, 2]
        assert len(found.arms[0].trials) == 4 and collect(folders).ignored == []


def test_arms_that_differ_without_a_word_in_their_labels_are_no_pair(tmp_path: Path) -> None:
    fabricate_run(tmp_path, norm="none", changes=named("none"))
    fabricate_run(tmp_path, norm="layer", changes=named("layer", data__batch_size=8))
    found = only(tmp_path)
    assert found.baseline_of(arm(found, "lstm layer")) is None
    *_, last = sentences(arm_looks(found, gather(found)))
    assert last == "No counterpart that differs in the norm only: lstm layer."
    page = write_report([tmp_path], tmp_path / "page", pictures=False).path
    assert f"\n- {last}\n" in page_text(page)


def test_each_recipe_chooses_among_its_own_trials(tmp_path: Path) -> None:
    better = {"none": 3, "layer": 2}
    for norm, best in better.items():
        for epochs in (2, 3):
            changes = named(norm, train__epochs=epochs)
            score = 0.8 + 0.02 * (epochs == best)
            for seed in (0, 1, 1000):
                fabricate_run(tmp_path, norm=norm, seed=seed, accuracy=score, trial=seed == 1000,
                              changes=changes)  # fmt: skip
    found = only(tmp_path)
    assert len(found.runs) == 8 and collect([tmp_path]).ignored == []
    for epochs in (2, 3):
        layer, none = (arm(found, f"lstm {norm}, epochs={epochs}") for norm in ("layer", "none"))
        assert found.baseline_of(layer) is none
        assert [run.config["train.epochs"] for run in layer.trials] == [epochs]


def test_a_single_run_beside_a_comparison_takes_no_pair_from_it(tmp_path: Path) -> None:
    for norm in ("none", "layer"):
        fabricate_run(tmp_path, norm=norm, changes=named(norm))
    fabricate_run(tmp_path, norm="none", seed=7, changes={"study": "compare_imdb"})
    found = only(tmp_path)
    baseline = found.baseline_of(arm(found, "lstm layer"))
    assert baseline is not None and baseline.runs[0].config["arm"] == "cell=lstm norm=none"


def test_one_name_with_two_results_is_named_and_a_copy_is_not(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "a")
    copy = tmp_path / "b" / run.name
    shutil.copytree(run, copy)
    assert collect([tmp_path]).ignored == []
    change_result(copy, test__accuracy=0.99)
    (item,) = collect([tmp_path]).ignored
    assert item.folder.parent.name == "a" and "whose result differs" in item.reason
    assert only(tmp_path).runs[0].result.test["accuracy"] == 0.99


@pytest.mark.parametrize("gain", [0.05, -0.05])
def test_scores_do_not_decide_which_place_is_taken(tmp_path: Path, gain: float) -> None:
    for place, sign in (("a", 1), ("b", -1)):
        for norm, side in (("none", 1), ("layer", -1)):
            fabricate_run(tmp_path / place, norm=norm, accuracy=0.8 + sign * side * gain,
                          changes=named(norm), suffix="one")  # fmt: skip
        write_report([tmp_path / place], tmp_path / f"kept-{place}", pages=False)
    kept = [tmp_path / "kept-a", tmp_path / "kept-b"]
    scores = {one.label: one.runs[0].result.test["accuracy"] for one in only(*kept).arms}
    assert sum(scores.values()) == pytest.approx(1.6)  # both arms from one place
    assert scores == {
        one.label: one.runs[0].result.test["accuracy"] for one in only(*reversed(kept)).arms
    }


def test_votes_of_unequal_numbers_of_runs_are_not_tested(tmp_path: Path) -> None:
    fabricate_comparison(tmp_path, norms=("none", "layer"))
    comparison = only(tmp_path)
    table = pairs_table(comparison, gather(comparison))
    assert table is not None and float(table.rows[0][-1]) > 0
    for gone in tmp_path.glob("*-none-s0-*"):
        shutil.rmtree(gone)
    comparison = only(tmp_path)
    table = pairs_table(comparison, gather(comparison))
    assert table is not None and table.rows[0][2] == "2" and table.rows[0][-2:] == ("-", "-")


def test_the_page_says_whether_arms_tried_the_same_settings(tmp_path: Path) -> None:
    for norm, rates in (("none", (1, 2, 3)), ("layer", (1, 2, 3))):
        for rate in rates:
            changes = named(norm, optim__learning_rate=rate / 1000)
            fabricate_run(tmp_path, norm=norm, seed=1000, trial=True, changes=changes)
        fabricate_run(tmp_path, norm=norm, changes=changes)
    comparison = only(tmp_path)
    assert tried_alike(comparison.arms)
    note = make_section(comparison, gather(comparison)).tables["trials"].note
    assert note.startswith("Every arm tried the same list of settings.")
    changes = named("layer", optim__learning_rate=0.004)
    fabricate_run(tmp_path, norm="layer", seed=1000, trial=True, changes=changes, accuracy=0.7)
    comparison = only(tmp_path)
    assert not tried_alike(comparison.arms)
    note = make_section(comparison, gather(comparison)).tables["trials"].note
    assert note.startswith("Not all arms tried the same list of settings")


def test_steps_are_said_where_they_differ(tmp_path: Path) -> None:
    for norm in ("none", "layer"):
        fabricate_run(tmp_path, norm=norm)
    comparison = only(tmp_path)
    _, pair = sentences(arm_looks(comparison, gather(comparison)))
    assert "steps" not in pair  # both reach it at the end of one epoch
    path = next(tmp_path.glob("*-none-*/metrics.jsonl"))
    path.write_text(path.read_text().replace('"val_accuracy": 0.', '"val_accuracy": 0.0'))
    comparison = only(tmp_path)
    evidence = gather(comparison)
    steps, _ = arm_time_to_target(arm(comparison, "lstm none"), evidence, 0.5)
    assert (steps.reached, steps.count) == (0, 1)


def test_runs_whose_curves_cannot_be_read_have_no_time_to_a_target(tmp_path: Path) -> None:
    runs = [fabricate_run(tmp_path, seed=seed) for seed in range(3)]
    runs.append(fabricate_run(tmp_path, seed=3, diverged=True, epochs=0))
    (runs[0] / "metrics.jsonl").unlink()
    comparison = only(tmp_path)
    steps, _ = arm_time_to_target(comparison.arms[0], gather(comparison), 0.7)
    assert (steps.reached, steps.count) == (2, 3)  # the third diverged before its first epoch


def test_bags_of_words_of_other_recipes_are_one_arm(tmp_path: Path) -> None:
    for seed, epochs in enumerate((4, 6)):
        fabricate_run(tmp_path, cell="bag_of_words", norm="none", seed=seed, epochs=0, probes=False,
                      changes={"model.name": "bag_of_words", "train.epochs": epochs,
                               "optim.learning_rate": epochs / 100})  # fmt: skip
    (floor,) = only(tmp_path).arms
    assert floor.label == "bag of words" and len(floor.runs) == 2


def test_settings_of_the_networks_are_shared_whatever_the_bag_of_words_lacks(
    tmp_path: Path,
) -> None:
    fabricate_run(tmp_path, norm="none")
    fabricate_run(tmp_path, cell="bag_of_words", norm="none", epochs=0, probes=False,
                  changes={"model.name": "bag_of_words"})  # fmt: skip
    assert only(tmp_path).shared["train.epochs"] == 5


def test_comparisons_that_share_names_of_runs_keep_their_rows(tmp_path: Path) -> None:
    for name in ("compare_imdb", "compare_imdb_look"):
        for norm in ("none", "layer"):
            fabricate_run(tmp_path / name / "runs", norm=norm, suffix="same",
                          changes=named(norm) | {"study": name})  # fmt: skip
    kept = write_report([tmp_path], tmp_path / "kept", pages=False).path.parent
    write_report([kept], tmp_path / "again", pages=False)
    for place in (kept, tmp_path / "again"):
        with (place / "runs.csv").open(newline="") as file:
            assert len(list(csv.DictReader(file))) == 4
    page = write_report([kept], tmp_path / "page", pictures=False).path.read_text()
    assert "2 different runs on the test sets, in 4 arms." in page


def test_scores_that_differ_by_rounding_only_are_drawn(tmp_path: Path) -> None:
    # The mean of three of these differs from them in the last digit.
    value = 0.3619768477292965
    assert 0 < abs(np.mean([value] * 3) - value) < 1e-15
    for seed in range(3):
        fabricate_run(tmp_path / "runs", seed=seed, accuracy=value)
    comparison, _ = compare(read_runs([tmp_path / "runs"])[0])
    assert write_report([tmp_path / "runs"], tmp_path / "page", pictures=False).path.exists()
    assert len(comparison[0].runs) == 3


def test_trials_of_a_recipe_without_a_test_are_named(tmp_path: Path) -> None:
    fabricate_trial(tmp_path, "layer", 1000, 0.001, 0.8, train__epochs=2)
    fabricate_trial(tmp_path, "layer", 1000, 0.001, 0.8, train__epochs=8)
    changes = named("layer", optim__learning_rate=0.001, train__epochs=2)
    fabricate_run(tmp_path, changes=changes)
    (item,) = collect([tmp_path]).ignored
    assert "an arm needs a run on the test set" in item.reason


def test_run_folders_that_were_mended_replace_what_was_kept(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "runs", texts=40)
    whole = (run / "predictions.npz").read_bytes()
    (run / "predictions.npz").write_bytes(b"damaged")
    write_report([tmp_path / "runs"], tmp_path / "kept", pages=False)
    ((_, evidence),) = collect([tmp_path / "kept"]).comparisons
    assert len(evidence.notes) == 1
    (run / "predictions.npz").write_bytes(whole)
    ((_, evidence),) = collect([tmp_path / "kept", tmp_path / "runs"]).comparisons
    assert evidence.notes == [] and evidence.arms["lstm layer"].answers["right"].size == 40


def test_a_cell_without_trials_beside_one_that_was_tuned_has_no_chart_of_them(
    tmp_path: Path,
) -> None:
    """As plain runs of another network on the data of a comparison."""
    for seed, rate in ((1000, 0.001), (1001, 0.002)):
        fabricate_trial(tmp_path, "layer", seed, rate, 0.8)
    fabricate_run(tmp_path, changes=named("layer", optim__learning_rate=0.002))
    fabricate_run(tmp_path, cell="gru")
    report = write_report([tmp_path], tmp_path / "page")
    assert "validation accuracy of single trials, lstm" in page_text(report.path)
    assert "validation accuracy of single trials, gru" not in page_text(report.path)
