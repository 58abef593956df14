"""Rows of numbers that cannot be trained on: one message names file and row, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.lab.data.own_series import (
    HEADER,
    LABELS,
    LENGTHS,
    ROWS,
    TAGS,
    VALUES,
    dense,
    load,
    save,
    ts_text,
    write_long,
)


class Case(NamedTuple):
    """Files by name and what writes them; keys; the message, beginning and a part of it."""

    files: dict[str, Callable[[Path], Any]]
    keys: dict[str, Any]
    begin: str
    part: str


def npz(begin: str, part: str, keys: dict[str, Any] | None = None, **changes: Any) -> Case:
    return Case({"a.npz": lambda path: save(path, **changes)}, keys or {}, begin, part)


def ts(content: str | bytes, begin: str, part: str, **keys: Any) -> Case:
    raw = content if isinstance(content, bytes) else content.encode()
    files = {"a.ts": lambda path: path.write_bytes(raw)}
    return Case(files, {"train": "a.ts", **keys}, begin, part)


def long(begin: str, part: str, keys: dict[str, Any] | None = None, **changes: Any) -> Case:
    files = {"a.parquet": lambda path: write_long(path, **changes)}
    return Case(files, {"train": "a.parquet", **(keys or {})}, begin, part)


def changed(values: Any, at: Any, to: Any) -> np.ndarray:
    found = np.array(values)
    found[at] = to
    return found


def with_line(line: str) -> str:
    """A .ts file whose second row, its line 8, is another."""
    lines = ts_text().splitlines(keepends=True)
    return "".join([*lines[:7], line + "\n", *lines[8:]])


def text(path: Path) -> None:
    path.write_text("x")


def both(**test: Any) -> dict[str, Callable[[Path], Any]]:
    return {"a.npz": save, "t.npz": lambda path: save(path, **test)}


IDS = np.repeat(np.arange(12), LENGTHS)
TIMES = np.concatenate([np.arange(length) for length in LENGTHS])

CASES: dict[str, Case] = {
    # .npz
    "npz: array that is missing": npz(
        "a.npz: an array values is needed", "lengths, labels", values=None
    ),
    "npz: labels that are missing": npz(
        "a.npz: an array label is needed",
        "Did you mean data.label=labels?",
        {"label": "label"},
    ),
    "npz: dtype object": npz(
        "a.npz: arrays must hold numbers or texts, received values of dtype object",
        "np.concatenate(rows)",
        values=np.array(ROWS, dtype=object),
    ),
    "npz: lengths that do not add up": npz(
        "a.npz: lengths must add up to the 35 steps",
        "add up to 36",
        lengths=changed(LENGTHS, 0, 4),
    ),
    "npz: a length that is negative": npz(
        "a.npz: lengths must not be negative", "row 2", lengths=changed(LENGTHS, 1, -1)
    ),
    "npz: row without a step": npz(
        "a.npz, row 2: each row needs a step",
        "Remove the row.",
        lengths=changed(LENGTHS, [0, 1], [4, 0]),
    ),
    "npz: lengths that are broken": npz(
        "a.npz: lengths must be whole numbers", "float64[12]", lengths=LENGTHS / 1
    ),
    "npz: no feature": npz(
        "a.npz: values must have a feature or more", "shape [35, 0]", values=VALUES[:, :0]
    ),
    "npz: no lengths": npz("a.npz: values must be [rows, time", "without lengths", lengths=None),
    "npz: lengths beyond the padding": npz(
        "a.npz: lengths must be one for each row and at most the 5 steps",
        "up to 6",
        values=dense(),
        lengths=changed(LENGTHS, 0, 6),
    ),
    "npz: labels of another number": npz(
        "a.npz: labels must be one for each of 12 rows", "shape [11]", labels=LABELS[1:]
    ),
    "npz: labels of steps where rows are classified": npz(
        "a.npz: labels must be one for each of 12 rows", "use task=tagging", labels=TAGS
    ),
    "npz: labels of rows where steps are": Case(
        {"a.npz": save},
        {"labels": "tags"},
        "a.npz: labels must be one for each of 35 steps",
        "received shape [12]",
    ),
    "npz: NaN": npz(
        "a.npz, row 3: each step needs all its numbers, received NaN in feature 2 at step 1 of 4",
        "data.missing=mask",
        values=changed(VALUES, (4, 1), np.nan),
    ),
    "npz: padding that is taken for numbers": npz(
        "a.npz, row 1: each step needs all its numbers",
        "at step 4 of 5. Fill it in, or set data.missing=mask, which leaves such steps out. "
        "Padding in .npz needs lengths.",
        values=dense(),
        lengths=None,
    ),
    "npz: row of nothing but NaN": npz(
        "a.npz, row 2: each row needs a step that has all its numbers",
        "Remove the row, or the feature.",
        {"missing": "mask"},
        values=changed(VALUES, (3, 0), np.nan),
    ),
    "npz: infinity": npz(
        "a.npz, row 12: each number must be finite",
        "received -inf in feature 1 at step 2 of 2",
        {"missing": "mask"},
        values=changed(VALUES, (34, 0), -np.inf),
    ),
    "npz: number that float32 cannot hold": npz(
        "a.npz, row 1: each number must be finite, and below 3.4e38",
        "received inf",
        values=changed(VALUES.astype(float), (0, 0), 1e39),
    ),
    "npz: whole number that is too long": npz(
        "a.npz: values are kept as float32, which holds whole numbers up to 16,777,216",
        "received 1700000000. Subtract an offset",
        values=changed(VALUES.astype(int), (0, 0), 1_700_000_000),
    ),
    "npz: texts": npz("a.npz: values must be real numbers", "<U", values=VALUES.astype(str)),
    "npz: one class only": npz(
        "data.train needs rows of two classes or more", "labels=a in all 12", labels=["a"] * 12
    ),
    "npz: as many classes as rows": npz(
        "data.train needs classes that have several rows", "labels=0, 1", labels=np.arange(12)
    ),
    "npz: label NaN": npz(
        "a.npz, row 4: each row needs a label",
        "labels=nan",
        labels=changed(np.tile([1.0, 2.0], 6), 3, np.nan),
    ),
    "npz: number as a class": npz(
        "a.npz, row 1: a label is a name or a whole number", "0.5", labels=np.tile([0.5, 1.5], 6)
    ),
    "npz: class as a number": Case(
        {"a.npz": save}, {"labels": "number"}, "a.npz, row 2: each row needs a finite number", "'A'"
    ),
    "npz: names of features that do not fit": npz(
        "a.npz: features must name each of 2 features", "<U1[1]", features=np.array(["x"])
    ),
    "npz: other features in another file": Case(
        both(values=VALUES[:, :1]),
        {"test": "t.npz"},
        "t.npz, row 1: all files need the same features, received 1 (feature 1) after 2",
        "in the first file",
    ),
    "npz: label in test that train lacks": Case(
        both(labels=changed(LABELS, 5, "b")),
        {"test": "t.npz"},
        "t.npz, row 6: each label needs examples in data.train",
        "labels='b', which has none there; those are A, a.",
    ),
    "npz: no rows": npz(
        "a.npz: data.train needs rows",
        "none",
        values=VALUES[:0],
        lengths=LENGTHS[:0],
        labels=LABELS[:0],
    ),
    "npz: another content": Case(
        {"a.npz": lambda path: path.write_bytes(b"no archive")},
        {},
        "a.npz must be a .npz file",
        "damaged or incomplete",
    ),
    "npz: cut off": Case(
        {"a.npz": lambda path: path.write_bytes(save(path).read_bytes()[:200])},
        {},
        "a.npz must be a .npz file",
        "damaged or incomplete",
    ),
    "npz: columns of Parquet": Case(
        {"a.npz": save}, {"features": ["x"]}, "a.npz: data.features names columns", "['x']"
    ),
    # .ts
    "ts: no header": ts("1,2:3,4:a\n", "a.ts, line 1: a line above @data begins", "@data"),
    "ts: no @data": ts("@problemName x\n", "a.ts: a line @data is needed", "none"),
    "ts: nothing below @data": ts(HEADER, "a.ts: rows are needed below @data", "none"),
    "ts: classes that are not named": ts(
        ts_text(HEADER.replace("true a A", "true")), "a.ts, line 5: @classLabel true must", "A B"
    ),
    "ts: header that says neither": ts(
        ts_text(HEADER.replace("true a A", "yes")), "a.ts, line 5: @classlabel must say", "'yes'"
    ),
    "ts: dimensions that are no number": ts(
        ts_text(HEADER.replace("dimensions 2", "dimensions two")), "a.ts, line 4: @dim", "'two'"
    ),
    "ts: time stamps": ts(
        ts_text(HEADER.replace("@data", "@timeStamps true\n@data")),
        "a.ts, line 6: values must stand alone",
        "@timestamps true",
    ),
    "ts: no labels": ts(
        ts_text(HEADER.replace("true a A", "false")),
        "a.ts: the task needs classes, @classLabel true A B",
        "no labels",
    ),
    "ts: numbers where classes are wanted": ts(
        ts_text(HEADER.replace("@classLabel true a A", "@targetLabel true"), labels=range(12)),
        "a.ts: the task needs classes",
        "Use task=regression for numbers.",
    ),
    "ts: label at each step": ts(
        ts_text(), "a.ts: the task needs a label for each step", "Parquet", labels="tags"
    ),
    "ts: label of other letters": ts(
        with_line("1,2:3,4:B"), "a.ts, line 8: each row needs a label of @classLabel, a, A", "'B'"
    ),
    "ts: row with a feature too many": ts(
        with_line("1,2:3,4:5,6:a"), "a.ts, line 8: each row needs 2 features and a label", "4"
    ),
    "ts: feature that is shorter": ts(
        with_line("1,2:3:a"), "a.ts, line 8: the features of a row need as many", "received 2, 1"
    ),
    "ts: no number": ts(
        with_line("1,2:3,x:a"), "a.ts, line 8: values must be numbers", "'x' in feature 2"
    ),
    "ts: underscore in a number": ts(
        with_line("1_0,2:3,4:a"), "a.ts, line 8: values must be numbers", "'1_0' in feature 1"
    ),
    "ts: row of another length than the header says": ts(
        ts_text(HEADER.replace("@data", "@equalLength true\n@seriesLength 3\n@data")),
        "a.ts, line 10: each row needs 3 steps, as @equalLength true and @seriesLength say",
        "received 1",
    ),
    "ts: two commas": ts(with_line("1,,2:3,4,5:a"), "a.ts, line 8: values must be", "''"),
    "ts: missing number": ts(
        with_line("1,?:3,4:a"),
        "a.ts, line 8: each step needs all its numbers, received NaN in feature 1 at step 2",
        "data.missing=mask",
    ),
    "ts: row without a step": ts(
        with_line("::a"), "a.ts, line 8: each row needs a step or more", "Remove the row"
    ),
    "ts: wrong encoding": ts(
        with_line("1,2:3,4:caf\xe9").encode("latin-1"), "a.ts, line 1: texts must be", "0xe9"
    ),
    "ts: name of an array": ts(ts_text(), "a.ts: data.label names what", "y", label="y"),
    # Parquet
    "Parquet: missing column": long(
        "a.parquet: data.id must name one column, received row",
        "Its columns are id, time, x, y, label.",
        {"id": "row"},
    ),
    "Parquet: no label": long("a.parquet: data.label must name one column", "label", label=None),
    "Parquet: feature that is missing": long(
        "a.parquet: data.features must name one column, received xx",
        "Did you mean data.features=x?",
        {"features": ["xx"]},
    ),
    "Parquet: no numbers": long(
        "a.parquet: a column of numbers is needed", "data.features", x=None, y=["-"] * 35
    ),
    "Parquet: texts named as features": long(
        "a.parquet: numbers of y must be real numbers", "object", {"features": ["y"]}, y=["-"] * 35
    ),
    "Parquet: id with two labels": long(
        "a.parquet, id=7: all lines of a row need the same label, received label='a' and 'A'",
        "task=tagging",
        label=changed(np.repeat(LABELS, LENGTHS), 2, "A").tolist(),
    ),
    "Parquet: label that is missing": long(
        "a.parquet, id=8: each row needs a label",
        "label=None",
        label=changed(np.repeat(LABELS, LENGTHS).astype(object), 3, None).tolist(),
    ),
    "Parquet: id that is missing": long(
        "a.parquet, row 3: each line needs its id", "id=null", id=[1, 1, None, *IDS[3:].tolist()]
    ),
    "Parquet: id NaN": long(
        "a.parquet, row 3: each line needs its id", "id=nan", id=changed(IDS / 1, 2, np.nan)
    ),
    "Parquet: time that is missing": long(
        "a.parquet, row 35: each line needs its time",
        "time=null",
        time=[*TIMES[:-1].tolist(), None],
    ),
    "Parquet: time NaN": long(
        "a.parquet, row 1: each line needs its time", "nan", time=changed(TIMES / 1, 0, np.nan)
    ),
    "Parquet: times as texts": long(
        "a.parquet: data.time must name a column of numbers or times",
        "type string",
        time=TIMES.astype(str).tolist(),
    ),
    "Parquet: one time twice": long(
        "a.parquet, id=7: each step of a row needs a time of its own",
        "received time=1 twice",
        time=changed(TIMES, 2, 1),
    ),
    "Parquet: missing number": long(
        "a.parquet, id=9: each step needs all its numbers, received NaN in y at step 1",
        "data.missing=mask",
        y=[*VALUES[:4, 1].tolist(), None, *VALUES[5:, 1].tolist()],
    ),
    "Parquet: label among the features": long(
        "a.parquet: data.features must leave the label out",
        "with label",
        {"features": ["x", "label"]},
    ),
    "Parquet: not one": Case(
        {"a.parquet": text},
        {"train": "a.parquet"},
        "a.parquet must be a Parquet file",
        "damaged or incomplete",
    ),
    # all
    "another ending": Case(
        {"a.csv": text}, {"train": "a.csv"}, "data.train needs files whose name", ".npz, .ts"
    ),
    "missing file": Case(
        {"a.npz": save}, {"train": "b.npz"}, "data.train needs a file that exists", "has a.npz"
    ),
    "folder of data": Case({}, {"dir": "x"}, "data=series reads what data.train", "data.dir=x"),
    "share that leaves no test": Case(
        {"a.npz": save}, {"test_fraction": 0.01}, "data.test_fraction must leave rows", "of 12"
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_one_message_names_file_and_row(name, tmp_path, monkeypatch):
    case = CASES[name]
    monkeypatch.chdir(tmp_path)
    for file, content in case.files.items():
        content(tmp_path / file)
    before = sorted(tmp_path.iterdir())
    with pytest.raises((ValueError, OSError)) as caught:
        load(**case.keys)
    message = str(caught.value)
    print(f"| {name} | {message} |")  # pytest -s -k names_file prints the table
    assert message.startswith(case.begin) and case.part in message, message
    assert "\n" not in message and message.endswith("."), message
    assert sorted(tmp_path.iterdir()) == before
