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
        **kwargs: every argument of the general cell beside `norm` and `variant`, which raise a
            ValueError, and of the Keras cell.

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
        super().__init__(units, {"norm": norm}, **kwargs)
        gamma = initializers.serialize(norm.gamma_initializer)
        self._remember(norm_gamma_initializer=gamma, norm_epsilon=norm_epsilon, **shared)


@keras.saving.register_keras_serializable(package="seqnorm")
class BatchNormSimpleRNNCell(BatchNormPreset, NormSimpleRNNCell):
    """Simple recurrent cell with recurrent batch normalisation; no paper defines one.

        h_t = tanh(BN_t(x_t W) + BN_t(h_{t-1} U) + b)

    Args:
        units: width of the state.
        **kwargs: the arguments of the norm as in `BatchNormLSTMCell`; every argument of
            `NormSimpleRNNCell` beside `norm` and `variant`, and of `keras.layers.SimpleRNNCell`.

    Masking:
        Inside `NormRNN` padding, which must be on the right, enters no statistic. A plain
        `keras.layers.RNN` cannot tell the cell the step or the mask; there the cell raises.

    Example:
        >>> import keras
        >>> from seqnorm import BatchNormSimpleRNNCell, NormRNN
        >>> layer = NormRNN(BatchNormSimpleRNNCell(8))
        >>> tuple(layer(keras.ops.ones((4, 5, 3)), training=True).shape)
        (4, 8)
    """


@keras.saving.register_keras_serializable(package="seqnorm")
class BatchNormLSTMCell(BatchNormPreset, NormLSTMCell):
    """LSTM cell with recurrent batch normalisation.

        z_t = BN_t(x_t W) + BN_t(h_{t-1} U) + b,   split into i, f, g, o
        c_t = σ(f) ⊙ c_{t-1} + σ(i) ⊙ tanh(g)
        h_t = σ(o) ⊙ tanh(BN_t(c_t))

    Equations 6 to 8 of the paper, with statistics of every time step's own, if
    `small_batch="naive"`; by default the running moments take part as `few` = 8 further rows.

    Args:
        units: width of the state.
        norm_gamma_initializer: initializer of the γ; default 0.1, as in the paper.
        norm_epsilon: added to the variance; default 1e-5.
        momentum, max_steps, statistics, input_statistics, small_batch: see
            `seqnorm.normalizers.BatchNorm`.
        **kwargs: every argument of `NormLSTMCell` beside `norm` and `variant`, and of
            `keras.layers.LSTMCell`.

    Masking:
        Inside `NormRNN` padding, which must be on the right, enters no statistic. A plain
        `keras.layers.RNN` cannot tell the cell the step or the mask; there the cell raises.

    Example:
        >>> import keras
        >>> from seqnorm import BatchNormLSTMCell, NormRNN
        >>> layer = NormRNN(BatchNormLSTMCell(8))
        >>> tuple(layer(keras.ops.ones((4, 5, 3)), training=True).shape)
        (4, 8)

    Reference:
        Cooijmans et al., "Recurrent Batch Normalization", 2016, arXiv:1603.09025.
    """


@keras.saving.register_keras_serializable(package="seqnorm")
class BatchNormGRUCell(BatchNormPreset, NormGRUCell):
    """GRU cell with recurrent batch normalisation; no paper defines one.

        z, r = σ(BN_t(x_t W_zr) + BN_t(h U_zr) + b_zr + b'_zr)
        h̃    = tanh(BN_t(x_t W_h) + r ⊙ BN_t(h U_h) + b_h + r ⊙ b'_h)
        h_t  = z ⊙ h_{t-1} + (1 - z) ⊙ h̃

    Args:
        units: width of the state.
        **kwargs: the arguments of the norm as in `BatchNormLSTMCell`; every argument of
            `NormGRUCell` beside `norm` and `variant`, and of `keras.layers.GRUCell` (reset-after
            form).

    Masking:
        Inside `NormRNN` padding, which must be on the right, enters no statistic. A plain
        `keras.layers.RNN` cannot tell the cell the step or the mask; there the cell raises.

    Example:
        >>> import keras
        >>> from seqnorm import BatchNormGRUCell, NormRNN
        >>> layer = NormRNN(BatchNormGRUCell(8))
        >>> tuple(layer(keras.ops.ones((4, 5, 3)), training=True).shape)
        (4, 8)
    """
