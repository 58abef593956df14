"""The small convolutional network for square images."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from seqnorm.lab.config.models import ConvnetConfig
from seqnorm.lab.config.schema import NormConfig
from seqnorm.lab.data import mnist
from seqnorm.lab.models.classifier import Head
from seqnorm.lab.models.keras_norms import keras_norm


def build_convnet(
    model: ConvnetConfig, norm: NormConfig, vocabulary_size: int, head: Head
) -> keras.Model:
    """One convolution with a norm over its channels, one hidden layer.

        tokens -> image -> convolution -> norm -> dense -> activation -> dropout -> head

    Args:
        model: sizes.
        norm: none, or one of Keras's own; axis 3 or -1 are the channels.
        vocabulary_size: number of ids, which must be those of `seqnorm.lab.data.mnist`.
        head: makes the last layer.

    Returns:
        A functional model, not compiled: int32[batch, 785] -> what the head gives.
        A batch of rows of another length is refused.

    Raises:
        ValueError: if the ids are not grey values, or a component refuses its arguments.
    """
    ids = mnist.OFFSET + mnist.GREYS
    if vocabulary_size != ids:
        raise ValueError(
            f"model=convnet needs images, whose ids are {ids} ({mnist.GREYS} grey values), "
            f"received data with {vocabulary_size} ids. Use data=mnist."
        )
    tokens = keras.Input((1 + mnist.SIDE**2,), dtype="int32", name="tokens")
    x = image(tokens)  # [B, 28, 28, 1]
    x = keras.layers.Conv2D(model.filters, model.kernel_size, name="convolution")(x)
    x = keras_norm(norm, "norm")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(model.hidden, activation=model.activation, name="hidden")(x)
    x = keras.layers.Dropout(model.dropout, name="dropout")(x)
    return keras.Model(tokens, head()(x), name=f"convnet_{norm.name}")


def image(tokens: Any) -> Any:
    """int32[batch, 1 + 784], START first -> float[batch, 28, 28, 1], black 0 and white 1."""
    greys = ops.cast(tokens[:, 1:] - mnist.OFFSET, keras.config.floatx())
    return ops.reshape(greys / (mnist.GREYS - 1), (-1, mnist.SIDE, mnist.SIDE, 1))
