"""The LSTM cell."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from seqnorm.cells.base import LAYER, NormCell
from seqnorm.cells.sites import Site, SiteNorms
from seqnorm.kernels import KernelCell


@keras.saving.register_keras_serializable(package="seqnorm")
class NormLSTMCell(NormCell, keras.layers.LSTMCell):
    """Long short-term memory with a normaliser inside each step.

        z_t = N(x_t W) + N(h_{t-1} U) + b,   split into i, f, g, o
        c_t = σ(f) ⊙ c_{t-1} + σ(i) ⊙ tanh(g)
        h_t = σ(o) ⊙ tanh(N(c_t))

    The layer-normalised LSTM of Ba et al. (2016, supplement) for N = LN, recurrent batch
    normalisation of Cooijmans et al. (2016, equations 6 to 8) for N = BN. The bias, with the forget
    gate's 1, is added after the norms, which would otherwise take it out again. Gates lie in
    Keras's order (i, f, c, o), so weights can be copied across.

    Args:
        units: width H of the state.
        norm: a normaliser's name, dict or object, as `seqnorm.normalizers.get` takes them; default
            "layer". "none" or None normalises nothing.
        cell_norm: what becomes of the normalised cell state: "output", N(c) only on the way to h
            while c is carried raw (the papers); "carry", N(c) is also what the next step gets
            (TensorFlow Addons, PyTorch's fastrnns); "none", c is not normalised. Default "output".
        forget_bias: a constant added to the forget gate after the norms, in every step (TensorFlow
            1, Sonnet); `unit_forget_bias` instead initialises the trained bias. Default 0.
        variant, sites, placement, zoneout, init_state, init_stddev: see `NormCell`.
        **kwargs: every argument of `keras.layers.LSTMCell` with its default: activation,
            recurrent_activation, use_bias, initializers, unit_forget_bias, regularizers,
            constraints, dropout, recurrent_dropout, seed.

    Call arguments:
        inputs: float[batch, features].
        states: [h, c], each float[batch, units].
        training: whether dropout is on.

    Masking:
        A cell knows no mask. Inside `NormRNN` a masked step keeps output and states.

    Raises:
        ValueError: for an unknown `cell_norm`, variant, site or placement.

    Examples:
        >>> import numpy as np
        >>> from seqnorm import NormLSTMCell, NormRNN
        >>> layer = NormRNN(NormLSTMCell(8, norm="layer"), return_sequences=True)
        >>> tuple(layer(np.ones((2, 5, 3), "float32")).shape)
        (2, 5, 8)

    References:
        Ba, Kiros and Hinton, "Layer Normalization", 2016, arXiv:1607.06450.
        Cooijmans et al., "Recurrent Batch Normalization", 2016, arXiv:1603.09025.
    """

    NAME = "lstm"
    SITES: ClassVar = {
        "input": Site("kernel_norm", 4, center=False),
        "recurrent": Site("recurrent_norm", 4, center=False),
        "joint": Site("joint_norm", 4, center=False),
        "carry": Site("state_norm", 1, center=True),
        "output": Site("state_norm", 1, center=True),
    }
    SELECTABLE = ("input", "recurrent", "state")
    OPTIONS: ClassVar = {**NormCell.OPTIONS, "cell_norm": "output", "forget_bias": 0.0}
    CHOICES: ClassVar = {**NormCell.CHOICES, "cell_norm": ("output", "carry", "none")}

    def __init__(
        self,
        units: int,
        norm: Any = LAYER,
        *,
        cell_norm: str | None = None,
        forget_bias: float | None = None,
        **kwargs: Any,
    ):
        super().__init__(units, norm, cell_norm=cell_norm, forget_bias=forget_bias, **kwargs)

    def normalized_sites(self) -> set[str]:
        """Names in `SITES` that get the normaliser; "state" stands for what `cell_norm` says."""
        sites = super().normalized_sites()
        return sites - {"state"} | ({self.cell_norm} if "state" in sites else set())

    def offset(self) -> Any:
        """The bias b plus the constant of the forget gate."""
        if not self.forget_bias:
            return self.bias
        of_gates = ops.convert_to_tensor([0.0, self.forget_bias, 0.0, 0.0], self.compute_dtype)
        constant = ops.repeat(of_gates, self.units)
        return constant if self.bias is None else self.bias + constant

    def step(self, a_t: Any, states: list[Any], norm: SiteNorms) -> tuple[Any, list[Any]]:
        """a_t = N(x_t W) and [h, c] to h and [h, c]."""
        h, c = states
        z = self.preactivation(a_t, h, norm)
        i, f, g, o = ops.split(z, 4, axis=-1)
        i, f, o = (self.recurrent_activation(gate) for gate in (i, f, o))
        c = norm("carry", f * c + i * self.activation(g))
        h = o * self.activation(norm("output", c))
        return h, [h, c]

    def to_kernel(self) -> KernelCell:
        """The state c is normalised at one of two sites, which says what is carried."""
        return KernelCell(
            "lstm",
            tanh=(self.activation,),
            sigmoid=(self.recurrent_activation,),
            state=("carry", "output"),
            carry="carry" in self.normalized_sites(),
        )
