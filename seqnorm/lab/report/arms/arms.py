"""What is compared: the arms that answer one question about one data set, at one task."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol

from seqnorm.lab.config.former import FIRST_TASK
from seqnorm.lab.runs.portable import portable_name
from seqnorm.lab.runs.pruned import PrunedRun
from seqnorm.lab.runs.read import RunRecord
from seqnorm.lab.tasks.score import Scoring

BASELINE = "none"
# What may differ between runs of one arm: the seed, what is logged, and where files lie or are
# mirrored to.
_LOGGED = tuple(
    f"train.{key}"
    for key in ("log_every", "validate_every", "probe_every", "probe_examples", "save_every")
)
_FREE_KEYS = ("seed", "study", "arm", "train.test", "runs_dir", "imports", "resume", *_LOGGED)
_FREE_GROUPS = ("tracking.", "hydra.")
_PATH_ENDINGS = (".dir", "_dir", ".path", "_path")
# These name the arm already (one without recurrence by its model).
_NAMED_KEYS = ("data.name", "cell.name", "norm.name", "task.name", "model.name")
# What a comparison of norms holds fixed; learning rate, dropout and gain are chosen for each arm.
_RECIPE = ("data.", "task.", "train.", "cell.", "norm.small_batch")


class Configured(Protocol):
    """A run, of which the configuration is known: flat, "optim.learning_rate" -> value."""

    @property
    def config(self) -> dict[str, Any]:
        """All of config.yaml."""


@dataclass(frozen=True)
class Arm:
    """Runs that differ in nothing but the seed.

    Attributes:
        data, cell, norm: Names.
        settings: (config key, value) of the settings in which this arm differs from others.
        label: Short text for tables and legends.
        runs: The runs by rising seed, one per seed.
        trials: Runs of this arm that tried a setting on validation data only.
        pruned: Such runs that were stopped early, see `compare.prune`.
    """

    data: str
    cell: str
    norm: str
    settings: tuple[tuple[str, Any], ...]
    label: str
    runs: tuple[RunRecord, ...]
    trials: tuple[RunRecord, ...] = ()
    pruned: tuple[PrunedRun, ...] = ()

    @property
    def diverged(self) -> int:
        """How many of the runs diverged."""
        return sum(run.result.diverged for run in self.runs)

    def values(self, score: str) -> dict[int, float]:
        """A score on the test part of every run, by seed."""
        return {run.result.seed: (run.result.test or {})[score] for run in self.runs}


@dataclass(frozen=True)
class Comparison:
    """All arms that answer one question about one data set, at one task.

    Attributes:
        data: Name of the data set.
        task: What their runs are measured by.
        arms: Ordered by cell, then `none` first, then by name and settings; floors last.
        shared: The config keys that all runs have in common, with their values.
        question: What is asked, as "batch size"; empty for which norm is best.
    """

    data: str
    task: Scoring
    arms: tuple[Arm, ...]
    shared: dict[str, Any]
    question: str = ""

    @property
    def title(self) -> str:
        """Data set, task unless it is the first, and question."""
        return f"{self.subject}: {self.question}" if self.question else self.subject

    @property
    def subject(self) -> str:
        """Data set, and task unless it is the first."""
        first = self.task.name == FIRST_TASK
        return self.data if first else f"{self.data}, {self.task.name.replace('_', ' ')}"

    @property
    def slug(self) -> str:
        """The title as part of a file name."""
        return portable_name("-".join([*self.subject.split(", "), *self.question.split()]))

    @property
    def runs(self) -> list[RunRecord]:
        """All runs, arm by arm."""
        return [run for arm in self.arms for run in arm.runs]

    @property
    def everything(self) -> list[RunRecord]:
        """All runs and, after them, all trials; each once."""
        trials = {run.folder: run for arm in self.arms for run in arm.trials}
        return [*self.runs, *trials.values()]

    @property
    def pruned(self) -> list[PrunedRun]:
        """All runs that were stopped early, each once."""
        return [*{run.folder: run for arm in self.arms for run in arm.pruned}.values()]

    def baseline_of(self, arm: Arm) -> Arm | None:
        """The arm without normalisation to compare an arm of the same cell with.

        It is the one that differs in nothing but the norm. If there is none such, and both norms
        have one arm only (each was tuned on its own), it is that of no normalisation. Of several,
        it is the one that was named by `seqnorm-compare` as the arm was, or was not either. `None`
        if none holds, if data, training or cell differ without a word of it in the labels, and for
        an arm without normalisation.
        """
        if arm.norm == BASELINE:
            return None
        plain = [
            other
            for other in self.arms
            if (other.cell, other.norm) == (arm.cell, BASELINE)
            and not _hidden_difference(arm, other)
        ]
        exact = [other for other in plain if _outside_norm(other) == _outside_norm(arm)]
        exact = [other for other in exact if _is_named(other) == _is_named(arm)] or exact
        alone = sum((other.cell, other.norm) == (arm.cell, arm.norm) for other in self.arms) == 1
        candidates = exact or (plain if alone else [])
        return candidates[0] if len(candidates) == 1 else None


def differ_in_norm_only(arm: Arm, other: Arm) -> bool:
    """Whether two arms of one cell have the same settings but for their norms."""
    return arm.cell == other.cell and _outside_norm(arm) == _outside_norm(other)


def _outside_norm(arm: Arm) -> dict[str, str]:
    return {key: as_text(value) for key, value in arm.settings if not key.startswith("norm.")}


def _is_named(arm: Arm) -> bool:
    return bool(arm.runs[0].config.get("arm"))


def _hidden_difference(arm: Arm, other: Arm) -> set[str]:
    """Keys of the recipe outside the norm that two arms differ in, and that no label names."""
    ours, theirs = (dict(recipe_of(one.runs[0])) for one in (arm, other))
    named = dict(arm.settings).keys() | dict(other.settings).keys()
    keys = {key for key in ours.keys() | theirs.keys() if not key.startswith("norm.")}
    return {key for key in keys - named if ours.get(key) != theirs.get(key)}


def question(run: RunRecord) -> str:
    """What a run's comparison asks beside its data set, from its name (`study`).

    "batch size" for compare_reuters_batch_size on reuters; empty for compare_reuters, and for a run
    that belongs to no comparison.
    """
    name = str(run.config.get("study") or "").removeprefix("compare_")
    return " ".join(name.removeprefix(run.result.data).replace("_", " ").split())


def settings_of(run: Configured) -> tuple[tuple[str, str], ...]:
    """All that decides a run beside its seed: equal for runs of one arm, wherever they were made.

    A trial and the run on the test set with its setting are equal as well.
    """
    keys = sorted(key for key in run.config if is_setting(key) or key in _NAMED_KEYS)
    arm = ("arm", as_text(run.config.get("arm")))
    return (arm, *((key, as_text(run.config[key])) for key in keys))


def recipe_of(run: Configured) -> tuple[tuple[str, str], ...]:
    """What a comparison of norms holds fixed while it tunes each: data, training and cell."""
    keys = sorted(key for key in run.config if is_setting(key) and key.startswith(_RECIPE))
    return tuple((key, as_text(run.config[key])) for key in keys)


def as_text(value: Any) -> str:
    """A config value as text, equal for equal values: texts as they are, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def is_setting(key: str) -> bool:
    """Whether a config key can make two arms out of one: neither free to differ nor in the name."""
    free = key in _FREE_KEYS or key.startswith(_FREE_GROUPS) or key.endswith(_PATH_ENDINGS)
    return not free and key not in _NAMED_KEYS
