"""Finding run folders and reading them; what cannot be read is left out by name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqnorm.lab.runs.files import CONFIG, RunFolderError
from seqnorm.lab.runs.pruned import PrunedRun, is_pruned, read_pruned
from seqnorm.lab.runs.read import METRICS, RunRecord, read_run
from seqnorm.lab.runs.result import RESULT
from seqnorm.spelling import counted

RUN_NAME = re.compile(r"-s\d+-(\d{8}-\d{6}-[0-9a-f]{4}|[0-9a-f]{12})$")


@dataclass(frozen=True)
class Ignored:
    """A run folder left out, and why."""

    folder: Path
    reason: str


def ignored_lines(ignored: Sequence[Ignored]) -> list[str]:
    """One line per run folder that was left out: its name, and why."""
    return [f"{item.folder.name}: {item.reason}" for item in ignored]


def why_unfinished(path: Path) -> str | None:
    """Why a path is not the folder of a finished run, with what to do; None if it is one."""
    try:
        path.stat()
    except FileNotFoundError:
        return "which is not there. Correct the name."
    except OSError as error:
        return f"which cannot be looked at ({error.strerror}). Correct the name."
    if not path.is_dir():
        its = f"Name its folder, {path.parent}" if (path.parent / CONFIG).is_file() else "Name one"
        return f"which is a file and no folder. {its}."
    if (path / RESULT).is_file():
        return None
    if (path / CONFIG).is_file():
        return (
            f"an unfinished run without {RESULT}, which a run writes last. Wait for it to end, or "
            "repeat it with seqnorm-train --from."
        )
    # Not of any depth: somebody may have named the root of a disk.
    below = [found.parent for depth in ("*", "*/*") for found in path.glob(f"{depth}/{RESULT}")]
    if not below:
        return f"a folder without a run: it has neither {CONFIG} nor {RESULT}. Name another."
    some = ", ".join(map(str, sorted(below)[:3]))
    return f"a folder of {counted(len(below), 'run')}. Name one of them, such as {some}."


def find_run_folders(path: Path) -> Iterator[Path]:
    """Run folders at or below a path, in the order of their names.

    A run folder holds one of the files of a run, or is named like one (so that a run which died
    before its first file is found as well). Nothing below a run folder is searched, and no hidden
    folder.
    """
    with os.scandir(path) as entries:
        children = list(entries)
    files = {entry.name for entry in children if entry.is_file()}
    if files & {CONFIG, RESULT, METRICS} or RUN_NAME.search(path.name):
        yield path
        return
    for entry in sorted(children, key=lambda entry: entry.name):
        if entry.is_dir() and not entry.name.startswith("."):
            yield from find_run_folders(path / entry.name)


def read_runs(paths: Iterable[Path]) -> tuple[list[RunRecord], list[Ignored]]:
    """Read every run at or below some folders.

    Args:
        paths: Run folders, or folders of run folders; one run reached twice counts once.

    Returns:
        The finished runs and what was left out, both ordered by name.

    Raises:
        FileNotFoundError: If a path is not an existing folder, or no run folder is found at all.
    """
    paths = list(paths)
    folders: dict[Path, Path] = {}
    for path in paths:
        if not path.is_dir():
            raise FileNotFoundError(
                f"A report needs folders of runs; received {str(path)!r}, which is no folder. "
                "Give one or more run folders, or the folder that holds them."
            )
        folders.update((folder.resolve(), folder) for folder in find_run_folders(path.resolve()))
    if not folders:
        raise FileNotFoundError(_no_run_message(paths))
    records: list[RunRecord] = []
    ignored: list[Ignored] = []
    for folder in sorted(folders.values(), key=lambda folder: (folder.name, str(folder))):
        try:
            records.append(read_run(folder))
        except RunFolderError as error:
            ignored.append(Ignored(folder, str(error)))
    return records, ignored


def read_pruned_runs(ignored: Sequence[Ignored]) -> tuple[list[PrunedRun], list[Ignored]]:
    """Of runs that were left out those that were stopped early, and the others.

    One whose files are damaged is among the others.
    """
    pruned: list[PrunedRun] = []
    others: list[Ignored] = []
    for item in ignored:
        try:
            if is_pruned(item.folder):
                pruned.append(read_pruned(item.folder))
            else:
                others.append(item)
        except RunFolderError as error:
            others.append(Ignored(item.folder, str(error)))
    return pruned, others


def _no_run_message(paths: Sequence[Path]) -> str:
    given = ", ".join(repr(str(path)) for path in paths)
    return (
        f"A report needs at least one run folder (with {CONFIG} and {RESULT}); received {given}, "
        "where there is none. Train first (seqnorm-train), or give the folder set as runs_dir."
    )
