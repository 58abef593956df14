"""Weights of other libraries' recurrent layers, as the list that `set_weights` takes.

Each function takes the source's arrays under the source's own names (a PyTorch `state_dict()`, the
variables of a TensorFlow checkpoint) and says which of our layers they fit. Only NumPy is needed:
neither Keras nor the source library is imported. TensorFlow Addons' cells need no function here,
because `new.set_weights(old.get_weights())` already works.

Below, E is the number of input features, H the number of units, T the gates times H.

Examples:
    >>> import numpy as np
    >>> from seqnorm import NormLSTM, migrate
    >>> state = {"weight_ih_l0": np.ones((16, 3)), "weight_hh_l0": np.ones((16, 4))}
    >>> state |= {"bias_ih_l0": np.ones(16), "bias_hh_l0": np.ones(16)}
    >>> layer = NormLSTM(4, norm="none")
    >>> layer.build((None, None, 3))
    >>> layer.set_weights(migrate.torch_lstm(state))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

# Keras's gate orders; c is the candidate, which others call g or j, and h that of the GRU.
LSTM_GATES, GRU_GATES = "ifco", "zrh"
_NO_NORM = {
    "bias": "A cell made with layer_norm=False has no norm: docs/migration.md names its equivalent."
}
_PEEPHOLES = {
    name: "There are no peepholes here: train anew without them."
    for name in ("w_f_diag", "w_i_diag", "w_o_diag")
}
_PROJECTION = "There is no projection of the output (proj_size) here: train anew without it."


class _Source:
    """The weights of one cell of another library, each checked as it is taken.

    Args:
        cell: the source's name for the cell, for messages.
        weights: arrays by name.
        prefix: what stands before the cell's own names.
        refused: names that only a setting has that our cell does not know, each with what to say.
    """

    def __init__(
        self, cell: str, weights: Mapping[str, Any], prefix: str, refused: Mapping[str, str] = {}
    ):
        self.cell, self.weights, self.prefix = cell, weights, prefix
        for name, reason in refused.items():
            if prefix + name in weights:
                raise ValueError(
                    f"{cell} needs weights that have a place here. "
                    f"Received: weights with {prefix + name}. {reason}"
                )

    def __call__(self, name: str, *shape: int | None) -> Array:
        """The array of that name, which must have `shape` (None: any length)."""
        name = self.prefix + name
        if name not in self.weights:
            raise ValueError(
                f"{self.cell} needs a weight called {name!r}. "
                f"Received: weights={sorted(self.weights)}. "
                "Keep the source's names, and pass what stands before them as `prefix`."
            )
        array = np.asarray(self.weights[name])
        fits = [n is None or n == m for n, m in zip(shape, array.shape, strict=False)]
        if len(shape) != array.ndim or not all(fits):
            wanted = ", ".join("any" if n is None else str(n) for n in shape)
            raise ValueError(
                f"{name!r} of {self.cell} must have shape ({wanted}). "
                f"Received: shape={array.shape}. Pass the weights of one cell, unchanged."
            )
        return array

    def joined_kernel(self, name: str, units: int) -> tuple[Array, Array]:
        """W [E, T] and U [H, T] of a kernel of [x, h] side by side, [E + H, T]."""
        kernel = self(name, None, len(LSTM_GATES) * units)
        if len(kernel) <= units:
            raise ValueError(
                f"{self.prefix + name!r} of {self.cell} must have more than {units} rows, those of "
                f"x and then {units} of h. Received: shape={kernel.shape}. "
                "Pass the weights of one cell, unchanged."
            )
        return kernel[:-units], kernel[-units:]


def _reorder(array: Array, source: str, target: str) -> Array:
    """The blocks of the last axis, which lie in the order `source`, in the order `target`."""
    blocks = dict(zip(source, np.split(array, len(source), axis=-1), strict=True))
    return np.concatenate([blocks[gate] for gate in target], axis=-1)


def contrib_lstm(weights: Mapping[str, Any], prefix: str = "") -> list[Array]:
    """Weights of TensorFlow 1's `contrib.rnn.LayerNormBasicLSTMCell` (gates i, j, f, o).

    They fit `NormLSTM(H, variant="contrib", forget_bias=...)` and its cell.

    Args:
        weights: `kernel` [E + H, 4H]; `gamma` and `beta` [H] of the scopes `input/`, `transform/`,
            `forget/`, `output/` and `state/`.
        prefix: scope of the cell, such as "rnn/layer_norm_basic_lstm_cell/".

    Returns:
        kernel, recurrent_kernel, then γ and β of `joint_norm` and `state_norm`.

    Raises:
        ValueError: for a missing name, a wrong shape, or a cell made with `layer_norm=False`.
    """
    source = _Source("LayerNormBasicLSTMCell", weights, prefix, refused=_NO_NORM)
    (units,) = source("state/gamma", None).shape
    products = [_reorder(k, "icfo", LSTM_GATES) for k in source.joined_kernel("kernel", units)]
    scopes = ("input", "forget", "transform", "output")
    gamma, beta = (
        np.concatenate([source(f"{scope}/{name}", units) for scope in scopes])
        for name in ("gamma", "beta")
    )
    return [*products, gamma, beta, source("state/gamma", units), source("state/beta", units)]


def haste_lstm(weights: Mapping[str, Any], prefix: str = "") -> list[Array]:
    """Weights of haste's `LayerNormLSTM`, for TensorFlow or PyTorch (gates i, g, f, o).

    They fit `NormLSTM(H, variant="haste")` and its cell.

    Args:
        weights: `kernel` [E, 4H], `recurrent_kernel` [H, 4H], `bias` [4H], `gamma` [2, 4H],
            `gamma_h` and `beta_h` [H]: what `state_dict()` gives in PyTorch, and in TensorFlow
            `layer.fw_layer.get_weights()`.
        prefix: what stands before these names.

    Returns:
        kernel, recurrent_kernel, bias, γ of `kernel_norm` and of `recurrent_norm`, γ and β of
        `state_norm`.

    Raises:
        ValueError: for a missing name or a wrong shape.
    """
    source = _Source("haste's LayerNormLSTM", weights, prefix)
    (units,) = source("gamma_h", None).shape
    width = 4 * units
    gated = (
        source("kernel", None, width),
        source("recurrent_kernel", units, width),
        source("bias", width),
        *source("gamma", 2, width),
    )
    return [
        *(_reorder(array, "icfo", LSTM_GATES) for array in gated),
        source("gamma_h", units),
        source("beta_h", units),
    ]


def haste_gru(weights: Mapping[str, Any], prefix: str = "") -> list[Array]:
    """Weights of haste's `LayerNormGRU`, for TensorFlow or PyTorch (gates z, r, h, as in Keras).

    They fit `NormGRU(H, variant="haste")` and its cell.

    Args:
        weights: `kernel` [E, 3H], `recurrent_kernel` [H, 3H], `bias` and `recurrent_bias` [3H],
            `gamma` [2, 3H].
        prefix: what stands before these names.

    Returns:
        kernel, recurrent_kernel, bias [2, 3H], γ of `kernel_norm` and of `recurrent_norm`.

    Raises:
        ValueError: for a missing name or a wrong shape.
    """
    source = _Source("haste's LayerNormGRU", weights, prefix)
    units = len(source("recurrent_kernel", None, None))
    width = 3 * units
    return [
        source("kernel", None, width),
        source("recurrent_kernel", units, width),
        np.stack([source("bias", width), source("recurrent_bias", width)]),
        *source("gamma", 2, width),
    ]


def fastrnns_lstm(weights: Mapping[str, Any], prefix: str = "") -> list[Array]:
    """Weights of the `LayerNormLSTMCell` of PyTorch's benchmarks/fastrnns (gates i, f, g, o).

    They fit `NormLSTM(H, variant="fastrnns")` and its cell.

    Args:
        weights: `weight_ih` [4H, E], `weight_hh` [4H, H]; `weight` and `bias` of `layernorm_i.`
            and `layernorm_h.` [4H] and of `layernorm_c.` [H].
        prefix: what stands before these names, such as "layers.0.cell.".

    Returns:
        kernel, recurrent_kernel, then γ and β of `kernel_norm`, `recurrent_norm`, `state_norm`.

    Raises:
        ValueError: for a missing name or a wrong shape.
    """
    source = _Source("fastrnns' LayerNormLSTMCell", weights, prefix)
    (units,) = source("layernorm_c.weight", None).shape
    norms = (("i", 4 * units), ("h", 4 * units), ("c", units))
    return [
        source("weight_ih", 4 * units, None).T,
        source("weight_hh", 4 * units, units).T,
        *(source(f"layernorm_{n}.{w}", size) for n, size in norms for w in ("weight", "bias")),
    ]


def sonnet1_lstm(weights: Mapping[str, Any], prefix: str = "") -> list[Array]:
    """Weights of Sonnet 1's `snt.LSTM(use_layer_norm=True)` (gates i, j, f, o).

    They fit `NormLSTM(H, variant="sonnet1", forget_bias=...)` and its cell.

    Args:
        weights: `w_gates` [E + H, 4H], `b_gates` [4H], `layer_norm/gamma` and `layer_norm/beta`
            [4H].
        prefix: scope of the module, such as "lstm/".

    Returns:
        kernel, recurrent_kernel, bias, γ and β of `joint_norm`.

    Raises:
        ValueError: for a missing name, a wrong shape, or a cell with peepholes.
    """
    source = _Source("Sonnet's LSTM(use_layer_norm=True)", weights, prefix, _PEEPHOLES)
    width = len(source("b_gates", None))
    units = width // len(LSTM_GATES)
    gated = (
        *source.joined_kernel("w_gates", units),
        source("b_gates", 4 * units),
        source("layer_norm/gamma", 4 * units),
        source("layer_norm/beta", 4 * units),
    )
    return [_reorder(array, "icfo", LSTM_GATES) for array in gated]


def torch_lstm(
    weights: Mapping[str, Any], layer: int | None = 0, reverse: bool = False, prefix: str = ""
) -> list[Array]:
    """Weights of one layer and direction of `torch.nn.LSTM` (gates i, f, g, o, as in Keras).

    They fit `NormLSTM(H, norm="none")` and `keras.layers.LSTM(H)`.

    Args:
        weights: `weight_ih_l0` [4H, E], `weight_hh_l0` [4H, H], `bias_ih_l0` and `bias_hh_l0`
            [4H], whose sum is Keras's bias.
        layer: number of the layer; None for `torch.nn.LSTMCell`, whose names have no number.
        reverse: whether to take the backward direction.
        prefix: what stands before these names.

    Returns:
        kernel, recurrent_kernel, bias; without the bias for `bias=False` (`use_bias=False`).

    Raises:
        ValueError: for a missing name, a wrong shape, or a projection (`proj_size`).
    """
    products, biases = _torch("LSTM", 4, weights, layer, reverse, prefix)
    return [*products, biases[0] + biases[1]] if biases else products


def torch_gru(
    weights: Mapping[str, Any], layer: int | None = 0, reverse: bool = False, prefix: str = ""
) -> list[Array]:
    """Weights of one layer and direction of `torch.nn.GRU` (gates r, z, n; Keras has z, r, h).

    They fit `NormGRU(H, norm="none")` and `keras.layers.GRU(H)`. Both bias vectors are kept: the
    second one of the candidate stands inside the reset gate, in PyTorch and in Keras alike.

    Args:
        weights: as for `torch_lstm`, with 3H in place of 4H.
        layer: number of the layer; None for `torch.nn.GRUCell`.
        reverse: whether to take the backward direction.
        prefix: what stands before these names.

    Returns:
        kernel, recurrent_kernel, bias [2, 3H]; without the bias for `bias=False`.

    Raises:
        ValueError: for a missing name or a wrong shape.
    """
    products, biases = _torch("GRU", 3, weights, layer, reverse, prefix)
    arrays = [*products, np.stack(biases)] if biases else products
    return [_reorder(array, "rzh", GRU_GATES) for array in arrays]


def _torch(
    name: str, gates: int, weights: Mapping[str, Any], layer: int | None, reverse: bool, prefix: str
) -> tuple[list[Array], list[Array]]:
    """W [E, T] and U [H, T], and the two bias vectors [T] or none, in PyTorch's gate order."""
    end = "" if layer is None else f"_l{layer}" + "_reverse" * reverse
    source = _Source(f"torch.nn.{name}", weights, prefix, {f"weight_hr{end}": _PROJECTION})
    units = source(f"weight_hh{end}", None, None).shape[1]
    width = gates * units
    products = [source(f"weight_ih{end}", width, None).T, source(f"weight_hh{end}", width, units).T]
    if prefix + f"bias_ih{end}" not in weights:
        return products, []
    return products, [source(f"bias_{side}{end}", width) for side in ("ih", "hh")]
