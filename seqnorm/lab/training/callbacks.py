"""Callbacks that act on what they see: records, the stop at divergence, the best epoch."""

from __future__ import annotations

import math
from typing import Any

import keras

from seqnorm.lab.tracking.sink import Sink
from seqnorm.lab.training.clock import Clock


class Diverged(Exception):
    """The loss or the gradient is no longer a number. A result of the run, not a fault."""


class StopWhenDiverged(keras.callbacks.Callback):
    """Raises `Diverged` at the first step whose loss or gradient is not finite."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Looks at the step's loss and gradient norm."""
        self._check("loss", self.clock.loss)
        self._check("gradient norm", self.clock.gradient_norm)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Looks at the validation loss: running statistics can break where a batch's do not."""
        self._check("validation loss", (logs or {})["val_loss"])

    def _check(self, what: str, value: float) -> None:
        if not math.isfinite(value):
            raise Diverged(
                f"the {what} became {value} at step {self.clock.step} (epoch {self.clock.epoch}); "
                f"the last learning rate was {self.clock.learning_rate:g}. A smaller "
                "optim.learning_rate or optim.clipnorm may help."
            )


class Recorder(keras.callbacks.Callback):
    """Sends "train" and "epoch" records to the sinks.

    Args:
        clock: where the run stands.
        sink: where records go.
        log_every: steps between two "train" records.
    """

    def __init__(self, clock: Clock, sink: Sink, log_every: int) -> None:
        super().__init__()
        self.clock, self.sink, self.log_every = clock, sink, log_every

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Records every `log_every` steps, and the step at which a run diverges."""
        diverged = not math.isfinite(self.clock.loss + self.clock.gradient_norm)
        if diverged or self.clock.due(self.log_every):
            values = {
                "loss": self.clock.mean_loss(),
                "gradient_norm": self.clock.gradient_norm,
                "learning_rate": self.clock.learning_rate,
            }
            self.sink.log("train", self.clock.step, {**self.clock.when(), **values})

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Records losses and metrics of both parts, the rate and the speed."""
        values = {
            **(logs or {}),
            "learning_rate": self.clock.learning_rate,
            "tokens_per_second": round(self.clock.tokens_per_second, 1),
        }
        self.sink.log("epoch", self.clock.step, {**self.clock.when(), **values})


_OF_THE_BEST = ("epoch", "score", "_loss", "_lowest", "_weights")


class BestEpoch(keras.callbacks.Callback):
    """Keeps the weights of the best epoch and stops when it is long past.

    With ``keep="last"`` the epoch to keep is the last, as in recipes without early stopping.

    Best is the lowest validation loss. A score, as the accuracy of some thousand rows, moves in
    steps of noise, and may still improve while the loss shows that the network has begun to learn
    rows by heart.

    Args:
        name: of the first score of the task.
        patience: epochs without a better one before training stops; 0 never stops.
        keep: "best" or "last".

    Attributes:
        epoch: the epoch that is kept, from 1; 0 before the first.
        score: its validation score.
    """

    def __init__(self, name: str, patience: int, keep: str = "best") -> None:
        super().__init__()
        self.name, self.patience, self.keep = name, patience, keep
        self.epoch, self.score = 0, 0.0
        self._loss, self._lowest = math.inf, 0
        self._weights: list[Any] | None = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Compares the epoch with the best one so far."""
        model: Any = self.model
        values = logs or {}
        lower = values["val_loss"] < self._loss
        if lower:
            self._loss, self._lowest = values["val_loss"], epoch + 1
        elif self.patience and epoch + 1 - self._lowest >= self.patience:
            model.stop_training = True
        if lower or self.keep == "last":
            self.epoch, self.score = epoch + 1, float(values[f"val_{self.name}"])
            self._weights = model.get_weights()

    def put_back(self, model: keras.Model) -> None:
        """Puts the kept epoch's weights back, running statistics included."""
        if self._weights is not None:
            model.set_weights(self._weights)

    def state(self) -> dict[str, Any]:
        """The best epoch, its weights, and how long ago it was."""
        return {name: getattr(self, name) for name in _OF_THE_BEST}

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from there."""
        for name in _OF_THE_BEST:
            setattr(self, name, state[name])
