"""Layers around the ready-made cells: `LayerNormLSTM(8)` for `NormRNN(LayerNormLSTMCell(8))`."""

from __future__ import annotations

import keras

from seqnorm.cells import (
    BatchNormGRUCell,
    BatchNormLSTMCell,
    BatchNormSimpleRNNCell,
    LayerNormGRUCell,
    LayerNormLSTMCell,
    LayerNormSimpleRNNCell,
)
from seqnorm.layers.convenience import CellLayer


@keras.saving.register_keras_serializable(package="seqnorm")
class LayerNormSimpleRNN(CellLayer):
    """Layer of `LayerNormSimpleRNNCell`; takes its arguments and those of `NormRNN`."""

    CELL = LayerNormSimpleRNNCell


@keras.saving.register_keras_serializable(package="seqnorm")
class LayerNormLSTM(CellLayer):
    """Layer of `LayerNormLSTMCell`; takes its arguments and those of `NormRNN`.

    Example:
        >>> import keras
        >>> from seqnorm import LayerNormLSTM
        >>> layer = LayerNormLSTM(8, return_sequences=True, norm_epsilon=1e-5)
        >>> tuple(layer(keras.ops.ones((2, 5, 3))).shape)
        (2, 5, 8)
    """

    CELL = LayerNormLSTMCell


@keras.saving.register_keras_serializable(package="seqnorm")
class LayerNormGRU(CellLayer):
    """Layer of `LayerNormGRUCell`; takes its arguments and those of `NormRNN`."""

    CELL = LayerNormGRUCell


@keras.saving.register_keras_serializable(package="seqnorm")
class BatchNormSimpleRNN(CellLayer):
    """Layer of `BatchNormSimpleRNNCell`; takes its arguments and those of `NormRNN`."""

    CELL = BatchNormSimpleRNNCell


@keras.saving.register_keras_serializable(package="seqnorm")
class BatchNormLSTM(CellLayer):
    """Layer of `BatchNormLSTMCell`; takes its arguments and those of `NormRNN`."""

    CELL = BatchNormLSTMCell


@keras.saving.register_keras_serializable(package="seqnorm")
class BatchNormGRU(CellLayer):
    """Layer of `BatchNormGRUCell`; takes its arguments and those of `NormRNN`."""

    CELL = BatchNormGRUCell
