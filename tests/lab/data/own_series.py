"""Small files of rows of numbers, right and wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from seqnorm.lab import data
from seqnorm.lab.config.data import OwnSeriesConfig

LENGTHS = np.array([3, 1, 4, 2, 5, 3, 2, 4, 1, 5, 3, 2])
LABELS = np.array(["a", "A"] * 6)
TAGS = np.arange(LENGTHS.sum()) % 3
VALUES = np.random.default_rng(0).normal([5, -2], [3, 0.1], (LENGTHS.sum(), 2)).astype(np.float32)
ROWS = np.split(VALUES, np.cumsum(LENGTHS)[:-1])
HEADER = (
    "# caf\xe9\n@problemName t\n@univariate false\n@dimensions 2\n@classLabel true a A\n@data\n"
)


def save(path: Path, **changes: Any) -> Path:
    """A .npz of all rows, one after the other; a change to None leaves an array out."""
    arrays = {"values": VALUES, "lengths": LENGTHS, "labels": LABELS, **changes}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def dense(rows: list[np.ndarray] = ROWS) -> np.ndarray:
    """float32[rows, time, features], padded with NaN."""
    found = np.full((len(rows), max(map(len, rows)), rows[0].shape[1]), np.nan, np.float32)
    for place, row in zip(found, rows, strict=True):
        place[: len(row)] = row
    return found


def ts_line(row: np.ndarray, label: Any) -> str:
    numbers = [",".join(repr(float(value)) for value in feature) for feature in row.T]
    return ":".join([*numbers, str(label)]) + "\n"


def ts_text(header: str = HEADER, rows: list[np.ndarray] = ROWS, labels: Any = LABELS) -> str:
    return header + "".join(ts_line(row, label) for row, label in zip(rows, labels, strict=True))


def long_columns(labels: Any = LABELS) -> dict[str, list[Any]]:
    """A line a step, of the ids 7, 8, ... in that order."""
    steps = [np.arange(length) for length in LENGTHS]
    return {
        "id": np.repeat(np.arange(len(LENGTHS)) + 7, LENGTHS).tolist(),
        "time": np.concatenate(steps).tolist(),
        "x": VALUES[:, 0].tolist(),
        "y": VALUES[:, 1].tolist(),
        "label": np.repeat(labels, LENGTHS).tolist() if len(labels) == len(LENGTHS) else labels,
    }


def write_long(path: Path, **changes: Any) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    columns = {**long_columns(), **changes}
    table = pa.table({name: values for name, values in columns.items() if values is not None})
    parquet.write_table(table, path, row_group_size=max(11, len(table) // 8))
    return path


def config(**changes: Any) -> OwnSeriesConfig:
    return OwnSeriesConfig(**{"name": "series", "train": "a.npz"} | changes)


def load(seed: int = 0, labels: str | None = None, **changes: Any) -> data.Dataset:
    return data.load(config(**changes), seed, labels)
