"""What a model has to answer: one dataclass per task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from omegaconf import MISSING

from seqnorm.lab.config.data import SeriesConfig
from seqnorm.lab.config.ranges import at_least, ranged


@dataclass
class TaskConfig:
    """What every task has: its registered name.

    A task says with `LABELS` which labels it needs, one of `seqnorm.lab.config.data.LABELS` (None:
    whichever the data has), with `FLOOR` which model without recurrence can do it as well, and with
    `CAUSAL` whether no answer may know later steps.
    """

    LABELS: ClassVar[str | None] = None
    FLOOR: ClassVar[str | None] = None
    CAUSAL: ClassVar[bool] = False

    name: str = MISSING


@dataclass
class ClassificationConfig(TaskConfig):
    """One class for each row."""

    LABELS = "class"
    FLOOR = "bag_of_words"


@dataclass
class MultilabelConfig(TaskConfig):
    """Any number of classes for each row."""

    LABELS = "classes"
    FLOOR = "bag_of_words"


@dataclass
class RegressionConfig(TaskConfig):
    """One number for each row."""

    LABELS = "number"


@dataclass
class TaggingConfig(TaskConfig):
    """One class for each step of a row."""

    LABELS = "tags"


@dataclass
class LanguageModelConfig(TaskConfig):
    """The next token at each step.

    Attributes:
        window: cut the texts of a part, one after the other, into rows of so many steps; None
            leaves each text a row.
        carry_state: whether a window begins with the state in which the one before it ended.
    """

    LABELS = "none"
    FLOOR = "ngram"
    CAUSAL = True

    window: int | None = ranged(None, at_least(1))
    carry_state: bool = False


TASKS: dict[str, type] = {
    "classification": ClassificationConfig,
    "language_model": LanguageModelConfig,
    "multilabel": MultilabelConfig,
    "regression": RegressionConfig,
    "tagging": TaggingConfig,
}


def floor(task: type[TaskConfig] | TaskConfig, data: type | object) -> str | None:
    """The model without recurrence that can do a task on some data too; None if none can.

    Args:
        task: schema of the task, or its keys.
        data: likewise of the data.
    """
    schema = data if isinstance(data, type) else type(data)
    return None if issubclass(schema, SeriesConfig) else task.FLOOR
