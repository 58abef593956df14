"""What the runs of a classification have answered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.report.classes.statistics import class_f1, pooled
from seqnorm.lab.report.findings.answers import Answers
from seqnorm.lab.runs.read import Arrays


class ClassAnswers(Answers):
    """Accuracy by length, F1 by class, and which texts the runs of an arm together get right."""

    place = "the scores by length and class"
    needed = ("labels", "predicted", "probability", "lengths")

    def common(self, arrays: Arrays) -> Arrays:
        """Names of the "classes", and their "support", int64 [classes], test texts of each."""
        names = arrays.get("label_names")
        count = int(max(arrays["labels"].max(), arrays["predicted"].max())) + 1
        classes = np.array([str(index) for index in range(count)]) if names is None else names
        support = np.bincount(arrays["labels"], minlength=len(classes))
        return {**super().common(arrays), "classes": classes, "support": support}

    def of_arm(self, runs: Sequence[Arrays], common: Arrays) -> Arrays:
        """As well "by_class", float64 [runs, classes], F1, and "right", bool [texts], by vote."""
        labels, classes = runs[0]["labels"], len(common["classes"])
        answers = [run["predicted"] for run in runs]
        together = pooled(answers, [run["probability"] for run in runs], classes)
        return {
            **super().of_arm(runs, common),
            "by_class": np.stack([class_f1(labels, answer, classes) for answer in answers]),
            "right": together == labels,
        }

    def by_text(self, arrays: Arrays) -> NDArray[np.bool_]:
        """Whether each text was answered rightly."""
        return arrays["predicted"] == arrays["labels"]
