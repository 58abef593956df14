"""TensorFlow Addons' layer-normalised cells on Keras 3, and the GRU that Addons never had.

Addons' arguments, their order and defaults, its weight order and its numbers, so that
`new.set_weights(old.get_weights())` is all a migration takes. Every class is a setting of the
general cell; none computes anything itself.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import constraints, initializers, regularizers

from seqnorm.cells.gru import NormGRUCell
from seqnorm.cells.lstm import NormLSTMCell
from seqnorm.cells.presets import Preset, keras_arguments
from seqnorm.cells.simple_rnn import NormSimpleRNNCell
from seqnorm.normalizers import LayerNorm


class LayerNormPreset(Preset):
    """The three arguments that Addons' LSTM has beside Keras's, for the cells that share them."""

    def _settle(
        self, units: int, gamma: Any, beta: Any, epsilon: float, settled: Any, **options: Any
    ) -> None:
        """Addons' normaliser: gain and offset, although the bias makes the offset redundant."""
        norm = LayerNorm(
            epsilon=epsilon, center=True, gamma_initializer=gamma, beta_initializer=beta
        )
        super().__init__(units, {"norm": norm, **settled}, **options)
        self._remember(
            norm_gamma_initializer=initializers.serialize(norm.gamma_initializer),
            norm_beta_initializer=initializers.serialize(norm.beta_initializer),
            norm_epsilon=norm.epsilon,
        )


@keras.saving.register_keras_serializable(package="seqnorm")
class LayerNormLSTMCell(LayerNormPreset, NormLSTMCell):
    """TensorFlow Addons' `LayerNormLSTMCell` on Keras 3: the same arguments and the same numbers.

        z_t = LN(x_t W) + LN(h_{t-1} U) + b
        c_t = LN(σ(f) ⊙ c_{t-1} + σ(i) ⊙ tanh(g)),   h_t = σ(o) ⊙ tanh(c_t)

    The *normalised* cell state is carried, which the paper does not do: for the paper's cell use
    `NormLSTMCell(units, "layer")`. Weights, in Addons' order: kernel, recurrent_kernel, bias, then
    γ and β of `kernel_norm`, `recurrent_norm` and `state_norm`.

    Args:
        units: width of the state.
        activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, unit_forget_bias, kernel_regularizer, recurrent_regularizer,
            bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout: as in `keras.layers.LSTMCell`. With `recurrent_dropout` each gate
            gets its own mask (Keras's meaning); Addons used one for all.
        norm_gamma_initializer: initializer of the three γ.
        norm_beta_initializer: initializer of the three β.
        norm_epsilon: added to the variance; Addons' 1e-3, where the paper's code has 1e-5.
        **kwargs: `seed`; `sites`, `placement`, `zoneout` and `forget_bias` of `NormLSTMCell`; the
            Keras layer's `name`, `dtype`, `trainable`.

    Raises:
        ValueError: for what the cell settles itself (`norm`, `cell_norm`, `variant`), and as
            `NormLSTMCell` does.

    Masking:
        A cell knows no mask; the layer around it keeps output and states at masked steps.

    Example:
        >>> import keras
        >>> from seqnorm import LayerNormLSTMCell, NormRNN
        >>> layer = NormRNN(LayerNormLSTMCell(8), return_sequences=True)
        >>> tuple(layer(keras.ops.ones((2, 5, 3))).shape)
        (2, 5, 8)
    """

    SETTLED = ("norm", "cell_norm", "variant")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        norm_gamma_initializer: Any = "ones",
        norm_beta_initializer: Any = "zeros",
        norm_epsilon: float = 1e-3,
        **kwargs: Any,
    ):
        of_keras = keras_arguments(
            locals(), "norm_gamma_initializer", "norm_beta_initializer", "norm_epsilon"
        )
        self._settle(
            units,
            norm_gamma_initializer,
            norm_beta_initializer,
            norm_epsilon,
            {"cell_norm": "carry"},
            **of_keras,
            **kwargs,
        )


