"""A run that was stopped ends as if it had not been, byte by byte."""

from __future__ import annotations

import random
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from seqnorm.lab.config.compose import compose
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.errors import UserError
from seqnorm.lab.runs.checkpoint import CHECKPOINT, unpack
from seqnorm.lab.runs.result import RESULT
from seqnorm.lab.runs.standing import epochs_done
from seqnorm.lab.runs.stopped import finished_run, held, stopped_run
from seqnorm.lab.training.random_state import random_state, set_random_state
from seqnorm.lab.training.run import advance, run
from tests.lab.stopping import stopped
from tests.tiers import exhaustive
from tests.tools.kill import cases, differences, try_case

EPOCHS, BATCHES = 3, 5
CONFIG = [
    "experiment=smoke", "norm=none", "model.bidirectional=false", "seed=3",
    f"train.epochs={EPOCHS}", "data.examples=90", "data.batch_size=16",
    "data.validation_fraction=0.2", "train.log_every=2", "train.probe_every=0",
    "optim.learning_rate=0.05", "optim.schedule=cosine", "model.dropout=0.3",
]  # fmt: skip


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> RunConfig:
    """The quickest to compile; the trial at the end has the other cells, norms and optimisers."""
    return replace(compose(CONFIG), runs_dir=str(tmp_path_factory.mktemp("whole")))


@pytest.fixture(scope="module")
def whole(config) -> Path:
    """The run that nobody stops."""
    return Path(config.runs_dir) / run(config).run


def also(*moment: Any) -> Any:
    """A moment for the tests that take longer."""
    return pytest.param(*moment, marks=exhaustive)


@pytest.mark.parametrize(
    ("hook", "call", "said"),
    [
        also("on_train_batch_end", 2, "in epoch 1, after batch 2"),
        also("on_train_batch_end", BATCHES, "before the validation of epoch 1"),
        ("on_test_batch_end", 1, "before the validation of epoch 1"),
        ("on_epoch_end", 1, "in epoch 2, after batch 0"),
        also("on_train_batch_end", BATCHES + 3, "in epoch 2, after batch 3"),
        also("on_epoch_end", EPOCHS, "after its last epoch"),
    ],
)
def test_whatever_moment_it_is_asked_to_end_at(
    hook, call, said, config, whole, tmp_path, monkeypatch, capfd
):
    config = replace(config, runs_dir=str(tmp_path))
    folder = stopped(config, monkeypatch, hook, call)
    assert not (folder / RESULT).exists()
    (folder / f".{CHECKPOINT}.1").touch()  # as if it had been killed while it saved
    result = run(config)
    assert f"goes on where it was stopped, {said}" in capfd.readouterr().out
    assert result.run == folder.name
    assert list(differences(whole, folder)) == []


def test_paused_after_an_epoch_it_goes_on_with_the_schedule_of_all(config, whole, tmp_path):
    """And a pause that lies behind its last epoch is none."""
    config = replace(config, runs_dir=str(tmp_path))
    folder = tmp_path / "paused"
    for until in (1, 2):
        assert advance(config, folder.name, until) is None
        assert epochs_done(folder) == until and not (folder / RESULT).exists()
    result = advance(config, folder.name, EPOCHS + 1)
    assert result and result.run == folder.name
    assert list(differences(whole, folder)) == []


@exhaustive
def test_a_state_that_is_carried_begins_the_next_epoch_anew(tmp_path, monkeypatch):
    """What validation has left of it is saved at the epoch's end, and must not be gone on with."""
    carried = ["task=language_model", "task.window=6", "task.carry_state=true", "train.epochs=2"]
    config = compose([*CONFIG, *carried, f"runs_dir={tmp_path / 'whole'}"])
    whole = Path(config.runs_dir) / run(config).run
    for number, (hook, call) in enumerate([("on_epoch_end", 1), ("on_train_batch_end", 2)]):
        again = replace(config, runs_dir=str(tmp_path / str(number)))
        folder = stopped(again, monkeypatch, hook, call)
        run(again)
        assert list(differences(whole, folder)) == []


