"""Rows of numbers in Parquet's long form: a line a step, with the id of its row and its time."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.console import track
from seqnorm.lab.data.own.series.recording import Layout, Recording, Written, as_float32
from seqnorm.lab.data.own.source import DAMAGED, bad, nearest
from seqnorm.lab.data.spec import Sequences

LABEL = "label"


def read(path: Path, layout: Layout) -> Recording:
    """The rows of a file in the order in which their ids first stand there, each sorted by time.

    Columns are read one after the other. Of classes and numbers all lines of an id hold the same.

    Raises:
        ValueError: if a column is missing or of another kind, or the lines of an id contradict one
            another.
        OSError: if the file is damaged or no Parquet.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            return _read(path, file, layout)
    except (pyarrow.ArrowException, OSError) as error:
        first = str(error).splitlines()[0]
        raise OSError(f"{path} must be a Parquet file, received {first} {DAMAGED}") from error


def _read(path: Path, file: Any, layout: Layout) -> Recording:
    label = layout.label or LABEL
    columns = [("data.id", layout.id), ("data.time", layout.time)]
    columns += [("data.label", label)] if layout.kind else []
    columns += [("data.features", name) for name in layout.features or ()]
    schema = file.schema_arrow
    for key, name in columns:
        _require(path, schema.names, key, name)
    if layout.kind and label in (layout.features or ()):
        raise bad(
            str(path),
            f"data.features must leave the label out, received {list(layout.features or ())} with "
            f"{label}, which a network would only copy. Remove it from the list.",
        )
    others = {layout.id, layout.time, label}
    features = layout.features or _numeric(path, schema, others)
    if not file.metadata.num_rows:
        raise bad(str(path), "lines are needed, received none. Name another file.")

    ids, codes = _ids(path, file, layout.id)
    order = _order(path, file, layout, ids, codes)
    lengths = np.bincount(codes, minlength=len(ids))
    values = np.empty((len(codes), len(features)), np.float32)
    for number, name in enumerate(track(features, f"Reading {path.name}", len(features))):
        try:
            found = as_float32(_numbers(_column(file, name)), f"numbers of {name}")
        except ValueError as error:
            raise bad(str(path), error) from error
        values[:, number] = found if order is None else found[order]
    rows = Sequences.from_lengths(values, lengths)
    written = None
    if layout.kind:
        written = _labels(path, _column(file, label), label, order, rows, ids, layout)
    passed_over = None
    if layout.features is None:
        left = [each for each in schema if each.name not in {*features, *others}]
        passed_over = tuple(f"{each.name} ({each.type})" for each in left)
    place = partial(_place, path, layout)
    return Recording(
        rows, tuple(features), written, lambda row: place(ids[row]), passed_over=passed_over
    )


def _place(path: Path, layout: Layout, name: Any) -> str:
    return f"{path}, {layout.id}={name}"


def _require(path: Path, names: list[str], key: str, name: str) -> None:
    if names.count(name) != 1:
        many = "no such column" if name not in names else "that name more than once"
        shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        raise bad(
            str(path),
            f"{key} must name one column, received {name}, and the file has {many}."
            f"{nearest(key, name, names)} Its columns are {shown}.",
        )


def _numeric(path: Path, schema: Any, others: set[str]) -> list[str]:
    """All columns of numbers but the others and pandas's index."""
    from pyarrow import types

    def holds_numbers(kind: Any) -> bool:
        kinds = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal)
        return any(holds(kind) for holds in kinds)

    no_feature = others | _index(schema)
    found = [
        field.name for field in schema if field.name not in no_feature and holds_numbers(field.type)
    ]
    if not found:
        raise bad(
            str(path),
            f"a column of numbers is needed beside {', '.join(sorted(others))}, received "
            f"{', '.join(schema.names)}. Name the columns with data.features.",
        )
    return found


def _index(schema: Any) -> set[str]:
    """The columns that pandas wrote as its index: line numbers mostly, which can tell a label."""
    noted = (schema.pandas_metadata or {}).get("index_columns", [])
    named = {name for name in noted if isinstance(name, str)}  # a range is no column
    # Programs that hand a table on keep the column and lose the note.
    return named | {name for name in schema.names if name.startswith("__index_level_")}


def _column(file: Any, name: str) -> Any:
    return file.read([name]).column(0)


