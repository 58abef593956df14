"""One epoch of the default recipe on real texts, against the same model run by `keras.layers.RNN`.

Both models have the same weights and read the same texts; ours in batches of similar length, the
other in batches as they come, which are nearly all as long as texts may be.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from seqnorm.lab import data
from seqnorm.lab.config.compose import compose
from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.data.batching import Batches
from seqnorm.lab.models.build import build_model
from seqnorm.lab.training.optim import make_optimizer
from seqnorm.layers import MaskedPooling, NormRNN


class Pooled(keras.layers.Layer):
    """A layer and the pooling of its outputs, in the place of one that pools them itself."""

    def __init__(self, layer: Any, mode: str, **kwargs: Any):
        super().__init__(**kwargs)
        self.layer, self.pooling = layer, MaskedPooling(mode)
        self.supports_masking = True

    def compute_mask(self, x: Any, mask: Any = None) -> None:
        """Time is gone, and the mask with it."""

    def build(self, shape: Any) -> None:
        """Creates the weights of the layer."""
        self.layer.build(shape)

    def call(self, x: Any, mask: Any = None) -> Any:
        """[batch, time, features] -> [batch, features]."""
        return self.pooling(self.layer(x, mask=mask), mask=mask)


def by_keras(layer: Any) -> Any:
    """The layer itself, its time loop replaced by that of `keras.layers.RNN` around the cell."""
    recurrent = getattr(layer, "forward_layer", layer)
    if not isinstance(recurrent, NormRNN):
        return layer.__class__.from_config(layer.get_config())
    pools = recurrent.pooling != "last"
    cell = recurrent.cell.__class__.from_config(recurrent.cell.get_config())
    found = keras.layers.RNN(
        cell, return_sequences=pools or recurrent.return_sequences, name=recurrent.name
    )
    if recurrent is not layer:
        found = keras.layers.Bidirectional(found, name=layer.name)
    return Pooled(found, recurrent.pooling, name=layer.name) if pools else found


def recipe_of(overrides: Sequence[str]) -> tuple[RunConfig, data.Dataset, keras.Model]:
    """The configuration, data and network of a recipe, such as "data=imdb" and "cell.units=128"."""
    config = compose(list(overrides))
    dataset = data.load(config.data, config.seed)
    return config, dataset, build_model(config, dataset)


def ready(model: keras.Model, config: RunConfig, dataset: data.Dataset) -> Batches:
    """The batches of an epoch, for a model that can be trained on them from here on."""
    source = Batches.configured(dataset.train, config.data, config.seed)
    model.compile(
        make_optimizer(config.optim, total_steps=len(source)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.optimizer.build(model.trainable_variables)  # or the first step is traced twice
    return source


def epoch(overrides: list[str], batches: int) -> dict[str, dict[str, float]]:
    """Seconds of one epoch of training, estimated from some of its batches, evenly spread.

    Args:
        overrides: of the configuration, such as "data=imdb" and "cell.units=128".
        batches: how many batches of each are timed, in turn.

    Returns:
        Wall and processor seconds by model: "seqnorm" and "keras-rnn".
    """
    config, dataset, ours = recipe_of(overrides)
    other = keras.models.clone_model(ours, clone_function=by_keras)
    other.set_weights(ours.get_weights())
    sources = {}
    as_they_come = replace(config.data, bucket=0)
    for name, model, how in (("seqnorm", ours, config.data), ("keras-rnn", other, as_they_come)):
        source = ready(model, replace(config, data=how), dataset)
        sources[name] = model, source
    count = len(source)
    chosen = np.linspace(0, count - 1, batches).round().astype(int)
    spent = {name: np.zeros((batches, 2)) for name in sources}
    for model, source in sources.values():  # Keras traces anew as it meets other lengths and rows
        for index in chosen:
            model.train_on_batch(*source[index])
    for place, index in enumerate(chosen):
        for name, (model, source) in sources.items():
            batch = source[index]
            wall, cpu = time.perf_counter(), time.process_time()
            model.train_on_batch(*batch)
            spent[name][place] = time.perf_counter() - wall, time.process_time() - cpu
    return {
        name: dict(zip(("wall", "cpu"), (found.mean(0) * count).tolist(), strict=True))
        for name, found in spent.items()
    }
