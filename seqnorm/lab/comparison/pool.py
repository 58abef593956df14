"""Runs jobs in worker processes, several at a time."""

from __future__ import annotations

import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

from seqnorm.lab.comparison.plan import Job
from seqnorm.lab.comparison.worker import STOP
from seqnorm.lab.errors import UserError

_THREAD_VARIABLES = (
    "SEQNORM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
)
# A process keeps some memory of every graph it has traced.
RUNS_PER_WORKER = 25
CLOSING = 10.0  # seconds that a worker has to close what its run has open


class RunFailed(UserError):
    """A run that ended in an error of its own; others may still be made.

    Args:
        job: the run.
        reason: what it ended in.
    """

    def __init__(self, job: Job, reason: str) -> None:
        super().__init__(reason)
        self.job = job


class Worker:
    """One process and the log of what it prints.

    Args:
        log: File that is appended to.
        threads: Threads of each run.
    """

    def __init__(self, log: Path, threads: int) -> None:
        self.log, self.threads = log, threads
        self.process: subprocess.Popen[bytes] | None = None
        self.done, self.stopped = 0, False
        self._lock = threading.Lock()

    def start(self) -> subprocess.Popen[bytes]:
        """The process, started if there is none.

        Raises:
            UserError: If the worker was stopped.
        """
        with self._lock:
            if self.stopped:
                raise UserError("the comparison is being stopped")
            if self.process is None:
                self.process = self._begin()
            return self.process

    def _begin(self) -> subprocess.Popen[bytes]:
        variables = dict.fromkeys(_THREAD_VARIABLES, str(self.threads))
        with self.log.open("ab") as log:
            return subprocess.Popen(
                # -P: the package that made the plan, whatever lies in the current folder.
                [sys.executable, "-P", "-m", "seqnorm.lab.comparison.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **variables},
                start_new_session=True,  # Ctrl-C ends this process, which ends that one
            )

    def run(self, job: Job, command: Sequence[str]) -> None:
        """Make one run, which leaves its folder.

        Raises:
            RunFailed: If the run fails.
            UserError: If the disk does, or the process dies.
        """
        answer = self.answer(
            job.title,
            {
                "imports": job.config.imports,
                "config": pickle.dumps(job.config),  # of classes that the imports bring
                "name": job.name,
                "command": list(command),
            },
        )
        if "error" in answer:
            reason = f"{job.title} failed, {answer['error']}\nIts log is {self.log}."
            raise UserError(reason) if answer["of_disk"] else RunFailed(job, reason)
        self.done += 1
        if self.done % RUNS_PER_WORKER == 0:
            self._ask()
            self._end()

    def answer(self, title: str, task: dict[str, Any]) -> dict[str, Any]:
        """What the process says of a task: nothing, or the error it ended in.

        Raises:
            UserError: If the process dies.
        """
        process = self.start()
        to, back = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
        try:
            pickle.dump(task, to)
            to.flush()
            return pickle.load(back)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise UserError(
                f"a run must end with a result; received none of {title}: its process ended "
                f"with code {process.wait()}. What it printed is in {self.log}."
            ) from error

    def ask_to_stop(self) -> None:
        """Have the process end, for good; a run it is in leaves no result."""
        with self._lock:
            if not self.stopped:  # once: a second signal would end the closing
                self.stopped = True
                self._ask()

    def stop(self) -> None:
        """Likewise, and wait until it has."""
        self.ask_to_stop()
        with self._lock:
            self._end()

    def _ask(self) -> None:
        if self.process is not None:
            with suppress(OSError):  # it is gone already
                to = cast(IO[bytes], self.process.stdin)
                pickle.dump(STOP, to)
                to.flush()

    def _end(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            try:
                process.wait(CLOSING)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()


class Pool:
    """Worker processes that go on from one list of runs to the next; the end of `with` ends them.

    Args:
        workers: Runs at a time, at most.
        threads: Threads of each run.
        logs: Folder of the workers' logs.
        command: What each run records as its command.
    """

    def __init__(self, workers: int, threads: int, logs: Path, command: Sequence[str]) -> None:
        self.command = command
        logs.mkdir(parents=True, exist_ok=True)
        self.workers = [Worker(logs / f"worker-{n}.txt", threads) for n in range(workers)]

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.ask_to_stop()
        for worker in self.workers:
            worker.stop()

    def run_all(self, jobs: Sequence[Job]) -> Iterator[Job | RunFailed]:
        """Make runs, several at a time.

        Where a run fails, its arm is given up: an arm is compared by all of its runs.

        Args:
            jobs: The runs, begun in this order.

        Yields:
            Each run as it finishes, and one failure for each run of an arm that is given up.

        Raises:
            UserError: If a disk or a process fails; runs that are under way go on until the pool
                ends.
        """
        waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
        for job in jobs:
            waiting.put(job)
        finished: queue.SimpleQueue[Job | Exception] = queue.SimpleQueue()
        failed: dict[str, RunFailed] = {}  # arm -> its first failure

        def serve(worker: Worker) -> None:
            with suppress(queue.Empty):
                while True:
                    job = waiting.get_nowait()
                    try:
                        if job.arm not in failed:
                            worker.run(job, self.command)
                    except RunFailed as error:
                        failed.setdefault(job.arm, error)
                    except Exception as error:
                        return finished.put(error)
                    finished.put(failed.get(job.arm, job))

        for worker in self.workers[: len(jobs)]:
            threading.Thread(target=serve, args=(worker,), daemon=True).start()
        for _ in jobs:
            done = finished.get()
            if isinstance(done, Exception) and not isinstance(done, RunFailed):
                raise done
            yield done
