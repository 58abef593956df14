"""What a model without recurrence reaches: the floors every arm has to beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqnorm.lab.report.arms.arms import BAG_OF_WORDS, Arm, Comparison


@dataclass(frozen=True)
class BagOfWords:
    """Test accuracy and macro-F1 of the bag-of-words baseline."""

    accuracy: float
    macro_f1: float


def is_floor(arm: Arm) -> bool:
    """Whether an arm is a bag of words: in the tables, but without learning curves."""
    return arm.cell == BAG_OF_WORDS


def bag_of_words(comparison: Comparison) -> BagOfWords | None:
    """The best bag-of-words arm of a comparison, its mean over seeds; `None` if none was run."""
    floors = [
        BagOfWords(
            *(float(np.mean(list(arm.values(name).values()))) for name in ("accuracy", "macro_f1"))
        )
        for arm in comparison.arms
        if is_floor(arm)
    ]
    return max(floors, key=lambda floor: floor.accuracy, default=None)


def floor_lines(comparison: Comparison) -> list[str]:
    """The floors of one comparison as sentences."""
    majority = sorted({f"{run.majority_accuracy:.4f}" for run in comparison.runs})
    lines = [f"Majority class: accuracy {' or '.join(majority)}."]
    floor = bag_of_words(comparison)
    if floor is None:
        lines.append(
            f"Bag of words: not measured (seqnorm-train model={BAG_OF_WORDS} "
            f"data={comparison.data}, then report on both)."
        )
    else:
        lines.append(f"Bag of words: accuracy {floor.accuracy:.4f}, macro-F1 {floor.macro_f1:.4f}.")
    return lines
