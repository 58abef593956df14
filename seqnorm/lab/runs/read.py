"""Run folders as records; an unfinished run never becomes one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.flat import flatten
from seqnorm.lab.runs.files import REPAIR, RunFolderError, epoch_records, read_arrays, read_object
from seqnorm.lab.runs.portable import portable_config, portable_environment

RESULT, CONFIG, METRICS = "result.json", "config.yaml", "metrics.jsonl"
ENVIRONMENT, PROBES, PREDICTIONS = "environment.json", "probes.npz", "predictions.npz"
STATUSES = ("completed", "diverged")
# The numbers a comparison is made of. Everything else in result.json is carried along.
_TEXTS = ("data", "cell", "norm", "status")
_NUMBERS = ("train_seconds", "majority_accuracy")
# Numbers as well, or nothing at all: a trial leaves the test part untouched.
_TEST_NUMBERS = ("test_accuracy", "test_macro_f1")
# A bag of words has these in its configuration and reads none: two of them are one arm.
_UNREAD_BY_FLOORS = ("optim.", "train.")
_PREDICTED = ("labels", "predicted", "probability", "lengths")

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]
Arrays = dict[str, NDArray]


@dataclass(frozen=True)
class RunRecord:
    """One finished run.

    Attributes:
        folder: Where it lies.
        data, cell, norm: Names of the data set, the cell and the normalisation.
        seed: Its seed.
        status: "completed" or "diverged".
        accuracy, macro_f1: On the test set; of the majority class if diverged, NaN for a trial.
        seconds: Training time.
        majority_accuracy: Accuracy of always predicting the majority class, on the test set; for a
            trial on its validation part.
        result: All of result.json.
        config: All of config.yaml that the run has read, flat: "optim.learning_rate" -> value; no
            absolute paths.
        environment: All of environment.json; empty if the file is missing; no absolute paths.
    """

    folder: Path
    data: str
    cell: str
    norm: str
    seed: int
    status: str
    accuracy: float
    macro_f1: float
    seconds: float
    majority_accuracy: float
    result: dict[str, Any]
    config: dict[str, Any]
    environment: dict[str, Any]

    @property
    def name(self) -> str:
        """Name of the run, which is the name of its folder."""
        return self.folder.name

    @property
    def diverged(self) -> bool:
        """Whether the run broke down; its test numbers are then those of the majority class."""
        return self.status == "diverged"

    @property
    def trial(self) -> bool:
        """Whether the run tried a setting on its validation part and left the test set alone."""
        return self.result["test_accuracy"] is None

    @property
    def validation_score(self) -> float:
        """Validation accuracy of the kept epoch; of the majority class if diverged."""
        score = self.result.get("val_accuracy")
        return self.majority_accuracy if self.diverged or score is None else float(score)

    def history(self, name: str) -> NDArray[np.float64]:
        """One metric of the "epoch" records: float64 [n, 3], columns step, seconds and value.

        Args:
            name: For example "val_accuracy".

        Returns:
            Finite values only, in the order of the steps; seconds are NaN where not recorded.

        Raises:
            RunFolderError: If metrics.jsonl is missing or a line of it is not JSON.
        """
        points: dict[int, tuple[int, float, float]] = {}
        for record in epoch_records(self.folder / METRICS, name):
            if record.get(name) is not None:
                seconds = float(record.get("seconds", math.nan))
                points[int(record["step"])] = int(record["step"]), seconds, float(record[name])
        return np.array([points[step] for step in sorted(points)], dtype=float).reshape(-1, 3)

    def probes(self) -> Arrays:
        """The arrays of the last probe, float64 [T] by name; empty if the run was not probed.

        Raises:
            RunFolderError: If probes.npz cannot be read.
        """
        arrays = read_arrays(self.folder / PROBES, "its statistics")
        return {name: np.asarray(array, np.float64) for name, array in arrays.items()}

    def predictions(self) -> Arrays:
        """One entry per test text: "labels", "predicted", "probability", "lengths"; or empty.

        Raises:
            RunFolderError: If predictions.npz cannot be read, or lacks one of these.
        """
        arrays = read_arrays(self.folder / PREDICTIONS, "its predictions")
        missing = [name for name in _PREDICTED if arrays and name not in arrays]
        if missing:
            raise RunFolderError(
                f"{PREDICTIONS} must hold {', '.join(_PREDICTED)}; received one without "
                f"{', '.join(missing)}. Repeat the run to have its predictions."
            )
        return arrays


def _refuse(what: str) -> RunFolderError:
    return RunFolderError(f"{RESULT} must hold what a run came to; received one {what}. {REPAIR}")


def _check_result(result: dict[str, Any]) -> None:
    known = (*_TEXTS, "seed", *_NUMBERS, *_TEST_NUMBERS)
    missing = [key for key in known if key not in result]
    if missing:
        raise _refuse(f"without {', '.join(missing)}")
    if result["status"] not in STATUSES:
        raise _refuse(f"with status={result['status']!r}, which is none of {', '.join(STATUSES)}")
    if isinstance(result["seed"], bool) or not isinstance(result["seed"], int):
        raise _refuse(f"with seed={result['seed']!r}, which is no integer")
    trial = all(result[key] is None for key in _TEST_NUMBERS)
    for key in _NUMBERS if trial else (*_NUMBERS, *_TEST_NUMBERS):
        value = result[key]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):
            raise _refuse(f"with {key}={value!r}, which is no finite number")


def read_run(folder: Path) -> RunRecord:
    """Read one finished run.

    Args:
        folder: The run folder.

    Returns:
        The record; metrics and probes are read when asked for.

    Raises:
        RunFolderError: If the run is unfinished (no result.json), or its result or config is
            damaged.
    """
    if not (folder / RESULT).exists():
        raise RunFolderError(
            f"a comparison needs {RESULT}, which a run writes last; received an unfinished run "
            "without it. Wait for the run to end, or delete the folder."
        )
    result = read_object(folder / RESULT)
    environment = folder / ENVIRONMENT
    return make_record(
        folder,
        result,
        config=flatten(read_object(folder / CONFIG)),
        environment=read_object(environment) if environment.exists() else {},
    )


def make_record(
    folder: Path, result: dict[str, Any], config: dict[str, Any], environment: dict[str, Any]
) -> RunRecord:
    """A record of what the files of a run folder hold.

    Raises:
        RunFolderError: If the result is none of a finished run.
    """
    _check_result(result)
    accuracy, macro_f1 = (
        math.nan if result[key] is None else float(result[key]) for key in _TEST_NUMBERS
    )
    if result["cell"] == "bag_of_words":
        config = {key: config[key] for key in config if not key.startswith(_UNREAD_BY_FLOORS)}
    return RunRecord(
        folder=folder,
        data=str(result["data"]),
        cell=str(result["cell"]),
        norm=str(result["norm"]),
        seed=result["seed"],
        status=result["status"],
        accuracy=accuracy,
        macro_f1=macro_f1,
        seconds=float(result["train_seconds"]),
        majority_accuracy=float(result["majority_accuracy"]),
        result=result,
        config=portable_config(config),
        environment=portable_environment(environment),
    )
