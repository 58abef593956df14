"""One list of runs on its way through an engine."""

from __future__ import annotations

import queue
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from pathlib import Path
from threading import Event
from typing import Any, Protocol

from joblib import delayed

from seqnorm.lab.engine.cluster import Cluster
from seqnorm.lab.engine.config import EngineConfig
from seqnorm.lab.engine.job import Job, RunFailed
from seqnorm.lab.engine.local import Local
from seqnorm.lab.engine.order import Order, Outcome, State, log_of
from seqnorm.lab.engine.parcel import put_in_place
from seqnorm.lab.errors import UserError


class Means(Protocol):
    """What a batch needs of its engine.

    Attributes:
        config: Where workers are, and how often a run may be lost.
        place: The workers.
        folder: Where the run folders are, and the logs.
        stopping: Whether no more runs are to be begun.
        say: Told what a person should know meanwhile.
    """

    config: EngineConfig
    place: Local | Cluster
    folder: Path
    stopping: Event
    say: Callable[[str], None]

    def order(self, job: Job) -> Order:
        """What a worker is told of a run."""


class Batch:
    """Runs of which some may be lost and made again.

    Args:
        engine: What makes them.
        jobs: The runs.

    Attributes:
        finished: Gets each run as it finishes, a failure for each run of an arm that is given up,
            or the error that ends it all.
    """

    def __init__(self, engine: Means, jobs: Sequence[Job]) -> None:
        self.engine, self.jobs = engine, jobs
        self.finished: queue.SimpleQueue[Job | Exception] = queue.SimpleQueue()
        self._failed: dict[str, RunFailed] = {}  # arm -> its first failure
        self._lost: Counter[str] = Counter()
        self._under_way: dict[str, Job] = {}

    def carry_out(self) -> None:
        """Make all runs, in rounds: what is lost in one is made again in the next."""
        waiting = list(self.jobs)
        try:
            while waiting and not self.engine.stopping.is_set():
                waiting = self._round(waiting)
        except Exception as error:
            self.finished.put(error)

    def _round(self, jobs: Sequence[Job]) -> list[Job]:
        """Make runs; returns those that are to be made again."""
        rest, again = iter(jobs), []
        try:
            for outcome in self.engine.place.parallel()(self._orders(rest)):
                job = self._under_way.pop(outcome.name)
                if self._settle(job, outcome):
                    again.append(job)
        except BrokenExecutor:  # loky gives up what is under way when one of its processes dies
            reason = "one of the workers was killed, with which loky ends all"
            lost, self._under_way = list(self._under_way.values()), {}
            again += [job for job in lost if self._is_tried_again(job, reason)]
            again += rest
        return again

    def _orders(self, jobs: Iterator[Job]) -> Iterator[Any]:
        for job in jobs:
            if self.engine.stopping.is_set():
                return
            if job.is_made:  # and only word of it was lost
                self.finished.put(job)
            elif job.arm in self._failed:
                self.finished.put(self._failed[job.arm])
            else:
                self._under_way[job.name] = job
                yield delayed(self.engine.place.make)(self.engine.order(job))

    def _settle(self, job: Job, outcome: Outcome) -> bool:
        """Take note of an outcome; whether the run is to be made again."""
        try:
            self._keep(job, outcome)
        except OSError as error:  # no room here
            self._end(error)
        else:
            if outcome.begun > 1 + self._lost[job.name]:
                times, retries = outcome.begun - 1, self.engine.config.retries
                self.engine.say(
                    f"{job.title} was begun again, its worker being lost: {times} of {retries}"
                )
            if outcome.state is State.MADE:
                self.finished.put(job)
            elif outcome.state is State.FAILED:
                self._give_up(job, f"failed, {outcome.reason}")
            elif outcome.state is State.LOST:
                return self._is_tried_again(job, outcome.reason)
            elif outcome.state is State.DISK:
                return self._is_tried_elsewhere(job, outcome)
        return False

    def _keep(self, job: Job, outcome: Outcome) -> None:
        if outcome.log:
            with log_of(job.name, self.engine.folder).open("ab") as log:
                log.write(outcome.log)
        if outcome.parcel:
            put_in_place(outcome.parcel, job.folder, job.config.runs_dir)

    def _is_tried_again(self, job: Job, reason: str) -> bool:
        """Whether a run that was lost has tries left; its arm is given up otherwise."""
        if self.engine.stopping.is_set():
            return False
        self._lost[job.name] += 1
        times, retries = self._lost[job.name], self.engine.config.retries
        if times > retries:
            self._give_up(job, f"was lost {times} times, the last time because {reason}")
            return False
        self.engine.say(f"{job.title} is made again, {times} of {retries} times: {reason}")
        return True

    def _is_tried_elsewhere(self, job: Job, outcome: Outcome) -> bool:
        """Likewise of a disk, which is not the arm's fault: if all fail, that ends it all."""
        others = self.engine.place.leave_out(outcome.where)
        if others and self._lost[job.name] < self.engine.config.retries:
            return self._is_tried_again(job, f"{outcome.where}: {outcome.reason}")
        if not self.engine.stopping.is_set():
            self._end(UserError(self._with_log(job, f"failed, {outcome.reason}")))
        return False

    def _give_up(self, job: Job, what: str) -> None:
        failure = self._failed.setdefault(job.arm, RunFailed(job, self._with_log(job, what)))
        self.finished.put(failure)

    def _with_log(self, job: Job, what: str) -> str:
        return f"{job.title} {what}\nIts log is {log_of(job.name, self.engine.folder)}."

    def _end(self, error: Exception) -> None:
        """Have an error end all of it; what is under way is closed before the engine ends."""
        self.finished.put(error)
        self.engine.stopping.set()
        self.engine.place.stop()
