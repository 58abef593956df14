"""What several devices cannot share is refused before data is read."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from seqnorm.lab.config.compose import compose
from seqnorm.lab.config.former import in_words_of_today
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.runs.naming import config_hash

MIRRORED = "train.strategy=mirrored"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["train.strategy=mirored"], "must be one of none, mirrored, multi_worker; received"),
        (["train.replica=2"], "train has no key 'replica'. Did you mean replicas?"),
        (["train.replicas=2"], "received train.replicas=2 with train.strategy=none. Add"),
        ([MIRRORED, "train.replicas=0"], "train.replicas must be at least 1"),
        ([MIRRORED, "train.steps_per_execution=4"], "with train.steps_per_execution=4. Leave it"),
        (
            [MIRRORED, "task=language_model", "task.window=10", "task.carry_state=true",
             "model.bidirectional=false"],
            "task.carry_state=true keeps a state for each row",
        ),
        ([MIRRORED, "model=mlp", "norm=keras_batch"], "with norm.synchronized=false. Add"),
        (["train.strategy=multi_worker", "model=bag_of_words"], "is counted in one process"),
    ],
)  # fmt: skip
def test_what_they_cannot_share_is_refused(overrides, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        compose(overrides)


def test_what_they_can_share_is_not():
    compose([MIRRORED, "model=mlp", "norm=keras_batch", "norm.synchronized=true"])
    compose([MIRRORED, "model=bag_of_words"])  # as the floor of a comparison
    assert compose([MIRRORED, "train.replicas=3"]).train.replicas == 3


def test_another_strategy_is_another_setting_and_one_device_is_as_before():
    plain = compose(["norm=batch"])
    others = [
        compose(["norm=batch", MIRRORED]),
        compose(["norm=batch", MIRRORED, "train.replicas=2"]),
        compose(["norm=batch", "norm.synchronized=true"]),
        replace(plain, seed=1),
    ]
    hashes = [config_hash(each) for each in (plain, *others)]
    assert hashes[0] == "badc7f95e367"  # of before there were strategies: names of runs last
    assert len(set(hashes)) == 4 and hashes[0] == hashes[-1]


def test_one_device_is_left_out_of_what_a_report_reads():
    """Runs of before have no such key, and are of the same arm."""
    today = {"norm.name": "batch", "norm.synchronized": False, "train.strategy": "none",
             "train.replicas": None, "train.epochs": 3}  # fmt: skip
    before = {"norm.name": "batch", "train.epochs": 3}
    assert in_words_of_today(today) == in_words_of_today(before)
    of_keras = {**today, "norm.name": "keras_batch"}
    assert in_words_of_today(of_keras)["norm.synchronized"] is False
    shared = {**today, "train.strategy": "mirrored", "norm.synchronized": True}
    assert in_words_of_today(shared).items() >= {"train.strategy": "mirrored"}.items()
