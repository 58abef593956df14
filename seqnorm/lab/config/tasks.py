"""What a model has to answer: one dataclass per task."""

from __future__ import annotations

from dataclasses import dataclass

from omegaconf import MISSING


@dataclass
class TaskConfig:
    """What every task has: its registered name."""

    name: str = MISSING


@dataclass
class ClassificationConfig(TaskConfig):
    """One class for each row of tokens."""


TASKS: dict[str, type] = {"classification": ClassificationConfig}
