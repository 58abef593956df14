"""Settings that are behind after a few epochs are left behind, by the same rule for every arm."""

from __future__ import annotations

import json
import math
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from seqnorm.lab.commands.compare import announcement
from seqnorm.lab.comparison.choice import choose, ended
from seqnorm.lab.comparison.config import check
from seqnorm.lab.comparison.forecast import forecast
from seqnorm.lab.comparison.halving import Rung, budget, going_on, merit_after, rungs, rungs_of
from seqnorm.lab.comparison.plan import Plan
from seqnorm.lab.comparison.run import Comparison
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.engine.job import Job
from seqnorm.lab.engine.local import Local
from seqnorm.lab.engine.order import Order, Outcome
from seqnorm.lab.errors import UserError
from seqnorm.lab.report.findings.collect import collect
from seqnorm.lab.runs.checkpoint import CHECKPOINT
from seqnorm.lab.runs.pruned import PRUNED
from seqnorm.lab.runs.standing import epochs_done
from tests.lab.report.fabricate import a_result

OPTIONS = [
    "experiment=smoke", "compare.name=small", "compare.arms=['norm=none,layer']",
    "compare.trials=5", "compare.finalists=1", "compare.final_seeds=2", "compare.seeds=1",
    "compare.floors=0", "compare.workers=1", "train.epochs=6",
]  # fmt: skip
HALVING = [*OPTIONS, "compare.prune=halving"]
RUNGS = [Rung(5, 1, 1), Rung(2, 3, 3), Rung(1, 6)]
RUNS = 2 * (5 + 2 + 1 + 1 + 1)  # of each arm its rungs, a finalist again, a test


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Of which nothing is made."""
    return Plan(HALVING)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((16, 6, 3, 1, 3), [(16, 1), (6, 3), (3, 6)]),
        ((16, 6, 3, 1, 1), [(16, 1), (6, 3), (2, 6)]),
        ((16, 8, 2, 1, 1), [(16, 1), (8, 2), (4, 4), (2, 8)]),
        ((16, 6, 2, 2, 5), [(16, 2), (8, 4), (5, 6)]),
        ((6, 12, 3, 1, 3), [(6, 1), (3, 12)]),  # no pause where all go on
        ((4, 2, 4, 1, 1), [(4, 1), (1, 2)]),
        ((3, 6, 3, 1, 3), [(3, 6)]),
        ((9, 2, 3, 2, 1), [(9, 2)]),
        ((0, 6, 3, 1, 1), [(0, 6)]),
    ],
)
def test_rungs(arguments: tuple[int, ...], found: list[tuple[int, int]]) -> None:
    steps = rungs(*arguments)
    assert [(rung.settings, rung.epochs) for rung in steps] == found
    assert [rung.until for rung in steps] == [*(epochs for _, epochs in found[:-1]), None]


def test_every_arm_has_the_same_budget_which_is_said_before(plan: Plan) -> None:
    assert plan.rungs == RUNGS
    said = (
        "each arm: 5 settings to epoch 1, the best 2 to epoch 3, the best 1 to epoch 6: 12 of 30 "
        "epochs"
    )
    assert announcement(plan, by_default=False).splitlines()[1] == said
    assert Counter(job.arm for job in plan.trials(until=1)) == {"norm=none": 5, "norm=layer": 5}
    assert budget(plan.rungs, 2).endswith("to epoch 6, 2 runs of each: 24 of 60 epochs")


def test_off_by_default_and_then_nothing_is_other(plan: Plan) -> None:
    halving, plan = plan, Plan(OPTIONS)
    assert plan.rungs == [Rung(5, 6)]
    assert announcement(plan, by_default=False).count("\n") == 0
    assert "epoch" not in forecast(plan)
    jobs = list(plan.trials())
    assert all(job.until is None for job in jobs)
    assert jobs == list(halving.trials())  # which is no part of a run
    assert [job.name for job in halving.trials(until=1)] == [job.name for job in jobs]


@pytest.mark.parametrize(
    ("changes", "epochs", "message"),
    [
        ({"eta": 1}, [6], r"compare.eta must be at least 2; received compare.eta=1\."),
        ({"min_epochs": 0}, [6], "compare.min_epochs must be at least 1; received"),
        ({"min_epochs": 6}, [6], "below train.epochs.*received compare.min_epochs=6, train.epochs"),
        ({"min_epochs": 9}, [6], "below train.epochs.*received compare.min_epochs=9, train.epochs"),
        ({"finalists": 5}, [6], "compare.finalists below compare.trials.*compare.finalists=5,"),
        ({"trials": 1}, [6], r"or no setting is left behind; .*compare.trials=1\. Change one"),
        ({"trials": 0}, [6], "received compare.prune=halving with compare.trials=0. Set compare.t"),
        ({"prune": "median"}, [6], "compare.prune must be one of none, halving; received"),
        ({}, [6, 4], "different budgets; received arms with train.epochs=4, 6. Make one compar"),
    ],
)
def test_what_would_leave_nothing_behind_or_not_all_alike_is_refused(
    plan: Plan, changes: dict[str, Any], epochs: list[int], message: str
) -> None:
    options = replace(plan.compare, **changes)
    arms = [OmegaConf.create({"train": {"epochs": each}, "resume": "auto"}) for each in epochs]
    with pytest.raises(ConfigError, match=message):
        check(options)
        rungs_of(options, arms)


def test_what_would_begin_anew_after_each_pause_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"goes on with them; received resume=never\."):
        Plan([*HALVING, "resume=never"])


def train(job: Job, scores: list[float], losses: list[float | None] | None = None) -> Job:
    """The records of a run after some epochs; without a loss it has diverged."""
    job.folder.mkdir(parents=True, exist_ok=True)
    losses = losses or [1 - score for score in scores]
    lines = [
        {"event": "epoch", "step": epoch, "epoch": epoch, "seconds": 2.0 * epoch, "val_loss": loss,
         "val_accuracy": score}
        for epoch, (score, loss) in enumerate(zip(scores, losses, strict=True), start=1)
    ]  # fmt: skip
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (job.folder / "metrics.jsonl").write_text(text)
    OmegaConf.save(OmegaConf.create(asdict(job.config)), job.folder / "config.yaml")
    if None in losses:
        finish(job.config, job.folder, status="diverged")
    return job


def finish(config: RunConfig, folder: Path, score: float = 0.5, status: str = "completed") -> None:
    test = {"accuracy": score, "macro_f1": score} if config.train.test else None
    result = a_result(
        run=folder.name, data="synthetic", cell="lstm", norm=config.norm.name, seed=config.seed,
        status=status, validation=score, test=test,
    )  # fmt: skip
    (folder / "result.json").write_text(json.dumps(result.to_json()))


def test_settings_go_on_by_what_they_would_come_to_if_they_ended_there(tmp_path: Path) -> None:
    one = ["compare.arms=['norm=none']", f"runs_dir={tmp_path}"]
    first, second, third, fourth, fifth = Plan([*HALVING, *one]).trials()
    jobs = [
        train(first, [0.7, 0.9, 0.9]),  # of later epochs nothing counts
        train(second, [0.8, 0.1], [0.5, 0.7]),
        train(third, [0.8]),  # of equals the first goes on
        train(fourth, [0.9, 0.9], [0.1, None]),  # it had not diverged by then
        train(fifth, [0.99], [None]),
    ]
    assert going_on(jobs, Rung(5, 1, 1), Rung(4, 3)) == {"norm=none": [3, 1, 2, 0]}
    assert merit_after(fifth, 1) == -math.inf
    assert merit_after(second, 2) == 0.8  # of the epoch with the lowest loss
    assert merit_after(fourth, 2) == -math.inf
    last = replace(second, config=replace(second.config))
    last.config.train = replace(second.config.train, keep="last")
    assert merit_after(train(last, [0.8, 0.1], [0.5, 0.7]), 2) == 0.1


def test_the_mean_over_the_runs_of_a_setting_decides(tmp_path: Path) -> None:
    seeds = ["compare.trial_seeds=2", "compare.final_seeds=3", "compare.trials=2"]
    plan = Plan([*HALVING, *seeds, "compare.arms=['norm=none']", f"runs_dir={tmp_path}"])
    scores = [0.9, 0.1, 0.6, 0.5]
    jobs = [train(job, [score]) for job, score in zip(plan.trials(), scores, strict=True)]
    assert going_on(jobs, Rung(2, 1, 1), Rung(1, 6)) == {"norm=none": [1]}
    finish(jobs[0].config, jobs[0].folder)  # one of two has ended by itself
    assert ended(plan.trials()) == []


class Trainer:
    """A stand-in for training, whose scores are a matter of the setting and the epoch.

    Attributes:
        trained: Epochs of each run, over all starts.
    """

    def __init__(self) -> None:
        self.trained: Counter[str] = Counter()

    def __call__(self, config: RunConfig, name: str, until: int | None = None) -> None:
        folder = Path(config.runs_dir) / name
        if not (folder / CHECKPOINT).exists():
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(exist_ok=True)
        done = epochs_done(folder)
        epochs = until or config.train.epochs
        self.trained[name] += epochs - done
        rate, sign = config.optim.learning_rate, 1 if config.norm.name == "layer" else -1
        scores = [0.5 + sign * rate + 0.01 * epoch for epoch in range(epochs)]
        train(Job(config.arm or "", None, config), scores)
        if until is None:
            finish(config, folder, scores[-1])
            (folder / CHECKPOINT).unlink(missing_ok=True)
        else:
            (folder / CHECKPOINT).touch()


@pytest.fixture
def trainer(one_process: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trainer]:
    """In the place of training."""
    found = Trainer()
    monkeypatch.setattr("seqnorm.lab.training.run.advance", found)
    yield found


def stopping(make: Callable[[Order], Outcome], trainer: Trainer, after: int) -> Callable:
    """Makes so many runs, an epoch of the next one, and then there is no worker any more."""
    calls = 0

    def here(order: Order) -> Outcome:
        nonlocal calls
        calls += 1
        if calls <= after:
            return make(order)
        make(replace(order, until=epochs_done(order.folder / order.name) + 1))
        raise UserError("the worker is gone")

    return here


def test_stopped_at_any_moment_it_comes_to_the_same_table_and_repeats_no_epoch(
    tmp_path: Path, trainer: Trainer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    runs = tmp_path / "runs"
    plan = Plan([*HALVING, f"runs_dir={runs}"])
    whole = Comparison(plan, ["seqnorm-compare"]).carry_out()
    epochs, out = dict(trainer.trained), capsys.readouterr().out
    assert f"[1/{RUNS}] " in out and f"[{RUNS}/{RUNS}] " in out
    assert "epochs that the settings of each arm have had: norm=none 12, norm=layer 12" in out
    assert sum(epochs[job.name] for job in plan.trials()) == 24
    # In the first rung and at its end, in the second, in the last, and of what comes then.
    for after in (3, 10, 12, 15, 17, 19):
        shutil.rmtree(runs)
        trainer.trained.clear()
        with monkeypatch.context() as patch:
            patch.setattr(Local, "make", staticmethod(stopping(Local.make, trainer, after)))
            with pytest.raises(UserError, match="the worker is gone"):
                Comparison(plan, ["seqnorm-compare"]).carry_out()
        assert Comparison(plan, ["seqnorm-compare"]).carry_out() == whole
        assert dict(trainer.trained) == epochs, f"stopped after {after} runs"
    capsys.readouterr()
    assert Comparison(plan, ["seqnorm-compare"]).carry_out() == whole
    assert " to make" not in capsys.readouterr().out
    check_what_is_left(plan)


def check_what_is_left(plan: Plan) -> None:
    trials = list(plan.trials())
    finished = [job for job in trials if job.is_made]
    assert len(finished) == 2 and {job.arm for job in finished} == set(plan.arms)
    for job in trials:
        assert not (job.folder / CHECKPOINT).exists()
        assert (job.folder / PRUNED).exists() != job.is_made
    rates = {arm: plan.settings[number] for arm, number in choose(finished).items()}
    every = sorted(setting["optim.learning_rate"] for setting in plan.settings)
    assert rates["norm=none"]["optim.learning_rate"] == every[0]
    assert rates["norm=layer"]["optim.learning_rate"] == every[-1]
    found = collect([plan.folder])
    assert list(found.ignored) == []
    ((comparison, _),) = found.comparisons
    for arm in comparison.arms:
        assert (len(arm.runs), len(arm.trials), len(arm.pruned)) == (1, 2, 4)


def test_the_forecast_shows_the_rungs_as_far_as_they_are_known(
    tmp_path: Path, trainer: Trainer
) -> None:
    plan = Plan([*HALVING, f"runs_dir={tmp_path}"])
    lines = forecast(plan).splitlines()
    assert lines[4:7] == [
        "5 settings of each arm to epoch 1: 10 runs, 0 finished",
        "the best 2 of each arm to epoch 3 (settings not yet known): 4 runs, 0 finished",
        "the best 1 of each arm to epoch 6 (settings not yet known): 2 runs, 0 finished",
    ]
    for job in plan.trials(until=1):
        trainer(job.config, job.name, 1)
    lines = forecast(plan).splitlines()
    assert lines[4] == "5 settings of each arm to epoch 1: 10 runs, 10 finished"
    assert lines[5] == "the best 2 of each arm to epoch 3: 4 runs, 0 finished"
    # Two seconds an epoch: of trials 4 x 2 + 2 x 3 epochs, of finalists and tests 4 x 6.
    assert "10 runs to make: about 1:16 of training by 10 finished runs" in lines[-1]
    Comparison(plan, ["seqnorm-compare"]).carry_out()
    assert forecast(plan).splitlines()[-1] == "Nothing is missing."


def test_a_longer_list_comes_to_what_it_would_have_come_to_at_once(
    tmp_path: Path, trainer: Trainer
) -> None:
    """What was left behind too early begins anew, also where nothing is left behind any more."""
    tables = []
    for starts in ([5, 7], [7]):
        for trials in starts:
            more = ["compare.arms=['norm=none']", f"compare.trials={trials}"]
            plan = Plan([*HALVING, *more, f"runs_dir={tmp_path / str(len(starts))}"])
            table = Comparison(plan, ["seqnorm-compare"]).carry_out()
        tables.append(table)
        trainer.trained.clear()
    (subject, scores, _), of_seven = (table.split("\n\n") for table in tables)
    assert [subject, scores] == of_seven[:2]  # one more of the first five was trained to its end
    every = Plan([*plan.overrides, "compare.prune=none"])
    assert "stopped early" not in Comparison(every, ["seqnorm-compare"]).carry_out()
    for job in every.trials():
        assert job.is_made and not (job.folder / PRUNED).exists()
    assert sum(trainer.trained.values()) == 6 * 6  # one of seven was finished
