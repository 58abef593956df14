"""The formats in a run folder: JSON, YAML and JSON lines."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import yaml
from numpy.typing import NDArray

# libyaml reads a config ten times faster; a report may cover thousands of runs.
_YAML_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


MODEL, FLOOR = "model.keras", "model.npz"  # what a run keeps of a network, or of a floor
CONFIG = "config.yaml"
FAILURE = "error.txt"  # of a run that failed: what it had printed, and the traceback
REPAIR = "Repeat the run, or delete the folder."


class RunFolderError(ValueError):
    """A run folder that cannot enter a comparison; the message says why."""


def _parse_line(line: str) -> dict[str, Any]:
    record = json.loads(line)
    if not isinstance(record, dict) or not isinstance(record.get("step"), int):
        raise ValueError("not an object with a step")
    return record


def epoch_records(
    path: Path, name: str, cut_off: bool = False, between: bool = False
) -> Iterator[dict[str, Any]]:
    """The "epoch" records of a file of JSON lines that mention a name.

    Args:
        path: The file.
        name: For example "val_accuracy".
        cut_off: Whether the last line may be a part of one, as of a run that was killed; it is
            left out then.
        between: Whether the "validation" records between the ends of epochs are wanted as well.

    Raises:
        RunFolderError: If the file cannot be read, or a line of it that mentions the name is no
            record.
    """
    events = ("epoch", "validation") if between else ("epoch",)
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise RunFolderError(
            f"{path.name} must be readable; received {error.strerror!r}. Repeat the run to have "
            "its curves."
        ) from error
    whole = text[: text.rfind("\n") + 1] if cut_off else text
    for number, line in enumerate(whole.splitlines(), start=1):
        if f'"{name}"' not in line:  # most lines are "train" records: do not parse them
            continue
        try:
            record = _parse_line(line)
        except ValueError as error:
            raise RunFolderError(
                f"{path.name} must hold one JSON object with a step a line; received something "
                f"else in line {number} ({error}). Mend or remove the line."
            ) from error
        if record.get("event") in events:
            yield record


def _repair(folder: Path) -> str:
    """What to do about a broken run; what is none is nobody's to delete."""
    return REPAIR if (folder / CONFIG).is_file() else "Repeat the run."


def read_object(path: Path) -> dict[str, Any]:
    """The keys and values of a JSON or YAML file.

    Raises:
        RunFolderError: If the file is missing, damaged, or holds no keys.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = yaml.load(text, _YAML_LOADER) if path.suffix == ".yaml" else json.loads(text)
    except FileNotFoundError:
        raise RunFolderError(
            f"a run folder needs {path.name}; received one without it. {_repair(path.parent)}"
        ) from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise RunFolderError(
            f"{path.name} must be valid {path.suffix[1:].upper()}; received a damaged file "
            f"({reason}). {_repair(path.parent)}"
        ) from error
    if not isinstance(content, dict):
        raise RunFolderError(
            f"{path.name} must hold keys and values; received a {type(content).__name__}. "
            f"{_repair(path.parent)}"
        )
    return content


def read_arrays(path: Path, what: str) -> dict[str, NDArray]:
    """The arrays of an npz file by name; none if there is no such file.

    Args:
        path: The file.
        what: What a run loses without them, for the error.

    Raises:
        RunFolderError: If the file is no NumPy archive.
    """
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as file, np.load(file) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, TypeError, EOFError, BadZipFile, zlib.error) as error:
        raise RunFolderError(
            f"{path.name} must be a NumPy archive; received a file that is none ({error}). "
            f"Repeat the run to have {what}."
        ) from error
