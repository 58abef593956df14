"""What a stopped run needs to end as if it had never been stopped, byte by byte."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Protocol, Self

import keras
import numpy as np

from seqnorm.lab.errors import UserError
from seqnorm.lab.runs.write import NoFolder, RunFolder
from seqnorm.lab.signals import Request
from seqnorm.lab.training.clock import Clock
from seqnorm.lab.training.random_state import random_state, set_random_state
from seqnorm.lab.training.replicas.together import Together

Logs = dict[str, float]


class Stateful(Protocol):
    """Something that watches a run, and what it has seen so far."""

    def state(self) -> dict[str, Any]:
        """Plain values and arrays, see `seqnorm.lab.runs.checkpoint.pack`."""

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from them."""


@dataclass
class Position:
    """How far a run is.

    Attributes:
        epoch: epochs that are finished, which is the index of the one that is under way.
        batch: batches of it that are trained on.
        trained: what the epoch came to, if only its validation is missing.
        ended: whether training is over.
    """

    epoch: int = 0
    batch: int = 0
    trained: Logs | None = None
    ended: bool = False

    def __str__(self) -> str:
        if self.ended:
            return "after its last epoch"
        if self.trained is not None:
            return f"before the validation of epoch {self.epoch + 1}"
        return f"in epoch {self.epoch + 1}, after batch {self.batch}"


class Checkpoint(keras.callbacks.Callback):
    """Saves a run at each epoch's end, every few minutes, and when it is asked to end.

    Comes last among the callbacks: what it saves is what they have made of the step. It is written
    while training goes on, to a file that is whole or not there.

    Args:
        folder: of the run, with what it has left if it was stopped.
        clock: where the run stands.
        watchers: what else watches the run, by name.
        minutes: between two saves within an epoch; 0 for none.

    Attributes:
        position: where the run was when it was saved last, or stopped.
        variables: what training changes, in an order that is the same each time.
        request: asks the run to end, or not yet.
    """

    def __init__(
        self,
        folder: RunFolder | NoFolder,
        clock: Clock,
        watchers: dict[str, Stateful],
        minutes: float,
    ) -> None:
        super().__init__()
        self.folder, self.clock, self.minutes = folder, clock, minutes
        self.watchers = {"clock": clock, **watchers}
        self.variables: list[Any] = []
        self.position = Position()
        self.request: Request | Together = Request()
        self._found = folder.saved
        if self._found:
            self.position = Position(**self._found["position"])
        self._logs: Logs = {}
        self._saved_at = time.monotonic()
        self._thread = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Goes on between two epochs: what an epoch begins anew is still to come."""
        if not self.position.batch:
            self.restore()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Goes on within an epoch: Keras and the other callbacks have begun it anew by now."""
        self.restore()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Saves if it is time to; the last step of an epoch waits for its end."""
        self._logs = dict(logs or {})
        if self.clock.batch == len(self.clock.batches):
            return
        asked = self.request.number is not None
        if asked or (self.minutes and time.monotonic() - self._saved_at >= 60 * self.minutes):
            self.position.batch = self.clock.batch
            self.save(self.model.metrics_variables)
            self._end_if_asked()

    def on_test_begin(self, logs: Any = None) -> None:
        """Saves if the run is asked to end."""
        self._stop_before_validation()

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Likewise: what validation has seen by then is seen again."""
        self._stop_before_validation()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Saves."""
        self.position = Position(epoch + 1, ended=bool(self.model.stop_training))
        self.save()
        self._end_if_asked()

    def _stop_before_validation(self) -> None:
        if self.request.number is not None:
            self.position = Position(self.position.epoch, self.clock.batch, trained=self._logs)
            self.save()
            self._end_if_asked()

    def _end_if_asked(self) -> None:
        if self.request.number is not None:
            self.wait()
            self.request.heed()

    def save(self, metrics: list[Any] | None = None) -> None:
        """Takes the state as it is now, and has it written.

        Args:
            metrics: variables of the metrics that are under way.
        """
        self._saved_at = time.monotonic()
        state = {
            "position": asdict(self.position),
            "variables": [np.array(each) for each in self.variables],
            "metrics": [np.array(each) for each in metrics or ()],
            "random": random_state(),
            "watchers": {name: each.state() for name, each in self.watchers.items()},
            **self.folder.state(),
        }
        self.wait()
        self._writing = self._thread.submit(self.folder.save, state)

    def wait(self) -> None:
        """Returns when what was taken is on the disk.

        Raises:
            DiskError: if the disk did not take it.
        """
        if self._writing is not None:
            writing, self._writing = self._writing, None
            writing.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()
        self.wait()

    def restore(self) -> None:
        """Goes on from what was found; does nothing a second time, or if nothing was."""
        found, self._found = self._found, None
        if found is None:
            return
        self._assign(self.variables, found["variables"])
        if found["metrics"]:
            self._assign(self.model.metrics_variables, found["metrics"])
        set_random_state(found["random"])
        for name, each in self.watchers.items():
            each.restore(found["watchers"][name])

    def _assign(self, variables: list[Any], values: list[Any]) -> None:
        kept = [(each.path, tuple(each.shape)) for each in variables]
        if [shape for _, shape in kept] != [value.shape for value in values]:
            raise UserError(
                "a run goes on with the network and the optimiser that it began with; received "
                f"{self.folder.path}, whose {len(values)} arrays do not fit the {len(kept)} "
                "variables of today's. Has the code changed? Start it anew with resume=never."
            )
        for variable, value in zip(variables, values, strict=True):
            # NumPy's files know no bfloat16.
            variable.assign(value.view(np.asarray(variable).dtype))


def distinct(variables: Iterable[Any]) -> list[Any]:
    """Each variable once, in the order in which it comes first."""
    return list({id(each): each for each in variables}.values())
