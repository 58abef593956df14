"""The process that makes one run after another for a worker, and ends with it.

Tasks come in on standard input and answers go out on standard output, both pickled. `STOP` asks the
process to end, in the middle of a run, which then closes what it has open; so does SIGTERM, as
where a batch system takes a node back. The end of the input means that the worker is gone, however
it ended: then this process stops at once, and the run is made again elsewhere.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from filelock import FileLock

from seqnorm.lab.config.imports import load_parts
from seqnorm.lab.console import forgiving, uncoloured
from seqnorm.lab.durable import of_disk
from seqnorm.lab.engine.order import Order
from seqnorm.lab.engine.parcel import put_in_place
from seqnorm.lab.runs.checkpoint import CHECKPOINT
from seqnorm.lab.runs.standing import epochs_done, has_reached
from seqnorm.lab.training import require_tensorflow

STOP = "stop"
IDLE = 60.0  # seconds without a task until the process ends: the memory is somebody else's then


@dataclass(frozen=True)
class Answer:
    """What a run ended in.

    Attributes:
        error: None if it was made.
        of_disk: Whether the error is the disk's.
    """

    error: str | None = None
    of_disk: bool = False


def make_run(order: Order) -> Answer:
    """Make a run, unless it is made already: a worker that was believed gone may have made it."""
    # What a run records as its command is the one that made the comparison.
    sys.argv = list(order.command)
    try:
        with FileLock(order.log.with_suffix(".lock")):  # which may be at it still
            if not has_reached(order.folder / order.name, order.until):
                _make(order)
        return Answer()
    except Exception as error:
        with suppress(OSError):  # a full disk must not hide the error behind that of its log
            traceback.print_exc()
        return Answer(uncoloured(f"{type(error).__name__}: {error}"), of_disk(error))


def _make(order: Order) -> None:
    require_tensorflow()
    from seqnorm.lab.training.run import advance

    load_parts(order.imports)
    config = pickle.loads(order.config)
    if order.scratch:
        config = replace(config, runs_dir=str(order.scratch))
        _bring(order)
    advance(config, order.name, order.until)


def _bring(order: Order) -> None:
    """Puts in place what a run goes on from, unless it was cut off here, and is further."""
    folder = order.folder / order.name
    here = epochs_done(folder) if (folder / CHECKPOINT).exists() else 0
    if order.begun and here <= order.passed:
        put_in_place(order.begun, folder, str(order.scratch))


@contextmanager
def logged(path: Path) -> Iterator[None]:
    """Has all that the process prints, C++ included, end up in a file."""
    with path.open("ab") as log:
        for number in (1, 2):
            os.dup2(log.fileno(), number)
    yield
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


def answer(order: Order) -> Answer:
    """Make a run, and have what it prints in its log."""
    try:
        with logged(order.log):
            return make_run(order)
    except OSError as error:  # there is no room for a log
        return Answer(f"{type(error).__name__}: {error}", of_disk(error))


def _read(stream: BinaryIO, tasks: queue.Queue[Any]) -> None:
    while True:
        try:
            task = pickle.load(stream)
        except (EOFError, OSError):
            os._exit(1)
        tasks.put(task)
        if task == STOP:
            # Reads no more: Python aborts if a thread holds standard input's lock while it ends.
            return signal.pthread_kill(cast(int, threading.main_thread().ident), signal.SIGINT)


def main() -> None:
    """Serves until it is stopped, the input ends, or nobody has asked for anything for a while."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    tasks: queue.Queue[Any] = queue.Queue()
    for number in (signal.SIGINT, signal.SIGTERM):  # the first is ignored in a shell's background
        signal.signal(number, signal.default_int_handler)
    threading.Thread(target=_read, args=(sys.stdin.buffer, tasks), daemon=True).start()
    with forgiving(), suppress(KeyboardInterrupt, queue.Empty):
        while (
            task := tasks.get(timeout=IDLE)
        ) != STOP:  # also where a library swallowed the signal
            pickle.dump(answer(task), answers)
            answers.flush()
    os._exit(0)  # the thread may hold the lock of standard input
