"""The file from which a stopped run goes on: nested plain values and arrays, without pickle."""

from __future__ import annotations

import io
import json
import zlib
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.runs.files import RunFolderError

CHECKPOINT = "checkpoint.npz"
_VALUES, _ARRAY = "values", "array"
# The key of the part that says which run it is, see `Checkpoint`.
RUN = "run"


def pack(state: dict[str, Any]) -> bytes:
    """Dictionaries and lists of numbers, texts, None and arrays as the content of an npz file.

    Examples:
        {"epoch": 2, "weights": [w, b]} is kept as the text {"epoch": 2, "weights": [{"array": 0},
        {"array": 1}]} beside the arrays "0" and "1".
    """
    arrays: list[NDArray | np.generic] = []

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray | np.generic):  # Keras gives a weight of one number as such
            arrays.append(value)
            return {_ARRAY: len(arrays) - 1}
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [plain(each) for each in value]
        return value

    values = json.dumps(plain(state))  # floats as their shortest text, which reads back the same
    content = io.BytesIO()
    named: dict[str, Any] = {str(number): array for number, array in enumerate(arrays)}
    named[_VALUES] = np.frombuffer(values.encode(), np.uint8)
    np.savez(content, **named)
    return content.getvalue()


def unpack(path: Path, only: str | None = None) -> dict[str, Any]:
    """What `pack` made a file of; tuples have become lists, arrays of no axes NumPy's scalars.

    Args:
        path: the file.
        only: one key of it, without whose arrays the others are left unread; None reads all.

    Raises:
        RunFolderError: if it is no such file.
    """
    try:
        with path.open("rb") as file:
            return _read(file, only)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
        raise RunFolderError(
            f"{path.name} must be what a stopped run has left; received a file that is not "
            f"({error}). Delete it, or start the run with resume=never."
        ) from error


def unpacked(content: bytes) -> dict[str, Any]:
    """Likewise of what `pack` gave."""
    return _read(io.BytesIO(content))


def _read(file: BinaryIO, only: str | None = None) -> dict[str, Any]:
    with np.load(file) as stored:
        values = json.loads(stored[_VALUES].tobytes())
        return _whole(values if only is None else {only: values[only]}, stored)


def _whole(value: Any, arrays: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {_ARRAY}:
            return arrays[str(value[_ARRAY])][()]
        return {key: _whole(each, arrays) for key, each in value.items()}
    return [_whole(each, arrays) for each in value] if isinstance(value, list) else value
