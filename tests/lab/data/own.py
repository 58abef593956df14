"""Small files of a user's own, right and wrong."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from seqnorm.lab import data
from seqnorm.lab.config.data import FilesConfig

ROWS = [
    (f"{word} film, number {number}!", star)
    for number in range(10)
    for word, star in (("good", 5), ("bad", 1), ("dull", 2))
]


def csv_text(rows: list[tuple[Any, Any]] = ROWS, header: str = "review,stars") -> str:
    return "\n".join([header, *(f'"{text}",{label}' for text, label in rows)]) + "\n"


def json_text(rows: list[tuple[Any, Any]] = ROWS) -> str:
    return "".join(json.dumps({"review": text, "stars": label}) + "\n" for text, label in rows)


def write_parquet(path: Path, **columns: list[Any]) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table(columns), path)
    return path


def write(path: Path, content: str | bytes) -> Path:
    """Writes a file, gzipped if its name says so."""
    raw = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def config(**changes: Any) -> FilesConfig:
    return FilesConfig(
        **{"name": "files", "train": "a.csv", "text": "review", "label": "stars"} | changes
    )


def load(seed: int = 0, **changes: Any) -> data.Dataset:
    return data.load(config(**changes), seed)
