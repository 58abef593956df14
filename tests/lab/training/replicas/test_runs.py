"""Runs on several devices come to what one device comes to, and end together."""

from __future__ import annotations

import json
import random
import signal
from pathlib import Path

import pytest

from tests.processes import Process
from tests.tiers import exhaustive
from tests.tools.devices import (
    BASE,
    MIRRORED,
    NORMS,
    TOGETHER,
    cluster,
    distance,
    distances,
    ended,
    script,
    started,
)
from tests.tools.kill import await_training, differences, try_case

LIMIT = 1e-5
# 24 rows: batches of 11, 11 and 2, of which the last leaves the third device without a row.
FEW = ["data.even_batches=false", "data.bucket=0", "data.batch_size=11", "data.examples=34"]
# Each replica has answers at all steps, or at none of those that unrolling adds.
TASKS = {
    "a number a row": [
        "task=regression", "data=adding", "data.examples=150", "data.test_examples=40",
        "data.max_length=8", "norm=batch", "norm.synchronized=true",
    ],
    "the next token": ["task=language_model", *NORMS["batch"]],
    "both directions": ["norm=rms", "cell=gru", "model.bidirectional=true", "model.pooling=mean"],
    "no recurrence": [
        "model=mlp", "cell=none", "norm=keras_batch", "norm.synchronized=true",
    ],
}  # fmt: skip
CLASSIFIER = ("model.embedding", "model.bidirectional", "model.depth", "cell.units")


def test_two_devices_learn_what_one_does(tmp_path: Path) -> None:
    overrides = [*BASE, *NORMS["layer"], f"runs_dir={tmp_path}"]
    ended([script({"two": [*overrides, *MIRRORED], "one": overrides})])
    assert distance(tmp_path / "two", tmp_path / "one") < LIMIT
    kept = json.loads((tmp_path / "two" / "environment.json").read_text())
    assert kept["devices"] == {"strategy": "MirroredStrategy", "replicas": 2, "processes": 1}
    assert "devices" not in json.loads((tmp_path / "one" / "environment.json").read_text())


@exhaustive
def test_every_norm_learns_on_two_devices_and_in_two_processes_what_it_learns_on_one(
    tmp_path: Path,
) -> None:
    found = distances(tmp_path, NORMS)
    assert max(max(each) for each in found.values()) < LIMIT, found
    kept = json.loads((tmp_path / "together-none" / "environment.json").read_text())
    assert kept["devices"] == {
        "strategy": "CollectiveAllReduceStrategy", "replicas": 2, "processes": 2
    }  # fmt: skip


@exhaustive
def test_a_device_without_a_row_of_the_batch_changes_nothing(tmp_path: Path) -> None:
    found = distances(tmp_path, ("none", "layer", "batch"), FEW, replicas=3)
    assert max(max(each) for each in found.values()) < LIMIT, found


@exhaustive
@pytest.mark.parametrize("task", TASKS)
def test_every_task_learns_what_it_learns_on_one_device(task: str, tmp_path: Path) -> None:
    base = [each for each in BASE if task != "no recurrence" or not each.startswith(CLASSIFIER)]
    keys = {each.partition("=")[0]: each for each in [*base, *TASKS[task]]}
    overrides = [*keys.values(), f"runs_dir={tmp_path}"]
    ended([script({"two": [*overrides, *MIRRORED], "one": overrides})])
    assert distance(tmp_path / "two", tmp_path / "one") < LIMIT


@exhaustive
def test_what_each_device_normalises_by_its_own_rows_is_kept_of_all(tmp_path: Path) -> None:
    """As the counts say; what is in the moments the tests of the layer compare."""
    overrides = [*BASE, "norm=batch", f"runs_dir={tmp_path}"]
    ended([script({"two": [*overrides, *MIRRORED], "one": overrides})])
    assert distance(tmp_path / "two", tmp_path / "one", only="kernel_norm/vars/3") < LIMIT


