"""One row per run, for every tool that reads CSV."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from seqnorm.analysis.arms import Comparison

# The fields of result.json in the order of the columns; others it may hold follow by name.
RESULT_COLUMNS = (
    "status",
    "test_accuracy",
    "test_macro_f1",
    "test_loss",
    "val_accuracy",
    "majority_accuracy",
    "best_epoch",
    "steps",
    "train_seconds",
    "tokens_per_second",
    "parameters",
    "config_hash",
    "message",
)
IDENTITY_COLUMNS = ("run", "data", "cell", "norm", "seed", "arm")


def write_csv(path: Path, comparisons: Sequence[Comparison]) -> None:
    """Write run, arm, the fields of result.json, and the settings in which the arms differ.

    Args:
        path: The file.
        comparisons: All data sets; the rows are in the order of the arms, then of the seeds.
    """
    arms = [arm for comparison in comparisons for arm in comparison.arms]
    known = {*IDENTITY_COLUMNS, *RESULT_COLUMNS}
    further = sorted({key for arm in arms for run in arm.runs for key in run.result} - known)
    settings = sorted({key for arm in arms for key, _ in arm.settings})
    columns = [*IDENTITY_COLUMNS, *RESULT_COLUMNS, *further, *settings]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        for arm in arms:
            for run in arm.runs:
                writer.writerow(
                    {**run.result, **dict(arm.settings), "run": run.name, "arm": arm.label}
                )
