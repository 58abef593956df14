"""Run folders as records; an unfinished run never becomes one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.config.former import in_words_of_today
from seqnorm.lab.config.models import FLOORS
from seqnorm.lab.flat import flatten
from seqnorm.lab.runs.files import (
    CONFIG,
    FAILURE,
    RunFolderError,
    epoch_records,
    read_arrays,
    read_object,
)
from seqnorm.lab.runs.portable import portable_config, portable_environment
from seqnorm.lab.runs.result import RESULT, Result

METRICS = "metrics.jsonl"
ENVIRONMENT, PROBES, PREDICTIONS = "environment.json", "probes.npz", "predictions.npz"
# A bag of words has these in its configuration and reads none: two of them are one arm.
_UNREAD_BY_FLOORS = ("optim.", "train.")

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]
Arrays = dict[str, NDArray]


@dataclass(frozen=True)
class RunRecord:
    """One finished run.

    Attributes:
        folder: Where it lies.
        result: What it came to.
        config: All of config.yaml that the run has read, flat: "optim.learning_rate" -> value; no
            absolute paths.
        environment: All of environment.json; empty if the file is missing; no absolute paths.
    """

    folder: Path
    result: Result
    config: dict[str, Any]
    environment: dict[str, Any]

    @property
    def name(self) -> str:
        """Name of the run, which is the name of its folder."""
        return self.folder.name

    def history(self, name: str) -> NDArray[np.float64]:
        """One metric of the "epoch" and "validation" records, against step and seconds.

        Args:
            name: For example "val_accuracy".

        Returns:
            float64 [n, 3], columns step, seconds and value; finite values only, in the order of
            the steps; seconds are NaN where not recorded.

        Raises:
            RunFolderError: If metrics.jsonl is missing or a line of it is not JSON.
        """
        points: dict[int, tuple[int, float, float]] = {}
        for record in epoch_records(self.folder / METRICS, name, between=True):
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
        """What was answered on the test part, by name, see `Evaluation.predictions`; or empty.

        Raises:
            RunFolderError: If predictions.npz cannot be read.
        """
        return read_arrays(self.folder / PREDICTIONS, "its predictions")


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
            f"a comparison needs {RESULT}, which a run writes last; received {_without(folder)}"
        )
    result, config = (read_object(folder / name) for name in (RESULT, CONFIG))
    return make_record(folder, result, flatten(config), read_environment(folder))


def _without(folder: Path) -> str:
    """What a folder is that holds no result."""
    if (folder / FAILURE).is_file():
        lines = (folder / FAILURE).read_text("utf-8", errors="replace").strip().splitlines()
        why = f"{folder / FAILURE} ends with: {lines[-1] if lines else 'nothing'}"
        return f"a run that failed. {why}. Mend that and start it again, or delete the folder."
    if (folder / CONFIG).is_file():
        return (
            "an unfinished run without it. Wait for the run to end, start the same command again, "
            "which goes on with it, or delete the folder."
        )
    return f"a folder without it and without {CONFIG}. Name the folder of a run."


def read_config(folder: Path) -> dict[str, Any]:
    """The configuration of a run of whatever state, as a record has it.

    Raises:
        RunFolderError: If config.yaml is missing or damaged.
    """
    return portable_config(in_words_of_today(flatten(read_object(folder / CONFIG))))


def read_environment(folder: Path) -> dict[str, Any]:
    """All of environment.json; empty if the file is missing.

    Raises:
        RunFolderError: If it is damaged.
    """
    path = folder / ENVIRONMENT
    return read_object(path) if path.exists() else {}


def make_record(
    folder: Path, result: dict[str, Any], config: dict[str, Any], environment: dict[str, Any]
) -> RunRecord:
    """A record of what the files of a run folder hold.

    Raises:
        RunFolderError: If the result is none of a finished run.
    """
    found = Result.from_json(result)
    if found.cell in FLOORS:
        config = {key: config[key] for key in config if not key.startswith(_UNREAD_BY_FLOORS)}
    config = portable_config(in_words_of_today(config))
    return RunRecord(folder, found, config, portable_environment(environment))
