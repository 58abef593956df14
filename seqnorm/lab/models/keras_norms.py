"""Keras's own normalisation layers from the configuration, for models without recurrence."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import keras

from seqnorm.lab.config.schema import NormConfig

LAYERS: dict[str, Any] = {
    "none": keras.layers.Identity,
    "keras_layer": keras.layers.LayerNormalization,
    "keras_batch": keras.layers.BatchNormalization,
}


def keras_norm(config: NormConfig, name: str) -> keras.layers.Layer:
    """The layer of a ``norm`` group; its keys are the layer's own arguments.

    Raises:
        ValueError: if the norm is none of Keras's, or the layer refuses an argument.
    """
    if config.name not in LAYERS:
        raise ValueError(
            f"A model without recurrence needs norm to be one of {', '.join(LAYERS)}, received "
            f"norm={config.name}. Choose one of them."
        )
    arguments = asdict(config)
    return LAYERS[arguments.pop("name")](**arguments, name=name)
