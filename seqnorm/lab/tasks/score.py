"""What a task measures, apart from how: enough to compare runs and to write about them.

A run keeps this with its numbers, so that a report needs nothing of the code of a user's task.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Score:
    """One number that a model is judged by.

    Attributes:
        name: its key in files and records, as "accuracy" in "val_accuracy"; not "loss", which every
            run has beside its scores.
        title: what a person reads.
        digits: decimals.
        bounds: what no value lies outside of, as (0, math.inf) of an error; None for no bounds.
        higher_is_better: False for an error.
        scale: what a difference is multiplied with in a sentence: 100 gives points of a share.
        unit: of that product.

    Raises:
        ValueError: if the name is no name, or that of the loss.
    """

    name: str
    title: str
    digits: int = 4
    bounds: tuple[float, float] | None = None
    higher_is_better: bool = True
    scale: float = 1.0
    unit: str = ""

    @classmethod
    def share(cls, name: str, title: str) -> Score:
        """One between 0 and 1, whose differences are written in points."""
        return cls(name, title, bounds=(0.0, 1.0), scale=100, unit="points")

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or self.name == "loss":
            raise ValueError(
                "a score needs a name of letters, digits and _ that is not the loss's, whose place "
                f"is its own; received name={self.name!r}. Give another one, as 'bits'."
            )

    @property
    def best(self) -> str:
        """What the best value is: "highest" or "lowest"."""
        return "highest" if self.higher_is_better else "lowest"

    def merit(self, value: float) -> float:
        """A number that is the higher the better; its own inverse."""
        return value if self.higher_is_better else -value

    def write(self, value: float) -> str:
        """A value as text: 0.9124."""
        return f"{value:.{self.digits}f}"

    def write_difference(self, value: float) -> str:
        """A difference of two values as text, without its unit: +0.70 of an accuracy's 0.0070."""
        digits = max(self.digits - round(math.log10(self.scale)), 0)
        return f"{self.scale * value:+.{digits}f}"


@dataclass(frozen=True)
class Scoring:
    """What the runs of one task are compared by.

    Attributes:
        name: of the task.
        scores: the first leads in reports, and its validation value chooses between settings.
        baseline: what needs no model, in words, as "majority class"; its first word names it in
            tables, as in "majority_accuracy".

    Raises:
        ValueError: if there is no score, or two have one name.
    """

    name: str
    scores: tuple[Score, ...]
    baseline: str

    def __post_init__(self) -> None:
        names = [score.name for score in self.scores]
        if not names or len(set(names)) < len(names) or not self.baseline:
            raise ValueError(
                "a task needs scores of different names, and the name of its baseline; received "
                f"scores={names} and baseline={self.baseline!r} of {self.name}. Declare them as "
                "seqnorm.lab.tasks.classification does."
            )

    @property
    def score(self) -> Score:
        """The first score."""
        return self.scores[0]

    def to_json(self) -> dict[str, Any]:
        """As JSON takes it, which has no infinity: an open end is None."""
        content = asdict(self)
        content["scores"] = list(content["scores"])
        for score in content["scores"]:
            ends = score["bounds"]
            score["bounds"] = ends and [end if math.isfinite(end) else None for end in ends]
        return content

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Scoring:
        """What `to_json` gave.

        Raises:
            KeyError, TypeError, ValueError: if it is something else.
        """
        scores = [Score(**{**each, "bounds": _ends(each["bounds"])}) for each in stored["scores"]]
        return cls(stored["name"], tuple(scores), stored["baseline"])

    @property
    def comparable(self) -> tuple[tuple[str, bool], ...]:
        """What two runs have in common if their numbers may stand in one table."""
        return tuple((score.name, score.higher_is_better) for score in self.scores)


def _ends(stored: Any) -> tuple[float, float] | None:
    if stored is None:
        return None
    low, high = stored
    return -math.inf if low is None else float(low), math.inf if high is None else float(high)
