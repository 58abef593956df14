"""Runs that were stopped early, as others of their arm were better after as many epochs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqnorm.lab.durable import write_text
from seqnorm.lab.runs.checkpoint import CHECKPOINT
from seqnorm.lab.runs.read import read_config
from seqnorm.lab.runs.result import RESULT
from seqnorm.lab.runs.standing import seconds_trained

PRUNED = "pruned.json"


@dataclass(frozen=True)
class PrunedRun:
    """A run that was stopped early: a setting that was tried, and no score of a finished run.

    Attributes:
        folder: Where it lies.
        config: All of config.yaml, flat, as that of a `RunRecord`.
        seconds: Training time.
    """

    folder: Path
    config: dict[str, Any]
    seconds: float

    @property
    def name(self) -> str:
        """Name of the run, which is the name of its folder."""
        return self.folder.name


def prune(folder: Path, epochs: int, of: int) -> None:
    """Marks a paused run as stopped early, and removes what it could have gone on from.

    That is by far its largest file. What the run has recorded stays.

    Args:
        folder: Of the run.
        epochs: Those that it has finished.
        of: Those that it would have had.

    Raises:
        DiskError: If the disk does not take the mark.
    """
    # In this order: a run that is marked never goes on, it begins anew.
    (folder / CHECKPOINT).unlink(missing_ok=True)
    if not is_pruned(folder):
        why = "others of its arm were better after as many epochs (compare.prune=halving)"
        content = {"stopped_after_epoch": epochs, "of_epochs": of, "why": why}
        write_text(folder / PRUNED, json.dumps(content, indent=2) + "\n")


def is_pruned(folder: Path) -> bool:
    """Whether a run was stopped early."""
    return (folder / PRUNED).exists() and not (folder / RESULT).exists()


def read_pruned(folder: Path) -> PrunedRun:
    """A run that was stopped early.

    Raises:
        RunFolderError: If its config.yaml is missing or damaged, or its records are.
    """
    return PrunedRun(folder, read_config(folder), seconds_trained(folder))
