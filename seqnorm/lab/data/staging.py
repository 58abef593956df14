"""Making files and folders that are either complete or not there, one process at a time."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def exclusive(folder: Path, name: str) -> Iterator[Path]:
    """Yields an empty folder in which to make ``folder / name``; other processes wait.

    Make the thing in there and move it out with ``os.replace``: what was moved is complete, and
    what was not is removed at the end, or by the next process if this one is killed. A process that
    has waited should look whether the thing is there by now.

    Raises:
        OSError: if the folder cannot be written to.
    """
    staging = folder / f".{name}.partial"
    lock = FileLock(folder / f".{name}.lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            print(
                f"Waiting for another process that makes {folder / name} ({lock.lock_file})",
                file=sys.stderr,
            )
            lock.acquire()
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        lock.release()


@contextmanager
def nothing_left(folder: Path) -> Iterator[None]:
    """If a block fails, removes what it made in a folder and left empty, and a lock beside it.

    What was downloaded whole stays: the next attempt goes on from there.
    """
    before = {*folder.glob("*")}
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        yield
    except BaseException:
        for made in {*folder.glob("*")} - before:
            for path in (*sorted(made.rglob("*"), reverse=True), made):  # what is inside first
                with suppress(OSError):
                    path.unlink() if path.suffix == ".lock" else path.rmdir()
        for path in missing:
            with suppress(OSError):
                path.rmdir()
        raise


def unwritable(folder: Path, error: OSError) -> OSError:
    """The error for a folder in which nothing can be made."""
    return OSError(
        f"{folder} must be a folder that can be written to, received {type(error).__name__}: "
        f"{error.strerror or error}. Choose another folder."
    )


def move_into(made: Path, target: Path) -> None:
    """Moves a finished folder to ``target``, in the place of an older one.

    A folder cannot replace another in one step: the older one is moved aside first, and back if
    that fails, so that at every moment one of them is whole.
    """
    old = made.parent / "replaced"
    if target.exists():
        os.replace(target, old)
    try:
        os.replace(made, target)
    except OSError:
        if old.exists():
            os.replace(old, target)
        raise


def sweep_incomplete(versions: Path) -> None:
    """Removes what killed processes of TensorFlow Datasets left beside the versions of a data set.

    Call it while no other process can be preparing that data set, see ``exclusive``.
    """
    for half_made in versions.glob("incomplete.*"):
        shutil.rmtree(half_made)


def has_hash(path: Path, file_hash: str) -> bool:
    """Whether a file has this sha256 or, for 32 digits, this md5."""
    with path.open("rb") as file:
        kind = "md5" if len(file_hash) == 32 else "sha256"
        return hashlib.file_digest(file, kind).hexdigest() == file_hash
