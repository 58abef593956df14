"""Processes that begin with Keras and TensorFlow imported, which takes longer than most of them do.

Each is a fork of one that has imported them and done nothing else, with streams, a folder and an
environment of its own; nothing of ours is imported yet. What is about importing Keras, or about
what has to be done before, takes a process that Python starts anew.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Collection
from pathlib import Path
from subprocess import CompletedProcess

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tensorflow", "keras", "hydra"])

LATEST = 40.0  # seconds that what has lost its command may take to see it, see `lifeline`
COMMAND = "import sys; from seqnorm.lab.commands import {name} as main; sys.exit(main())"


class Process:
    """``python -P -c`` with a script, under way; what it prints is kept until it has ended."""

    def __init__(
        self,
        script: str,
        arguments: tuple[str, ...] = ("-c",),
        folder: Path | None = None,
        **variables: str,
    ) -> None:
        self._printed = tempfile.TemporaryDirectory()
        self._streams = [Path(self._printed.name, name) for name in ("out", "err")]
        environment = {**os.environ, **variables}
        given = (script, arguments, folder or Path.cwd(), environment, self._streams)
        self._process = _FORKS.Process(target=_begin, args=given)
        self._process.start()
        self.kill, self.is_alive = self._process.kill, self._process.is_alive

    def signal(self, number: int) -> None:
        """Sends it a signal; does nothing if it has ended."""
        if self._process.is_alive() and self._process.pid:
            os.kill(self._process.pid, number)

    def end(self) -> CompletedProcess[str]:
        """Waits for its exit code and all that it printed."""
        self._process.join()
        out, err = (path.read_text(encoding="utf-8") for path in self._streams)
        self._printed.cleanup()
        return CompletedProcess([], self._process.exitcode or 0, out, err)


def script(code: str, folder: Path | None = None) -> CompletedProcess[str]:
    """A script that has ended."""
    return Process(code, folder=folder).end()


def command(name: str, folder: Path, *arguments: str) -> CompletedProcess[str]:
    """``seqnorm-<name>`` in a folder, ended; entered by the door of the console script."""
    code = COMMAND.format(name=f"seqnorm_{name}")
    return Process(code, (f"seqnorm-{name}", *arguments), folder).end()


def _begin(
    script: str,
    arguments: tuple[str, ...],
    folder: Path,
    environment: dict[str, str],
    streams: list[Path],
) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(streams, start=1):
        file = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
    sys.path[:] = [place for place in sys.path if place]  # not the folder that it is in
    sys.argv = [*arguments]
    exec(compile(script, "<script>", "exec"), {"__name__": "__main__"})


def is_alive(pid: int) -> bool:
    """Whether a process of this machine still does anything; reads Linux's /proc."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def left_over(pids: Collection[int]) -> list[int]:
    """Those that do not end by themselves, though not all at once: they see it a moment later."""
    deadline = time.monotonic() + LATEST
    while (left := [*filter(is_alive, pids)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left
