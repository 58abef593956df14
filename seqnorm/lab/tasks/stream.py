"""Batches as Keras takes them, with what is right for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from seqnorm.lab.data.batching import Batches
from seqnorm.lab.data.spec import Split
from seqnorm.lab.tasks.base import Task

if TYPE_CHECKING:
    from seqnorm.lab.config.data import DataConfig


def stream(
    batches: Batches, targets: Callable[[NDArray, NDArray], NDArray], first: int = 0
) -> tf.data.Dataset:
    """The batches as Keras may read them: any number of rows, any length.

    Handed a PyDataset, Keras fixes the length of every batch if the first two happen to agree in it
    (`keras.src.trainers.data_adapters.data_adapter_utils.get_tensor_spec`), and the first batch of
    another length then ends the training.

    Args:
        batches: rows int32[B, T] or float32[B, T, F], and labels [B, ...].
        targets: `Task.targets`; dtype and number of axes are taken from those of the first batch.
        first: the batch to begin with.
    """

    def generate() -> Iterator[tuple[NDArray, NDArray]]:
        for index in range(first, len(batches)):
            rows, labels = batches[index]
            yield rows, targets(rows, labels)

    rows, labels = batches[0]
    target = targets(rows, labels)
    signature = (
        tf.TensorSpec([None, None, *rows.shape[2:]], rows.dtype),
        tf.TensorSpec([None] * target.ndim, target.dtype),
    )
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    # The next batch is padded while the current one is trained on.
    return dataset.apply(tf.data.experimental.assert_cardinality(len(batches) - first)).prefetch(2)


def training_batches(task: Task, split: Split, config: DataConfig, seed: int) -> Batches:
    """The batches of each epoch: shuffled, unless one goes on where the other ended."""
    if task.carries_state:
        return batches_of(task, split, config.batch_size)
    return Batches.configured(split, config, seed)


def batches_of(task: Task, split: Split, batch_size: int) -> Batches:
    """A split in an order of its own: sorted by length, so that little is padding.

    Where a batch goes on where the one before it ended, it is the order of the split.
    """
    if task.carries_state:
        return Batches(split, batch_size, shuffle=False)
    whole = len(split) // batch_size + 1
    return Batches(split, batch_size, shuffle=False, bucket=whole)


def outputs_of(task: Task, model: keras.Model, split: Split, batch_size: int) -> NDArray[Any]:
    """A model's answers [n, ...] to a split, in its order; of a task with one answer for a row."""
    batches = batches_of(task, split, batch_size)
    return batches.restore(model.predict(stream(batches, task.targets), verbose=0))


def answers_of(
    task: Task, model: keras.Model, split: Split, batch_size: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[Any], NDArray[Any]]]:
    """A model's answers batch by batch, of a task with an answer at every step.

    Yields:
        The rows of the split in a batch, the targets [B, T, ...] and the answers [B, T, ...].
    """
    batches = batches_of(task, split, batch_size)
    for number, chosen in enumerate(batches.rows):
        rows, labels = batches[number]
        yield chosen, task.targets(rows, labels), np.asarray(model.predict_on_batch(rows))
