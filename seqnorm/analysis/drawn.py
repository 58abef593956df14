"""The arms that are drawn and how they look: one look per norm, one chart per cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqnorm.analysis.arms import Arm, Comparison
from seqnorm.analysis.charts import Line
from seqnorm.analysis.evidence import ArmEvidence, Evidence
from seqnorm.analysis.floors import bag_of_words, is_floor
from seqnorm.analysis.statistics import Band

# More lines than this cannot be told apart.
MAX_ARMS = 10


@dataclass(frozen=True)
class Drawn:
    """The arms that are drawn, and what there is of each.

    Attributes:
        comparison: All arms.
        evidence: What there is of each.
        arms: Those that are drawn, in the order of the tables.
        restriction: A sentence that says so if some are left out.
    """

    comparison: Comparison
    evidence: Evidence
    arms: Sequence[Arm]
    restriction: str

    @property
    def cells(self) -> list[str]:
        """The cells, each with charts of its own."""
        return list(dict.fromkeys(arm.cell for arm in self.arms))

    @property
    def legend(self) -> list[str]:
        """One entry per look: an arm's label, without the cell where there are several."""
        return list(dict.fromkeys(map(self.variant, self.arms)))

    def variant(self, arm: Arm) -> str:
        """What an arm is among those of its cell, as "layer, batch_size=8"."""
        return arm.label if len(self.cells) == 1 else arm.label.removeprefix(f"{arm.cell} ")

    def style(self, arm: Arm) -> int:
        """Position of its look, the same for the same norm in every cell."""
        return self.legend.index(self.variant(arm))

    def of(self, arm: Arm) -> ArmEvidence:
        """The evidence of one arm."""
        return self.evidence.arms[arm.label]

    def lines(self, make: Callable[[Arm], Line]) -> Iterator[tuple[str, list[Line]]]:
        """For every cell the text that ends a chart's title, and a line per arm."""
        for cell in self.cells:
            ending = "" if len(self.cells) == 1 else f", {cell}"
            yield ending, [make(arm) for arm in self.arms if arm.cell == cell]

    def line(self, arm: Arm, band: Band) -> Line:
        """A line in the look of an arm."""
        return Line(self.variant(arm), self.style(arm), band)

    def floors(self) -> dict[str, float]:
        """Test accuracy of the majority class and of the bag of words, by name."""
        majority = [run.majority_accuracy for run in self.comparison.runs]
        floor = bag_of_words(self.comparison)
        words = {} if floor is None else {"bag of words (test)": floor.accuracy}
        return {"majority class (test)": float(np.mean(majority)), **words}


def drawn_arms(comparison: Comparison, evidence: Evidence) -> Drawn:
    """At most `MAX_ARMS` arms, those with the highest accuracy; floors are references instead."""
    arms = [arm for arm in comparison.arms if not is_floor(arm)]
    if len(arms) <= MAX_ARMS:
        return Drawn(comparison, evidence, arms, "")
    accuracy = [float(np.mean(list(arm.values("accuracy").values()))) for arm in arms]
    best = sorted(np.argsort(accuracy, kind="stable")[-MAX_ARMS:])
    sentence = f" Of {len(arms)} arms, the {MAX_ARMS} with the highest accuracy are drawn."
    return Drawn(comparison, evidence, [arms[index] for index in best], sentence)


def no_band() -> Band:
    """Of an arm with nothing to show."""
    empty: NDArray[np.float64] = np.empty(0)
    return Band(empty, empty, empty, empty)
