"""Run folders: names, atomic files, the environment, the hash of a configuration."""

from __future__ import annotations

import errno
import json
import re

import numpy as np
import pytest
from omegaconf import OmegaConf

from seqnorm.lab.console import forgiving
from seqnorm.lab.durable import DiskError
from seqnorm.lab.errors import UserError
from seqnorm.lab.runs.environment import environment
from seqnorm.lab.runs.naming import config_hash
from seqnorm.lab.runs.write import RunFolder
from seqnorm.lab.tracking.factory import make_sinks
from tests.lab.report.fabricate import a_result


def test_names_say_what_ran_and_never_clash(small, monkeypatch):
    config = small("seed=7", "norm=batch")
    digits = iter(["00aa", "00aa", "00bb"])
    monkeypatch.setattr("seqnorm.lab.runs.write.secrets.token_hex", lambda size: next(digits))
    monkeypatch.setattr("seqnorm.lab.runs.write.time.strftime", lambda form: "20260102-030405")
    names = [RunFolder.create(config).name for _ in range(2)]
    assert names == [f"synthetic-lstm-batch-s7-20260102-030405-{end}" for end in ("00aa", "00bb")]


def test_name_does_not_come_from_the_seeded_generators(small):
    import keras

    names = set()
    for _ in range(2):
        keras.utils.set_random_seed(1)
        names.add(RunFolder.create(small()).name)
    assert len(names) == 2
    assert all(re.fullmatch(r"synthetic-lstm-layer-s0-\d{8}-\d{6}-[0-9a-f]{4}", n) for n in names)


def test_folder_starts_with_config_and_environment(small):
    folder = RunFolder.create(small("norm=batch"))
    stored = OmegaConf.load(folder.path / "config.yaml")
    assert stored.norm.max_steps == stored.data.max_length == 12
    assert json.loads((folder.path / "environment.json").read_text()).keys() == {
        "python",
        "packages",
        "git",
        "machine",
        "command",
    }


def test_files_are_complete_or_not_there(small):
    folder = RunFolder.create(small())
    with pytest.raises(ValueError, match="JSON"):
        folder.finish(a_result(test_loss=float("nan")))
    assert not (folder.path / "result.json").exists()
    folder.write_arrays("predictions.npz", {"labels": np.arange(3)})
    folder.finish(a_result())
    names = {path.name for path in folder.path.iterdir()}
    assert names == {"config.yaml", "environment.json", "predictions.npz", "result.json"}


def test_a_folder_that_cannot_be_made_is_the_users_mistake(small, tmp_path):
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(UserError, match="runs_dir must be a folder"):
        RunFolder.create(small())


def test_a_run_that_fails_keeps_its_traceback_and_what_it_had_printed(small, tmp_path):
    config = small()
    opened = RunFolder.opened(config, None, make_sinks(config.tracking))
    with pytest.raises(ZeroDivisionError) as caught, forgiving(), opened as folder:
        print("epoch 1/2")
        raise ZeroDivisionError("\x1b[1ma fault\x1b[0m")  # as Keras sets its messages
    text = (folder.path / "error.txt").read_text()
    assert text.startswith("epoch 1/2\nTraceback") and "ZeroDivisionError: a fault" in text
    assert "error.txt" in caught.value.__notes__[0]


def test_a_refusal_leaves_no_folder(small, tmp_path):
    config = small()
    with pytest.raises(UserError), RunFolder.opened(config, None, make_sinks(config.tracking)):
        raise UserError("too little data")
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_disk_that_fills_up_is_named_with_the_folder(small):
    config = small()
    opened = RunFolder.opened(config, None, make_sinks(config.tracking))
    named = r"runs/synthetic-.* could not be written: No space left"
    with pytest.raises(DiskError, match=named), opened:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_environment_can_be_written_as_json(small):
    values = environment(small())
    assert json.loads(json.dumps(values)) == values
    assert {"keras", "tensorflow", "numpy"} <= values["packages"].keys()
    assert {"system", "cpu", "cores", "memory_gb", "threads"} == values["machine"].keys()
    assert values["machine"]["threads"] >= 1


def test_environment_names_the_threads_that_numbers_depend_on(small, monkeypatch):
    monkeypatch.setenv("SEQNORM_THREADS", "3")
    assert environment(small())["machine"]["threads"] == 3
    assert "parts" not in environment(small())  # all are ours


def test_hash_tells_arms_apart_and_not_seeds(small):
    reference = config_hash(small())
    assert re.fullmatch(r"[0-9a-f]{12}", reference)
    same = small("seed=3", "tracking=wandb", "study=g", "data.dir=/somewhere", runs="else")
    assert config_hash(same) == reference
    for other in ("norm=none", "norm.epsilon=0.1", "optim=sgd", "data.max_length=13"):
        assert config_hash(small(other)) != reference
