"""The network that a configuration asks for, whichever it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

import keras

from seqnorm.lab.config.models import ConvnetConfig, MLPConfig
from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.data.spec import Dataset
from seqnorm.lab.models.classifier import Head, build_classifier
from seqnorm.lab.models.convnet import build_convnet
from seqnorm.lab.models.mlp import build_mlp
from seqnorm.lab.tasks import make_task


def _classifier(config: RunConfig, dataset: Dataset) -> keras.Model:
    task = make_task(config.task)
    head = partial(task.head, dataset)
    size = 0 if dataset.features else dataset.words.size
    return build_classifier(config, size, head, task.every_step, dataset.features)


def _mlp(config: RunConfig, dataset: Dataset) -> keras.Model:
    model, head = cast(MLPConfig, config.model), _head_of_a_row(config, dataset)
    return build_mlp(model, config.norm, dataset.words.size, head)


def _convnet(config: RunConfig, dataset: Dataset) -> keras.Model:
    model, head = cast(ConvnetConfig, config.model), _head_of_a_row(config, dataset)
    return build_convnet(model, config.norm, dataset.words.size, head)


def _head_of_a_row(config: RunConfig, dataset: Dataset) -> Head:
    """The head for a model without steps."""
    task = make_task(config.task)
    if task.every_step:
        raise ValueError(
            f"task={task.name} needs a model that answers at every step; received "
            f"model={config.model.name}, which reads a row as a whole. Use model=classifier."
        )
    return partial(task.head, dataset)


BUILDERS: dict[str, Callable[[RunConfig, Dataset], keras.Model]] = {
    "classifier": _classifier,
    "mlp": _mlp,
    "convnet": _convnet,
}


def build_model(config: RunConfig, dataset: Dataset) -> keras.Model:
    """The model of a run for its data: a padded batch -> what the head of its task gives.

    Raises:
        ValueError: if there is no network of that name, or a component refuses its arguments.
    """
    if config.model.name not in BUILDERS:
        raise ValueError(
            f"model.name must be one of {', '.join(BUILDERS)}, received "
            f"name={config.model.name!r}. Choose one of them."
        )
    return BUILDERS[config.model.name](config, dataset)
