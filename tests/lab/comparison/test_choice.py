"""Which setting of an arm is chosen, from results as runs leave them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seqnorm.lab.comparison.choice import choose, finalists
from seqnorm.lab.comparison.plan import Job, Plan
from seqnorm.lab.comparison.run import Comparison
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.errors import UserError
from seqnorm.lab.report.arms.trials import leaders
from seqnorm.lab.runs.files import RunFolderError

OPTIONS = [
    "experiment=smoke", "compare.name=small", "compare.arms=['norm=none,layer']",
    "compare.trials=3", "compare.finalists=2", "compare.final_seeds=3",
]  # fmt: skip


def finish(jobs: list[Job], scores: list[float | None]) -> list[Job]:
    """Results with these validation accuracies; None is a diverged run."""
    for job, score in zip(jobs, scores, strict=True):
        job.folder.mkdir(parents=True)
        result = {
            "data": "synthetic", "cell": "lstm", "norm": job.config.norm.name,
            "seed": job.config.seed, "status": "diverged" if score is None else "completed",
            "test_accuracy": None, "test_macro_f1": None, "val_accuracy": score,
            "majority_accuracy": 0.4, "train_seconds": 1.0,
        }  # fmt: skip
        (job.folder / "config.yaml").write_text("{}")
        (job.folder / "result.json").write_text(json.dumps(result))
    return jobs


def test_the_best_settings_of_each_arm_run_again(tmp_path: Path) -> None:
    plan = Plan([*OPTIONS, f"runs_dir={tmp_path}"])
    # Setting by setting: none, layer, none, ...; a diverged run counts as the majority class.
    trials = finish(list(plan.trials()), [0.5, 0.7, 0.8, None, 0.6, 0.3])
    best = finalists(trials, plan.compare.finalists)
    assert best == {"norm=none": [1, 2], "norm=layer": [0, 1]}
    finals = list(plan.finals(best))
    assert [(job.arm, job.number, job.config.seed) for job in finals] == [
        (arm, number, seed) for seed in (1001, 1002) for arm in best for number in best[arm]
    ]
    for job in finals:
        (first,) = (each for each in trials if (each.arm, each.number) == (job.arm, job.number))
        assert job.config.optim == first.config.optim and not job.config.train.test


def test_more_runs_decide(tmp_path: Path) -> None:
    """A lucky single score wins no more, whether it was a finalist's or not."""
    plan = Plan([*OPTIONS, f"runs_dir={tmp_path}", "compare.arms=['norm=none']"])
    trials = finish(list(plan.trials()), [0.6, 0.8, 0.7])
    assert choose(trials) == {"norm=none": 1}
    finals = finish(list(plan.finals({"norm=none": [1, 2]})), [0.5, 0.7, 0.5, 0.7])
    assert choose([*trials, *finals]) == {"norm=none": 2}


def test_runs_of_other_threads_are_not_mixed(tmp_path: Path) -> None:
    plan = Plan([*OPTIONS, f"runs_dir={tmp_path}", "compare.threads=2"])
    (first,) = finish(list(plan.trials())[:1], [0.5])
    (first.folder / "environment.json").write_text(json.dumps({"machine": {"threads": 1}}))
    with pytest.raises(UserError, match=r"compare.threads=2, and .* was made with 1\. Go on with"):
        Comparison(plan, ["seqnorm-compare"]).carry_out()


def test_a_damaged_run_is_named_by_its_folder(tmp_path: Path) -> None:
    plan = Plan([*OPTIONS, f"runs_dir={tmp_path}"])
    (first,) = finish(list(plan.trials())[:1], [0.5])
    (first.folder / "result.json").write_text('{"data":')
    with pytest.raises(RunFolderError, match=rf"{first.name}: result.json must be valid JSON"):
        finalists([first], 1)


def test_leaders() -> None:
    assert leaders({"a": [0.5], "b": [0.7], "c": [0.7]}) == ["b", "c"]
    assert leaders({"a": [0.9], "b": [0.1, 0.2], "c": [0.3, 0.2]}) == ["c"]
    assert leaders({"a": [0.1, 0.2, 0.3], "b": [0.3, 0.1, 0.2]}) == ["a", "b"]  # in any order
    assert leaders({}) == []


def test_finalists_that_would_not_run_again_are_a_mistake() -> None:
    with pytest.raises(ConfigError, match=r"received compare.final_seeds=3, compare.trial_seeds=4"):
        Plan([*OPTIONS, "compare.trial_seeds=4"])
