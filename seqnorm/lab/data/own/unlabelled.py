"""Texts of a file to be answered: without labels, and a bad row does not end it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from seqnorm.lab.data.own.files import require_text
from seqnorm.lab.data.own.paths import TEXTS
from seqnorm.lab.data.own.rows import each
from seqnorm.lab.data.own.source import Layout, Row, bad, opened

PLAIN = (".txt", "")  # endings of files that hold a text a line


def require_readable(path: Path) -> None:
    """Refuses a file whose name says that no texts are in it.

    Raises:
        ValueError: saying which names there are.
    """
    if not (TEXTS.of(path) or _is_plain(path)):
        raise bad(
            str(path),
            f"texts are read from {TEXTS.in_words}, and a text a line from .txt (also .txt.gz) or "
            f"a name without an ending; received the ending {path.suffix}. Rename or convert it, "
            "or give a text a line through a pipe.",
        )


def has_columns(path: Path) -> bool:
    """Whether a file has columns, one of which is to be named."""
    return TEXTS.of(path) is not None


def texts(path: Path, layout: Layout) -> Iterator[str | ValueError]:
    """The texts of a file in their order, or why a row has none, as training reads them.

    Raises:
        ValueError: if the file as a whole cannot be read as texts.
        OSError: if it is damaged.
    """
    require_readable(path)
    if not has_columns(path):
        with opened(path) as content:
            yield from of_lines(content, str(path))
        return
    for row in each(path, layout):
        yield _text(row, layout)


def of_lines(content: Iterable[bytes], name: str) -> Iterator[str | ValueError]:
    """Each line as a text, or why it is none.

    Args:
        content: the lines.
        name: of the file, for messages.

    Raises:
        ValueError: if the content is no text.
    """
    for number, line in enumerate(content, 1):
        if b"\0" in line:
            raise bad(
                f"{name}, line {number}",
                "texts are needed, received bytes that are none. Give a text a line, in UTF-8.",
            )
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            yield ValueError("a text must be in UTF-8; received other bytes")
            continue
        yield text if text.strip() else ValueError(f"a row needs a text; received {text!r}")


def _text(row: Row | ValueError, layout: Layout) -> str | ValueError:
    if isinstance(row, ValueError):
        return row
    try:
        require_text(row, layout)
    except ValueError as error:
        return error
    return str(row.text)


def _is_plain(path: Path) -> bool:
    suffix = path.suffix.lower()
    return (path.with_suffix("").suffix.lower() == ".txt") if suffix == ".gz" else suffix in PLAIN
