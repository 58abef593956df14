"""A whole run mirrored to W&B: what is there is what the run folder says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from seqnorm.lab.config.compose import compose
from seqnorm.lab.runs.read import read_run
from seqnorm.lab.training.run import run
from tests.lab.stopping import stopped
from tests.lab.tracking.offline_store import read_offline_run, read_offline_runs
from tests.tiers import exhaustive


def test_an_offline_run_says_what_its_folder_says(tmp_path: Path) -> None:
    config = compose([
        "experiment=smoke", f"runs_dir={tmp_path}", "norm=batch", "tracking=wandb",
        "tracking.mode=offline", "study=compare_smoke",
        "arm='cell=lstm norm=batch'", "tracking.tags=[a]",
    ])  # fmt: skip
    result = run(config)
    folder = tmp_path / result.run
    mirrored = read_offline_run(folder)

    assert (mirrored.name, mirrored.group) == (result.run, "compare_smoke")
    assert (mirrored.job_type, mirrored.tags) == ("cell=lstm norm=batch", ("a",))
    assert mirrored.config["norm.name"] == "batch" and mirrored.config["seed"] == 0
    kept = read_run(folder).result.flat()
    assert kept["status"] == "completed" and kept["test_accuracy"] is not None
    known = {key: value for key, value in kept.items() if value is not None}
    assert {key: mirrored.summary.get(key) for key in known} == known

    records = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    losses = [(each["step"], each["loss"]) for each in records if each["event"] == "train"]
    assert len(losses) == 4 and mirrored.series("train/loss") == losses
    assert len(mirrored.series("epoch/val_accuracy")) == 1
    assert any(name.endswith("/distance") for row in mirrored.history for name in row)

    with np.load(folder / "predictions.npz") as answers:
        wrong = int((answers["predicted"] != answers["labels"]).sum())
    (stored,) = folder.glob("wandb/offline-run-*/files/media/table/mistakes*.table.json")
    table = json.loads(stored.read_text())
    assert len(table["data"]) == wrong > 0 and table["columns"][0] == "text"
    assert mirrored.exit_code == 0


@exhaustive
def test_a_run_that_was_stopped_goes_on_in_the_same_run_and_no_step_is_there_twice(
    tmp_path: Path, monkeypatch, capfd
) -> None:
    config = compose([
        "experiment=smoke", f"runs_dir={tmp_path}", "tracking=wandb", "tracking.mode=offline",
        "train.log_every=1", "train.epochs=2", "data.examples=90", "data.batch_size=16",
    ])  # fmt: skip
    folder = stopped(config, monkeypatch, "on_train_batch_end", 3)
    run(config)
    first, second = read_offline_runs(folder)
    assert first.id == second.id and first.name == second.name
    assert (first.exit_code, second.exit_code) == (1, 0)
    records = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    losses = [(each["step"], each["loss"]) for each in records if each["event"] == "train"]
    assert first.series("train/loss") + second.series("train/loss") == losses
    steps = [row["_step"] for each in (first, second) for row in each.history]
    assert sorted(set(steps)) == steps
    places = capfd.readouterr().err.splitlines()[-1].split()[-2:]
    assert all(Path(each).is_dir() for each in places) and places == sorted(set(places))
