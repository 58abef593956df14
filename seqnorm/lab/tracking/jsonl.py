"""JSON lines: the record every run keeps, and the only one the report reads."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from seqnorm.lab.durable import writing
from seqnorm.lab.tracking.scalars import plain_scalar
from seqnorm.lab.tracking.sink import Sink

FILE_NAME = "metrics.jsonl"
_TAKEN = ("event", "step")


def _nonfinite_name(value: float) -> str:
    if math.isnan(value):
        return "nan"
    return "inf" if value > 0 else "-inf"


def encode_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Make values that strict JSON can hold.

    JSON has no NaN and no infinity: such a value becomes `null`, and "<name>_nonfinite" says which
    it was ("nan", "inf" or "-inf"), so a diverging run stays readable by any JSON parser.

    Args:
        values: Scalars by name.

    Returns:
        Plain Python scalars by name, with the extra keys where needed.
    """
    encoded: dict[str, Any] = {}
    for name, value in values.items():
        scalar = plain_scalar(name, value)
        if isinstance(scalar, float) and not math.isfinite(scalar):
            encoded[name] = None
            encoded[f"{name}_nonfinite"] = _nonfinite_name(scalar)
        else:
            encoded[name] = scalar
    return encoded


def last_step(path: Path) -> int:
    """The step of the last whole line of a file of records; -1 if there is none."""
    for line in reversed(path.read_text(encoding="utf-8").splitlines()):
        with suppress(ValueError):  # cut off by what stopped the run
            return int(json.loads(line)["step"])
    return -1


class JsonlSink(Sink):
    """Appends one JSON object per record to metrics.jsonl and flushes it at once.

    A run that is killed therefore keeps every line up to the last. Arrays and the summary are not
    written here: the run folder has files of its own for both (probes.npz and result.json).
    """

    def __init__(self) -> None:
        self._file: IO[str] | None = None

    def start(
        self, config: dict[str, Any], name: str, folder: Path, since: Any | None = None
    ) -> None:
        """Open metrics.jsonl in the run folder; of a run that goes on, cut off what comes again.

        Raises:
            FileNotFoundError: If the folder does not exist.
        """
        path = Path(folder) / FILE_NAME
        if not path.parent.is_dir():
            raise FileNotFoundError(
                f"JsonlSink.start needs an existing run folder; received folder={str(folder)!r}. "
                "Create the folder before starting the sinks."
            )
        # Kept open for the whole run; `close` ends it.
        with writing(path):
            if since is not None:
                self.last_step = last_step(path)
                os.truncate(path, since)
            self._file = path.open("a", encoding="utf-8")

    def state(self) -> int:
        """Bytes of metrics.jsonl so far."""
        return 0 if self._file is None else os.fstat(self._file.fileno()).st_size

    def log(self, event: str, step: int, values: Mapping[str, Any]) -> None:
        """Append one line: event, step, and the values.

        Raises:
            RuntimeError: If the sink is not open.
            ValueError: If a value is called "event" or "step".
            TypeError: If a value is not a scalar.
        """
        if self._file is None:
            raise RuntimeError(
                "JsonlSink.log needs an open sink; received a call before start or after close "
                f"(event={event!r}, step={step}). Call start(config, name, folder) first."
            )
        taken = [name for name in _TAKEN if name in values]
        if taken:
            raise ValueError(
                f"The names {', '.join(_TAKEN)} belong to the record itself; received "
                f"values with {', '.join(taken)}. Rename them."
            )
        record = {"event": event, "step": int(step), **encode_values(values)}
        with writing(Path(self._file.name)):
            self._file.write(json.dumps(record, allow_nan=False) + "\n")
            self._file.flush()

    def arrays(self, step: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Does nothing; the run folder keeps the arrays in probes.npz."""

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Does nothing; the run folder keeps the predictions that tables are made of."""

    def summary(self, values: Mapping[str, Any]) -> None:
        """Does nothing; the run folder keeps the summary in result.json."""

    def close(self, exit_code: int = 0) -> None:
        """Close the file; what was logged is already in it."""
        if self._file is not None:
            file, self._file = self._file, None
            with writing(Path(file.name)):  # which tries once more what could not be written
                file.close()
