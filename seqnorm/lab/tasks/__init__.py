"""Tasks by name: what a model has to answer, and what its answers are worth.

A task owns targets, head, loss, metrics, the score that chooses settings, and the baseline that
needs no model. Importing this room imports neither Keras nor TensorFlow.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from seqnorm.lab.tasks.base import Evaluation, Task
from seqnorm.lab.tasks.classification import Classification
from seqnorm.lab.tasks.language_model import LanguageModel
from seqnorm.lab.tasks.multilabel import Multilabel
from seqnorm.lab.tasks.regression import Regression
from seqnorm.lab.tasks.score import Score, Scoring
from seqnorm.lab.tasks.tagging import Tagging

if TYPE_CHECKING:
    from seqnorm.lab.config.tasks import TaskConfig

__all__ = [
    "TASKS",
    "Classification",
    "Evaluation",
    "LanguageModel",
    "Multilabel",
    "Regression",
    "Score",
    "Scoring",
    "Tagging",
    "Task",
    "make_task",
]

# name of a task -> what makes it. A new one of ours also needs a schema in
# seqnorm/lab/config/tasks.py and a file in conf/task.
TASKS: dict[str, type[Task]] = {
    each.name: each for each in (Classification, LanguageModel, Multilabel, Regression, Tagging)
}


def make_task(config: TaskConfig) -> Task:
    """The task of a run.

    Args:
        config: the ``task`` group.

    Raises:
        ValueError: if there is no task of that name.
    """
    if config.name not in TASKS:
        raise ValueError(
            f"task.name must be one of {', '.join(TASKS)}; received name={config.name!r}. Choose "
            "one of them, or name the module that registers it in imports."
        )
    settings = asdict(config)
    return TASKS[settings.pop("name")](**settings)
