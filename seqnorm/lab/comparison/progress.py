"""How far a comparison is and how long it still takes."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from seqnorm.spelling import counted


def duration(seconds: float) -> str:
    """Hours, minutes and seconds: 3725 is "1:02:05", 65 is "1:05"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Progress:
    """One line per stage and one per finished run, with the time left.

    The time left is what the runs of this session took on average, times the number that is left.

    Args:
        total: Runs of the comparison.
        done: Those that were finished before.
        file: Where to write; None means stdout.
    """

    def __init__(self, total: int, done: int, file: TextIO | None = None) -> None:
        self.total, self.before, self.done = total, done, done
        self.file = file or sys.stdout
        self.began = time.monotonic()

    def skip(self, count: int) -> None:
        """Runs that turn out to be finished already."""
        self.before += count
        self.done += count

    def begin(self, count: int, workers: int) -> None:
        """Write what is done, and what is made next; nothing if that is nothing."""
        if count:
            line = (
                f"[{self.done}/{self.total}] {counted(count, 'run')} to make, {workers} at a time"
            )
            print(line, file=self.file, flush=True)

    def note(self, line: str) -> None:
        """Write what has happened besides."""
        print(f"[{self.done}/{self.total}] {line}", file=self.file, flush=True)

    def finished(self, title: str, score: str) -> None:
        """Write the line of one run."""
        self.done += 1
        elapsed = time.monotonic() - self.began
        left = elapsed / (self.done - self.before) * (self.total - self.done)
        print(
            f"[{self.done}/{self.total}] {title}  {score}  "
            f"{duration(elapsed)} gone, about {duration(left)} left",
            file=self.file,
            flush=True,
        )
