"""What a person sees while a run trains."""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO

import keras

from seqnorm.lab.console import bar
from seqnorm.lab.tasks.score import Score
from seqnorm.lab.training.clock import Clock

REFRESH = 0.1  # seconds; more often only costs time


class ProgressBar(keras.callbacks.Callback):
    """A bar with loss, first score and speed on a terminal; elsewhere one line for each epoch.

        epoch 2/8 [=========>              ] 133/352  loss 0.2817  accuracy 0.883  31.2k tokens/s

    Args:
        clock: where the run stands.
        epochs: largest number of epochs.
        score: the first score of the task.
        file: where to write; None means stdout.
    """

    def __init__(self, clock: Clock, epochs: int, score: Score, file: TextIO | None = None) -> None:
        super().__init__()
        self.clock, self.epochs, self.score = clock, epochs, score
        self.file = file or sys.stdout
        self.live = self.file.isatty()
        self._drawn = 0.0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Redraws the bar."""
        now = time.perf_counter()
        if self.live and now - self._drawn >= REFRESH:
            self._drawn = now
            done, steps = self.clock.batch, len(self.clock.batches)
            line = f"{self._head()} {bar(done, steps)} {done}/{steps}  {self._numbers(logs)}"
            self._write(f"\r{line}\x1b[K")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Ends the line with the validation's numbers."""
        values = logs or {}
        line = (
            f"{self._head()}  {self._numbers(values)}  "
            f"val_loss {values['val_loss']:.4f}  {self._scored('val_', values)}"
        )
        self._write(f"\r{line}\x1b[K\n" if self.live else f"{line}\n")

    def _head(self) -> str:
        return f"epoch {self.clock.epoch}/{self.epochs}"

    def _numbers(self, logs: Any) -> str:
        speed = self.clock.tokens_per_second / 1000
        unit = "steps" if self.clock.batches.split.sequences.features else "tokens"
        return f"loss {logs['loss']:.4f}  {self._scored('', logs)}  {speed:.1f}k {unit}/s"

    def _scored(self, part: str, logs: Any) -> str:
        name = f"{part}{self.score.name}"
        return f"{name} {self.score.write(logs[name])}"

    def _write(self, text: str) -> None:
        self.file.write(text)
        self.file.flush()
