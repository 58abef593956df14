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
from collections.abc import Iterable, Mapping
from contextlib import suppress
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


def keep(source: Source, kept: Kept) -> None:
    """Keeps what was read; says so on standard error if the folder does not take it."""
    root = place()
    if root is None:
        return
    folder = root / source.entry
    made = root / f".{folder.name}.{os.getpid()}"
    try:
        made.mkdir(parents=True)
        for name, (rows, _) in kept.parts.items():
            np.save(made / f"{name}.values.npy", rows.values)
            np.save(made / f"{name}.offsets.npy", rows.offsets)
        labels = {name: labels for name, (_, labels) in kept.parts.items()}
        (made / _PARTS).write_text(json.dumps(labels), "utf-8")
        (made / _WORDS).write_text(json.dumps(kept.words, ensure_ascii=False), "utf-8")
        shutil.rmtree(folder, ignore_errors=True)  # a damaged one
        os.replace(made, folder)
        _make_room(root, folder)
    except (OSError, UnicodeEncodeError) as error:
        if not folder.exists():  # or another process was quicker
            said = f"The words of {source.name} are not kept for the next run"
            print(f"{said}: {error}. Set SEQNORM_CACHE to another folder, or off.", file=sys.stderr)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _rows(folder: Path, part: str) -> Sequences:
    values, offsets = (
        np.load(folder / f"{part}.{which}.npy", mmap_mode="r") for which in ("values", "offsets")
    )
    return Sequences(values, offsets)


def _make_room(root: Path, newest: Path) -> None:
    """Removes the entries that were not used for longest until the others are below `LIMIT`."""
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
