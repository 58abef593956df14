"""What was answered at the steps of rows, of which some are not asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from seqnorm.lab.data.spec import IGNORED, Split
from seqnorm.lab.tasks.base import Evaluation


class StepAccuracy(keras.metrics.Mean):
    """Share of steps that are right, of targets int[B, T] and logits float[B, T, classes].

    Steps with the label `IGNORED` play no part.
    """

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts the steps of a batch."""
        asked = ops.not_equal(y_true, IGNORED)
        answered = ops.cast(ops.argmax(y_pred, axis=-1), y_true.dtype)
        right = ops.cast(ops.equal(answered, y_true), "float32")
        super().update_state(right, sample_weight=ops.cast(asked, "float32"))


class Counted:
    """What was answered where, batch by batch: the answers themselves would fill the memory."""

    def __init__(self, split: Split, label_names: Sequence[str]) -> None:
        self.label_names, classes = label_names, len(label_names)
        self.confusion = np.zeros((classes, classes), np.int64)  # right class, answered class
        self.asked, self.right = np.zeros((2, len(split)), np.int32)

    def add(self, rows: NDArray, targets: NDArray, answers: NDArray) -> None:
        """Takes answers int[B, T] to targets int[B, T]."""
        asked = targets != IGNORED
        self.asked[rows] = asked.sum(axis=1)
        self.right[rows] = (asked & (answers == targets)).sum(axis=1)
        np.add.at(self.confusion, (targets[asked], answers[asked]), 1)

    def evaluation(self, loss: float | None) -> Evaluation:
        """Scores; `loss` is a sum over steps."""
        total, hits = int(self.asked.sum()), np.diag(self.confusion)
        here = self.confusion.sum(axis=1)
        f1 = 2 * hits / np.maximum(here + self.confusion.sum(axis=0), 1)
        predictions: dict[str, Any] = {
            "label_names": np.array(self.label_names),
            "asked": self.asked,
            "right": self.right,
            "score": (self.right / np.maximum(self.asked, 1)).astype(np.float32),
        }
        scores = {"accuracy": float(hits.sum() / total), "macro_f1": float(f1[here > 0].mean())}
        return Evaluation(scores, None if loss is None else loss / total, predictions)
