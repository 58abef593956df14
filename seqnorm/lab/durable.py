"""Files that are complete or not there, whatever moment the process or the machine stops at."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TypeGuard

_OF_DISK = (
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO,
)  # fmt: skip


def of_disk(error: BaseException) -> TypeGuard[OSError]:
    """Whether a disk is full, failing or not to be written to; TFDS only says so in words."""
    in_words = "enough disk space" in str(error)
    return isinstance(error, OSError) and (in_words or error.errno in _OF_DISK)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file; an earlier one of that name stays until the new one is on the disk.

    Of several processes that write it at once the last one's stays, whole.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # or the rename may reach the disk before the content does
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sync(path: Path) -> None:
    """Have the content of a file on the disk when this returns; a folder is left as it is."""
    if path.is_file():
        with path.open("rb+") as file:
            os.fsync(file.fileno())


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8, likewise."""
    write_bytes(path, text.encode())
