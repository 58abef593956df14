"""Where a run stands: step, epoch, seconds, loss, gradient norm, speed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from seqnorm.kernels.host.compile import seconds_compiling
from seqnorm.lab.data.batching import Batches

_KEPT = (
    "step", "epoch", "batch", "gradient_norm", "learning_rate", "loss",
    "_marked", "_timed_steps", "_timed_seconds", "_epoch_seconds",
)  # fmt: skip


class Clock(keras.callbacks.Callback):
    """Where the run stands. Comes first among the callbacks; the others read it.

    Keras hands callbacks the mean loss since the epoch's begin; `mean_loss` works the loss of the
    latest steps out from two such means, in which a batch counts by its rows.

    Args:
        optimizer: one of `seqnorm.lab.training.optim`, which keeps gradient norm and rate.
        batches: what is trained on.

    Attributes:
        step: optimiser steps done.
        epoch: epoch that is running, from 1.
        gradient_norm: global norm at the last step, before clipping.
        learning_rate: rate of the last step.
    """

    def __init__(self, optimizer: Any, batches: Batches) -> None:
        super().__init__()
        self.optimizer, self.batches = optimizer, batches
        self.step = self.epoch = self.batch = 0
        self.gradient_norm = self.learning_rate = self.loss = 0.0
        self._marked, self._done = (0, 0.0), 0
        self._timed_steps, self._timed_seconds = 0, 0.0
        self._epoch_seconds = 0.0
        self._compiling = seconds_compiling()
        self.began = self._resumed = time.perf_counter()
        self._before = 0.0  # seconds of `fit` before this one
        self._compiled = False
        self._first = 0  # the batch that Keras counts from, where a run goes on

    @property
    def seconds(self) -> float:
        """Since training began, everything but the first step included.

        That step compiles: the graph, and in the first run on a machine the kernels as well.
        """
        return time.perf_counter() - self.began

    @property
    def tokens_per_second(self) -> float:
        """Real tokens trained on in a second of this epoch, validation and probes excluded."""
        return self._speed(self.batch, self._epoch_seconds)

    @property
    def overall_tokens_per_second(self) -> float:
        """The same over all epochs, without the first step of all, which compiles the graph."""
        return self._speed(self._timed_steps, self._timed_seconds)

    def when(self) -> dict[str, Any]:
        """The fields every record has."""
        return {"epoch": self.epoch, "seconds": round(self.seconds, 3)}

    def mean_loss(self) -> float:
        """Mean loss of the steps since the last call in this epoch, or since its begin."""
        before, mean_before = self._marked
        rows = sum(len(batch) for batch in self.batches.rows[: self.batch])
        self._marked = (rows, self.loss)
        return (rows * self.loss - before * mean_before) / (rows - before)

    def due(self, every: int) -> bool:
        """Whether the step that has just ended, or one done together with it, is an n-th one."""
        return self.step // every > (self.step - self._done) // every

    @contextmanager
    def excluded(self) -> Iterator[None]:
        """The time spent inside does not count for the training speed."""
        paused = time.perf_counter()
        yield
        self._resumed += time.perf_counter() - paused

    def on_train_begin(self, logs: Any = None) -> None:
        """Starts the clock."""
        self.began = time.perf_counter() - self._before

    def on_train_end(self, logs: Any = None) -> None:
        """Stops it."""
        self._before = self.seconds

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Counts from zero again what belongs to one epoch."""
        self.epoch, self.batch, self._epoch_seconds = epoch + 1, 0, 0.0
        self._first = 0
        self._marked = (0, 0.0)
        self._resumed = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Reads the step's numbers."""
        now = time.perf_counter()
        elapsed, self._resumed = now - self._resumed, now
        # Kernels are compiled in the first run on a machine only.
        compiling, self._compiling = self._compiling, seconds_compiling()
        speed_seconds = max(elapsed - (self._compiling - compiling), 0.0)
        # More than one with `steps_per_execution`, beyond the epoch's end by Keras's count.
        end = min(self._first + batch + 1, len(self.batches))
        self._done, self.batch = end - self.batch, end
        self._epoch_seconds += speed_seconds
        if self._compiled:
            self._timed_steps += self._done
            self._timed_seconds += elapsed
        else:
            self.began += elapsed
            self._compiled = True
        self.step += self._done
        self.loss = float((logs or {})["loss"])
        # By way of NumPy: on several devices they are one variable with several values.
        self.gradient_norm = float(np.array(self.optimizer.gradient_norm))
        self.learning_rate = float(np.array(self.optimizer.used_rate))

    def state(self) -> dict[str, Any]:
        """All of it but the moment."""
        kept = {name: getattr(self, name) for name in _KEPT}
        return {**kept, "seconds": self.seconds}

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from there."""
        for name in _KEPT:
            setattr(self, name, state[name])
        self._first = self.batch
        self.began = time.perf_counter() - state["seconds"]

    def _speed(self, steps: int, seconds: float) -> float:
        return self.batches.tokens / len(self.batches) * steps / seconds if seconds else 0.0
