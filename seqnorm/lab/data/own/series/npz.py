"""Rows of numbers in NumPy's .npz: the arrays ``values``, ``lengths`` and ``labels``."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.data.own.series.recording import Layout, Recording, Written, as_float32, distinct
from seqnorm.lab.data.own.source import DAMAGED, bad, nearest
from seqnorm.lab.data.spec import Sequences

LABELS = "labels"
_SAVE = "np.savez(file, values=values, lengths=lengths, labels=labels)"


def read(path: Path, layout: Layout) -> Recording:
    """The rows of a file.

    ``values`` is [rows, time, features], of which ``lengths`` says how many steps are real (all, if
    it is not there); or all rows one after the other, [steps, features], which ``lengths`` cuts.
    ``features`` may name the features. Nothing is unpickled.

    Raises:
        ValueError: if an array is missing, or arrays do not fit together.
        OSError: if the file is damaged or no .npz.
    """
    if layout.features is not None:
        raise bad(
            str(path),
            f"data.features names columns of Parquet, received {list(layout.features)} and a .npz "
            "file. Leave it out.",
        )
    arrays = _arrays(path, layout)
    try:
        rows, valid = _rows(arrays["values"], arrays.get("lengths"))
        features = _names(arrays.get("features"), rows.features)
        column = layout.label or LABELS
        labels = None
        if layout.kind is not None:
            labels = _labels(column, arrays[column], rows, valid, layout.kind)
    except ValueError as error:
        raise bad(str(path), error) from error
    place, hint = f"{path}, row ", "Padding in .npz needs lengths."
    return Recording(rows, features, labels, lambda row: f"{place}{row + 1}", hint)


def _arrays(path: Path, layout: Layout) -> dict[str, NDArray]:
    """The arrays that are needed, and those of the optional ones that there are."""
    label = layout.label or LABELS
    wanted = ["values", *([label] if layout.kind else [])]
    try:
        with path.open("rb") as file:
            archive: Any = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise OSError("one array alone, as np.save writes it")
            with archive:
                for name in wanted:
                    if name not in archive.files:
                        raise _no_array(path, name, archive.files, layout)
                optional = [name for name in ("lengths", "features") if name in archive.files]
                return {name: _array(path, archive, name) for name in (*wanted, *optional)}
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise OSError(f"{path} must be a .npz file, received {error}. {DAMAGED}") from error
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise OSError(f"{path} must be a .npz file, received another content. {DAMAGED}") from error


def _array(path: Path, archive: Any, name: str) -> NDArray:
    try:
        return np.asarray(archive[name])
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise OSError(str(error)) from error
        raise bad(
            str(path),
            f"arrays must hold numbers or texts, received {name} of dtype object, which is pickled "
            "and could run code. Rows of different length go one after the other: values = "
            "np.concatenate(rows), lengths = [len(row) for row in rows].",
        ) from error


def _no_array(path: Path, name: str, files: list[str], layout: Layout) -> ValueError:
    key = "data.label" if name != "values" else "the file"
    near = nearest(key, name, files) if name != "values" else ""
    return bad(
        str(path),
        f"an array {name} is needed, received {', '.join(files) or 'no array'}.{near} Save it as "
        f"{_SAVE}.",
    )


def _rows(values: NDArray, lengths: NDArray | None) -> tuple[Sequences, NDArray | None]:
    """The rows; and of [rows, time, features] which steps are real."""
    if lengths is not None and (lengths.ndim != 1 or lengths.dtype.kind not in "iu"):
        raise ValueError(
            "lengths must be whole numbers [rows], received "
            f"{lengths.dtype}{list(lengths.shape)}. Give the number of steps of each row."
        )
    if lengths is not None and lengths.min(initial=0) < 0:
        raise ValueError(
            f"lengths must not be negative, received {lengths.min()} for row "
            f"{int(lengths.argmin()) + 1}. Give the number of steps of each row."
        )
    numbers = as_float32(values, "values")
    if values.ndim > 1 and not values.shape[-1]:
        raise ValueError(
            f"values must have a feature or more, received shape {list(values.shape)}. Save the "
            "numbers of each step along the last axis."
        )
    if values.ndim == 3:
        return _dense(numbers, lengths)
    if values.ndim not in (1, 2) or lengths is None:
        raise ValueError(
            "values must be [rows, time, features]; or [steps, features], all rows one after the "
            f"other, with lengths [rows]; received values of shape {list(values.shape)} "
            f"{'without' if lengths is None else 'with'} lengths. For one feature give it a last "
            "axis of 1."
        )
    if int(lengths.sum()) != len(values):
        raise ValueError(
            f"lengths must add up to the {len(values):,} steps of values, received lengths that "
            f"add up to {int(lengths.sum()):,}. Save both from the same rows."
        )
    return Sequences.from_lengths(numbers[:, None] if values.ndim == 1 else numbers, lengths), None


def _dense(values: NDArray, lengths: NDArray | None) -> tuple[Sequences, NDArray]:
    rows, time, features = values.shape
    lengths = np.full(rows, time) if lengths is None else lengths
    if len(lengths) != rows or lengths.max(initial=0) > time:
        raise ValueError(
            f"lengths must be one for each row and at most the {time} steps that there are, "
            f"received {len(lengths)} lengths up to {lengths.max(initial=0)} for values of shape "
            f"{list(values.shape)}. Save both from the same rows."
        )
    valid = np.arange(time) < lengths[:, None]
    flat = values.reshape(-1, features) if valid.all() else values[valid]
    return Sequences.from_lengths(flat, lengths), valid


def _names(names: NDArray | None, width: int) -> tuple[str, ...] | None:
    if names is None:
        return None
    if names.dtype.kind != "U" or names.shape != (width,) or len({*names.tolist()}) != width:
        raise ValueError(
            f"features must name each of {width} features, received "
            f"{names.dtype}{list(names.shape)}. Give as many different names, or leave it out."
        )
    return tuple(names.tolist())


def _labels(
    name: str, labels: NDArray, rows: Sequences, valid: NDArray | None, kind: str
) -> Written:
    steps = len(rows.values)
    if kind == "tags":
        if valid is not None and labels.shape == valid.shape:
            labels = labels[valid]
        required, wanted = f"{name} must be one for each of {steps:,} steps", (steps,)
    else:
        required, wanted = f"{name} must be one for each of {len(rows):,} rows", (len(rows),)
    if labels.shape != wanted:
        by_step = labels.shape == (steps,) or (valid is not None and labels.shape == valid.shape)
        advice = "For one at each step use task=tagging." if by_step else "Save both together."
        raise ValueError(f"{required}, received shape {list(labels.shape)}. {advice}")
    if labels.dtype.kind not in "iubfUS":
        raise ValueError(f"{name} must be names or numbers, received {labels.dtype}. Convert them.")
    return distinct(name, labels)
