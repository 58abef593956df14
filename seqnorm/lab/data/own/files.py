"""``data=files``: texts with labels from files of the user's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from seqnorm.lab.data.kept import Source
from seqnorm.lab.data.own.kinds import kind_of
from seqnorm.lab.data.own.parts import PartReader
from seqnorm.lab.data.own.paths import locate
from seqnorm.lab.data.own.rows import read
from seqnorm.lab.data.own.source import Layout, Row, bad
from seqnorm.lab.data.spec import Dataset

if TYPE_CHECKING:
    from seqnorm.lab.config.data import FilesConfig


def load(config: FilesConfig, seed: int, labels: str) -> Dataset:
    """Reads the files; parts that are not named are held out of the training files.

    The test part depends on `config.split_seed` alone, the validation part on the seed of the run.
    Labels are of the kind that is asked for; of "none" no column is read.

    Raises:
        ValueError: if a file has something that cannot be trained on, naming file and row.
        OSError: if a file is missing (FileNotFoundError) or damaged.
    """
    kind = kind_of(labels, config.label, config.label_separator)
    layout = Layout(config.text, kind.column, config.delimiter, config.quotes)
    files = locate(config)
    rows = {key: partial(_rows, paths, layout) for key, paths in files.items()}
    parts = {key: [str(path) for path in paths] for key, paths in files.items()}
    every = tuple(path for paths in files.values() for path in paths)
    source = Source(config.name, every, {"layout": layout, "parts": parts})
    return PartReader(config, kind, source).load(seed, rows)


def _rows(files: Iterable[Path], layout: Layout) -> Iterator[Row]:
    for path in files:
        for row in read(path, layout):
            require_text(row, layout)
            yield row


def require_text(row: Row, layout: Layout) -> None:
    """Refuses a row whose text is none, or blank.

    Raises:
        ValueError: naming file and row.
    """
    if not isinstance(row.text, str | None):
        raise bad(
            row.place,
            f"a text is needed, received {layout.text}={row.text!r} "
            f"({type(row.text).__name__}). Name the column of texts with {layout.prefix}text.",
        )
    if not (row.text and row.text.strip()):
        raise bad(
            row.place,
            f"each row needs a text, received {layout.text}={row.text!r}. Fill it in, or "
            "remove the row.",
        )
