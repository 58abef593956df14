"""What the figures draw: read from the run folders once, small enough to keep with a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.report.arms.arms import Arm, Comparison
from seqnorm.lab.report.statistics.predictions import accuracy_by_bin, class_f1, length_bins, pooled
from seqnorm.lab.report.statistics.profiles import LayerProfiles, arm_profiles
from seqnorm.lab.runs.files import RunFolderError
from seqnorm.lab.runs.read import Arrays, RunRecord

PLACE = "the scores by length and class"
OTHER_TEXTS = "it was tested on other texts, or cut them at another length"
METRICS = ("val_accuracy", "val_loss")
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RunCurves:
    """The epochs of one run: float64 [n, 3] by metric, columns step, seconds and value."""

    seed: int
    diverged: bool
    metrics: dict[str, Floats]


@dataclass
class ArmEvidence:
    """What there is to draw of one arm.

    Attributes:
        curves: One entry per run that has any epoch.
        layers: Mean profiles of the last probes.
        by_length: float64 [runs, bins], accuracy by length of the text.
        by_class: float64 [runs, classes], F1.
        right: bool [texts], whether the arm's runs together answer each test text rightly.
    """

    curves: list[RunCurves] = field(default_factory=list)
    layers: list[LayerProfiles] = field(default_factory=list)
    by_length: Floats = field(default_factory=lambda: np.empty((0, 0)))
    by_class: Floats = field(default_factory=lambda: np.empty((0, 0)))
    right: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, bool))


@dataclass
class Evidence:
    """What there is to draw of one comparison.

    Attributes:
        arms: By label.
        edges: int64 [bins + 1], lengths in tokens that part the bins.
        classes: Names of the classes.
        support: int64 [classes], test texts of each.
        texts: Short digest of the test texts' classes and lengths; empty without predictions.
        notes: One for each file that could not be read.
    """

    arms: dict[str, ArmEvidence]
    edges: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    classes: list[str] = field(default_factory=list)
    support: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    texts: str = ""
    notes: list[str] = field(default_factory=list)


def _histories(run: RunRecord) -> dict[str, Floats]:
    return {metric: run.history(metric) for metric in METRICS}


class _Gatherer:
    """Reads the run folders of one comparison; what cannot be read becomes a note."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self.notes: dict[str, None] = {}  # ordered, each note once
        self.found = Evidence({}, texts=self._texts_of_most())

    def gather(self) -> Evidence:
        for arm in self.comparison.arms:
            self.found.arms[arm.label] = ArmEvidence(self._curves(arm), self._layers(arm))
            self._read_predictions(arm, self.found.arms[arm.label])
        self.found.notes = list(self.notes)
        return self.found

    def _readable(self, run: RunRecord, place: str, read: Callable[[], Any]) -> Any:
        """What `read` returns, or None and a note that the run is not in that place."""
        try:
            return read()
        except RunFolderError as error:
            self.notes[f"{run.name}: not in {place}: {error}"] = None
            return None

    def _texts_of_most(self) -> str:
        """Digest of the test texts that most runs were tested on."""
        read = [self._readable(run, PLACE, run.predictions) for run in self.comparison.runs]
        counts = Counter(_digest(arrays) for arrays in read if arrays)
        return max(counts, key=lambda texts: (counts[texts], texts), default="")

    def _curves(self, arm: Arm) -> list[RunCurves]:
        curves = []
        for run in arm.runs:
            if not run.result.get("best_epoch") and not run.diverged:
                continue  # without epochs, as a bag of words
            metrics = self._readable(run, "the learning curves", partial(_histories, run))
            if metrics is not None and any(len(history) for history in metrics.values()):
                curves.append(RunCurves(run.seed, run.diverged, metrics))
        return curves

    def _layers(self, arm: Arm) -> list[LayerProfiles]:
        place = "the statistics over time"
        completed = [run for run in arm.runs if not run.diverged]
        layers = arm_profiles([run for run in completed if self._readable(run, place, run.probes)])
        return [
            LayerProfiles(layer.name, {key: _rounded(a) for key, a in layer.arrays.items()})
            for layer in layers
        ]

    def _read_predictions(self, arm: Arm, evidence: ArmEvidence) -> None:
        read = [(run, self._readable(run, PLACE, run.predictions)) for run in arm.runs]
        runs = [arrays for run, arrays in read if arrays and self._same_texts(run, arrays)]
        if not runs:
            return
        found, labels = self.found, runs[0]["labels"]
        evidence.by_length = np.stack(
            [accuracy_by_bin(r["predicted"] == labels, r["lengths"], found.edges) for r in runs]
        )
        evidence.by_class = np.stack(
            [class_f1(labels, run["predicted"], len(found.classes)) for run in runs]
        )
        answers = [run["predicted"] for run in runs]
        together = pooled(answers, [run["probability"] for run in runs], len(found.classes))
        evidence.right = together == labels

    def _same_texts(self, run: RunRecord, arrays: Arrays) -> bool:
        """Whether a run was tested on the texts of most, whose lengths set the bins."""
        texts = _digest(arrays)
        if texts == self.found.texts and not self.found.classes:
            names = arrays.get("label_names")
            count = int(max(arrays["labels"].max(), arrays["predicted"].max())) + 1
            self.found.classes = (
                [str(index) for index in range(count)] if names is None else names.tolist()
            )
            self.found.support = np.bincount(arrays["labels"], minlength=len(self.found.classes))
            self.found.edges = length_bins(arrays["lengths"])
        if texts != self.found.texts:
            self.notes[f"{run.name}: not in {PLACE}: {OTHER_TEXTS}"] = None
        return texts == self.found.texts


def _digest(arrays: Arrays) -> str:
    """Equal for the same texts, cut at the same length."""
    numbers = np.concatenate([arrays["labels"], arrays["lengths"]]).astype("<i8")
    return sha256(numbers.tobytes()).hexdigest()[:16]


def _rounded(values: Floats, digits: int = 6) -> Floats:
    """To six significant digits, more than can be seen, for the sake of the file they go into."""
    return np.array([float(f"{value:.{digits}g}") for value in values])


def gather(comparison: Comparison) -> Evidence:
    """Read what there is to draw about one comparison.

    Args:
        comparison: The arms; their run folders are read.

    Returns:
        The evidence, with a note for each file that cannot be read.
    """
    return _Gatherer(comparison).gather()
