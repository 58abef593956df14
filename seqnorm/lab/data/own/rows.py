"""Rows of a file of any format, one after the other."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from seqnorm.lab.data.own import json_lines, parquet, separated
from seqnorm.lab.data.own.paths import TEXTS
from seqnorm.lab.data.own.source import DAMAGED, Layout, Row, wrong_encoding

READERS = {
    "csv": separated.read,
    "tsv": separated.read,
    "jsonl": json_lines.read,
    "parquet": parquet.read,
}


def read(path: Path, layout: Layout) -> Iterator[Row]:
    """The rows of a file in their order; never more than a piece of it is in memory.

    Raises:
        ValueError: if a row is broken or a column is missing, naming file and row.
        OSError: if the file cannot be read.
    """
    for row in each(path, layout):
        if isinstance(row, ValueError):
            raise row
        yield row


def each(path: Path, layout: Layout) -> Iterator[Row | ValueError]:
    """As `read`, but a row that is broken does not end the file: its error stands in its place."""
    try:
        yield from READERS[str(TEXTS.of(path))](path, layout)
    except UnicodeDecodeError as error:
        raise wrong_encoding(path) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise OSError(f"{path} must be a gzip file, received {error}. {DAMAGED}") from error
