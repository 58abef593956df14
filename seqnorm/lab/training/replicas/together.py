"""Processes that train together end together: none waits for one that has gone."""

from __future__ import annotations

import signal
from typing import Any, Self

import keras

from seqnorm.lab.signals import Request, Stopped
from seqnorm.lab.training.replicas.strategy import Replicas


class Together(keras.callbacks.Callback):
    """Has all processes heed a signal to one of them at the same step, and stop early as the chief.

    Stands in for the request of a process: it has a signal once all know of it, which is after the
    first step of training that began later than the signal came. Comes after the callbacks that
    may end the training, and before the one that saves.

    Args:
        replicas: the devices of all processes.
        trainer: a `ReplicaTrainer`.
    """

    def __init__(self, replicas: Replicas, trainer: Any) -> None:
        super().__init__()
        self.replicas, self.agreement = replicas, trainer.agreement
        self.request = Request()

    def instead_of(self, request: Request) -> Self:
        """Itself, for the request of this process."""
        self.request = request
        return self

    @property
    def number(self) -> int | None:
        """Of the signal; None as long as not all know of one."""
        if not self.agreement.agreed.numpy():
            return None
        return signal.SIGTERM if self.request.number is None else self.request.number

    def heed(self) -> None:
        """Ends this process as the signal would, also where another one got it."""
        self.replicas.leave()  # once the chief has saved
        self.request.heed()
        raise Stopped(signal.SIGTERM)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Tells the others whether this process is asked to end."""
        self.agreement.asked.assign(float(self.request.number is not None))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """The chief decides whether it was the last: another processor may round differently."""
        model: Any = self.model
        model.stop_training = self.replicas.from_chief(bytes([model.stop_training])) == b"\1"
