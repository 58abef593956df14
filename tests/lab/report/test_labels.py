"""What arms are called: each by what it differs in, whatever the order its runs are read in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seqnorm.lab.report.arms.grouping import compare
from seqnorm.lab.report.findings.collect import collect
from seqnorm.lab.report.findings.findings import FINDINGS
from seqnorm.lab.report.page.report import write_report
from seqnorm.lab.runs.find import read_runs
from tests.lab.report.fabricate import fabricate_run, named, only

SCORES = {"lstm layer, sharpness=1": 0.9, "lstm layer, sharpness=12": 0.6}


def two_files_of_one_norm(folder: Path) -> None:
    """As `norm=layer,sharp`, where the file sharp.yaml is the same norm with another sharpness."""
    for arm, sharpness, accuracy, rates in (
        ("norm=layer", 1, 0.9, (0.001, 0.002)),
        ("norm=sharp", 12, 0.6, (0.002, 0.001)),
    ):
        for trial, rate in ((True, rates[1]), (True, rates[0]), (False, rates[0])):
            own = {"norm.sharpness": sharpness, "optim.learning_rate": rate}
            score = accuracy - 0.1 * (rate != rates[0])
            fabricate_run(folder, seed=1000 if trial else 0, trial=trial, accuracy=score,
                          probes=False, changes={**named("layer"), **own, "arm": arm})  # fmt: skip


def scores(comparison):
    return {arm.label: arm.values("accuracy")[0] for arm in comparison.arms}


def test_two_files_of_one_norm_are_told_apart_by_what_they_set(tmp_path: Path) -> None:
    two_files_of_one_norm(tmp_path)
    records, _ = read_runs([tmp_path])
    # seqnorm-compare has the runs in another order than seqnorm-report.
    for order in (records, records[::-1]):
        ((comparison,), ignored) = compare(order)
        assert scores(comparison) == SCORES and not ignored
        assert [len(arm.trials) for arm in comparison.arms] == [2, 2]
    kept = write_report([tmp_path], tmp_path / "kept", pages=False).path
    assert scores(only(kept.parent)) == SCORES


def test_findings_whose_labels_are_of_before_are_refused(tmp_path: Path) -> None:
    two_files_of_one_norm(tmp_path / "runs")
    kept = write_report([tmp_path / "runs"], tmp_path / "kept", pages=False).path
    stored = json.loads(kept.read_text())
    (part,) = stored["comparisons"]
    part["arms"] = dict(zip(("lstm layer", "lstm layer (2)"), part["arms"].values(), strict=True))
    kept.write_text(json.dumps(stored))
    assert kept.name == FINDINGS
    with pytest.raises(ValueError, match=r"\('lstm layer, sharpness=1'\); received 'lstm layer'"):
        collect([kept.parent])


@pytest.mark.parametrize("named_arms", [False, True])
def test_one_cell_in_two_models_makes_two_arms(tmp_path: Path, named_arms: bool) -> None:
    for accuracy, model in ((0.7, "residual"), (0.8, "classifier")):
        for norm, seed in (("none", 0), ("layer", 0), ("layer", 1)):
            arm = f"model={model} norm={norm}"
            changes = {"model.name": model} | (named(norm, arm=arm) if named_arms else {})
            fabricate_run(tmp_path, norm=norm, seed=seed, accuracy=accuracy, probes=False,
                          changes=changes)  # fmt: skip
    comparison = only(tmp_path)
    assert collect([tmp_path]).ignored == []
    assert scores(comparison) == {
        f"lstm {norm}, model.name={model}": accuracy
        for norm in ("none", "layer")
        for model, accuracy in (("classifier", 0.8), ("residual", 0.7))
    }
    for arm in comparison.arms:
        baseline = comparison.baseline_of(arm)
        wanted = arm.label.replace("layer", "none") if arm.norm == "layer" else None
        assert (baseline and baseline.label) == wanted


def test_what_differs_in_nothing_but_its_name_is_called_by_it(tmp_path: Path) -> None:
    fabricate_run(tmp_path, seed=7, probes=False, changes={"study": "compare_imdb"})
    fabricate_run(tmp_path, seed=0, probes=False, changes=named("layer"))
    arms = {arm.label: arm.runs[0].result.seed for arm in only(tmp_path).arms}
    assert arms == {"lstm layer": 7, "lstm layer (cell=lstm norm=layer)": 0}
