"""Which runs are taken together, and which never are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seqnorm.lab.report.arms.arms import Comparison
from seqnorm.lab.report.arms.grouping import compare
from seqnorm.lab.report.arms.labels import differing_keys
from seqnorm.lab.runs.find import read_runs
from tests.lab.report.fabricate import fabricate_run


def compare_below(runs: Path) -> list[Comparison]:
    records, ignored = read_runs([runs])
    assert ignored == []
    comparisons, repeated = compare(records)
    assert repeated == []
    return comparisons


def labels(comparison: Comparison) -> list[str]:
    return [arm.label for arm in comparison.arms]


def test_seeds_paths_and_tracking_do_not_split_an_arm(tmp_path: Path) -> None:
    for seed in (3, 1, 2):
        changes = {"data.dir": f"d{seed}", "runs_dir": f"r{seed}", "tracking.mode": f"m{seed}"}
        changes |= {"train.log_every": seed, "train.probe_every": seed}
        fabricate_run(tmp_path, seed=seed, changes=changes)
    (comparison,) = compare_below(tmp_path)
    (arm,) = comparison.arms
    assert arm.label == "lstm layer"
    assert [run.result.seed for run in arm.runs] == [1, 2, 3]


def test_data_sets_are_compared_apart_and_none_comes_first(tmp_path: Path) -> None:
    for data in ("reuters", "imdb"):
        for norm in ("layer", "none", "batch"):
            fabricate_run(tmp_path, data=data, norm=norm)
    first, second = compare_below(tmp_path)
    assert (first.data, second.data) == ("imdb", "reuters")
    assert labels(first) == labels(second) == ["lstm none", "lstm batch", "lstm layer"]


@pytest.mark.parametrize(
    ("key", "values", "shown"),
    [
        ("optim.learning_rate", (0.001, 0.01), "learning_rate"),
        ("norm.epsilon", (1e-5, 1e-3), "epsilon"),
        ("model.bidirectional", (False, True), "bidirectional"),
        ("optim.clipnorm", (None, 1.0), "clipnorm"),
        ("data.sites", (["input"], ["input", "recurrent"]), "sites"),
    ],
)
def test_another_setting_is_another_arm(
    tmp_path: Path, key: str, values: tuple[Any, Any], shown: str
) -> None:
    for value in values:
        for seed in (1, 2):
            fabricate_run(tmp_path, seed=seed, changes={key: value})
    (comparison,) = compare_below(tmp_path)
    assert [len(arm.runs) for arm in comparison.arms] == [2, 2]
    assert all(f"{shown}=" in label for label in labels(comparison))
    assert len(set(labels(comparison))) == 2
    assert key not in comparison.shared
    assert comparison.shared["data.max_length"] == 200


def test_a_key_that_only_some_runs_have_is_a_difference(tmp_path: Path) -> None:
    fabricate_run(tmp_path, seed=1)
    fabricate_run(tmp_path, seed=1, changes={"model.new_option": 3})
    (comparison,) = compare_below(tmp_path)
    assert sorted(labels(comparison)) == ["lstm layer", "lstm layer, new_option=3"]


def test_numbers_are_ordered_as_numbers(tmp_path: Path) -> None:
    for batch_size in (128, 16, 64):
        fabricate_run(tmp_path, changes={"data.batch_size": batch_size})
    (comparison,) = compare_below(tmp_path)
    sizes = [arm.settings[0][1] for arm in comparison.arms]
    assert sizes == [16, 64, 128]


def test_equal_short_names_are_written_out(tmp_path: Path) -> None:
    for dropout in (0.0, 0.5):
        fabricate_run(tmp_path, changes={"cell.dropout": dropout, "model.dropout": dropout})
    (comparison,) = compare_below(tmp_path)
    assert labels(comparison)[1] == "lstm layer, cell.dropout=0.5, model.dropout=0.5"


def test_keys_of_a_named_group_differ_among_runs_of_that_name_only() -> None:
    adam = {"optim.name": "adam", "optim.beta": 0.9, "seed": 1}
    sgd = {"optim.name": "sgd", "optim.momentum": 0.0, "seed": 2}
    heavy = {**sgd, "optim.momentum": 0.9}
    assert differing_keys([adam, sgd]) == {("optim.name", None)}
    expected = {("optim.name", None), ("optim.momentum", "sgd")}
    assert differing_keys([adam, sgd, heavy]) == expected


def test_keys_differ_among_runs_of_the_same_model_only() -> None:
    lstm = {"model.name": "classifier", "train.epochs": 10, "optim.name": "adam"}
    mlp = {"model.name": "mlp", "train.epochs": 6, "optim.name": "rmsprop"}
    assert differing_keys([lstm, mlp]) == set()
    assert differing_keys([lstm, mlp, {**mlp, "train.epochs": 7}]) == {("train.epochs", "mlp")}


def test_a_repeated_seed_counts_once_and_the_newest(tmp_path: Path) -> None:
    older = fabricate_run(tmp_path, seed=1, accuracy=0.7, stamp="20260101-120000")
    fabricate_run(tmp_path, seed=1, accuracy=0.8, stamp="20260301-090000")
    records, _ = read_runs([tmp_path])
    (comparison,), repeated = compare(records)
    assert comparison.arms[0].values("accuracy") == {1: 0.8}
    assert [item.folder for item in repeated] == [older.resolve()]
    assert "same config and seed" in repeated[0].reason


def test_baseline_differs_in_the_norm_only(tmp_path: Path) -> None:
    for norm in ("none", "layer"):
        for rate in (0.001, 0.01):
            fabricate_run(tmp_path, norm=norm, changes={"optim.learning_rate": rate})
    fabricate_run(tmp_path, norm="layer", changes={"optim.learning_rate": 0.1})
    (comparison,) = compare_below(tmp_path)
    found = {arm.label: comparison.baseline_of(arm) for arm in comparison.arms}
    names = {label: baseline and baseline.label for label, baseline in found.items()}
    assert names == {
        "lstm none, learning_rate=0.001": None,
        "lstm none, learning_rate=0.01": None,
        "lstm layer, learning_rate=0.001": "lstm none, learning_rate=0.001",
        "lstm layer, learning_rate=0.01": "lstm none, learning_rate=0.01",
        "lstm layer, learning_rate=0.1": None,
    }


def test_arms_tuned_each_on_its_own_still_have_a_baseline(tmp_path: Path) -> None:
    fabricate_run(tmp_path, norm="none", changes={"optim.learning_rate": 0.001})
    fabricate_run(tmp_path, norm="layer", changes={"optim.learning_rate": 0.01})
    fabricate_run(tmp_path, norm="layer", cell="gru")
    (comparison,) = compare_below(tmp_path)
    gru, none, layer = comparison.arms
    assert (gru.cell, none.norm, layer.norm) == ("gru", "none", "layer")
    assert comparison.baseline_of(layer) is none
    assert comparison.baseline_of(gru) is None