def _numbers(column: Any) -> NDArray[Any]:
    """A column as NumPy has it; decimals, which it has not, as float64."""
    import pyarrow as pa
    from pyarrow import types

    return (column.cast(pa.float64()) if types.is_decimal(column.type) else column).to_numpy()


def _no_null(path: Path, column: Any, key: str, name: str) -> None:
    """Refuses a column with holes, null or NaN, naming the first."""
    import pyarrow.compute as pc

    row = pc.index(pc.is_null(column, nan_is_null=True), True).as_py()
    if row >= 0:
        shown = "null" if column[row].as_py() is None else "nan"
        raise bad(
            f"{path}, row {row + 1}",
            f"each line needs its {key}, received {name}={shown}. Fill it in, or remove the line.",
        )


def _ids(path: Path, file: Any, name: str) -> tuple[list[Any], NDArray[np.int32]]:
    """The ids in the order in which they first occur, and of each line the place in that."""
    column = _column(file, name)
    _no_null(path, column, "id", name)
    found = column.unify_dictionaries() if _is_coded(column) else column.dictionary_encode()
    found = found.combine_chunks()
    codes = found.indices.to_numpy()
    used, first, dense = np.unique(codes, return_index=True, return_inverse=True)
    by_first = np.argsort(first, kind="stable")  # a stored dictionary has an order of its own
    rank = np.empty(len(used), np.int32)
    rank[by_first] = np.arange(len(used), dtype=np.int32)
    return found.dictionary.take(used[by_first]).to_pylist(), rank[dense]


def _is_coded(column: Any) -> bool:
    from pyarrow import types

    return types.is_dictionary(column.type)


def _order(
    path: Path, file: Any, layout: Layout, ids: list[Any], codes: NDArray[np.int32]
) -> NDArray[np.int64] | None:
    """What sorts lines by row and time; None if they stand so."""
    import pyarrow as pa
    from pyarrow import types

    column = _column(file, layout.time)
    _no_null(path, column, "time", layout.time)
    if types.is_temporal(column.type) and not types.is_interval(column.type):
        width = column.type.bit_width
        column = column.cast(pa.int32() if width == 32 else pa.int64())
    elif not (types.is_integer(column.type) or types.is_floating(column.type)):
        raise bad(
            str(path),
            f"data.time must name a column of numbers or times, received {layout.time} of type "
            f"{column.type}. Texts are not sorted by time: convert it.",
        )
    times = column.to_numpy()

    def step(at: NDArray | None) -> tuple[NDArray, NDArray]:
        row, time = (codes, times) if at is None else (codes[at], times[at])
        return np.diff(row), np.diff(time)

    rows, later = step(None)
    order = None
    if (rows < 0).any() or ((rows == 0) & (later < 0)).any():
        order = np.lexsort((times, codes))
        rows, later = step(order)
    twice = (rows == 0) & (later == 0)
    if twice.any():
        line = int(twice.argmax())
        line = line if order is None else int(order[line])
        time = _column(file, layout.time)[line].as_py()
        raise bad(
            _place(path, layout, ids[codes[line]]),
            f"each step of a row needs a time of its own, received {layout.time}={time} twice. "
            "Remove one, or name another data.id.",
        )
    return order


def _labels(
    path: Path,
    column: Any,
    name: str,
    order: NDArray | None,
    rows: Sequences,
    ids: list[Any],
    layout: Layout,
) -> Written:
    """Labels of rows, or of steps."""
    coded = column.unify_dictionaries() if _is_coded(column) else column.dictionary_encode("encode")
    found = coded.combine_chunks()
    values = found.dictionary.to_pylist()
    # A stored dictionary has null among its codes, not among its values.
    codes = found.indices.fill_null(len(values)).to_numpy().astype(np.int32)
    codes = codes if order is None else codes[order]
    values.append(None)
    if layout.kind != "tags":
        first = codes[rows.offsets[:-1]]
        other = codes != np.repeat(first, rows.lengths)
        if other.any():
            step = int(other.argmax())
            row = int(np.searchsorted(rows.offsets, step, side="right")) - 1
            raise bad(
                _place(path, layout, ids[row]),
                f"all lines of a row need the same label, received {name}={values[first[row]]!r} "
                f"and {values[codes[step]]!r}. Correct it; for a label at each step use "
                "task=tagging.",
            )
        codes = first
    used, dense = np.unique(codes, return_inverse=True)
    return Written(name, [values[code] for code in used], dense.astype(np.int32))
