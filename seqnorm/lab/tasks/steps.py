"""Metrics over the steps of rows, of which some are not asked for."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from seqnorm.lab.data.spec import IGNORED


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
