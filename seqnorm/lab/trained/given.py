"""Rows of a file for a finished run: texts, or arrays of numbers; an error where one is neither."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from seqnorm.lab.errors import UserError, blame_the_input

if TYPE_CHECKING:
    from seqnorm.lab.trained.trained import Trained

PIPE = "-"


class Table(NamedTuple):
    """How a file with columns of texts is read, as options of a command say it.

    Attributes:
        text: name of the column; None for "text".
        delimiter: between the fields of CSV and TSV; None goes by the ending of the file.
        quotes: whether fields of CSV and TSV may stand in double quotes.
    """

    text: str | None = None
    delimiter: str | None = None
    quotes: bool = True

    @property
    def options(self) -> str:
        """Those that were given."""
        said = {
            "--text": self.text is not None,
            "--delimiter": self.delimiter is not None,
            "--no-quotes": not self.quotes,
        }
        return ", ".join(name for name, is_given in said.items() if is_given)


def require_file(file: str) -> None:
    """Refuses a file that is not there, before a network is loaded, which takes seconds.

    Raises:
        UserError: naming it.
    """
    try:
        if file != PIPE:
            Path(file).open("rb").close()
    except OSError as error:
        raise UserError(
            f"rows need a file that can be read; received {file[:200]} ({error.strerror})."
        ) from error


def rows_of(trained: Trained, file: str, table: Table) -> Iterator[Any]:
    """The rows of a file in their order, read as the training reads them.

    Args:
        trained: the run.
        file: whose name says what it is; `PIPE` for standard input, a text a line.
        table: for files with columns of texts.

    Yields:
        A str, or float[time, features] as it is before scaling; or the `ValueError` that says why
        a row cannot be answered.

    Raises:
        UserError: if the file cannot be read, or an option means nothing for it.
    """
    with blame_the_input():
        yield from _numbers(trained, file, table) if trained.of_numbers else _texts(file, table)


def _texts(file: str, table: Table) -> Iterator[str | ValueError]:
    from seqnorm.lab.data.own import unlabelled
    from seqnorm.lab.data.own.source import Layout

    if file == PIPE:
        _require_none(table, "a pipe is read as a text a line")
        with open(sys.stdin.fileno(), "rb", closefd=False) as lines:
            yield from unlabelled.of_lines(lines, "standard input")
        return
    path = Path(file)
    unlabelled.require_readable(path)
    if not unlabelled.has_columns(path):
        _require_none(table, f"{path.name} is read as a text a line")
    layout = Layout(table.text or "text", None, table.delimiter, table.quotes, prefix="--")
    yield from unlabelled.texts(path, layout)


def _numbers(trained: Trained, file: str, table: Table) -> Iterator[Any]:
    from seqnorm.lab.data.own.series.recording import Layout
    from seqnorm.lab.data.own.series.unlabelled import rows

    _require_none(table, "the run reads rows of numbers")
    if file == PIPE:
        raise UserError("rows of numbers are read from a file; received a pipe. Name the file.")
    data = trained.config.data
    named = {key: getattr(data, key) for key in ("id", "time") if hasattr(data, key)}
    features = trained.scale.features if trained.scale else ()
    for row in rows(Path(file), features, Layout(**named)):
        if not isinstance(row, ValueError):
            try:
                trained.numbers(row)
            except ValueError as error:
                row = error
        yield row


def _require_none(table: Table, what: str) -> None:
    if table.options:
        raise UserError(
            f"{table.options} is for files with columns of texts; received it, but {what}. "
            "Leave it out."
        )
