"""What travels between the command and the workers: orders there, outcomes back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

LOGS = ".log"  # below runs_dir, where reports do not look
KEPT_OF_A_LOG = 200_000  # bytes of its end that come back from a machine without the same files


@dataclass(frozen=True)
class Order:
    """A run that a worker is to have made. Pickled, and of nothing that takes long to import.

    Attributes:
        name: Of the run and its folder.
        config: Its configuration, pickled: its classes may be the user's, which `imports` bring.
        imports: Modules of the user's.
        command: What the run records as its command.
        threads: Of the run.
        place: The current folder of the command; the run's as well, where a worker has it.
        environment: Of the process that makes it; None for that of the worker.
        runs_dir: Where run folders are, with the command.
        scratch: Where a worker that sees other files makes the run; None where it sees the same.
        session: Names one start of the command.
        times: How often the run may be begun.
        until: Epochs after which it is paused; None runs to its end.
        begun: The folder of a run that is gone on with, for a worker that sees other files.
        passed: Epochs that are finished there.
    """

    name: str
    config: bytes
    imports: tuple[str, ...]
    command: tuple[str, ...]
    threads: int
    place: str
    environment: dict[str, str] | None
    runs_dir: Path
    scratch: Path | None
    session: str
    times: int
    until: int | None = None
    begun: bytes = b""
    passed: int = 0

    @property
    def task(self) -> str:
        """What is asked for, in a name: a run is gone on with after each pause."""
        return self.name if self.until is None else f"{self.name} to epoch {self.until}"

    @property
    def folder(self) -> Path:
        """Where run folders are, with the worker."""
        return self.scratch or self.runs_dir

    @property
    def log(self) -> Path:
        """The file that holds what the run prints, with the worker."""
        return log_of(self.name, self.folder)


class State(Enum):
    """How an order ended."""

    MADE = "made"
    FAILED = "failed"  # by an error of its own, which it would end in anywhere
    DISK = "disk"  # which did not take it; another worker may have another one
    LOST = "lost"  # the process that made it is gone
    STOPPED = "stopped"  # it is not wanted any more


@dataclass(frozen=True)
class Outcome:
    """What became of an order.

    Attributes:
        name: Of the run.
        state: How it ended.
        reason: Why, if it was not made.
        where: Names the worker, if there are several machines.
        log: The end of what it printed, from a machine with other files.
        parcel: The run folder, likewise: finished, or paused.
        begun: How often the run was begun for this order: by Dask itself again, if a worker died.
    """

    name: str
    state: State
    reason: str = ""
    where: str = ""
    log: bytes = b""
    parcel: bytes = b""
    begun: int = 1


def log_of(name: str, runs_dir: Path) -> Path:
    """The file that holds what a run prints."""
    return runs_dir / LOGS / f"{name}.txt"
