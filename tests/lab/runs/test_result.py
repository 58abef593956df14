"""What a run came to: written, read, read of older versions, refused."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seqnorm.lab.runs.files import RunFolderError
from seqnorm.lab.runs.read import read_run
from seqnorm.lab.runs.result import Result
from tests.lab.report.fabricate import ERRORS, a_result, change_result, fabricate_run, former

TRIAL = {"test": None, "test_loss": None}


@pytest.mark.parametrize(
    "result",
    [
        a_result(),
        a_result(**TRIAL),
        a_result(status="diverged", message="the loss became nan", test_loss=None),
        a_result(task=ERRORS, test={"error": 1.43, "bias": -0.1}, validation=1.5, baseline=2.0),
    ],
    ids=["tested", "trial", "diverged", "of another task"],
)
def test_what_is_written_is_read(result: Result) -> None:
    text = json.dumps(result.to_json(), allow_nan=False)
    assert Result.from_json(json.loads(text)) == result


def test_a_result_of_before_there_were_tasks_is_read(tmp_path: Path) -> None:
    folder = fabricate_run(tmp_path, seed=4, accuracy=0.875)
    today = read_run(folder)
    old = former(today.result)
    assert old["test_accuracy"] == 0.875 and old["majority_accuracy"] == 0.5
    (folder / "result.json").write_text(json.dumps(old))
    assert read_run(folder) == today
    old |= {"test_accuracy": None, "test_macro_f1": None, "test_loss": None}
    (folder / "result.json").write_text(json.dumps(old))
    assert read_run(folder).result == replace(today.result, **TRIAL)


def test_an_old_result_may_lack_what_no_comparison_needs() -> None:
    known = ("data", "cell", "norm", "seed", "status", "train_seconds")
    scores = ("test_accuracy", "test_macro_f1", "majority_accuracy")
    old = {key: value for key, value in former(a_result()).items() if key in known + scores}
    found = Result.from_json(old)
    assert found.parameters is found.validation is None
    assert found.validation_score == found.baseline == 0.5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"status": "fine"}, r"with status='fine', which is none of completed, diverged"),
        ({"seed": 1.5}, r"with seed=1\.5, which is no integer"),
        ({"seed": True}, r"with seed=True"),
        ({"test__accuracy": None}, r"with test\.accuracy=None, which is no finite number"),
        ({"test__macro_f1": float("nan")}, r"with test\.macro_f1=nan"),
        ({"test": {}}, r"without test\.accuracy, test\.macro_f1"),
        ({"test": 5}, r"without test\.accuracy, test\.macro_f1"),
        ({"test": ...}, r"without test\.accuracy, test\.macro_f1"),
        ({"train_seconds": "3"}, r"with train_seconds='3'"),
        ({"cell": ..., "baseline__accuracy": ...}, r"without cell, baseline\.accuracy"),
        ({"task": ...}, r"without task"),
        ({"task": {"name": "a"}}, r"with task=\{'name': 'a'\}, which says nothing of scores"),
        ({"task__scores": []}, r"which says nothing of scores \(a task needs scores"),
        ({"format": 3}, r"with format=3, which this version does not know \(it knows 2\)"),
    ],
)
def test_a_damaged_result_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    folder = fabricate_run(tmp_path)
    change_result(folder, **changes)
    with pytest.raises(RunFolderError, match=message) as caught:
        read_run(folder)
    assert str(caught.value).startswith("result.json must hold what a run came to; received one")
    assert str(caught.value).endswith("Repeat the run, or delete the folder.")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("test_accuracy", None, r"with test_accuracy=None, which is no finite number"),
        ("test_macro_f1", math.nan, r"with test_macro_f1=nan"),
        ("majority_accuracy", ..., r"without majority_accuracy\."),
    ],
)
def test_a_damaged_old_result_is_refused_in_its_own_words(
    key: str, value: Any, message: str
) -> None:
    old = {**former(a_result()), key: value}
    with pytest.raises(RunFolderError, match=message):
        Result.from_json({name: kept for name, kept in old.items() if kept is not ...})


def test_one_level_of_keys_has_the_names_of_sweeps_and_tables() -> None:
    assert list(a_result().flat()) == [
        "run", "data", "cell", "norm", "seed", "status",
        "test_accuracy", "test_macro_f1", "test_loss", "val_accuracy", "majority_accuracy",
        "best_epoch", "steps", "train_seconds", "tokens_per_second", "parameters",
        "trainable_parameters", "config_hash", "message",
    ]  # fmt: skip
    scores = {"error": 1.4, "bias": 0.1}
    flat = a_result(task=ERRORS, test=scores, validation=1.5, baseline=2.0).flat()
    assert (flat["test_error"], flat["val_error"], flat["median_error"]) == (1.4, 1.5, 2.0)


def test_a_diverged_run_wins_no_sweep_and_counts_as_the_baseline() -> None:
    broken = a_result(status="diverged", validation=0.9)
    assert broken.objective is None and broken.validation_score == broken.baseline
    assert a_result(validation=0.9).objective == a_result(validation=0.9).validation_score == 0.9


def test_a_result_has_the_scores_of_its_task() -> None:
    with pytest.raises(ValueError, match=r"each score of task=classification and no other, acc"):
        a_result(test={"accuracy": 0.5})
