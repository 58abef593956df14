"""The recurrent model: word vectors or numbers, recurrent layers, one vector a row, a head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, cast

import keras
from keras import ops

from seqnorm.lab.config.keras_norms import FIRST_VALUES
from seqnorm.lab.config.models import ClassifierConfig
from seqnorm.lab.config.schema import NormConfig, RunConfig
from seqnorm.lab.data.spec import PAD
from seqnorm.layers import NormRNN, recurrent_layer

# Makes the last layer, and is called last: Keras draws the seed of a layer's first weights when the
# layer is made.
Head = Callable[[], keras.layers.Layer]


def build_classifier(
    config: RunConfig,
    vocabulary_size: int,
    head: Head,
    every_step: bool = False,
    features: int = 0,
) -> keras.Model:
    """The model of a run.

        tokens -> embedding -> dropout -> recurrent layers, pooled -> dropout -> head

    Rows of numbers go to the recurrent layers as they are.

    Args:
        config: groups ``model``, ``cell`` and ``norm`` are read.
        vocabulary_size: number of ids, padding included; not used where rows are numbers.
        head: makes the last layer.
        every_step: whether the head is put on every step; then nothing is pooled.
        features: how many numbers a step has; 0 for ids.

    Returns:
        A functional model, not compiled: int32[batch, time], or float32[batch, time, features], ->
        what the head gives of float[batch, units], or with `every_step` of float[batch, time,
        units].

    Masking:
        Tokens equal to PAD are padding, and so is a step with a number that is NaN. The mask is
        computed once and handed to every layer that needs it, so nothing depends on how Keras
        propagates masks.

    Raises:
        ValueError: if a component refuses its arguments.
    """
    model = cast(ClassifierConfig, config.model)
    if features:
        inputs = keras.Input((None, features), dtype="float32", name="series")
        missing = ops.isnan(inputs)
        mask = ops.logical_not(ops.any(missing, axis=-1))
        x = ops.where(missing, 0.0, inputs)
    else:
        inputs = keras.Input((None,), dtype="int32", name="tokens")
        mask = ops.not_equal(inputs, PAD)
        x = keras.layers.Embedding(vocabulary_size, model.embedding, name="embedding")(inputs)
        x = keras.layers.Dropout(model.embedding_dropout, name="embedding_dropout")(x)
    for level in range(1, model.depth + 1):
        # "last" is the last output of both directions, unlike the outputs at the last token: there
        # the backward direction has read one word.
        pooled = level == model.depth and not every_step
        outputs = {"pooling": model.pooling} if pooled else {"return_sequences": True}
        x = _recurrent(config, level, **outputs)(x, mask=mask)
    x = keras.layers.Dropout(model.dropout, name="dropout")(x)
    return keras.Model(inputs, head()(x), name=f"{config.norm.name}_{config.cell.name}")


def recurrent_layers(model: keras.Model) -> list[NormRNN]:
    """The recurrent layers of a classifier, bottom first, forward before backward."""
    found: list[NormRNN] = []
    for layer in model.layers:
        if isinstance(layer, keras.layers.Bidirectional):
            found += [layer.forward_layer, layer.backward_layer]
        elif isinstance(layer, NormRNN):
            found.append(layer)
    return found


def recurrent(config: RunConfig, name: str | None = None, **outputs: Any) -> NormRNN:
    """The chosen cell with the chosen norm as a layer.

    Args:
        config: groups ``cell`` and ``norm`` are read.
        name: of the layer.
        **outputs: what the layer returns: its `return_sequences` and `pooling`.

    Raises:
        ValueError: if cell or norm refuses its arguments.
    """
    arguments = asdict(config.cell)
    return recurrent_layer(
        arguments.pop("name"),
        norm=norm_arguments(config.norm),
        name=name,
        **outputs,
        **arguments,
    )


def _recurrent(config: RunConfig, level: int, **outputs: Any) -> keras.layers.Layer:
    model = cast(ClassifierConfig, config.model)
    layer = recurrent(config, f"{config.cell.name}_{level}", **outputs)
    if not model.bidirectional:
        return layer
    return keras.layers.Bidirectional(layer, name=f"bidirectional_{level}")


def norm_arguments(config: NormConfig) -> dict[str, Any]:
    """The ``norm`` group as `seqnorm.normalizers.get` takes it.

    The `FIRST_VALUES` become initialisers.
    """
    arguments = asdict(config)
    for weight in {*FIRST_VALUES} & arguments.keys():
        value = arguments.pop(weight)
        arguments[f"{weight}_initializer"] = keras.initializers.Constant(value)
    return arguments
