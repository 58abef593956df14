"""Files that are complete or not there, whatever moment the process or the machine stops at."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeGuard

_OF_DISK = (
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO,
)  # fmt: skip


_IN_WORDS = re.compile(r"errno = (\d+)")  # HDF5's way


class DiskError(OSError):
    """A disk that did not take a file; made as `OSError` is, of number, reason and path."""

    def __str__(self) -> str:
        return (
            f"{self.filename} could not be written: {self.strerror}. Files that were finished "
            "before are whole; a run without result.json is unfinished. Make room or choose "
            "another folder, and start again."
        )


def of_disk(error: BaseException) -> TypeGuard[OSError]:
    """Whether a disk is full, failing or not to be written to."""
    return isinstance(error, OSError) and _number(error) in _OF_DISK


def _number(error: OSError) -> int | None:
    """The system's number of an error; HDF5 and TFDS only say it in words."""
    if error.errno is None and "enough disk space" in str(error):
        return errno.ENOSPC
    said = _IN_WORDS.search(str(error))
    return int(said[1]) if error.errno is None and said else error.errno


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Has what a disk refuses inside name the file.

    Raises:
        DiskError: in the place of an `OSError` that is about the disk.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, DiskError) or not of_disk(error):
            raise
        number = _number(error)
        raise DiskError(number, os.strerror(number or 0), str(path)) from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file; an earlier one of that name stays until the new one is on the disk.

    Of several processes that write it at once the last one's stays, whole.

    Raises:
        DiskError: if the disk does not take it.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with writing(path):
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # or the rename may reach the disk before the content does
            os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):  # a disk that fails may not let go of it either
            temporary.unlink(missing_ok=True)
        raise


def remove_unfinished(folder: Path) -> None:
    """Removes what `write_bytes` had not finished in a folder when its process was killed.

    No other process may be writing there.
    """
    for path in folder.glob(".*"):
        if re.fullmatch(r"\..+\.\d+", path.name):
            path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Have the content of a file on the disk when this returns; a folder is left as it is."""
    if path.is_file():
        with writing(path), path.open("rb+") as file:
            os.fsync(file.fileno())


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8, likewise."""
    write_bytes(path, text.encode())
