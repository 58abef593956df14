"""One run that is to be made, with its complete configuration and its lasting name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.errors import UserError
from seqnorm.lab.runs.naming import lasting_name
from seqnorm.lab.runs.standing import has_reached


@dataclass(frozen=True)
class Job:
    """One run.

    Attributes:
        arm: The arm's overrides, which name it.
        number: Of the setting that is tried; None for a run on the test set.
        config: The complete configuration.
        until: Epochs after which it is paused; None runs to its end.
    """

    arm: str
    number: int | None
    config: RunConfig
    until: int | None = None

    @cached_property
    def name(self) -> str:
        """Name of its folder, which says what is run and not when."""
        return lasting_name(self.config)

    @property
    def folder(self) -> Path:
        """Its folder."""
        return Path(self.config.runs_dir).expanduser() / self.name

    @property
    def is_made(self) -> bool:
        """Whether nothing is left to be done."""
        return has_reached(self.folder, self.until)

    @property
    def title(self) -> str:
        """What a person reads of it."""
        kind = "test" if self.number is None else f"trial {self.number + 1}"
        return f"{self.arm} {kind} seed={self.config.seed}"


class RunFailed(UserError):
    """A run that ended in an error of its own, or was lost too often; others may still be made.

    Args:
        job: the run.
        reason: what it ended in.
    """

    def __init__(self, job: Job, reason: str) -> None:
        super().__init__(reason)
        self.job = job
