"""The multi-hot MLP: which words a text has, whatever their order and number."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from seqnorm.lab.config.models import MLPConfig
from seqnorm.lab.config.schema import NormConfig
from seqnorm.lab.data.spec import PAD
from seqnorm.lab.models.classifier import Head
from seqnorm.lab.models.keras_norms import keras_norm


def build_mlp(model: MLPConfig, norm: NormConfig, vocabulary_size: int, head: Head) -> keras.Model:
    """Hidden layers over the set of words.

        tokens -> multi-hot -> (dense -> norm and activation in either order -> dropout)* -> head

    Args:
        model: the hidden layers, and whether the norm comes before or after the activation.
        norm: none, or one of Keras's own.
        vocabulary_size: number of ids, padding included.
        head: makes the last layer.

    Returns:
        A functional model, not compiled: int32[batch, time] -> what the head gives.

    Masking:
        Padding is no word: more of it changes nothing.

    Raises:
        ValueError: if a component refuses its arguments.
    """
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = multi_hot(tokens, vocabulary_size)  # [B, V]
    for level, width in enumerate(model.hidden, 1):
        x = keras.layers.Dense(width, name=f"hidden_{level}")(x)
        normalize = keras_norm(norm, f"norm_{level}")
        activate = keras.layers.Activation(model.activation, name=f"activation_{level}")
        before = model.norm_position == "before"
        for layer in (normalize, activate) if before else (activate, normalize):
            x = layer(x)
        x = keras.layers.Dropout(model.dropout, name=f"dropout_{level}")(x)
    return keras.Model(tokens, head()(x), name=f"mlp_{norm.name}")


def multi_hot(tokens: Any, size: int) -> Any:
    """int32[batch, time] -> float32[batch, size]: 1 for each id that occurs, 0 for PAD."""
    # A one-hot row for each token, as keras.layers.CategoryEncoding makes, would take gigabytes.
    counts = ops.reshape(ops.bincount(tokens, minlength=size), (-1, size))
    is_word = ops.not_equal(ops.arange(size), PAD)
    return ops.cast(ops.logical_and(counts > 0, is_word), keras.config.floatx())
