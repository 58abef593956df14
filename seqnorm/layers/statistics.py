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

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from seqnorm.normalizers import BatchNorm
from seqnorm.ops import backend


def reestimate(model: keras.Model, batches: Iterable[Any]) -> int:
    """Take the running statistics of a trained model anew from its training data.

    To be called after `fit`: the moving averages of a short training still hold their initial
    values. Weights stay as they are; batches are normalised as in training, and dropout is on.

    Args:
        model: any model. Normalisers inside seqnorm's cells and `keras.layers.BatchNormalization`
            are both found, however deep; frozen ones (`trainable=False`) keep what they have.
        batches: what to estimate from, each batch once, such as a `tf.data.Dataset`, a
            `keras.utils.PyDataset` or a list: inputs alone, or as `fit` takes them (x, y) or
            (x, y, weights). A list of one entry stands for a model of one input.

    Returns:
        How many normalisers were estimated anew; 0 leaves the model as it is.

    Masking:
        Inside cells padding counts as little as in training. A layer of Keras's weighs each batch
        by its rows: exact without a mask where all batches have the same number of steps.

    Raises:
        ValueError: if there is no batch.

    Examples:
        >>> import keras, numpy as np
        >>> from seqnorm import NormLSTM, reestimate
        >>> model = keras.Sequential([keras.Input((5, 3)), NormLSTM(4, norm="batch")])
        >>> x = np.random.default_rng(0).normal(size=(6, 8, 5, 3))  # six batches of eight rows
        >>> reestimate(model, list(x))  # x W, h U and c
        3
        >>> float(model.layers[0].cell.normalizers["input"].count[0, 0])
        48.0
    """
    layers = {id(layer): layer for layer in model._flatten_layers() if layer.trainable}.values()
    inside = [layer for layer in layers if isinstance(layer, BatchNorm)]
    between = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
    if inside or between:
        inputs = _inputs(batches)
        first = next(inputs, None)
        if first is None:
            raise ValueError(
                "Statistics need one batch or more. Received: batches without any. An iterator "
                "that was read before is empty: pass the data set itself."
            )
        with ExitStack() as stack:
            for norm in inside:
                stack.enter_context(_momentum(norm, 1.0))  # all batches count alike
                norm.count.assign(np.zeros(norm.count.shape))
            pooled = [stack.enter_context(_Pooled(norm)) for norm in between]
            forward = backend.compiled(lambda x: model(x, training=True))
            for x in (first, *inputs):
                forward(x)
                for pool in pooled:
                    pool.add(tree.flatten(x)[0].shape[0])
    return len(inside) + len(between)


def _inputs(batches: Iterable[Any]) -> Iterator[Any]:
    if isinstance(batches, keras.utils.PyDataset):  # which has no end of its own
        batches = map(batches.__getitem__, range(batches.num_batches))
    for batch in batches:
        x, _, _ = keras.utils.unpack_x_y_sample_weight(batch)
        yield tree.map_structure(ops.convert_to_tensor, x)


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
        mean = np.asarray(ops.convert_to_numpy(self.layer.moving_mean), np.float64)
        variance = np.asarray(ops.convert_to_numpy(self.layer.moving_variance), np.float64)
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
