"""Which process is which, before TensorFlow is imported."""

from __future__ import annotations

import json
import re

import pytest

from seqnorm.lab.config.compose import compose
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.training.replicas.place import Place, place_of, refuse_processes_together

TOGETHER = compose(["train.strategy=multi_worker"]).train
TWO = {"worker": ["a:1", "b:1"]}


@pytest.fixture(autouse=True)
def nobody(monkeypatch):
    for name in ("TF_CONFIG", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("cluster", "job", "index", "place"),
    [
        (TWO, "worker", 0, Place(0, 2)),
        (TWO, "worker", 1, Place(1, 2)),
        ({"chief": ["c:1"], **TWO}, "chief", 0, Place(0, 3)),
        ({"chief": ["c:1"], **TWO}, "worker", 0, Place(1, 3)),
    ],
)
def test_tf_config_says_which(cluster, job, index, place, monkeypatch):
    task = {"cluster": cluster, "task": {"type": job, "index": index}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(task))
    found = place_of(TOGETHER)
    assert found == place and found.is_chief == (place.index == 0)
    assert place_of(compose().train) == Place()  # of one device whatever the environment says


def test_slurm_says_which(monkeypatch):
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "4")
    monkeypatch.setenv("SLURM_PROCID", "3")
    assert place_of(TOGETHER) == Place(3, 4)
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "1")  # as in a job of one run
    with pytest.raises(ConfigError, match="needs to know the processes"):
        place_of(TOGETHER)


@pytest.mark.parametrize(
    "text",
    [
        "two",
        "[]",
        "{}",
        json.dumps({"cluster": TWO, "task": {"type": "worker", "index": 2}}),
        json.dumps({"cluster": TWO, "task": {"type": "worker", "index": "x"}}),
        json.dumps({"cluster": {**TWO, "ps": ["c:1"]}, "task": {"type": "worker", "index": 0}}),
        json.dumps({"cluster": TWO, "task": {"type": "evaluator", "index": 0}}),
    ],
)
def test_what_says_nothing_is_refused(text, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ConfigError, match=re.escape(f"received TF_CONFIG={text!r}. Write")):
        place_of(TOGETHER)


def test_many_runs_have_no_processes_together():
    with pytest.raises(ConfigError, match=r"for one run.*received it in a comparison.*mirrored"):
        refuse_processes_together(TOGETHER, "a comparison")
    refuse_processes_together(compose(["train.strategy=mirrored"]).train, "a comparison")


def test_slurm_tells_the_addresses_also_without_a_gpu(monkeypatch):
    from seqnorm.lab.training.replicas.strategy import tf_config_of_slurm

    for name, value in {
        "STEP_NUM_TASKS": "3", "PROCID": "2", "STEP_NODELIST": "n[1-2]",
        "STEP_TASKS_PER_NODE": "2,1",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"SLURM_{name}", value)
    assert tf_config_of_slurm() == {
        "cluster": {"worker": ["n1:8888", "n1:8889", "n2:8888"]},
        "task": {"type": "worker", "index": 2},
    }
