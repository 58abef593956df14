"""Workers of a Dask cluster: one that is there, or one that is started for the command."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from joblib import Parallel
from joblib.parallel import ParallelBackendBase

from seqnorm.lab.engine.config import DaskConfig
from seqnorm.lab.engine.maker import CLOSING, make
from seqnorm.lab.engine.order import Order, Outcome, State
from seqnorm.lab.errors import UserError

_stopped: set[str] = set()  # sessions that a worker has been told to make no more runs of


def make_there(order: Order) -> Outcome:
    """What a worker does, in one of its threads."""
    from distributed import get_client, get_worker

    worker, client = get_worker(), get_client()
    key = worker.get_current_task()

    def wanted() -> bool:
        # Dask cannot end a thread; a task whose command is gone, or has cancelled it, is none.
        task = worker.state.tasks.get(key)
        here = task is not None and task.state in ("executing", "long-running")
        return here and order.session not in _stopped

    # Dask itself begins a run again whose worker is gone, and tells nobody.
    place = [order.session, order.task]
    begun = client.get_metadata(place, default=0) + 1
    if begun > order.times:
        reason = "it was begun as often as it may be, and the worker was gone each time"
        return Outcome(order.name, State.LOST, reason, worker.address)
    client.set_metadata(place, begun)
    if order.scratch:
        order = replace(order, scratch=Path(tempfile.gettempdir(), order.scratch))
    return replace(make(order, wanted, worker.address), begun=begun)


def _told_to_stop(session: str) -> None:
    _stopped.add(session)


class OverDask(ParallelBackendBase):
    """How joblib hands tasks to Dask, with what its own way lacks (joblib 1.6).

    That one waits for ever for a task that Dask gives up, since its worker died more often than the
    scheduler allows, and makes all tasks in the command itself where a cluster has one thread.

    Args:
        cluster: Whose workers it uses.
    """

    supports_retrieve_callback = True

    def __init__(self, cluster: Cluster) -> None:
        super().__init__()
        self.cluster = cluster
        self.executor = cluster.client.get_executor(pure=False)

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Never one, which joblib takes for "here"."""
        return max(n_jobs, 2)

    def submit(self, func: Any, callback: Callable[[Future], None] | None = None) -> Future:
        """Hand over a batch, which is of one order."""
        from dask import config

        # An order may bring a run folder, which is wanted once: no reason for Dask to warn of it.
        with config.set({"distributed.admin.large-graph-warning-threshold": "1TB"}):
            future = self.executor.submit(func, **self.cluster.preference)
        future.order = _order_of(func)
        if callback:
            future.add_done_callback(callback)
        return future

    def retrieve_result_callback(self, out: Any) -> list[Outcome]:
        """The outcome of a batch; of one that Dask gives up, that it is lost."""
        try:
            return out.result()
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            return [Outcome(out.order.name, State.LOST, reason)]


def _order_of(batch: Any) -> Order:
    ((_, (order,), _),) = batch.items
    return order


class Cluster:
    """The workers of a Dask cluster.

    Args:
        config: Which.
        workers: Runs at a time; None for one in each thread of each worker.
        scratch: Where a worker makes runs that sees other files; None if all see the same.
        session: Names this start of the command.
        say: Told what is waited for.

    Attributes:
        preference: Keeps runs off workers whose disk is full, as long as there are others. Asked
            for in Dask's own thread, where nothing can be awaited.
    """

    make = staticmethod(make_there)
    environment = None  # the node's own: paths and devices differ

    def __init__(
        self,
        config: DaskConfig,
        workers: int | None,
        scratch: Path | None,
        session: str,
        say: Callable[[str], None],
    ) -> None:
        self.config, self._wanted, self.scratch = config, workers, scratch
        self._session, self._say = session, say
        self._full: set[str] = set()
        self.preference: dict[str, Any] = {}

    def open(self) -> None:
        """Start the cluster, if it is one's own, and wait for the first worker.

        Raises:
            UserError: If Dask is not installed, or there is no such scheduler.
        """
        try:
            from distributed import Client
        except ImportError:
            raise UserError(
                f"engine={self.config.name} needs Dask; received a Python without it. Install it: "
                "pip install '.[dask]' in the folder of seqnorm's source."
            ) from None
        # What becomes of workers is said here, in a line each.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        self.cluster = started(self.config)
        try:
            where = self.cluster or self.config.address
            self.client = Client(where, timeout=CLOSING, set_as_default=False)
        except (OSError, ValueError) as error:
            raise UserError(
                "engine.address must be that of a Dask scheduler that runs; received "
                f"engine.address={self.config.address} and the answer {error}. Start one: dask "
                "scheduler."
            ) from error
        self._await_a_worker()

    def _await_a_worker(self) -> None:
        if not self.client.nthreads():
            self._say(f"waiting for a worker of {self.client.scheduler_info()['address']}")
        while not self.client.nthreads():
            time.sleep(0.5)

    @property
    def workers(self) -> int:
        """Runs at a time: as many as were asked for, or as there are threads by now."""
        try:
            threads = sum(self.client.nthreads().values())
        except OSError as error:
            raise UserError(
                f"the cluster is gone: {error}. Once it is back, the same command goes on."
            ) from error
        return self._wanted or max(threads, self.config.scale or 0, 1)

    def parallel(self) -> Parallel:
        """What carries orders out."""
        at_once = self.workers
        return Parallel(
            n_jobs=at_once,
            backend=OverDask(self),
            return_as="generator_unordered",
            pre_dispatch=at_once,  # so that several comparisons take turns
            batch_size=1,
        )

    def leave_out(self, where: str) -> bool:
        """Use a worker no more, if it can be helped; whether there is another one."""
        self._full.add(where)
        others = [address for address in self.client.nthreads() if address not in self._full]
        self.preference = {"workers": others, "allow_other_workers": True} if others else {}
        return bool(others)

    def stop(self) -> None:
        """Have the runs that are under way end soon."""
        self.client.run(_told_to_stop, self._session, on_error="ignore")

    def close(self) -> None:
        """Leave the cluster, or end it if it is one's own; what goes on there is cancelled."""
        self.client.close()
        if self.cluster is not None:
            self.cluster.close(timeout=CLOSING)


def started(config: DaskConfig) -> Any:
    """A cluster of one's own; None if there is one."""
    if not config.cluster:
        return None
    try:
        cluster = instantiate(config.cluster)
    except Exception as error:
        raise UserError(
            f"engine.cluster must be a cluster that can be started; received {config.cluster} and "
            f"the answer {error.__cause__ or error}. Correct what it is about; pip install "
            "'.[dask]' brings the classes of Dask and dask-jobqueue."
        ) from error
    if config.scale:
        cluster.scale(config.scale)
    return cluster
