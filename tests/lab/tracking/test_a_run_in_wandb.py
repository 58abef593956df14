"""A whole run mirrored to W&B: what is there is what the run folder says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from seqnorm.lab.config.compose import compose
from seqnorm.lab.runs.read import read_run
from seqnorm.lab.training.run import run
from tests.lab.tracking.offline_store import read_offline_run


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
