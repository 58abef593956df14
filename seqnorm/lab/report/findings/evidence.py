"""What the figures draw: read from the run folders once, small enough to keep with a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.report.arms.arms import Arm, Comparison
from seqnorm.lab.report.classes.answers import ClassAnswers
from seqnorm.lab.report.findings.answers import Answers
from seqnorm.lab.report.statistics.profiles import LayerProfiles, arm_profiles
from seqnorm.lab.runs.files import RunFolderError
from seqnorm.lab.runs.read import Arrays, RunRecord

OTHER_TEXTS = "tested on other texts, or on texts cut at another length"
# Tasks whose answers say more than a score of each text.
READERS: dict[str, type[Answers]] = {"classification": ClassAnswers}
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
        answers: What its runs have answered comes to, by name, see `Answers.of_arm`.
    """

    curves: list[RunCurves] = field(default_factory=list)
    layers: list[LayerProfiles] = field(default_factory=list)
    answers: Arrays = field(default_factory=dict)


@dataclass
class Evidence:
    """What there is to draw of one comparison.

    Attributes:
        arms: By label.
        common: What all answers have in common, by name, see `Answers.common`.
        texts: Short digest of the test texts; empty without predictions.
        notes: One for each file that could not be read.
    """

    arms: dict[str, ArmEvidence]
    common: Arrays = field(default_factory=dict)
    texts: str = ""
    notes: list[str] = field(default_factory=list)


def reader_of(comparison: Comparison) -> Answers:
    """What reads the answers of a comparison's runs."""
    return READERS.get(comparison.task.name, Answers)()


def curve_metrics(comparison: Comparison) -> tuple[str, str]:
    """The records that learning curves are drawn of: the first score, and the loss."""
    return f"val_{comparison.task.score.name}", "val_loss"


class _Gatherer:
    """Reads the run folders of one comparison; what cannot be read becomes a note."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self.reader = reader_of(comparison)
        self.notes: dict[str, None] = {}  # ordered, each note once
        self.others: list[str] = []  # arms and runs that were tested on other texts
        self.found = Evidence({}, texts=self._texts_of_most())

    def gather(self) -> Evidence:
        for arm in self.comparison.arms:
            self.found.arms[arm.label] = ArmEvidence(self._curves(arm), self._layers(arm))
            self._read_predictions(arm, self.found.arms[arm.label])
        if self.others:
            others = "; ".join(self.others)
            self.notes[f"{others}: not in {self.reader.place}: {OTHER_TEXTS}"] = None
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
        read = [self._predictions(run) for run in self.comparison.runs]
        counts = Counter(self.reader.texts(arrays) for arrays in read if arrays)
        return max(counts, key=lambda texts: (counts[texts], texts), default="")

    def _curves(self, arm: Arm) -> list[RunCurves]:
        curves = []
        for run in arm.runs:
            if not run.result.best_epoch and not run.result.diverged:
                continue  # without epochs, as a bag of words
            metrics = self._readable(run, "the learning curves", partial(self._histories, run))
            if metrics is not None and any(len(history) for history in metrics.values()):
                curves.append(RunCurves(run.result.seed, run.result.diverged, metrics))
        return curves

    def _histories(self, run: RunRecord) -> dict[str, Floats]:
        return {metric: run.history(metric) for metric in curve_metrics(self.comparison)}

    def _predictions(self, run: RunRecord) -> Arrays | None:
        return self._readable(run, self.reader.place, partial(self.reader.read, run))

    def _layers(self, arm: Arm) -> list[LayerProfiles]:
        place = "the statistics over time"
        completed = [run for run in arm.runs if not run.result.diverged]
        layers = arm_profiles([run for run in completed if self._readable(run, place, run.probes)])
        return [
            LayerProfiles(layer.name, {key: _rounded(a) for key, a in layer.arrays.items()})
            for layer in layers
        ]

    def _read_predictions(self, arm: Arm, evidence: ArmEvidence) -> None:
        """Of the runs that were tested on the texts of most, whose lengths set the bins."""
        read = {run.name: self._predictions(run) for run in arm.runs}
        found = {name: arrays for name, arrays in read.items() if arrays}
        same = {
            name: arrays
            for name, arrays in found.items()
            if self.reader.texts(arrays) == self.found.texts
        }
        if same:
            self.found.common = self.found.common or self.reader.common(next(iter(same.values())))
            evidence.answers = self.reader.of_arm([*same.values()], self.found.common)
        others = [name for name in found if name not in same]
        self.others += others if same or not others else [arm.label]


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
