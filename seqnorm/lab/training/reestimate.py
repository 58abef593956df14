"""Running statistics of batch normalisation, estimated anew by the finished network.

A moving average with momentum ρ still holds ρ^k of its initial value after k updates, and follows a
network that learns at a distance: after 96 updates at ρ = 0.99 two fifths of it are the initial
value. Here the final network sees the training part once more, its weights fixed, and the
statistics become those of all rows it sees, each counting once::

    μ = Σ_b n_b μ_b / Σ_b n_b,    σ² = Σ_b n_b (σ²_b + (μ_b - μ)²) / Σ_b n_b

Reference: Ioffe and Szegedy, "Batch Normalization", 2015, algorithm 2, line 10, which averages over
batches after training; here the averages are exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
import numpy as np

from seqnorm.lab.data.batching import Batches
from seqnorm.lab.models.classifier import recurrent_layers
from seqnorm.lab.training.backend import compiled_training_pass


def reestimate(model: keras.Model, batches: Batches) -> int:
    """Replaces the running statistics of every batch normalisation of a model.

    Batches are normalised by their own statistics, as in training; dropout is on, as in training.

    Args:
        model: any model; normalisers inside recurrent layers and Keras's layers are both found.
        batches: what to estimate from, each batch once.

    Returns:
        How many normalisers were estimated anew; 0 leaves the model as it is.
    """
    inside = [norm for norm in _normalizers(model) if norm.time_aware]
    between = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
    if inside or between:
        with ExitStack() as stack:
            for norm in inside:
                stack.enter_context(_momentum(norm, 1.0))  # all batches count alike
                norm.count.assign(np.zeros(norm.count.shape))
            pooled = [stack.enter_context(_Pooled(norm)) for norm in between]
            forward = compiled_training_pass(model)
            for index in range(len(batches)):
                tokens, labels = batches[index]
                forward(tokens)
                for pool in pooled:
                    pool.add(len(labels))
    return len(inside) + len(between)


def _normalizers(model: keras.Model) -> Iterator[Any]:
    for layer in recurrent_layers(model):
        for cell in layer.cells:
            yield from getattr(cell, "normalizers", {}).values()


@contextmanager
def _momentum(layer: Any, value: float) -> Iterator[None]:
    before, layer.momentum = layer.momentum, value
    try:
        yield
    finally:
        layer.momentum = before


class _Pooled:
    """Statistics of one of Keras's layers over many batches.

    The layer's momentum is 0 meanwhile, so that after each batch its moving averages are that
    batch's statistics.
    """

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self.rows = 0  # n
        self.first: Any = 0.0  # Σ n μ
        self.second: Any = 0.0  # Σ n (σ² + μ²)
        self._momentum = _momentum(layer, 0.0)

    def add(self, rows: int) -> None:
        mean = np.asarray(self.layer.moving_mean, np.float64)
        variance = np.asarray(self.layer.moving_variance, np.float64)
        self.rows += rows
        self.first = self.first + rows * mean
        self.second = self.second + rows * (variance + mean**2)

    def __enter__(self) -> _Pooled:
        self._momentum.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._momentum.__exit__(*error)
        if self.rows:
            mean = self.first / self.rows
            self.layer.moving_mean.assign(mean)
            variance = np.maximum(self.second / self.rows - mean**2, 0.0)
            self.layer.moving_variance.assign(variance)
