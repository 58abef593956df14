"""What a job does in a process of a launcher's: it says which run its lines are of."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import TextIO

from seqnorm.lab.errors import UserError
from seqnorm.lab.lifeline import busy, end_with_the_command, in_a_queue
from seqnorm.lab.multirun.ledger import Job, Ledger
from seqnorm.lab.signals import Stopped, stoppable


class Named:
    """A text stream that begins each line with a name, and writes whole lines only.

    Args:
        stream: where to write.
        name: of the run.
    """

    def __init__(self, stream: TextIO, name: str) -> None:
        self.stream, self.name, self._rest = stream, name, ""
        self.encoding = stream.encoding

    def write(self, text: str) -> int:
        """Write the lines that are whole by now, each in one piece."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self.stream.write(f"{self.name}{line}\n")
        if lines:
            self.stream.flush()
        return len(text)

    def flush(self) -> None:
        """Does nothing: a line is written once it is whole."""

    def isatty(self) -> bool:
        """No: a line that is drawn again would be drawn over those of other runs."""
        return False

    def fileno(self) -> int:
        """That of the stream beneath."""
        return self.stream.fileno()

    def close(self) -> None:
        """Write what is left of a line."""
        if self._rest:
            self.write("\n")


@contextmanager
def named(overrides: Sequence[str], swept: Sequence[str]) -> Iterator[None]:
    """Has all that a job prints begin with what tells it from the other jobs."""
    apart = [each for each in overrides if each.partition("=")[0] in swept]
    name = f"[{' '.join(apart or overrides)}] "
    out, err = Named(sys.stdout, name), Named(sys.stderr, name)
    with redirect_stdout(out), redirect_stderr(err):
        try:
            yield
        finally:
            out.close()
            err.close()


CUT_OFF = (
    "the run was cut off by its time limit, hydra.launcher.timeout_min, or by scancel. The same "
    "command goes on from where it was saved."
)


@contextmanager
def in_a_process_of_its_own(job: Job, ledger: Ledger) -> Iterator[None]:
    """What a job needs where a launcher has started a process for it.

    Raises:
        UserError: if the launcher or a batch system cuts the job off.
    """
    end_with_the_command()
    try:
        with stoppable(), busy(), named(job.overrides, ledger.swept()), _failed_in_the_queue():
            yield
    except Stopped:
        if not in_a_queue():
            raise
        # As a failure, or the command would wait for a result where SLURM keeps no accounts.
        raise UserError(CUT_OFF) from None
    except Exception as error:
        if type(error).__name__ == "UncompletedJobError":  # raised in a signal handler of submitit
            raise UserError(CUT_OFF) from None
        raise


@contextmanager
def _failed_in_the_queue() -> Iterator[None]:
    """Has a batch system call a job failed that is: its process would end as any other."""
    try:
        yield
    except BaseException:
        if in_a_queue():
            atexit.register(_end_as_failed)
        raise


def _end_as_failed() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


def show_in_the_queue(name: str) -> None:
    """Has squeue show the run's name: all jobs of one submission begin under the same."""
    if in_a_queue():
        own = os.environ["SLURM_JOB_ID"]
        if array := os.environ.get("SLURM_ARRAY_JOB_ID"):  # the last task's own id is the array's
            own = f"{array}_{os.environ['SLURM_ARRAY_TASK_ID']}"
        job = f"jobid={own}"
        with suppress(OSError, subprocess.TimeoutExpired):  # a name is worth no run
            subprocess.run(
                ["scontrol", "update", job, f"jobname=seqnorm-{name}"],
                check=False, capture_output=True, timeout=10,
            )  # fmt: skip
