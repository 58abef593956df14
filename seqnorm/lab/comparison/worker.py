"""A process that makes one run after another for `seqnorm-compare`, and dies with it.

Runs come in on standard input and answers go out on standard output, both pickled. The end of the
input means that the other process is gone, however it ended: then this one stops at once, in the
middle of a run, which leaves no result.json and is made again next time.
"""

from __future__ import annotations

import os
import pickle
import queue
import sys
import threading
import traceback
from contextlib import suppress
from typing import Any, BinaryIO

from seqnorm.lab.config.imports import load_parts
from seqnorm.lab.console import forgiving, uncoloured
from seqnorm.lab.durable import of_disk
from seqnorm.lab.training import require_tensorflow


def _read(stream: BinaryIO, tasks: queue.Queue[Any]) -> None:
    while True:
        try:
            tasks.put(pickle.load(stream))
        except (EOFError, OSError):
            os._exit(1)


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
    """Serves until the input ends. What runs print goes to standard error, a log."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    tasks: queue.Queue[Any] = queue.Queue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, tasks), daemon=True).start()
    with forgiving():
        while True:
            pickle.dump(make_run(tasks.get()), answers)
            answers.flush()


if __name__ == "__main__":
    main()
