"""Run folders as records; an unfinished run never becomes one."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from seqnorm.analysis.files import REPAIR, RunFolderError, epoch_records, flatten, read_object

RESULT, CONFIG, METRICS = "result.json", "config.yaml", "metrics.jsonl"
ENVIRONMENT, PROBES = "environment.json", "probes.npz"
STATUSES = ("completed", "diverged")
RUN_NAME = re.compile(r"-s\d+-\d{8}-\d{6}-[0-9a-f]{4}$")
# The numbers a comparison is made of. Everything else in result.json is carried along.
_TEXTS = ("data", "cell", "norm", "status")
_NUMBERS = ("test_accuracy", "test_macro_f1", "train_seconds", "majority_accuracy")

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Ignored:
    """A run folder left out, and why."""

    folder: Path
    reason: str


@dataclass(frozen=True)
class RunRecord:
    """One finished run.

    Attributes:
        folder: Where it lies.
        data, cell, norm: Names of the data set, the cell and the normalisation.
        seed: Its seed.
        status: "completed" or "diverged".
        accuracy, macro_f1: On the test set; of the majority class if diverged.
        seconds: Training time.
        majority_accuracy: Accuracy of always predicting the majority class on the test set.
        result: All of result.json.
        config: All of config.yaml, flat: "optim.learning_rate" -> value.
        environment: All of environment.json; empty if the file is missing.
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

    def curve(self, name: str) -> Curve:
        """One metric of the "epoch" records against the optimiser step.

        Args:
            name: For example "val_accuracy".

        Returns:
            (steps [n], values [n]), finite values only, in the order of the steps.

        Raises:
            RunFolderError: If metrics.jsonl is missing or a line of it is not JSON.
        """
        points: dict[int, float] = {}
        for record in epoch_records(self.folder / METRICS, name):
            if record.get(name) is not None:
                points[int(record["step"])] = float(record[name])
        steps = sorted(points)
        return np.array(steps, dtype=float), np.array([points[step] for step in steps])

    def probes(self) -> dict[str, NDArray[np.float64]]:
        """The arrays of the last probe, float64 [T] by name; empty if the run was not probed.

        Raises:
            RunFolderError: If probes.npz cannot be read.
        """
        path = self.folder / PROBES
        if not path.is_file():
            return {}
        try:
            with path.open("rb") as file, np.load(file) as stored:
                return {name: np.asarray(stored[name], np.float64) for name in stored.files}
        except (OSError, ValueError, TypeError, EOFError, BadZipFile) as error:
            raise RunFolderError(
                f"{PROBES} must be a NumPy archive; received a file that is none ({error}). "
                "Repeat the run to have its statistics."
            ) from error


def _refuse(what: str) -> RunFolderError:
    return RunFolderError(f"{RESULT} must hold what a run came to; received one {what}. {REPAIR}")


def _check_result(result: dict[str, Any]) -> None:
    missing = [key for key in (*_TEXTS, "seed", *_NUMBERS) if key not in result]
    if missing:
        raise _refuse(f"without {', '.join(missing)}")
    if result["status"] not in STATUSES:
        raise _refuse(f"with status={result['status']!r}, which is none of {', '.join(STATUSES)}")
    if isinstance(result["seed"], bool) or not isinstance(result["seed"], int):
        raise _refuse(f"with seed={result['seed']!r}, which is no integer")
    for key in _NUMBERS:
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
    _check_result(result)
    environment = folder / ENVIRONMENT
    return RunRecord(
        folder=folder,
        data=str(result["data"]),
        cell=str(result["cell"]),
        norm=str(result["norm"]),
        seed=result["seed"],
        status=result["status"],
        accuracy=float(result["test_accuracy"]),
        macro_f1=float(result["test_macro_f1"]),
        seconds=float(result["train_seconds"]),
        majority_accuracy=float(result["majority_accuracy"]),
        result=result,
        config=flatten(read_object(folder / CONFIG)),
        environment=read_object(environment) if environment.exists() else {},
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
