"""Texts as word numbers, kept between runs: what cuts and counts IMDB's words takes half a minute.

An entry is a folder of plain arrays, which many processes read from the disk's cache as one copy.
It belongs to files as they are now, to the way in which words are cut, and to the code that reads:
whatever of it changes, the texts are read again.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_path

from seqnorm.lab.data.spec import Sequences

LIMIT = 4 * 2**30  # bytes of all entries
_PARTS, _WORDS = "parts.json", "words.json"
_UNFINISHED, _DAY = ".unfinished-", 86_400.0


@dataclass(frozen=True)
class Source:
    """What decides what is read.

    Attributes:
        name: of the data, which the entry's name begins with.
        files: what is read.
        settings: how, as plain values.
    """

    name: str
    files: tuple[Path, ...]
    settings: Mapping[str, Any]

    def also(self, **settings: Any) -> Source:
        """With further settings."""
        return replace(self, settings={**self.settings, **settings})

    @property
    def entry(self) -> str:
        """A name that no other source has, nor this one when a file of it has changed."""
        files = [(str(path.resolve()), *_stamp(path)) for path in self.files]
        told = json.dumps([files, self.settings, _reader()], sort_keys=True, default=str)
        return f"{self.name}-{hashlib.sha256(told.encode()).hexdigest()[:16]}"


@dataclass(frozen=True)
class Kept:
    """What was read.

    Attributes:
        words: by provisional number.
        parts: the word numbers of each part, and its labels as they were read.
    """

    words: list[str]
    parts: dict[str, tuple[Sequences, list[Any]]]


def files_in(folder: Path) -> tuple[Path, ...]:
    """All files of a folder, also of those within it."""
    return tuple(sorted(path for path in folder.rglob("*") if path.is_file()))


def place() -> Path | None:
    """Where entries are: SEQNORM_CACHE, or the user's folder of such things; None if it is off."""
    wanted = os.environ.get("SEQNORM_CACHE")
    if wanted is None:
        return user_cache_path("seqnorm") / "texts"
    return Path(wanted).expanduser() / "texts" if wanted not in ("", "off") else None


def find(source: Source) -> Kept | None:
    """What was kept of a source; None if nothing was, or it cannot be read."""
    root = place()
    if root is None:
        return None
    folder = root / source.entry
    try:
        labels = json.loads((folder / _PARTS).read_text("utf-8"))
        parts = {name: (_rows(folder, name), found) for name, found in labels.items()}
        words = json.loads((folder / _WORDS).read_text("utf-8"))
    except (OSError, ValueError):  # not there, or damaged: it is made again
        return None
    with suppress(OSError):
        os.utime(folder)  # it was of use: others are removed first
    return Kept(words, parts)


class Keeper:
    """Keeps what is read of a source, part by part, so that no copy of it stays in memory.

    Says so on standard error if the folder does not take it; no run ends for that. What is not
    finished is removed with the keeper.

    Args:
        source: What is read.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._labels: dict[str, list[Any]] = {}
        self._made: Path | None = None
        root = place()
        if root is not None:
            with self._said():
                root.mkdir(parents=True, exist_ok=True)
                self._made = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=root))
                weakref.finalize(self, shutil.rmtree, self._made, ignore_errors=True)

    def add(self, part: str, rows: Sequences, labels: list[Any]) -> None:
        """Writes a part."""
        if self._made is not None:
            with self._said():
                np.save(self._made / f"{part}.values.npy", rows.values)
                np.save(self._made / f"{part}.offsets.npy", rows.offsets)
                self._labels[part] = labels

    def finish(self, words: list[str]) -> None:
        """Puts the whole in its place, once all parts were added."""
        if self._made is None:
            return
        made, folder = self._made, self._made.parent / self.source.entry
        with self._said():
            (made / _PARTS).write_text(json.dumps(self._labels), "utf-8")
            (made / _WORDS).write_text(json.dumps(words, ensure_ascii=False), "utf-8")
            shutil.rmtree(folder, ignore_errors=True)  # a damaged one
            shutil.copystat(folder.parent, made)  # a temporary folder is its maker's alone
            try:
                made.rename(folder)
            except OSError:
                if not folder.exists():  # or another process was quicker
                    raise
            _make_room(folder.parent, folder)
        self._made = None

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except (OSError, UnicodeEncodeError, TypeError) as error:  # a label may be any object
            said = f"The words of {self.source.name} are not kept for the next run"
            print(f"{said}: {error}. Set SEQNORM_CACHE to another folder, or off.", file=sys.stderr)
            self._made = None


def _rows(folder: Path, part: str) -> Sequences:
    values, offsets = (
        np.load(folder / f"{part}.{which}.npy", mmap_mode="r") for which in ("values", "offsets")
    )
    return Sequences(values, offsets)


def _make_room(root: Path, newest: Path) -> None:
    """Removes the entries that were not used for longest until the others are below `LIMIT`.

    And what a process that was killed has left a day ago.
    """
    for left in root.glob(f"{_UNFINISHED}*"):
        if time.time() - left.stat().st_mtime > _DAY:
            shutil.rmtree(left, ignore_errors=True)
    entries = sorted(root.glob("[!.]*"), key=lambda path: path.stat().st_mtime, reverse=True)
    total = 0
    for entry in entries:
        total += sum(path.stat().st_size for path in entry.iterdir())
        if total > LIMIT and entry != newest:
            shutil.rmtree(entry, ignore_errors=True)


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


@cache
def _reader() -> list[str]:
    """What reads: the code of this package, and what it leaves to others."""
    return [_digest(files_in(Path(__file__).parent)), platform.python_version(), version("pyarrow")]


def _digest(paths: Iterable[Path]) -> str:
    code = hashlib.sha256()
    for path in paths:
        if path.suffix == ".py":
            code.update(path.read_bytes())
    return code.hexdigest()