@exhaustive
@pytest.mark.parametrize(("norm", "sent"), [("layer", signal.SIGKILL), ("batch", signal.SIGTERM)])
def test_stopped_it_ends_with_the_same_bytes(norm: str, sent: int) -> None:
    """Dropout is on: what each device draws goes on as well."""
    early = random.Random(1)  # an eighth of the training is done, so that it has not ended by then
    outcome = try_case([f"norm={norm}", "model.dropout=0.4", *MIRRORED], 0, early, sent)
    assert outcome.kills and not outcome.differences, outcome


@exhaustive
@pytest.mark.parametrize("asked", [0, 1])
def test_processes_that_one_signal_ends_go_on_together_to_the_same_bytes(
    asked: int, tmp_path: Path
) -> None:
    overrides = [*BASE, "norm=layer", "model.dropout=0.4", "train.epochs=60", *TOGETHER]
    (tmp_path / "whole").mkdir()
    both = [started(overrides, tmp_path / "whole", TF_CONFIG=each) for each in cluster(2)]
    ended(both)
    (whole,) = (path.parent for path in (tmp_path / "whole").glob("*/result.json"))
    assert len(list((tmp_path / "whole").iterdir())) == 1  # the second process has kept nothing
    both = [started(overrides, tmp_path / "stopped", TF_CONFIG=each) for each in cluster(2)]
    await_training(both[0], tmp_path / "stopped")
    both[asked].signal(signal.SIGTERM)
    assert [each.end().returncode for each in both] == [128 + signal.SIGTERM] * 2
    chief, other = (
        started(overrides, tmp_path / "stopped", TF_CONFIG=each).end for each in cluster(2)
    )
    said = chief().stdout
    assert "goes on where it was stopped" in said
    assert other().stdout == "process 1 of 2: the first one keeps the run\n"
    (again,) = (path.parent for path in (tmp_path / "stopped").glob("*/result.json"))
    assert list(differences(whole, again)) == []


# Which of two processes goes early, after which of the exchanges of `Replicas.leave`, the epoch
# that the run is paused after, and the exit codes of the first and the second.
EARLY = {
    "the second before the run has ended": (1, "", None, (0, 0)),
    "the second before all know": (1, "self.from_chief(b'')", None, (0, 0)),
    "the first before all know": (0, "self.from_chief(b''); time.sleep(2)", None, (0, 0)),
    "the first before all know of a pause": (0, "self.from_chief(b''); time.sleep(2)", 1, (0, 0)),
    "the first before it has told": (0, "", None, (0, 1)),
}


@exhaustive
@pytest.mark.parametrize("case", EARLY)
def test_what_has_ended_needs_no_other_process(case: str, tmp_path: Path) -> None:
    who, exchanges, until, codes = EARLY[case]
    goes = f"""
import os, time
from seqnorm.lab.training.replicas.strategy import Replicas

def leave(self):
    {exchanges}
    os._exit(0)

Replicas.leave = leave
"""
    overrides = [*BASE, "norm=layer", "train.epochs=2", *TOGETHER, f"runs_dir={tmp_path}"]
    makes = f"""
from seqnorm.lab.config.compose import compose
from seqnorm.lab.training.run import advance

advance(compose({overrides}), "run", {until})
"""
    both = [
        Process(goes * (index == who) + makes, TF_CONFIG=each)
        for index, each in enumerate(cluster(2))
    ]
    done = [each.end() for each in both]
    assert tuple(each.returncode for each in done) == codes, done
    assert (tmp_path / "run" / "result.json").exists() == (until is None)
    assert ("process 1 has lost another one" in done[1].stderr) == bool(codes[1])


@exhaustive
def test_a_process_that_is_killed_leaves_none_waiting(tmp_path: Path) -> None:
    overrides = [*BASE, "norm=layer", "train.epochs=500", *TOGETHER]
    chief, other = (started(overrides, tmp_path, TF_CONFIG=each) for each in cluster(2))
    await_training(chief, tmp_path)
    other.kill()
    done, _ = chief.end(), other.end()
    assert done.returncode == 1
    assert "the 2 processes of a run end together; process 0 has lost another" in done.stderr
