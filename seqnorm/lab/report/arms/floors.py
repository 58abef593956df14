"""What a model without recurrence reaches: the floors every arm has to beat."""

from __future__ import annotations

import numpy as np

from seqnorm.lab.config.data import DATA
from seqnorm.lab.config.former import FIRST_TASK
from seqnorm.lab.config.models import FLOORS
from seqnorm.lab.config.tasks import TASKS, TaskConfig, floor
from seqnorm.lab.report.arms.arms import Arm, Comparison


def is_floor(arm: Arm) -> bool:
    """Whether an arm has no recurrence: in the tables, but without learning curves."""
    return arm.cell in FLOORS


def floor_model(comparison: Comparison) -> str | None:
    """The model without recurrence that can do the task; None if none can."""
    task: type[TaskConfig] = TASKS.get(comparison.task.name, TaskConfig)
    return floor(task, DATA.get(comparison.data, object))


def floor_title(comparison: Comparison) -> str:
    """What it is called, as "bag of words"; empty if there is none."""
    return FLOORS.get(floor_model(comparison) or "", "")


def floor_scores(comparison: Comparison) -> dict[str, float] | None:
    """Test scores of the best arm without recurrence, means over seeds; None if none was run."""
    task = comparison.task
    floors = [
        {score.name: float(np.mean(list(arm.values(score.name).values()))) for score in task.scores}
        for arm in comparison.arms
        if is_floor(arm)
    ]
    merit = task.score.merit
    return max(floors, key=lambda floor: merit(floor[task.score.name]), default=None)


def baseline_score(comparison: Comparison) -> float:
    """The first score of what needs no model, mean over runs."""
    return float(np.mean([run.result.baseline for run in comparison.runs]))


def floor_lines(comparison: Comparison) -> list[str]:
    """The floors of one comparison as sentences."""
    task = comparison.task
    found = sorted({task.score.write(run.result.baseline) for run in comparison.runs})
    lines = [f"{capitalised(task.baseline)}: {task.score.title} {' or '.join(found)}."]
    reached, title = floor_scores(comparison), capitalised(floor_title(comparison))
    if reached is not None:
        scores = (f"{score.title} {score.write(reached[score.name])}" for score in task.scores)
        lines.append(f"{title}: {', '.join(scores)}.")
    elif title:
        first = "" if task.name == FIRST_TASK else f"task={task.name} "
        lines.append(
            f"{title}: not measured (seqnorm-train {first}model={floor_model(comparison)} "
            f"data={comparison.data}, then report on both)."
        )
    return lines


def capitalised(text: str) -> str:
    """A text that begins a sentence; capitals within it stay, as in macro-F1."""
    return text[:1].upper() + text[1:]
