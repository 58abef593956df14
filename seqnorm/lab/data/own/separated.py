"""Rows of CSV and TSV.

Python's own module reads them: pyarrow is faster, but takes a quote that is never closed for a text
of many lines and goes on, and does not say in which row it met a wrong byte. With 60 words a row, a
tenth of the time goes into reading rows, and the rest into cutting words.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from seqnorm.lab.data.own.paths import TEXTS
from seqnorm.lab.data.own.source import Layout, Row, bad, not_utf8, opened, require_columns

# A field that is longer begins with a quote that is never closed.
LONGEST_FIELD = 10_000_000


def read(path: Path, layout: Layout) -> Iterator[Row | ValueError]:
    """The rows of a file after its header, or why one is none; empty lines are passed over.

    Raises:
        ValueError: if a column is missing, or a quote is not closed: what follows is then unknown.
    """
    delimiter = layout.delimiter or ("\t" if TEXTS.of(path) == "tsv" else ",")
    csv.field_size_limit(LONGEST_FIELD)
    with opened(path) as content:
        lines = io.TextIOWrapper(content, encoding="utf-8-sig", newline="")
        rows = csv.reader(
            lines,
            delimiter=delimiter,
            strict=True,
            quoting=csv.QUOTE_MINIMAL if layout.quotes else csv.QUOTE_NONE,
        )
        begin = 1
        try:
            header = next(rows, [])
            columns = _columns(path, header, layout, delimiter)
            begin = rows.line_num + 1
            for row in rows:
                if len(row) == len(header):
                    found = [row[column] for column in columns]
                    if found == list(layout.columns.values()):
                        yield bad(
                            f"{path}, line {begin}",
                            "a file has one header, received its names once more as a row. Delete "
                            "the line.",
                        )
                    else:
                        yield Row(f"{path}, line {begin}", *found, *[None] * (2 - len(found)))
                elif row:
                    yield bad(
                        f"{path}, line {begin}",
                        f"each row needs {len(header)} fields as the header has, received "
                        f"{len(row)}. Put a text that has {_shown(delimiter)} in it into double "
                        "quotes.",
                    )
                begin = rows.line_num + 1
        except csv.Error as error:
            raise bad(
                f"{path}, line {begin}",
                "a field that begins with a double quote must end with one, and a quote inside is "
                f"written twice; received a row that does not ({error}). Correct it, or "
                f"{_without_quotes(layout)} if quotes are plain characters in this file.",
            ) from error


def _without_quotes(layout: Layout) -> str:
    return "set data.quotes=false" if layout.prefix == "data." else "give --no-quotes"


def _shown(delimiter: str) -> str:
    return {"\t": "a tab", ",": "a comma"}.get(delimiter, repr(delimiter))


def _set_delimiter(layout: Layout, sign: str) -> str:
    if sign == "\t":
        return "Name the file .tsv"
    if layout.prefix == "data.":
        return f"Set 'data.delimiter=\"{sign}\"'"
    return f"Give --delimiter '{sign}'"


def _columns(path: Path, header: list[str], layout: Layout, delimiter: str) -> list[int]:
    """Where the columns stand that are read, after a look at the header."""
    if not header:
        raise bad(
            f"{path}, line 1", "a header with the names of the columns is needed, received none."
        )
    if any("\0" in name for name in header):
        raise not_utf8(path, "line 1", "zero bytes, as UTF-16 has them")
    others = {",": ";\t|", "\t": ",;|", ";": ",\t|"}.get(delimiter, ",;\t|")
    if len(header) == 1 and (meant := [sign for sign in others if sign in header[0]]):
        write = _set_delimiter(layout, meant[0])
        raise bad(
            f"{path}, line 1",
            f"the names of the columns need {_shown(delimiter)} between them, received "
            f"{header[0]!r}. {write} if that stands between them.",
        )
    require_columns(path, header, layout)
    return [header.index(name) for name in layout.columns.values()]
