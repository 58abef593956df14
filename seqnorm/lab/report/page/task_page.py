"""What the page says of one task beside its scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from seqnorm.lab.report.page.charts import Picture
from seqnorm.lab.report.page.looks import Looks
from seqnorm.lab.runs.read import Arrays


class TaskPage:
    """Nothing but what holds of every task; a task with more to say has a page of its own.

    Attributes:
        pair_headings: of further columns of the table of differences.
        pairs_note, single_pairs_note: what they mean, and what does where each arm has one run.
        tuning_note: how far a validation score can be trusted.
    """

    pair_headings: ClassVar[tuple[str, ...]] = ()
    pairs_note: ClassVar[str] = "P has no interval where all pairs of runs agree."
    single_pairs_note: ClassVar[str] = ""
    tuning_note: ClassVar[str] = (
        "A best trial little better than the second is as much luck as choice."
    )

    def pair(self, ours: Arrays, theirs: Arrays, *, alike: bool) -> tuple[str, ...]:
        """Further cells of an arm and its counterpart, one for each of `pair_headings`.

        Args:
            ours: What the arm's runs have answered, see `Answers.of_arm`.
            theirs: The counterpart's.
            alike: Whether both have the same seeds.
        """
        return ()

    def pictures(self, looks: Looks) -> Iterator[Picture]:
        """Further charts."""
        yield from ()
