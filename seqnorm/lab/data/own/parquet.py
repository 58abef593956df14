"""Rows of Parquet, which pyarrow reads."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seqnorm.lab.console import track
from seqnorm.lab.data.own.paths import is_gzipped
from seqnorm.lab.data.own.source import BLOCK, DAMAGED, Layout, Row, require_columns

BATCH = 1024  # rows read at a time


def read(path: Path, layout: Layout) -> Iterator[Row]:
    """The rows of a file.

    Raises:
        ValueError: if a column is missing.
        OSError: if the file is damaged or no Parquet.
    """
    import pyarrow
    from pyarrow import parquet

    with _on_disk(path) as source:
        try:
            file = parquet.ParquetFile(source, buffer_size=BLOCK)
            require_columns(path, file.schema_arrow.names, layout)
            batches = file.iter_batches(BATCH, columns=list(layout.columns.values()))
            total = -(-file.metadata.num_rows // BATCH)
            number = 0
            for batch in track(batches, f"Reading {path.name}", total):
                texts, *labels = (batch.column(at).to_pylist() for at in layout.columns.values())
                for text, *label in zip(texts, *labels, strict=True):
                    number += 1
                    yield Row(f"{path}, row {number}", text, *(label or [None]))
        except (pyarrow.ArrowException, OSError) as error:
            first = str(error).splitlines()[0]
            raise OSError(f"{path} must be a Parquet file, received {first} {DAMAGED}") from error


@contextmanager
def _on_disk(path: Path) -> Iterator[Any]:
    """A Parquet file is read from its end, which a gzipped one has only once it is unpacked."""
    if not is_gzipped(path):
        yield path
        return
    with tempfile.TemporaryFile() as unpacked, gzip.open(path) as content:
        shutil.copyfileobj(content, unpacked, BLOCK)
        unpacked.seek(0)
        yield unpacked
