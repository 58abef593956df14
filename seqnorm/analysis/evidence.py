"""What the figures draw: read from the run folders once, small enough to keep with a report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.analysis.arms import Arm, Comparison
from seqnorm.analysis.files import RunFolderError
from seqnorm.analysis.predictions import (
    McNemar,
    accuracy_by_bin,
    class_f1,
    length_bins,
    mcnemar,
    pooled,
)
from seqnorm.analysis.profiles import LayerProfiles, arm_profiles
from seqnorm.analysis.records import Arrays, RunRecord

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
        against: McNemar's test of this arm's runs together against those of its counterpart without
            normalisation.
    """

    curves: list[RunCurves] = field(default_factory=list)
    layers: list[LayerProfiles] = field(default_factory=list)
    by_length: Floats = field(default_factory=lambda: np.empty((0, 0)))
    by_class: Floats = field(default_factory=lambda: np.empty((0, 0)))
    against: McNemar | None = None


@dataclass
class Evidence:
    """What there is to draw of one data set.

    Attributes:
        arms: By label.
        edges: int64 [bins + 1], lengths in tokens that part the bins.
        classes: Names of the classes.
        support: int64 [classes], test texts of each.
        notes: One for each file that could not be read.
    """

    arms: dict[str, ArmEvidence]
    edges: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    classes: list[str] = field(default_factory=list)
    support: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    notes: list[str] = field(default_factory=list)


def _histories(run: RunRecord) -> dict[str, Floats]:
    return {metric: run.history(metric) for metric in METRICS}


class _Gatherer:
    """Reads one data set's run folders; what cannot be read becomes a note."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self.notes: dict[str, None] = {}  # ordered, each note once
        self.found = Evidence({})
        self.labels: NDArray | None = None
        self.pooled: dict[str, NDArray[np.bool_]] = {}

    def gather(self) -> Evidence:
        for arm in self.comparison.arms:
            self.found.arms[arm.label] = ArmEvidence(self._curves(arm), self._layers(arm))
            self._read_predictions(arm, self.found.arms[arm.label])
        for arm in self.comparison.arms:
            baseline = self.comparison.baseline_of(arm)
            if baseline is not None and {arm.label, baseline.label} <= self.pooled.keys():
                self.found.arms[arm.label].against = mcnemar(
                    self.pooled[arm.label], self.pooled[baseline.label]
                )
        self.found.notes = list(self.notes)
        return self.found

    def _readable(self, run: RunRecord, place: str, read: Callable[[], Any]) -> Any:
        """What `read` returns, or None and a note that the run is not in that place."""
        try:
            return read()
        except RunFolderError as error:
            self.notes[f"{run.name}: not in {place}: {error}"] = None
            return None

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
        layers = arm_profiles([run for run in arm.runs if self._readable(run, place, run.probes)])
        return [
            LayerProfiles(layer.name, {key: _rounded(a) for key, a in layer.arrays.items()})
            for layer in layers
        ]

    def _read_predictions(self, arm: Arm, evidence: ArmEvidence) -> None:
        read = [self._readable(run, "the test texts", run.predictions) for run in arm.runs]
        runs = [arrays for arrays in read if arrays and self._same_texts(arrays)]
        if not runs or self.labels is None:
            return
        found, labels = self.found, self.labels
        evidence.by_length = np.stack(
            [accuracy_by_bin(r["predicted"] == labels, r["lengths"], found.edges) for r in runs]
        )
        evidence.by_class = np.stack(
            [class_f1(labels, run["predicted"], len(found.classes)) for run in runs]
        )
        answers = [run["predicted"] for run in runs]
        together = pooled(answers, [run["probability"] for run in runs], len(found.classes))
        self.pooled[arm.label] = together == labels

    def _same_texts(self, arrays: Arrays) -> bool:
        """Whether a run was tested on the texts of the first one, whose lengths set the bins."""
        if self.labels is None:
            self.labels = arrays["labels"]
            names = arrays.get("label_names")
            count = int(max(arrays["labels"].max(), arrays["predicted"].max())) + 1
            self.found.classes = (
                [str(index) for index in range(count)] if names is None else names.tolist()
            )
            self.found.support = np.bincount(self.labels, minlength=len(self.found.classes))
            self.found.edges = length_bins(arrays["lengths"])
        return np.array_equal(arrays["labels"], self.labels)


def _rounded(values: Floats, digits: int = 6) -> Floats:
    """To six significant digits, more than can be seen, for the sake of the file they go into."""
    return np.array([float(f"{value:.{digits}g}") for value in values])


def gather(comparison: Comparison) -> Evidence:
    """Read what there is to draw about one data set.

    Args:
        comparison: The arms; their run folders are read.

    Returns:
        The evidence, with a note for each file that cannot be read.
    """
    return _Gatherer(comparison).gather()
