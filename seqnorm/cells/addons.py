"""TensorFlow Addons' layer-normalised cells on Keras 3.

Addons' arguments, their order and defaults, its weight order and its numbers, so that
`new.set_weights(old.get_weights())` is all a migration takes. Both classes are settings of the
general cell and compute nothing themselves.
"""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import constraints, initializers, regularizers

from seqnorm.cells.base import LAYER, NormCell
from seqnorm.cells.lstm import NormLSTMCell
from seqnorm.cells.simple_rnn import NormSimpleRNNCell
from seqnorm.normalizers import LayerNorm
from seqnorm.signatures import NamedArguments, constructors


def _as_published(options: dict[str, Any]) -> dict[str, Any]:
    """The options with the first state of Addons, zeros with their exact gradient, as default."""
    return {**options, "init_state": options.get("init_state") or "zeros"}


class AddonsCell(NormCell):
    """A cell whose normaliser is settled; its config holds Addons' arguments.

    Subclasses state in `SETTLED` which options of the general cell they settle, and call
    `_remember` with Addons' own arguments, serialised.

    Args:
        units: width of the state.
        settled: the values of these options.
        **options: of the general cell, as they were given.

    Raises:
        ValueError: if the options hold one that is settled, or a `variant`.
    """

    SETTLED: ClassVar[tuple[str, ...]] = ("norm", "variant")

    __signature__ = NamedArguments(constructors, lambda cell: (*cell.SETTLED, "settled"))

    def __init__(self, units: int, settled: dict[str, Any], **options: Any):
        left_out = {name: LAYER if name == "norm" else None for name in self.SETTLED}
        refused = [n for n, default in left_out.items() if options.get(n, default) is not default]
        if refused:
            name = self.__class__.__name__
            raise ValueError(
                f"{name} settles {', '.join(self.SETTLED)} itself. Received: "
                f"{', '.join(f'{key}={options[key]!r}' for key in refused)}. Leave it out, or use "
                f"{name.replace('LayerNorm', 'Norm')}, which takes it."
            )
        super().__init__(units, **{**options, **settled})  # an option that is None is left open

    def _remember(self, **own: Any) -> None:
        # Past Keras's tracking, which would wrap the dict.
        object.__setattr__(self, "_own", own)

    def get_config(self) -> dict[str, Any]:
        """The general cell's arguments that are still open, and Addons' own."""
        config = super().get_config()
        return {**{k: v for k, v in config.items() if k not in self.SETTLED}, **self._own}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The cell that `get_config` described."""
        return cls(**config)


@keras.saving.register_keras_serializable(package="seqnorm")
class LayerNormLSTMCell(AddonsCell, NormLSTMCell):
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
        **kwargs: `seed`; `sites`, `placement`, `zoneout` and `forget_bias` of `NormLSTMCell`, and
            its `init_state`, here "zeros" by default as in Addons: pass "rest" for sequences that
            begin with zeros; the Keras layer's `name`, `dtype`, `trainable`.

    Raises:
        ValueError: for what the cell settles itself (`norm`, `cell_norm`, `variant`), and as
            `NormLSTMCell` does.

    Masking:
        A cell knows no mask; the layer around it keeps output and states at masked steps.

    Examples:
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
        norm = LayerNorm(
            epsilon=norm_epsilon,
            center=True,  # although the bias makes the offset of a gate redundant
            gamma_initializer=norm_gamma_initializer,
            beta_initializer=norm_beta_initializer,
        )
        super().__init__(
            units,
            {"norm": norm, "cell_norm": "carry"},
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            **_as_published(kwargs),
        )
        self._remember(
            norm_gamma_initializer=initializers.serialize(norm.gamma_initializer),
            norm_beta_initializer=initializers.serialize(norm.beta_initializer),
            norm_epsilon=norm.epsilon,
        )


@keras.saving.register_keras_serializable(package="seqnorm")
class LayerNormSimpleRNNCell(AddonsCell, NormSimpleRNNCell):
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
        **kwargs: `seed`; `zoneout` of `NormSimpleRNNCell` and its `init_state`, here "zeros" by
            default; the Keras layer's `name`, `dtype`, `trainable`.

    Raises:
        ValueError: for what the cell settles itself (`norm`, `placement`, `variant`).

    Masking:
        A cell knows no mask; the layer around it keeps output and state at masked steps.

    Examples:
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
        norm = LayerNorm(
            epsilon=layernorm_epsilon,
            center=False,
            gamma_initializer=gamma_initializer,
            gamma_regularizer=gamma_regularizer,
            gamma_constraint=gamma_constraint,
        )
        super().__init__(
            units,
            {"norm": norm, "placement": "joint"},
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            **_as_published(kwargs),
        )
        self._remember(
            layernorm_epsilon=norm.epsilon,
            gamma_initializer=initializers.serialize(norm.gamma_initializer),
            gamma_regularizer=regularizers.serialize(norm.gamma_regularizer),
            gamma_constraint=constraints.serialize(norm.gamma_constraint),
        )
