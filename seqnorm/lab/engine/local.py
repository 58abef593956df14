"""Workers on this machine: processes of loky's, which joblib starts."""

from __future__ import annotations

import os

from joblib import Parallel
from joblib.externals.loky import get_reusable_executor

from seqnorm.lab.engine.maker import end_idle, make
from seqnorm.lab.engine.order import Order, Outcome
from seqnorm.lab.lifeline import LIFELINE, end_with_the_command, is_over


def make_here(order: Order) -> Outcome:
    """What a worker does, which may be this process: of one worker joblib makes none."""
    end_with_the_command()
    return make(order, wanted=lambda: not is_over())


class Local:
    """The cores of this machine.

    Args:
        workers: Runs at a time.

    Attributes:
        environment: What the processes that make runs get of the command's: loky would have
            libraries guess at threads.
    """

    make = staticmethod(make_here)
    scratch = None

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.environment: dict[str, str] | None = None

    def open(self) -> None:
        """Begin."""
        self.environment = dict(os.environ)
        LIFELINE.hold()

    def parallel(self) -> Parallel:
        """What carries orders out; a new one after it broke."""
        return Parallel(
            n_jobs=self.workers,
            backend="loky",
            return_as="generator_unordered",
            pre_dispatch="n_jobs",  # no order waits in a worker that may die
            batch_size=1,
        )

    def leave_out(self, where: str) -> bool:
        """Whether there is a worker with another disk."""
        return False

    def stop(self) -> None:
        """Have the runs that are under way end soon."""
        LIFELINE.let_go()

    def close(self) -> None:
        """End all processes."""
        if self.workers > 1:
            get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)
        end_idle()
