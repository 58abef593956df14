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
    """Simple recurrent layer with layer normalisation: `NormRNN(LayerNormSimpleRNNCell(units))`.

    The equations are those of `LayerNormSimpleRNNCell`, TensorFlow Addons' cell.

    Args:
        units: width of the state.
        **kwargs: the arguments of `LayerNormSimpleRNNCell` and of `NormRNN`.

    Masking:
        As in `NormRNN`: a masked step keeps output and states and enters no statistic.

    Example:
        >>> import keras
        >>> from seqnorm import LayerNormSimpleRNN
        >>> layer = LayerNormSimpleRNN(8, return_sequences=True)
        >>> tuple(layer(keras.ops.ones((2, 5, 3))).shape)
        (2, 5, 8)
    """

    CELL = LayerNormSimpleRNNCell


@keras.saving.register_keras_serializable(package="seqnorm")
class LayerNormLSTM(CellLayer):
    """LSTM layer with layer normalisation: `NormRNN(LayerNormLSTMCell(units))`.

    The equations are those of `LayerNormLSTMCell`, TensorFlow Addons' cell.

    Args:
        units: width of the state.
        **kwargs: the arguments of `LayerNormLSTMCell` and of `NormRNN`.

    Masking:
        As in `NormRNN`: a masked step keeps output and states and enters no statistic.

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
    """GRU layer with layer normalisation: `NormRNN(LayerNormGRUCell(units))`.

    The equations are those of `LayerNormGRUCell`.

    Args:
        units: width of the state.
        **kwargs: the arguments of `LayerNormGRUCell` and of `NormRNN`.

    Masking:
        As in `NormRNN`: a masked step keeps output and states and enters no statistic.

    Example:
        >>> import keras
        >>> from seqnorm import LayerNormGRU
        >>> layer = LayerNormGRU(8, return_sequences=True)
        >>> tuple(layer(keras.ops.ones((2, 5, 3))).shape)
        (2, 5, 8)
    """

    CELL = LayerNormGRUCell


@keras.saving.register_keras_serializable(package="seqnorm")
class BatchNormSimpleRNN(CellLayer):
    """Simple recurrent layer with batch normalisation: `NormRNN(BatchNormSimpleRNNCell(units))`.

    The equations are those of `BatchNormSimpleRNNCell`.

    Args:
        units: width of the state.
        **kwargs: the arguments of `BatchNormSimpleRNNCell` and of `NormRNN`.

    Masking:
        As in `NormRNN`: a masked step keeps output and states and enters no statistic.
        Padding must be on the right.

    Example:
        >>> import keras
        >>> from seqnorm import BatchNormSimpleRNN
        >>> layer = BatchNormSimpleRNN(8, return_sequences=True, max_steps=50)
        >>> tuple(layer(keras.ops.ones((4, 5, 3)), training=True).shape)
        (4, 5, 8)
    """

    CELL = BatchNormSimpleRNNCell


@keras.saving.register_keras_serializable(package="seqnorm")
class BatchNormLSTM(CellLayer):
    """LSTM layer with batch normalisation: `NormRNN(BatchNormLSTMCell(units))`.

    The equations are those of `BatchNormLSTMCell`.

    Args:
        units: width of the state.
        **kwargs: the arguments of `BatchNormLSTMCell` and of `NormRNN`.

    Masking:
        As in `NormRNN`: a masked step keeps output and states and enters no statistic.
        Padding must be on the right.

    Example:
        >>> import keras
        >>> from seqnorm import BatchNormLSTM
        >>> layer = BatchNormLSTM(8, return_sequences=True, max_steps=50)
        >>> tuple(layer(keras.ops.ones((4, 5, 3)), training=True).shape)
        (4, 5, 8)
    """

    CELL = BatchNormLSTMCell


@keras.saving.register_keras_serializable(package="seqnorm")
class BatchNormGRU(CellLayer):
    """GRU layer with batch normalisation: `NormRNN(BatchNormGRUCell(units))`.

    The equations are those of `BatchNormGRUCell`.

    Args:
        units: width of the state.
        **kwargs: the arguments of `BatchNormGRUCell` and of `NormRNN`.

    Masking:
        As in `NormRNN`: a masked step keeps output and states and enters no statistic.
        Padding must be on the right.

    Example:
        >>> import keras
        >>> from seqnorm import BatchNormGRU
        >>> layer = BatchNormGRU(8, return_sequences=True, max_steps=50)
        >>> tuple(layer(keras.ops.ones((4, 5, 3)), training=True).shape)
        (4, 5, 8)
    """

    CELL = BatchNormGRUCell
