"""What every reader of a file is asked, gives, and says when it cannot."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Any, NamedTuple

from seqnorm.lab.console import track
from seqnorm.lab.data.own.paths import is_gzipped

# What neither the shell nor Hydra takes for something else.
_PLAIN = re.compile(r"[\w./-]+", re.ASCII)
BLOCK = 2**20  # bytes read at a time, and a step of the progress bar
DAMAGED = "The file is damaged or incomplete: get it again."


class Layout(NamedTuple):
    """How a file is to be read.

    Attributes:
        text: name of the column of texts.
        label: name of the column of labels; None reads none.
        delimiter: between the fields of CSV and TSV; None goes by the ending of the file.
        quotes: whether fields of CSV and TSV may stand in double quotes.
        prefix: what stands before the name of a setting where the user gives it: "data.", or "--"
            for the option of a command.
    """

    text: str
    label: str | None
    delimiter: str | None = None
    quotes: bool = True
    prefix: str = "data."

    @property
    def columns(self) -> dict[str, str]:
        """The names of the columns that are read, by key."""
        wanted = {"text": self.text, "label": self.label}
        return {f"{self.prefix}{key}": name for key, name in wanted.items() if name is not None}


class Row(NamedTuple):
    """One row as it stands in a file.

    Attributes:
        place: "reviews.csv, line 7" (the first line, if the row has several); of Parquet "row 7".
        text: what the column of texts holds.
        label: what the column of labels holds; None where none is read.
    """

    place: str
    text: Any
    label: Any


def bad(place: str, problem: object) -> ValueError:
    """The error for something at a place; raise it ``from`` what the reader raised."""
    return ValueError(f"{place}: {problem}")


def nearest(key: str, wanted: str, names: Iterable[str]) -> str:
    """`` Did you mean data.text=review?`` for the nearest of the names, or nothing."""
    near = get_close_matches(wanted, names, 1)
    return f" Did you mean {_typed(key, near[0])}?" if near and near[0] != wanted else ""


def _typed(key: str, name: str) -> str:
    """A setting as it is typed into a shell, for a command or, as "data.text", for Hydra."""
    if _PLAIN.fullmatch(name):
        return f"{key}={name}"
    if key.startswith("--"):
        return f"{key}={shlex.quote(name)}"
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return shlex.quote(f'{key}="{quoted}"')


def require_columns(path: Path, names: Sequence[str], layout: Layout) -> None:
    """Refuses columns that do not have the wanted names, each once.

    Raises:
        ValueError: listing the columns.
    """
    for key, wanted in layout.columns.items():
        if names.count(wanted) != 1:
            many = "no such column" if wanted not in names else "that name more than once"
            shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
            raise bad(
                str(path),
                f"{key} must name one column, received {key}={wanted}, and the file has {many}."
                f"{nearest(key, wanted, names)} Its columns are {shown}.",
            )


class _Blocks(io.RawIOBase):
    """A file made of blocks of bytes that something else hands out."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._left = blocks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._left = self._left or next(self._blocks, b"")
        taken = min(len(self._left), len(buffer))
        buffer[:taken], self._left = self._left[:taken], self._left[taken:]
        return taken


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The content of a file, decompressed, with a bar that follows the bytes on the disk."""
    total = -(-path.stat().st_size // BLOCK)
    with path.open("rb") as file:
        blocks = track(iter(lambda: file.read(BLOCK), b""), f"Reading {path.name}", total)
        content: IO[bytes] = io.BufferedReader(_Blocks(blocks), BLOCK)
        try:
            yield gzip.GzipFile(fileobj=content) if is_gzipped(path) else content  # type: ignore[misc]
        finally:
            blocks.close()  # type: ignore[attr-defined]


def wrong_encoding(path: Path) -> ValueError:
    """Looks for the line that is not UTF-8: what decodes in blocks cannot say."""
    with gzip.open(path) if is_gzipped(path) else path.open("rb") as content:
        for number, line in enumerate(content, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return not_utf8(path, f"line {number}", f"the byte 0x{line[error.start]:02x}")
    return not_utf8(path, "last line", "a character that is cut off")


def not_utf8(path: Path, place: str, received: str) -> ValueError:
    """The error for a text in another encoding."""
    with gzip.open(path) if is_gzipped(path) else path.open("rb") as content:
        wide = content.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    name, known = ("utf-16", "as UTF-16 begins so") if wide else ("latin1", "if it is in Latin-1")
    return bad(
        f"{path}, {place}",
        f"texts must be in UTF-8, received {received}. Save the file as UTF-8, for example with "
        f"`iconv -f {name} -t utf-8 {path.name}` {known}.",
    )
