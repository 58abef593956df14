"""Worker processes end with the command that started them, whatever ended it.

The command holds the lock of a file as long as it lives, which the system lets go of even after
SIGKILL. A worker that gets the lock, or finds the file gone, has outlived the command.
"""

from __future__ import annotations

import atexit
import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

VARIABLE = "SEQNORM_LIFELINE"  # names the file to the processes that the command starts
LOOK = 0.5  # seconds between two looks at it
GRACE = 20.0  # seconds that a run has to close what it has open
# Seconds that a worker without a run lives on: at the first death of one loky kills all others,
# which may still be closing what they have open.
IDLE = 10.0


class Lifeline:
    """The command's end of it: one for a process, which may run several commands."""

    def __init__(self) -> None:
        self._lock: FileLock | None = None
        atexit.register(self.let_go)

    @property
    def held(self) -> bool:
        """Whether this process is a command that has others work for it."""
        return self._lock is not None

    def hold(self) -> None:
        """Begin to hold it, for all processes that are started from now on."""
        if self._lock is None:
            number, path = tempfile.mkstemp(prefix="seqnorm-", suffix=".lock")
            os.close(number)
            self._lock = FileLock(path)
            self._lock.acquire()
            os.environ[VARIABLE] = path

    def let_go(self) -> bool:
        """Have those processes end; whether it was held."""
        lock, self._lock = self._lock, None
        if lock is None:
            return False
        if os.environ.get(VARIABLE) == lock.lock_file:
            del os.environ[VARIABLE]
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()
        return True


LIFELINE = Lifeline()


def in_a_queue() -> bool:
    """Whether a batch system has started this process, whose jobs outlive the command rightly."""
    return os.environ.get("SUBMITIT_EXECUTOR") == "slurm"


def end_with_the_command() -> None:
    """The worker's end: watches from now on, and stops this process as SIGTERM does."""
    path = os.environ.get(VARIABLE)
    if path and not in_a_queue() and not LIFELINE.held and not _watching.is_set():
        _watching.set()
        threading.Thread(target=_watch, args=(Path(path),), daemon=True).start()


_watching, _outlived, _busy = threading.Event(), threading.Event(), threading.Event()


@contextmanager
def busy() -> Iterator[None]:
    """This process makes a run, which has something to close."""
    _busy.set()
    try:
        yield
    finally:
        _busy.clear()


def is_over() -> bool:
    """Whether the command is gone or has let go; asked in the command, or in a worker of its."""
    return _outlived.is_set() if _watching.is_set() else not LIFELINE.held


def end_if_outlived() -> None:
    """Ends this process if the command is gone: its launcher's loop would wait for more jobs."""
    if _outlived.is_set():
        time.sleep(IDLE)
        os._exit(128 + signal.SIGTERM)


def _idle_until(latest: float) -> None:
    while not _busy.is_set() and time.monotonic() < latest:
        time.sleep(LOOK)


def _watch(path: Path) -> None:
    while path.exists():
        with suppress(Timeout), FileLock(path, timeout=0):
            path.unlink(missing_ok=True)
        time.sleep(LOOK)
    _outlived.set()
    _idle_until(time.monotonic() + IDLE)
    os.kill(os.getpid(), signal.SIGTERM)  # the run closes what it has open
    time.sleep(GRACE)
    os._exit(1)
