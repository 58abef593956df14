"""The network that a configuration asks for, whichever it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import keras

from seqnorm.lab.config.models import ConvnetConfig, MLPConfig
from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.data.spec import Dataset
from seqnorm.lab.models.classifier import build_classifier
from seqnorm.lab.models.convnet import build_convnet
from seqnorm.lab.models.mlp import build_mlp


def _classifier(config: RunConfig, dataset: Dataset) -> keras.Model:
    return build_classifier(config, dataset.vocabulary.size, dataset.num_classes)


def _mlp(config: RunConfig, dataset: Dataset) -> keras.Model:
    model = cast(MLPConfig, config.model)
    return build_mlp(model, config.norm, dataset.vocabulary.size, dataset.num_classes)


def _convnet(config: RunConfig, dataset: Dataset) -> keras.Model:
    model = cast(ConvnetConfig, config.model)
    return build_convnet(model, config.norm, dataset.vocabulary.size, dataset.num_classes)


BUILDERS: dict[str, Callable[[RunConfig, Dataset], keras.Model]] = {
    "classifier": _classifier,
    "mlp": _mlp,
    "convnet": _convnet,
}


def build_model(config: RunConfig, dataset: Dataset) -> keras.Model:
    """The model of a run for its data: int32[batch, time] -> float32[batch, classes], logits.

    Raises:
        ValueError: if there is no network of that name, or a component refuses its arguments.
    """
    if config.model.name not in BUILDERS:
        raise ValueError(
            f"model.name must be one of {', '.join(BUILDERS)}, received "
            f"name={config.model.name!r}. Choose one of them."
        )
    return BUILDERS[config.model.name](config, dataset)
