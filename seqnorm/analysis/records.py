"""Run folders as records; an unfinished run never becomes one."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.analysis.files import (
    REPAIR,
    RunFolderError,
    epoch_records,
    flatten,
    read_arrays,
    read_object,
)
from seqnorm.analysis.portable import portable_config, portable_environment

RESULT, CONFIG, METRICS = "result.json", "config.yaml", "metrics.jsonl"
ENVIRONMENT, PROBES, PREDICTIONS = "environment.json", "probes.npz", "predictions.npz"
STATUSES = ("completed", "diverged")
RUN_NAME = re.compile(r"-s\d+-(\d{8}-\d{6}-[0-9a-f]{4}|[0-9a-f]{12})$")
# The numbers a comparison is made of. Everything else in result.json is carried along.
_TEXTS = ("data", "cell", "norm", "status")
_NUMBERS = ("train_seconds", "majority_accuracy")
# Numbers as well, or nothing at all: a trial leaves the test part untouched.
_TEST_NUMBERS = ("test_accuracy", "test_macro_f1")

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]
Arrays = dict[str, NDArray]


@dataclass(frozen=True)
class Ignored:
    """A run folder left out, and why."""

    folder: Path
    reason: str


def ignored_lines(ignored: Sequence[Ignored]) -> list[str]:
    """One line per run folder that was left out: its name, and why."""
    return [f"{item.folder.name}: {item.reason}" for item in ignored]


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
        config: All of config.yaml, flat: "optim.learning_rate" -> value; no absolute paths.
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

    def curve(self, name: str) -> Curve:
        """`history` without the seconds: (steps [n], values [n])."""
        history = self.history(name)
        return history[:, 0], history[:, 2]

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
            RunFolderError: If predictions.npz cannot be read.
        """
        return read_arrays(self.folder / PREDICTIONS, "its predictions")


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


def find_run_folders(path: Path) -> Iterator[Path]:
    """Run folders at or below a path, in the order of their names.

    A run folder holds one of the files of a run, or is named like one (so that a run which died
    before its first file is found as well). Nothing below a run folder is searched, and no hidden
    folder.
    """
    with os.scandir(path) as entries:
        children = list(entries)
    files = {entry.name for entry in children if entry.is_file()}
    if files & {CONFIG, RESULT, METRICS} or RUN_NAME.search(path.name):
        yield path
        return
    for entry in sorted(children, key=lambda entry: entry.name):
        if entry.is_dir() and not entry.name.startswith("."):
            yield from find_run_folders(path / entry.name)


def read_runs(paths: Iterable[Path]) -> tuple[list[RunRecord], list[Ignored]]:
    """Read every run at or below some folders.

    Args:
        paths: Run folders, or folders of run folders; one run reached twice counts once.

    Returns:
        The finished runs and what was left out, both ordered by name.

    Raises:
        FileNotFoundError: If a path is not an existing folder, or no run folder is found at all.
    """
    paths = list(paths)
    folders: dict[Path, Path] = {}
    for path in paths:
        if not path.is_dir():
            raise FileNotFoundError(
                f"A report needs folders of runs; received {str(path)!r}, which is no folder. "
                "Give one or more run folders, or the folder that holds them."
            )
        folders.update((folder.resolve(), folder) for folder in find_run_folders(path.resolve()))
    if not folders:
        raise FileNotFoundError(_no_run_message(paths))
    records: list[RunRecord] = []
    ignored: list[Ignored] = []
    for folder in sorted(folders.values(), key=lambda folder: (folder.name, str(folder))):
        try:
            records.append(read_run(folder))
        except RunFolderError as error:
            ignored.append(Ignored(folder, str(error)))
    return records, ignored


def _no_run_message(paths: Sequence[Path]) -> str:
    given = ", ".join(repr(str(path)) for path in paths)
    return (
        f"A report needs at least one run folder (with {CONFIG} and {RESULT}); received {given}, "
        "where there is none. Train first (seqnorm-train), or give the folder set as runs_dir."
    )
