"""What a model without recurrence reaches: the floors every arm has to beat."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from seqnorm.analysis.arms import Comparison

FILE_NAME = "floors.json"
KEYS = ("accuracy", "macro_f1", "majority_accuracy")


@dataclass(frozen=True)
class BagOfWords:
    """Test accuracy and macro-F1 of the bag-of-words baseline."""

    accuracy: float
    macro_f1: float


def _parse(path: Path) -> dict[str, BagOfWords]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        floors = {}
        for data, entry in content.items():
            numbers = [float(entry[key]) for key in KEYS]
            if not all(map(math.isfinite, numbers)):
                raise ValueError(f"{data} holds a number that is not finite")
            floors[data] = BagOfWords(numbers[0], numbers[1])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{FILE_NAME} maps each data set to numbers for {', '.join(KEYS)}; received a file at "
            f"{str(path)!r} that does not ({type(error).__name__}: {error}). Write it again or "
            "remove it."
        ) from error
    return floors


def read_floors(folders: Iterable[Path]) -> dict[str, BagOfWords]:
    """Read every floors.json in the folders; where two name a data set, the later folder counts.

    Args:
        folders: Where to look; a folder without the file is fine.

    Returns:
        The bag-of-words baseline by data set.

    Raises:
        ValueError: If a file is damaged.
    """
    floors: dict[str, BagOfWords] = {}
    for folder in dict.fromkeys(folders):
        path = folder / FILE_NAME
        if path.is_file():
            floors.update(_parse(path))
    return floors


def floor_lines(comparison: Comparison, bag_of_words: BagOfWords | None) -> list[str]:
    """The floors of one data set as sentences."""
    majority = sorted({f"{run.majority_accuracy:.4f}" for run in comparison.runs})
    lines = [f"Majority class: accuracy {' or '.join(majority)}."]
    if bag_of_words is None:
        lines.append(f"Bag of words: not measured (no {FILE_NAME} with {comparison.data} in it).")
    else:
        lines.append(
            f"Bag of words: accuracy {bag_of_words.accuracy:.4f}, "
            f"macro-F1 {bag_of_words.macro_f1:.4f}."
        )
    return lines
