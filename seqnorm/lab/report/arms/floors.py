"""What a model without recurrence reaches: the floors every arm has to beat."""

from __future__ import annotations

import numpy as np

from seqnorm.lab.config.data import DATA, SeriesConfig
from seqnorm.lab.report.arms.arms import BAG_OF_WORDS, Arm, Comparison
from seqnorm.lab.tasks import Classification


def is_floor(arm: Arm) -> bool:
    """Whether an arm is a bag of words: in the tables, but without learning curves."""
    return arm.cell == BAG_OF_WORDS


def has_bag_of_words(comparison: Comparison) -> bool:
    """Whether a bag of words can do the task: it answers with a class, to rows of ids."""
    schema = DATA.get(comparison.data, object)
    return comparison.task.name == Classification.name and not issubclass(schema, SeriesConfig)


def bag_of_words(comparison: Comparison) -> dict[str, float] | None:
    """Test scores of the best bag-of-words arm, means over seeds; `None` if none was run."""
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
    floor = bag_of_words(comparison)
    if floor is not None:
        scores = (f"{score.title} {score.write(floor[score.name])}" for score in task.scores)
        lines.append(f"Bag of words: {', '.join(scores)}.")
    elif has_bag_of_words(comparison):
        lines.append(
            f"Bag of words: not measured (seqnorm-train model={BAG_OF_WORDS} "
            f"data={comparison.data}, then report on both)."
        )
    return lines


def capitalised(text: str) -> str:
    """A text that begins a sentence; capitals within it stay, as in macro-F1."""
    return text[:1].upper() + text[1:]
