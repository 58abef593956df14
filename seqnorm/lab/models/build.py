"""The network that a configuration asks for, whichever it is."""

from __future__ import annotations

from typing import cast

import keras

from seqnorm.lab.config.models import ConvnetConfig, MLPConfig
from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.data.spec import Dataset
from seqnorm.lab.models.classifier import build_classifier
from seqnorm.lab.models.convnet import build_convnet
from seqnorm.lab.models.mlp import build_mlp


def build_model(config: RunConfig, dataset: Dataset) -> keras.Model:
    """The model of a run for its data: int32[batch, time] -> float32[batch, classes], logits.

    Raises:
        ValueError: if there is no network of that name, or a component refuses its arguments.
    """
    sizes = dataset.vocabulary.size, dataset.num_classes
    match config.model.name:
        case "classifier":
            return build_classifier(config, *sizes)
        case "mlp":
            return build_mlp(cast(MLPConfig, config.model), config.norm, *sizes)
        case "convnet":
            return build_convnet(cast(ConvnetConfig, config.model), config.norm, *sizes)
    raise ValueError(
        "model.name must be one of classifier, mlp, convnet, received "
        f"name={config.model.name!r}. Choose one of them."
    )
