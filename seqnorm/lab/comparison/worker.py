"""A process that makes one run after another for `seqnorm-compare`, and dies with it.

Runs come in on standard input and answers go out on standard output, both pickled. `STOP` asks the
process to end, in the middle of a run, which then closes what it has open. The end of the input
means that the other process is gone, however it ended: then this one stops at once. Either way the
run leaves no result.json and is made again next time.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from contextlib import suppress
from typing import Any, BinaryIO, cast

from seqnorm.lab.config.imports import load_parts
from seqnorm.lab.console import forgiving, uncoloured
from seqnorm.lab.durable import of_disk
from seqnorm.lab.training import require_tensorflow

STOP = "stop"


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


def make_run(task: dict[str, Any]) -> dict[str, Any]:
    """Make a run: nothing, or the error it ended in, and whether that is the disk's."""
    # What a run records as its command is the one that made the comparison.
    sys.argv = task["command"]
    try:
        require_tensorflow()
        from seqnorm.lab.training.run import run

        load_parts(task["imports"])
        run(pickle.loads(task["config"]), task["name"])
        return {}
    except Exception as error:
        with suppress(OSError):  # a full disk must not hide the error behind that of its log
            traceback.print_exc()
        said = uncoloured(f"{type(error).__name__}: {error}")
        return {"error": said, "of_disk": of_disk(error)}


def main() -> None:
    """Serves until it is stopped or the input ends. What runs print is for a log."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    tasks: queue.Queue[Any] = queue.Queue()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background
    threading.Thread(target=_read, args=(sys.stdin.buffer, tasks), daemon=True).start()
    with forgiving(), suppress(KeyboardInterrupt):
        while (task := tasks.get()) != STOP:  # also where a library swallowed the signal
            pickle.dump(make_run(task), answers)
            answers.flush()


if __name__ == "__main__":
    main()
