"""Makes runs, several at a time and wherever workers are; what is lost is made again."""

from __future__ import annotations

import hashlib
import os
import pickle
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from getpass import getuser
from pathlib import Path

from seqnorm.lab.engine.batch import Batch
from seqnorm.lab.engine.cluster import Cluster
from seqnorm.lab.engine.config import DaskConfig, EngineConfig, check
from seqnorm.lab.engine.job import Job, RunFailed
from seqnorm.lab.engine.local import Local
from seqnorm.lab.engine.maker import CLOSING
from seqnorm.lab.engine.order import LOGS, Order
from seqnorm.lab.engine.parcel import packed
from seqnorm.lab.runs.checkpoint import CHECKPOINT
from seqnorm.lab.runs.standing import epochs_done
from seqnorm.machine import usable_cores


class Engine:
    """Workers that go on from one list of runs to the next; the end of `with` ends them.

    Args:
        config: Where they are.
        workers: Runs at a time, at most; None for as many as there is room for.
        threads: Threads of each run.
        folder: Where the run folders are, and the logs.
        command: What each run records as its command.
        say: Told what a person should know meanwhile, a line at a time.
    """

    def __init__(
        self,
        config: EngineConfig,
        workers: int | None,
        threads: int,
        folder: Path,
        command: Sequence[str],
        say: Callable[[str], None] = print,
    ) -> None:
        check(config)
        self.config, self.threads, self.folder = config, threads, folder.absolute()
        self.command, self.session, self.say = tuple(command), secrets.token_hex(8), say
        self.stopping = threading.Event()
        self._thread: threading.Thread | None = None
        if isinstance(config, DaskConfig):
            scratch = None if config.shared else _scratch(config, self.folder)
            self.place: Local | Cluster = Cluster(config, workers, scratch, self.session, say)
        else:
            self.place = Local(workers or local_workers(threads))

    @property
    def workers(self) -> int:
        """Runs at a time."""
        return self.place.workers

    def __enter__(self) -> Engine:
        (self.folder / LOGS).mkdir(parents=True, exist_ok=True)
        self.place.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        try:
            if self._thread is not None and self._thread.is_alive():
                self.place.stop()
                self._thread.join(2 * CLOSING)  # what finishes meanwhile is put in its place
        finally:
            self.place.close()

    def run_all(self, jobs: Sequence[Job]) -> Iterator[Job | RunFailed]:
        """Make runs, several at a time.

        Where a run fails, its arm is given up: an arm is compared by all of its runs.

        Args:
            jobs: The runs, begun in this order.

        Yields:
            Each run as it finishes, and one failure for each run of an arm that is given up.

        Raises:
            UserError: If the disk of all workers fails, or the cluster is gone; runs that are under
                way go on until the end of `with`.
        """
        batch = Batch(self, jobs)
        self._thread = threading.Thread(target=batch.carry_out, daemon=True)
        self._thread.start()
        for _ in jobs:
            done = batch.finished.get()
            if isinstance(done, Exception) and not isinstance(done, RunFailed):
                raise done
            yield done

    def order(self, job: Job) -> Order:
        """What a worker is told of a run."""
        elsewhere = self.place.scratch is not None and (job.folder / CHECKPOINT).exists()
        return Order(
            name=job.name,
            config=pickle.dumps(job.config),  # of classes that the imports bring
            imports=tuple(job.config.imports),
            command=self.command,
            threads=self.threads,
            place=os.getcwd(),
            environment=self.place.environment,
            runs_dir=self.folder,
            scratch=self.place.scratch,
            session=self.session,
            times=self.config.retries + 1,
            until=job.until,
            begun=packed(job.folder) if elsewhere else b"",
            passed=epochs_done(job.folder) if elsewhere else 0,
        )


def local_workers(threads: int) -> int:
    """How many runs of so many threads there is room for on this machine."""
    return max(1, usable_cores() // threads)


def _scratch(config: DaskConfig, folder: Path) -> Path:
    """Where a worker that sees other files makes runs, relative to its temporary folder.

    The same each time, so that what was cut off goes on, and another one for each comparison, whose
    runs may have the same names.
    """
    digits = hashlib.sha256(f"{socket.gethostname()}:{folder}".encode()).hexdigest()[:12]
    return Path(config.scratch or "") / f"seqnorm-{getuser()}-{digits}"
