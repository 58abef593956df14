"""What a model has to answer: one dataclass per task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from omegaconf import MISSING


@dataclass
class TaskConfig:
    """What every task has: its registered name.

    A task says with `LABELS` which labels it needs, one of `seqnorm.lab.config.data.LABELS` (None:
    whichever the data has), and with `FLOOR` which model without recurrence can do it as well.
    """

    LABELS: ClassVar[str | None] = None
    FLOOR: ClassVar[str | None] = None

    name: str = MISSING


@dataclass
class ClassificationConfig(TaskConfig):
    """One class for each row."""

    LABELS = "class"
    FLOOR = "bag_of_words"


@dataclass
class RegressionConfig(TaskConfig):
    """One number for each row."""

    LABELS = "number"


@dataclass
class TaggingConfig(TaskConfig):
    """One class for each step of a row."""

    LABELS = "tags"


TASKS: dict[str, type] = {
    "classification": ClassificationConfig,
    "regression": RegressionConfig,
    "tagging": TaggingConfig,
}
