"""The few things training asks of TensorFlow by name; all else goes through Keras."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from seqnorm.lab.data.batching import Batches


def stream(batches: Batches) -> tf.data.Dataset:
    """The batches as Keras may read them: any number of rows, any length.

    Handed a PyDataset, Keras fixes the length of every batch if the first two happen to agree in it
    (`keras.src.trainers.data_adapters.data_adapter_utils.get_tensor_spec`), and the first batch of
    another length then ends the training.
    """

    def generate() -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
        for index in range(len(batches)):
            yield batches[index]

    signature = (tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32))
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    # The next batch is padded while the current one is trained on.
    return dataset.apply(tf.data.experimental.assert_cardinality(len(batches))).prefetch(2)


def make_deterministic() -> None:
    """Every operation gives the same bytes for the same input. Lasts as long as the process."""
    tf.config.experimental.enable_op_determinism()


def dense(gradient: Any) -> tf.Tensor:
    """A gradient with the shape of its variable.

    An embedding's comes as a row for each word that was looked up. Keras squares and clips those
    rows one by one, although the rows of one word add up to a single row of the gradient.
    """
    return tf.convert_to_tensor(gradient)


def compiled_gradient(
    function: Callable[[Any, Any], tuple[Any, Any]],
) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Compiles ``loss, extra = function(x, constants)`` into ``x, constants -> dloss/dx, extra``.

    `x` and `extra` may be nested; so may the gradient, which has the structure of `x`.
    """

    @tf.function(reduce_retracing=True)
    def gradient(x: Any, constants: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss, extra = function(x, constants)
        return tape.gradient(loss, x), extra

    return gradient
