"""The last layer of tasks that answer with classes."""

from __future__ import annotations

import keras

from seqnorm.lab.data.spec import Dataset


def logits(dataset: Dataset) -> keras.layers.Layer:
    """A logit for each class: float[..., F] -> float32[..., classes]."""
    return keras.layers.Dense(dataset.num_classes, dtype="float32", name="logits")