@keras.saving.register_keras_serializable(package="seqnorm")
class LayerNormGRUCell(LayerNormPreset, NormGRUCell):
    """The GRU that Addons never had, in the manner of its LSTM.

        z, r = σ(LN(x_t W_zr) + LN(h U_zr) + b_zr + b'_zr)
        h̃    = tanh(LN(x_t W_h) + r ⊙ LN(h U_h) + b_h + r ⊙ b'_h)
        h_t  = z ⊙ h_{t-1} + (1 - z) ⊙ h̃

    `NormGRUCell` with LN over z, r and over the candidate, both with γ and β. Weights: kernel,
    recurrent_kernel, bias, then γ and β of `kernel_gates_norm`, `kernel_candidate_norm`,
    `recurrent_gates_norm` and `recurrent_candidate_norm`.

    Args:
        units: width of the state.
        norm_gamma_initializer: initializer of the γ.
        norm_beta_initializer: initializer of the β.
        norm_epsilon: added to the variance; 1e-3 as in the LSTM.
        **kwargs: every argument of `keras.layers.GRUCell` (reset-after form), and of `NormGRUCell`
            those beside `norm` and `variant`, which raise a ValueError.

    Masking:
        A cell knows no mask; the layer around it keeps output and state at masked steps.

    Example:
        >>> import keras
        >>> from seqnorm import LayerNormGRUCell, NormRNN
        >>> tuple(NormRNN(LayerNormGRUCell(8))(keras.ops.ones((2, 5, 3))).shape)
        (2, 8)
    """

    def __init__(
        self,
        units: int,
        *,
        norm_gamma_initializer: Any = "ones",
        norm_beta_initializer: Any = "zeros",
        norm_epsilon: float = 1e-3,
        **kwargs: Any,
    ):
        self._settle(
            units, norm_gamma_initializer, norm_beta_initializer, norm_epsilon, {}, **kwargs
        )


@keras.saving.register_keras_serializable(package="seqnorm")
class LayerNormSimpleRNNCell(Preset, NormSimpleRNNCell):
    """TensorFlow Addons' `LayerNormSimpleRNNCell` on Keras 3: the same arguments, the same numbers.

        h_t = tanh(LN(x_t W + h_{t-1} U; γ) + b)

    Weights, in Addons' order: kernel, recurrent_kernel, bias, γ.

    Args:
        units: width of the state.
        activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint,
            recurrent_constraint, bias_constraint, dropout, recurrent_dropout: as in
            `keras.layers.SimpleRNNCell`.
        layernorm_epsilon: added to the variance; 1e-5, unlike Addons' LSTM.
        gamma_initializer, gamma_regularizer, gamma_constraint: of γ.
        **kwargs: `seed`; `zoneout` of `NormSimpleRNNCell`; the Keras layer's `name`, `dtype`,
            `trainable`.

    Raises:
        ValueError: for what the cell settles itself (`norm`, `placement`, `variant`).

    Masking:
        A cell knows no mask; the layer around it keeps output and state at masked steps.

    Example:
        >>> import keras
        >>> from seqnorm import LayerNormSimpleRNNCell, NormRNN
        >>> tuple(NormRNN(LayerNormSimpleRNNCell(8))(keras.ops.ones((2, 5, 3))).shape)
        (2, 8)
    """

    SETTLED = ("norm", "placement", "variant")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        layernorm_epsilon: float = 1e-5,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        gamma_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        gamma_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ):
        of_gamma = ("gamma_initializer", "gamma_regularizer", "gamma_constraint")
        of_keras = keras_arguments(locals(), "layernorm_epsilon", *of_gamma)
        norm = LayerNorm(
            epsilon=layernorm_epsilon,
            center=False,
            gamma_initializer=gamma_initializer,
            gamma_regularizer=gamma_regularizer,
            gamma_constraint=gamma_constraint,
        )
        super().__init__(units, {"norm": norm, "placement": "joint"}, **of_keras, **kwargs)
        self._remember(
            layernorm_epsilon=norm.epsilon,
            gamma_initializer=initializers.serialize(norm.gamma_initializer),
            gamma_regularizer=regularizers.serialize(norm.gamma_regularizer),
            gamma_constraint=constraints.serialize(norm.gamma_constraint),
        )
