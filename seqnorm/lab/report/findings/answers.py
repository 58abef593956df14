"""What the predictions of a comparison's runs come to, of any task."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.report.statistics.lengths import length_bins, mean_by_bin
from seqnorm.lab.runs.files import RunFolderError
from seqnorm.lab.runs.read import PREDICTIONS, Arrays, RunRecord


class Answers:
    """Reads what runs have answered on the test texts: the first score by the length of a text.

    A task with more to say has a reader of its own.

    Attributes:
        place: where in the report these are, for notes on runs that are missing there.
        needed: arrays that predictions must have.
    """

    place: ClassVar[str] = "the scores by length"
    needed: ClassVar[tuple[str, ...]] = ("lengths",)

    def read(self, run: RunRecord) -> Arrays:
        """The predictions of a run; empty if it has none.

        Raises:
            RunFolderError: If they cannot be read, or lack what is needed.
        """
        arrays = run.predictions()
        missing = [name for name in self.needed if arrays and name not in arrays]
        if missing:
            raise RunFolderError(
                f"{PREDICTIONS} must hold {', '.join(self.needed)}; received one without "
                f"{', '.join(missing)}. Repeat the run to have its predictions."
            )
        return arrays

    def texts(self, arrays: Arrays) -> str:
        """A short digest, equal for the same texts, cut at the same length."""
        labels = np.ravel(arrays.get("labels", []))
        numbers = np.concatenate([labels, arrays["lengths"]]).astype("<i8")
        return sha256(numbers.tobytes()).hexdigest()[:16]

    def common(self, arrays: Arrays) -> Arrays:
        """What all runs on these texts share: "edges", int64 [bins + 1], lengths between bins."""
        return {"edges": length_bins(arrays["lengths"])}

    def of_arm(self, runs: Sequence[Arrays], common: Arrays) -> Arrays:
        """What the runs of an arm come to: "by_length", float64 [runs, bins]; or nothing."""
        scores = [self.by_text(arrays) for arrays in runs]
        found = [
            mean_by_bin(score, arrays["lengths"], common["edges"], arrays.get("asked"))
            for score, arrays in zip(scores, runs, strict=True)
            if score is not None
        ]
        return {"by_length": np.stack(found)} if found else {}

    def by_text(self, arrays: Arrays) -> NDArray | None:
        """The first score of each text by itself, [texts]; None if unknown."""
        return arrays.get("score")
