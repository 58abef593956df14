"""What became of each job of a multirun: one small file per job, which the job writes itself."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from seqnorm.lab.durable import write_text
from seqnorm.lab.errors import UserError

BEGUN, MADE, FAILED, STOPPED = "begun", "made", "failed", "stopped"


class JobFailed(UserError):
    """A job has failed, as was said and noted where it ran."""


@dataclass
class Job:
    """A job of a multirun.

    Attributes:
        number: counts from 0, in the order of the sweep.
        overrides: what makes this job.
        state: "begun", "made", "failed", or "stopped" by a signal.
        message: why it failed, in one line.
        process: number of the process that makes it.
    """

    number: int
    overrides: list[str]
    state: str = BEGUN
    message: str = ""
    process: int = field(default_factory=os.getpid)

    @property
    def name(self) -> str:
        """The overrides, in brackets."""
        return f"[{' '.join(self.overrides)}]"


class Ledger:
    """The jobs that have begun.

    Args:
        folder: of the multirun.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "jobs"
        self._made: list[Path] = []

    def open(self, swept: Sequence[str]) -> None:
        """Make it, and note the keys that tell the jobs apart."""
        self._made = [path for path in self.folder.parents if not path.exists()]
        self.folder.mkdir(parents=True, exist_ok=True)
        write_text(self.folder / "swept.json", json.dumps(list(swept)))

    def swept(self) -> list[str]:
        """The keys that tell the jobs apart; none if it was never opened."""
        try:
            return json.loads((self.folder / "swept.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []

    def note(self, job: Job) -> None:
        """Keep a job's state."""
        with suppress(FileNotFoundError):  # the multirun is over and has put its ledger away
            write_text(self.folder / f"{job.number:05}.json", json.dumps(asdict(job)))

    def jobs(self) -> list[Job]:
        """All jobs that have begun, in the order of the sweep."""
        files = sorted(self.folder.glob("[0-9]*.json"))
        return [Job(**json.loads(file.read_text(encoding="utf-8"))) for file in files]

    def remove(self) -> None:
        """Put it away, and the folders that were made for it if they are empty without it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        multirun = self.folder.parent
        if [path.name for path in multirun.glob("*")] == ["multirun.yaml"]:
            (multirun / "multirun.yaml").unlink()  # every run holds its own configuration
        for path in (*multirun.glob("*"), *self._made):
            with suppress(OSError):  # not empty: what a launcher or a sweeper keeps
                path.rmdir()
