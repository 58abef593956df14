"""Rows of numbers in the .ts format of the UEA and UCR archive.

A page of our own, because aeon 1.6 asks for NumPy below 2.4, and both aeon and sktime make labels
lower case, so that the classes A and a become one
(findings/aeon_ts_files_change_labels_and_numbers.sh). Of the 28 files without time stamps that aeon
1.6.0 brings, this reads the same values, and the same labels but for their case.

    @problemName Vowels
    @univariate false
    @dimensions 2
    @classLabel true a e
    @data
    1.8,1.9,1.7:0.2,?,0.3:a        three steps of two features, the second one missing once
    1.3,1.2:0.1,0.4:e
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.data.own.numbers import is_number
from seqnorm.lab.data.own.series.recording import Layout, Recording, as_float32, distinct
from seqnorm.lab.data.own.series.ts_header import Fields, Header, header_of, require_labels
from seqnorm.lab.data.own.source import bad, opened, wrong_encoding
from seqnorm.lab.data.spec import Sequences
from seqnorm.spelling import counted

LABEL = "label"
_COMMENT = (b"#", b"%")


class Line(NamedTuple):
    """A row as it stands in a file.

    Attributes:
        place: "train.ts, line 14".
        values: float32[time, features], or why there are none.
        label: as it is written; None without.
    """

    place: str
    values: NDArray[np.float32] | ValueError
    label: str | None


def read(path: Path, layout: Layout) -> Recording:
    """The rows of a file.

    Raises:
        ValueError: if the header or a row is broken, or labels are of another kind.
    """
    for key, given in (("data.label", layout.label), ("data.features", layout.features)):
        if given is not None:
            raise bad(
                str(path),
                f"{key} names what only .npz and Parquet have names for, received {key}="
                f"{given if isinstance(given, str) else list(given)} and a .ts file. Leave it out.",
            )
    places: list[str] = []
    rows: list[NDArray[np.float32]] = []
    labels: list[str] = []
    for line in lines(path, layout.kind):
        if isinstance(line.values, ValueError):
            raise bad(line.place, line.values)
        if rows and line.values.shape[1] != rows[0].shape[1]:
            raise bad(
                line.place,
                f"each row needs as many features as the first one, {rows[0].shape[1]}, received "
                f"{line.values.shape[1]}. They stand between colons.",
            )
        places.append(line.place)
        rows.append(line.values)
        labels.append(str(line.label))
    if not rows:
        raise bad(str(path), "rows are needed below @data, received none. Get the file again.")
    return Recording(
        Sequences.from_rows(rows),
        None,
        distinct(LABEL, labels) if layout.kind else None,
        places.__getitem__,
    )


def lines(path: Path, kind: str | None) -> Iterator[Line]:
    """The rows of a file, one after the other, whether they can be read or not.

    Args:
        path: the file.
        kind: which labels are wanted; None for none.

    Raises:
        ValueError: if the header is broken, or labels are of another kind.
    """
    header: Header | None = None
    fields: Fields = {}
    try:
        for place, text in _texts(path):
            if header is not None:
                yield _line(place, text, header, kind)
            elif text.lower().startswith("@data"):
                header = header_of(path, fields)
                require_labels(path, header, kind)
            elif text.startswith("@"):
                key, *values = text[1:].split()
                fields[key.lower()] = (place, values)
            else:
                raise bad(
                    place,
                    "a line above @data begins with @ or #, received "
                    f"{text[:40]!r}. Begin the rows with a line @data.",
                )
    except UnicodeDecodeError as error:
        raise wrong_encoding(path) from error
    if header is None:
        raise bad(str(path), "a line @data is needed above the rows, received none. Add it.")


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """Lines that say something, with their places; comments are of any encoding."""
    with opened(path) as content:
        for number, raw in enumerate(content, 1):
            line = raw.removeprefix(b"\xef\xbb\xbf").strip()
            if line and not line.startswith(_COMMENT):
                yield f"{path}, line {number}", line.decode("utf-8")


def _line(place: str, text: str, header: Header, kind: str | None) -> Line:
    fields = text.split(":")
    label = fields.pop().strip() if header.labelled else None
    width = header.dimensions or len(fields)
    if len(fields) != width or not fields:
        label_too = " and a label" if header.labelled else ""
        found = len(fields) + header.labelled
        problem: ValueError | None = ValueError(
            f"each row needs {counted(width or 1, 'feature')}{label_too}, with colons between, "
            f"received {counted(found, 'field')}. Correct the row, or @dimensions."
        )
    elif kind == "class" and label not in header.classes:
        problem = ValueError(
            f"each row needs a label of @classLabel, {', '.join(header.classes[:12])}, received "
            f"{label!r}. Large and small letters are different: correct the one or the other."
        )
    else:
        problem = None
    values = problem or _values(fields)
    if isinstance(values, np.ndarray) and len(values) != (header.length or len(values)):
        values = ValueError(
            f"each row needs {header.length} steps, as @equalLength true and @seriesLength say, "
            f"received {len(values)}. Correct the row or the header."
        )
    return Line(place, values, label)


def _values(fields: list[str]) -> NDArray[np.float32] | ValueError:
    """[time, features] of one text for each feature."""
    features = []
    for number, field in enumerate(fields, 1):
        texts = field.replace("?", "nan").split(",") if field.strip() else []
        try:
            if "_" in field or not field.isascii():  # which NumPy would read, as Python does
                raise ValueError
            features.append(as_float32(np.array(texts, np.float64), "values"))
        except ValueError:
            wrong = next(text for text in texts if not is_number(text))
            return ValueError(
                f"values must be numbers, or ? where one is missing, received {wrong.strip()!r} in "
                f"feature {number}. Correct it; commas stand between values, colons between "
                "features."
            )
    lengths = {len(each) for each in features}
    if len(lengths) > 1:
        return ValueError(
            "the features of a row need as many steps each, received "
            f"{', '.join(str(len(each)) for each in features[:12])}. Fill in ? where one is "
            "missing."
        )
    return np.stack(features, axis=-1)