@exhaustive
def test_stopped_twice(config, whole, tmp_path, monkeypatch):
    config = replace(config, runs_dir=str(tmp_path))
    stopped(config, monkeypatch, "on_train_batch_end", 3, signal.SIGINT)
    folder = stopped(config, monkeypatch, "on_train_batch_end", 4)
    run(config)
    assert list(differences(whole, folder)) == []


def test_only_the_same_run_that_nobody_makes_is_gone_on_with(config, tmp_path, monkeypatch):
    config = replace(config, runs_dir=str(tmp_path))
    folder = stopped(config, monkeypatch, "on_train_batch_end", 3)
    path = folder, unpack(folder / CHECKPOINT)["position"]
    assert found(config) == found(replace(config, resume=str(folder))) == path
    short = replace(config, train=replace(config.train, epochs=1))
    others = [replace(config, seed=4), short, replace(config, resume="never")]
    assert [found(each) for each in others] == [None] * 3
    with held(folder):  # as by a process that is at work there
        assert found(config) is None
    logged = replace(config, study="a name", train=replace(config.train, save_every=1.0))
    assert found(logged) == path  # which decides no number
    with pytest.raises(ConfigError, match=r"resume=.*another configuration or seed"):
        run(replace(short, resume=str(folder)))
    (folder / RESULT).write_text("{}")
    assert found(config) is None
    with pytest.raises(ConfigError, match="which holds a finished run"):
        run(replace(config, resume=str(folder)))


def found(config: RunConfig) -> tuple[Path, dict[str, Any]] | None:
    """The folder that a run would go on in, and from where."""
    left = stopped_run(config, None)
    return left and (left[0], left[1]["position"])


def test_a_multirun_knows_which_runs_are_finished(config, whole):
    done = finished_run(config)
    assert done and done.path == whole
    assert finished_run(replace(config, resume="never")) is None
    assert finished_run(replace(config, seed=4)) is None


def test_another_network_is_one_message_and_costs_nothing(config, tmp_path, monkeypatch):
    """As after an update of a part of the user's, whose configuration is the same."""
    config = replace(config, runs_dir=str(tmp_path))
    folder = stopped(config, monkeypatch, "on_train_batch_end", 3)
    before = (folder / CHECKPOINT).read_bytes()
    larger = replace(config, cell=replace(config.cell, units=5))
    with monkeypatch.context() as patch:
        patch.setattr("seqnorm.lab.runs.stopped.config_hash", lambda each: "the same")
        patch.setattr("seqnorm.lab.runs.stopped.unpack", _named_the_same)
        with pytest.raises(UserError, match=r"do not fit.*resume=never"):
            run(larger)
    assert (folder / CHECKPOINT).read_bytes() == before


def _named_the_same(path: Path, only: str | None = None) -> dict[str, Any]:
    found = unpack(path, only)
    found["run"]["config_hash"] = "the same"
    return found


def test_nothing_is_left_of_it_in_a_finished_run(whole):
    assert not list(whole.glob("checkpoint*")) and not (whole / ".lock").exists()


def test_python_numpy_and_keras_draw_as_they_would_have():
    def drawn() -> list[Any]:
        shared = np.asarray(keras.random.uniform((2,))).tolist()
        return [random.random(), random.gauss(), np.random.normal(), shared]

    drawn()
    state = random_state()
    expected = drawn()
    drawn()
    set_random_state(state)
    assert drawn() == expected


@exhaustive
@pytest.mark.parametrize("number", range(20))
def test_killed_at_a_random_moment(number: int) -> None:
    """``python -m tests.tools.kill`` goes on with more."""
    overrides = list(cases(number + 1, seed=0))[number]
    outcome = try_case(overrides, number, random.Random(number), signal.SIGKILL)
    assert not outcome.differences, outcome
