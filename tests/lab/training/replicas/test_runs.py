"""Runs on several devices come to what one device comes to."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from seqnorm.lab.runs.checkpoint import CHECKPOINT
from tests import processes
from tests.tiers import exhaustive
from tests.tools.devices import (
    BASE,
    MIRRORED,
    NORMS,
    distance,
    finished,
    run,
    run_together,
    started,
    started_together,
)
from tests.tools.kill import differences

LIMIT = 1e-5
# 46 rows: batches of 11 and, last, one of 2, which leaves the third device without a row.
FEW = ["data.even_batches=false", "data.bucket=0", "data.batch_size=11", "data.validation_fraction=0.54"]
QUICK = ["model.depth=1", "train.epochs=1"]


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """The folder of a run on one device, made once for each list of overrides."""
    made: dict[str, Path] = {}

    def one(*overrides: str) -> Path:
        key = " ".join(overrides)
        if key not in made:
            made[key] = run([*BASE, *overrides], tmp_path_factory.mktemp("one"))
        return made[key]

    return one


def test_two_devices_of_one_process_learn_what_one_does(one, tmp_path):
    overrides = ["norm=layer", *QUICK]
    found = run([*BASE, *overrides, *MIRRORED], tmp_path)
    assert distance(found, one(*overrides)) < LIMIT
    kept = json.loads((found / "environment.json").read_text())
    assert kept["devices"] == {
        "strategy": "MirroredStrategy", "replicas": 2, "processes": 1
    }  # fmt: skip


@exhaustive
@pytest.mark.parametrize("norm", NORMS)
def test_every_norm_learns_what_it_learns_on_one_device(norm, one, tmp_path):
    found = run([*BASE, *NORMS[norm], *MIRRORED], tmp_path)
    assert distance(found, one(*NORMS[norm])) < LIMIT


@exhaustive
@pytest.mark.parametrize("norm", NORMS)
def test_two_processes_learn_what_one_device_learns(norm, one, tmp_path):
    assert distance(run_together([*BASE, *NORMS[norm]], tmp_path), one(*NORMS[norm])) < LIMIT
