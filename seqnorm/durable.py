"""Files that are complete or not there, whatever moment the process or the machine stops at."""

from __future__ import annotations

import os
from pathlib import Path


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file; an earlier one of that name stays until the new one is on the disk."""
    temporary = path.with_name(f".{path.name}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())  # or the rename may reach the disk before the content does
    os.replace(temporary, path)


def sync(path: Path) -> None:
    """Have the content of a file on the disk when this returns; a folder is left as it is."""
    if path.is_file():
        with path.open("rb+") as file:
            os.fsync(file.fileno())


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8, likewise."""
    write_bytes(path, text.encode())
