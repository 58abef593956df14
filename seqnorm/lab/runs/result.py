"""What a run came to: one record, written to result.json and read from it here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from seqnorm.lab.runs.files import REPAIR, RunFolderError
from seqnorm.lab.runs.former_result import RENAMED, modernised
from seqnorm.lab.tasks.score import Scoring

RESULT = "result.json"
FORMAT = 2  # 1, without a number in the file: one level of keys, see `former_result`
STATUSES = ("completed", "diverged")
_TEXTS = ("data", "cell", "norm", "status")
_COUNTED = (
    "best_epoch",
    "steps",
    "train_seconds",
    "tokens_per_second",
    "parameters",
    "trainable_parameters",
)


@dataclass(frozen=True)
class Result:
    """What one run came to.

    Attributes:
        run: its name.
        data, cell, norm: names of the data set, the cell (or a model without one) and the norm.
        seed: its seed.
        config_hash: equal for runs that differ in the seed at most.
        task: what was measured.
        status: "completed" or "diverged".
        message: why it diverged; None if it did not.
        test: each score on the test part, by name; of the baseline if diverged, None for a trial,
            which tries a setting and leaves the test part alone.
        test_loss: None for a trial, and where no network has answered.
        validation: the first score of the kept epoch on the validation part; of the baseline if
            diverged.
        baseline: the first score of the baseline on the test part, for a trial on the validation
            part.
        best_epoch: the epoch that is kept, from 1; 0 or None for none.
        steps: optimiser steps.
        train_seconds: training time.
        tokens_per_second: real tokens trained on in a second.
        parameters, trainable_parameters: numbers of weights.

    A record that an older version has written may lack what no comparison needs; that is None.

    Raises:
        ValueError: if other scores were measured than the task has.
    """

    run: str | None
    data: str
    cell: str
    norm: str
    seed: int
    config_hash: str | None
    task: Scoring
    status: str
    message: str | None
    test: Mapping[str, float] | None
    test_loss: float | None
    validation: float | None
    baseline: float
    best_epoch: int | None
    steps: int | None
    train_seconds: float
    tokens_per_second: float | None
    parameters: int | None
    trainable_parameters: int | None

    def __post_init__(self) -> None:
        names = [score.name for score in self.task.scores]
        if self.test is not None and sorted(self.test) != sorted(names):
            raise ValueError(
                f"a result needs each score of task={self.task.name} and no other, "
                f"{', '.join(names)}; received test={dict(self.test)}. Have the task's evaluate "
                "and baseline give these."
            )

    @property
    def diverged(self) -> bool:
        """Whether the run broke down; its numbers are then those of the baseline."""
        return self.status == "diverged"

    @property
    def trial(self) -> bool:
        """Whether the run tried a setting on its validation part and left the test part alone."""
        return self.test is None

    @property
    def test_score(self) -> float | None:
        """The first score on the test part; None for a trial."""
        return None if self.test is None else self.test[self.task.score.name]

    @property
    def validation_score(self) -> float:
        """The number that settings are compared by; of a diverged run that of the baseline."""
        if self.diverged or self.validation is None:
            return self.baseline
        return self.validation

    @property
    def objective(self) -> float | None:
        """The number that a sweep chooses by: the validation score, of a diverged run none.

        A report scores a diverged run as the baseline; beside networks that learn nothing that
        would be the best setting of a sweep. It is None and not NaN, which W&B compares as a text
        and at which the Optuna sweeper stops.
        """
        return None if self.diverged else self.validation

    def flat(self) -> dict[str, Any]:
        """One level of keys, as tables and trackers have it: "test_accuracy", "val_accuracy" ..."""
        first, prefix = self.task.score.name, self.task.baseline.split()[0]
        test = self.test or {}
        scores = {f"test_{each.name}": test.get(each.name) for each in self.task.scores}
        scores |= {"test_loss": self.test_loss, f"val_{first}": self.validation}
        scores[f"{prefix}_{first}"] = self.baseline
        identity = ("run", "data", "cell", "norm", "seed", "status")
        return {
            **{key: getattr(self, key) for key in identity},
            **scores,
            **{key: getattr(self, key) for key in (*_COUNTED, "config_hash", "message")},
        }

    def to_json(self) -> dict[str, Any]:
        """The content of result.json."""
        first = self.task.score.name
        nested = {
            "task": self.task.to_json(),
            "test": None if self.test is None else dict(self.test),
            "validation": {first: self.validation},
            "baseline": {first: self.baseline},
        }
        return {"format": FORMAT, **asdict(self), **nested}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Result:
        """Reads the content of result.json, also of an older version's.

        Raises:
            RunFolderError: if it is none of a finished run.
        """
        former = "format" not in stored
        if not former and stored["format"] != FORMAT:
            raise _refuse(
                f"with format={stored['format']!r}, which this version does not know (it knows "
                f"{FORMAT})"
            )
        flat = modernised(stored) if former else _on_one_level(stored)
        if "task" not in flat:
            raise _refuse("without task")
        shown = {new: old for old, new in RENAMED.items()} if former else {}
        return _checked({**flat, "task": _scoring(flat["task"])}, shown)


def _on_one_level(stored: dict[str, Any]) -> dict[str, Any]:
    """Scores as "test.accuracy"; the rest as it is."""
    flat = dict(stored)
    for part in ("test", "validation", "baseline"):
        if isinstance(scores := stored.get(part), dict):
            flat |= {f"{part}.{name}": value for name, value in scores.items()}
            del flat[part]
    return flat


def _scoring(stored: Any) -> Scoring:
    """What was measured, from its JSON."""
    try:
        return Scoring.from_json(stored)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _refuse(f"with task={stored!r}, which says nothing of scores ({error})") from error


def _checked(flat: dict[str, Any], shown: Mapping[str, str]) -> Result:
    """A result of flat keys.

    Args:
        flat: the keys, as "test.accuracy"; `task` is read already.
        shown: what the file calls them, where that is something else.
    """
    task: Scoring = flat["task"]
    names = [f"test.{each.name}" for each in task.scores]
    if "test" in flat and flat["test"] is None:  # of a trial
        flat = {**dict.fromkeys(names), **flat}
    baseline, validation = (f"{part}.{task.score.name}" for part in ("baseline", "validation"))
    numbers = ["train_seconds", baseline]
    missing = [key for key in (*_TEXTS, "seed", *numbers, *names) if key not in flat]
    if missing:
        raise _refuse(f"without {', '.join(shown.get(key, key) for key in missing)}")
    if flat["status"] not in STATUSES:
        raise _refuse(f"with status={flat['status']!r}, which is none of {', '.join(STATUSES)}")
    if isinstance(flat["seed"], bool) or not isinstance(flat["seed"], int):
        raise _refuse(f"with seed={flat['seed']!r}, which is no integer")
    trial = all(flat[key] is None for key in names)
    for key in numbers if trial else (*numbers, *names):
        value = flat[key]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):
            raise _refuse(f"with {shown.get(key, key)}={value!r}, which is no finite number")
    plain = {key: flat.get(key) for key in Result.__dataclass_fields__}
    return Result(**{
        **plain,
        **{key: str(flat[key]) for key in _TEXTS},
        "test": None if trial else {each.name: flat[f"test.{each.name}"] for each in task.scores},
        "validation": flat.get(validation),
        "baseline": flat[baseline],
    })  # fmt: skip


def _refuse(what: str) -> RunFolderError:
    return RunFolderError(f"{RESULT} must hold what a run came to; received one {what}. {REPAIR}")
