"""Batches as Keras takes them, with what is right for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf
from numpy.typing import NDArray

from seqnorm.lab.data.batching import Batches
from seqnorm.lab.data.spec import Split
from seqnorm.lab.tasks.base import Task


def stream(batches: Batches, targets: Callable[[NDArray, NDArray], NDArray]) -> tf.data.Dataset:
    """The batches as Keras may read them: any number of rows, any length.

    Handed a PyDataset, Keras fixes the length of every batch if the first two happen to agree in it
    (`keras.src.trainers.data_adapters.data_adapter_utils.get_tensor_spec`), and the first batch of
    another length then ends the training.

    Args:
        batches: tokens int32[B, T] and labels [B, ...].
        targets: `Task.targets`; dtype and number of axes are taken from those of the first batch.
    """

    def generate() -> Iterator[tuple[NDArray, NDArray]]:
        for index in range(len(batches)):
            tokens, labels = batches[index]
            yield tokens, targets(tokens, labels)

    first = targets(*batches[0])
    signature = (
        tf.TensorSpec([None, None], tf.int32),
        tf.TensorSpec([None] * first.ndim, first.dtype),
    )
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    # The next batch is padded while the current one is trained on.
    return dataset.apply(tf.data.experimental.assert_cardinality(len(batches))).prefetch(2)


def batches_of(split: Split, batch_size: int) -> Batches:
    """A split in an order of its own, sorted by length so that little is padding."""
    whole = len(split) // batch_size + 1
    return Batches(split, batch_size, shuffle=False, bucket=whole)


def outputs_of(task: Task, model: keras.Model, split: Split, batch_size: int) -> NDArray[Any]:
    """A model's answers [n, ...] to a split, in its order; of a task with one answer for a row."""
    batches = batches_of(split, batch_size)
    return batches.restore(model.predict(stream(batches, task.targets), verbose=0))
