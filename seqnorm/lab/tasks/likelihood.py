"""What the next tokens cost a network, without holding the logits of a whole part."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from seqnorm.lab.data.spec import IGNORED, Split
from seqnorm.lab.tasks.base import Task
from seqnorm.lab.tasks.carrying import start_anew
from seqnorm.lab.tasks.stream import batches_of


def costs(targets: Any, logits: Any) -> Any:
    """Nats float[B, T] of targets int[B, T] by logits float[B, T, words]; 0 where none is asked."""
    asked = ops.not_equal(targets, IGNORED)
    each = keras.losses.sparse_categorical_crossentropy(
        ops.where(asked, targets, 0), logits, from_logits=True
    )
    return ops.where(asked, each, 0.0)


class Bits(keras.metrics.Mean):
    """Mean bits of the tokens that are asked for."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds the tokens of a batch."""
        asked = ops.cast(ops.not_equal(y_true, IGNORED), "float32")
        super().update_state(costs(y_true, y_pred) / math.log(2), sample_weight=asked)


def costs_of(task: Task, model: keras.Model, split: Split, batch_size: int) -> NDArray[np.float64]:
    """float64[n]: nats of the tokens of each row together."""
    batches = batches_of(task, split, batch_size)
    found = np.zeros(len(split))

    @tf.function(reduce_retracing=True)
    def by_row(rows: Any, targets: Any) -> Any:
        return ops.sum(ops.cast(costs(targets, model(rows, training=False)), "float64"), axis=1)

    start_anew(model)
    for number, chosen in enumerate(batches.rows):
        rows, labels = batches[number]
        found[chosen] = by_row(rows, task.targets(rows, labels))
    return found
