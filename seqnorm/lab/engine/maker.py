"""A worker's end of the process that makes runs: orders in, outcomes out."""

from __future__ import annotations

import os
import pickle
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

from seqnorm.lab.engine.order import KEPT_OF_A_LOG, Order, Outcome, State
from seqnorm.lab.engine.parcel import packed
from seqnorm.lab.engine.process import STOP, Answer

_THREAD_VARIABLES = (
    "SEQNORM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
)
_PROCESS = "from seqnorm.lab.engine.process import main; main()"
# A process keeps some memory of every graph it has traced.
RUNS_PER_PROCESS = 25
CLOSING = 10.0  # seconds that a process has to close what its run has open
LOOK = 0.5  # seconds between two looks at whether a run is still wanted


class Gone(Exception):
    """The process ended without an answer."""


class Unwanted(Exception):
    """It was stopped, since nobody waits for its answer any more."""


class Maker:
    """One process, which is started at once.

    Args:
        order: The first that it is for.
    """

    def __init__(self, order: Order) -> None:
        self.kind, self.begun = kind(order), 0
        variables = dict.fromkeys(_THREAD_VARIABLES, str(order.threads))
        given = os.environ if order.environment is None else order.environment
        place = order.place if Path(order.place).is_dir() else None
        with order.log.open("ab") as log:  # of what comes before the first run, such as no memory
            self.process = subprocess.Popen(
                # -P: the package that made the plan, whatever lies in the current folder.
                [sys.executable, "-P", "-c", _PROCESS],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=place,
                env={**given, "TF_CPP_MIN_LOG_LEVEL": "3", **variables},
                start_new_session=True,  # Ctrl-C ends the command, which ends this
            )
        self._answers: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        back = cast(IO[bytes], self.process.stdout)
        try:
            with suppress(EOFError, OSError, pickle.UnpicklingError), back:
                while True:
                    self._answers.put(pickle.load(back))
        finally:
            self._answers.put(None)

    @property
    def is_fresh(self) -> bool:
        """Whether it can make another run."""
        return self.process.poll() is None and self.begun < RUNS_PER_PROCESS

    def make(self, order: Order, wanted: Callable[[], bool]) -> Answer:
        """Have a run made.

        Args:
            order: The run.
            wanted: Asked every now and then whether it still is.

        Raises:
            Gone: If the process dies.
            Unwanted: If the run is not wanted any more, and was stopped.
        """
        self.begun += 1
        self._tell(order)
        while True:
            try:
                answer = self._answers.get(timeout=LOOK)
                break
            except queue.Empty:
                if not wanted():
                    self.stop()
                    answer = self._answers.get()  # it may have ended all the same
                    if answer is None:
                        raise Unwanted from None
                    break
        if answer is None:
            self.stop()
            raise Gone(_last_words(self.process.returncode))
        return answer

    def _tell(self, what: Any) -> None:
        with suppress(OSError, ValueError):  # it is gone already
            to = cast(IO[bytes], self.process.stdin)
            pickle.dump(what, to)
            to.flush()

    def stop(self) -> None:
        """Have the process end, and wait until it has; a run it is in leaves no result."""
        self._tell(STOP)
        try:
            self.process.wait(CLOSING)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        with suppress(OSError):
            cast(IO[bytes], self.process.stdin).close()


def _last_words(code: int) -> str:
    killed = ", which is SIGKILL, often for want of memory" if code == -9 else ""
    return f"its process ended with code {code}{killed}"


def kind(order: Order) -> tuple[Any, ...]:
    """Orders that are alike in this can be made by one process."""
    environment = order.environment and tuple(sorted(order.environment.items()))
    return order.threads, order.imports, order.place, environment


_idle: list[Maker] = []  # of this process, which may be a worker of several comparisons
_lock = threading.Lock()


def _taken(order: Order) -> Maker:
    with _lock:
        for maker in [each for each in _idle if not each.is_fresh]:
            _idle.remove(maker)
            maker.stop()
        for maker in _idle:
            if maker.kind == kind(order):
                _idle.remove(maker)
                return maker
    return Maker(order)


def end_idle() -> None:
    """Ends the processes that wait for another run."""
    with _lock:
        while _idle:
            _idle.pop().stop()


def make(order: Order, wanted: Callable[[], bool], where: str = "") -> Outcome:
    """Have an order carried out by a process of its own.

    Args:
        order: The run.
        wanted: Asked every now and then whether it still is.
        where: Names this worker, if there are several machines.
    """
    if not wanted():
        return Outcome(order.name, State.STOPPED)
    try:
        order.log.parent.mkdir(parents=True, exist_ok=True)
        maker = _taken(order)
        answer = maker.make(order, wanted)
        with _lock:
            _idle.append(maker)
        made = packed(order.folder / order.name) if order.scratch and not answer.error else b""
    except Unwanted:
        return Outcome(order.name, State.STOPPED)
    except Gone as error:
        state, reason = State.LOST, str(error)
    except OSError as error:  # no room for a log, or for another process
        state, reason = State.DISK, f"{type(error).__name__}: {error}"
    else:
        state, reason = state_of(answer), answer.error or ""
    if not order.scratch:
        return Outcome(order.name, state, reason, where)
    if state is State.MADE:
        shutil.rmtree(order.folder / order.name, ignore_errors=True)
    return Outcome(order.name, state, reason, where, _end_of(order.log), made)


def state_of(answer: Answer) -> State:
    """What became of a run that was answered."""
    if answer.error is None:
        return State.MADE
    return State.DISK if answer.of_disk else State.FAILED


def _end_of(log: Path) -> bytes:
    """What is kept of a log, which is not needed here any more."""
    with suppress(OSError):
        content = log.read_bytes()[-KEPT_OF_A_LOG:]
        log.unlink()
        return content
    return b""
