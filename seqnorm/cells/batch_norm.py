"""Ready-made cells with recurrent batch normalisation."""

from __future__ import annotations

from typing import Any

import keras
from keras import initializers

from seqnorm.cells.gru import NormGRUCell
from seqnorm.cells.lstm import NormLSTMCell
from seqnorm.cells.presets import Preset
from seqnorm.cells.simple_rnn import NormSimpleRNNCell
from seqnorm.normalizers import BatchNorm


class BatchNormPreset(Preset):
    """A cell with recurrent batch normalisation; valid inside `NormRNN` only.

    Args:
        units: width of the state.
        norm_gamma_initializer: initializer of the γ; default 0.1 (Cooijmans et al., 2016).
        norm_epsilon: added to the variance.
        momentum, max_steps, statistics, input_statistics, small_batch: see
            `seqnorm.normalizers.BatchNorm`.
        **kwargs: every argument of the Keras cell.

    Masking:
        Inside `NormRNN` padding enters no statistic. A plain `keras.layers.RNN` cannot tell the
        cell the step or the mask; there the cell raises.
    """

    def __init__(
        self,
        units: int,
        *,
        norm_gamma_initializer: Any = None,
        norm_epsilon: float = 1e-5,
        momentum: float = 0.99,
        max_steps: int = 256,
        statistics: str = "per_step",
        input_statistics: str = "step",
        small_batch: str = "shrink",
        **kwargs: Any,
    ):
        shared: dict[str, Any] = {
            "momentum": momentum,
            "max_steps": max_steps,
            "statistics": statistics,
            "input_statistics": input_statistics,
            "small_batch": small_batch,
        }
        norm = BatchNorm(epsilon=norm_epsilon, gamma_initializer=norm_gamma_initializer, **shared)
        super().__init__(units, norm, **kwargs)
        gamma = initializers.serialize(norm.gamma_initializer)
        self._remember(norm_gamma_initializer=gamma, norm_epsilon=norm_epsilon, **shared)


@keras.saving.register_keras_serializable(package="seqnorm")
class BatchNormSimpleRNNCell(BatchNormPreset, NormSimpleRNNCell):
    """Simple recurrent cell with recurrent batch normalisation; see `BatchNormPreset`."""


@keras.saving.register_keras_serializable(package="seqnorm")
class BatchNormLSTMCell(BatchNormPreset, NormLSTMCell):
    """LSTM cell with recurrent batch normalisation (Cooijmans et al.); see `BatchNormPreset`.

    Example:
        >>> import keras
        >>> from seqnorm import BatchNormLSTMCell, NormRNN
        >>> layer = NormRNN(BatchNormLSTMCell(8))
        >>> tuple(layer(keras.ops.ones((4, 5, 3)), training=True).shape)
        (4, 8)
    """


@keras.saving.register_keras_serializable(package="seqnorm")
class BatchNormGRUCell(BatchNormPreset, NormGRUCell):
    """GRU cell with recurrent batch normalisation; see `BatchNormPreset`."""
