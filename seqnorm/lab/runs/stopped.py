"""Runs that were stopped: found by their configuration, and never taken from a living process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.errors import UserError
from seqnorm.lab.runs.checkpoint import CHECKPOINT, RUN, unpack
from seqnorm.lab.runs.files import RunFolderError, read_object
from seqnorm.lab.runs.naming import config_hash, run_prefix
from seqnorm.lab.runs.result import RESULT, Result

AUTO, NEVER = "auto", "never"
_LOCK = ".lock"


def identity(config: RunConfig) -> dict[str, Any]:
    """What two runs share that come to the same."""
    return {"config_hash": config_hash(config), "seed": config.seed}


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Keeps a run folder to this process, until it ends, whatever ends it.

    Raises:
        UserError: if another process has it.
    """
    lock = FileLock(path / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise UserError(
            f"a run is made by one process; received the folder {path}, where another one is at "
            "work. Wait for it."
        ) from None
    except (NotImplementedError, OSError):  # a file system without locks, see `_at_work`
        pass
    try:
        yield
    finally:
        (path / _LOCK).unlink(missing_ok=True)
        lock.release()  # if it was acquired


def _at_work(path: Path) -> bool:
    """Whether a process has the folder; yes where a file system without locks hides it."""
    try:
        with FileLock(path / _LOCK, timeout=0):
            return False
    except (Timeout, NotImplementedError, OSError):
        return True


def stopped_run(config: RunConfig, name: str | None) -> tuple[Path, dict[str, Any]] | None:
    """The folder of the same run that was stopped, and what it has left.

    Args:
        config: of the run; `resume` says where to look.
        name: of its folder, whose remains are removed if the run cannot go on from them; None
            looks through runs_dir, the latest first.

    Returns:
        The folder and the content of its checkpoint; None if there is none.

    Raises:
        ConfigError: if `resume` names a folder without it, or of another run.
        UserError: if the folder holds a finished run, or one that another process makes.
    """
    parent = Path(config.runs_dir).expanduser()
    if name is not None:
        return _named(parent / name, config)
    if config.resume not in (AUTO, NEVER):
        folder = Path(config.resume).expanduser()
        refuse_another_run(config)
        return folder, unpack(folder / CHECKPOINT)
    if config.resume == NEVER:
        return None
    found = parent.glob(f"{run_prefix(config)}-*/{CHECKPOINT}")
    for path in sorted((each.parent for each in found), key=_age):
        if _is_of(path, config) and not _at_work(path):
            return path, unpack(path / CHECKPOINT)
    return None


class Finished(NamedTuple):
    """A finished run and where it is."""

    path: Path
    result: Result


def finished_run(config: RunConfig) -> Finished | None:
    """The same run, if it was made before and `resume` is auto: what a multirun passes over."""
    if config.resume != AUTO:
        return None
    parent = Path(config.runs_dir).expanduser()
    for path in sorted(parent.glob(f"{run_prefix(config)}-*/{RESULT}")):
        with suppress(RunFolderError):
            result = Result.from_json(read_object(path))
            if {"config_hash": result.config_hash, "seed": result.seed} == identity(config):
                return Finished(path.parent, result)
    return None


def _age(path: Path) -> float:
    return -(path / CHECKPOINT).stat().st_mtime


def _is_of(path: Path, config: RunConfig) -> bool:
    if (path / RESULT).exists():
        return False
    with suppress(RunFolderError):
        return unpack(path / CHECKPOINT, only=RUN)[RUN] == identity(config)
    return False


def _named(path: Path, config: RunConfig) -> tuple[Path, dict[str, Any]] | None:
    if (path / RESULT).exists():
        raise UserError(
            f"a run is made once; received name={path.name}, whose folder {path} holds a finished "
            "run. Delete the folder to run it again."
        )
    if not path.exists():
        return None
    with held(path):
        if config.resume != NEVER and (path / CHECKPOINT).exists() and _is_of(path, config):
            return path, unpack(path / CHECKPOINT)
        shutil.rmtree(path)
    return None


def refuse_another_run(config: RunConfig) -> None:
    """Refuses a `resume` that names a folder which the run cannot go on in.

    Raises:
        ConfigError: likewise.
    """
    if config.resume in (AUTO, NEVER):
        return
    path = Path(config.resume).expanduser()
    if (path / RESULT).exists():
        wrong = "which holds a finished run"
    elif not (path / CHECKPOINT).exists():
        wrong = f"which has no {CHECKPOINT}"
    elif not _is_of(path, config):
        wrong = "whose run has another configuration or seed"
    else:
        return
    raise ConfigError(
        "resume must be auto, never, or the folder of this run that was stopped; received resume="
        f"{config.resume}, {wrong}. seqnorm-train --from {config.resume} resume={config.resume} "
        "takes the configuration from the folder."
    )
