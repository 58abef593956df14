"""The gated recurrent unit."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from seqnorm.cells.base import LAYER, NormCell
from seqnorm.cells.sites import Site, SiteNorms
from seqnorm.kernels import KernelCell


@keras.saving.register_keras_serializable(package="seqnorm")
class NormGRUCell(NormCell, keras.layers.GRUCell):
    """Gated recurrent unit (reset-after form) with a normaliser inside each step.

        z, r = σ(N(x_t W_zr) + N(h U_zr) + b_zr + b'_zr)
        h̃    = tanh(N(x_t W_h) + r ⊙ N(h U_h) + b_h + r ⊙ b'_h)
        h_t  = z ⊙ h_{t-1} + (1 - z) ⊙ h̃

    The layer-normalised GRU of Ba et al. (2016, supplement), z meaning what it means in Keras and
    in the authors' code. b and b' are the two rows of Keras's bias. Gates lie in Keras's order
    (z, r, h), so weights can be copied across. The reset gate acts after the product, where h U can
    be normalised before r is known; the other form is not offered.

    Args:
        units: width H of the state.
        norm: a normaliser's name, dict or object, as `seqnorm.normalizers.get` takes them; default
            "layer". "none" or None normalises nothing.
        gate_norm: "split", one norm over z, r (2H features) and one over the candidate (H), as in
            the paper; "fused", one over all 3H, as in haste. Default "split".
        placement: "separate" as above; "joint" normalises x W_zr + h U_zr and x W_h + r ⊙ h U_h
            (always split, since r must be known).
        **kwargs: `variant`, `sites` ("input", "recurrent"), `zoneout`, `init_state` and
            `init_stddev` of `NormCell`; every argument of `keras.layers.GRUCell` with its default,
            except `reset_after=False`.

    Call arguments:
        inputs: float[batch, features].
        states: [h], float[batch, units].
        training: whether dropout is on.

    Masking:
        A cell knows no mask. Inside `NormRNN` a masked step keeps output and state.

    Raises:
        ValueError: for `reset_after=False`, or an unknown `gate_norm`, variant, site or placement.

    Examples:
        >>> import numpy as np
        >>> from seqnorm import NormGRUCell, NormRNN
        >>> tuple(NormRNN(NormGRUCell(8, "layer"))(np.ones((2, 5, 3), "float32")).shape)
        (2, 8)

    Reference:
        Ba, Kiros and Hinton, "Layer Normalization", 2016, arXiv:1607.06450.
    """

    NAME = "gru"
    SITES: ClassVar = {
        "input": Site("kernel_norm", 3, center=False),
        "input_gates": Site("kernel_gates_norm", 2, center=False),
        "input_candidate": Site("kernel_candidate_norm", 1, center=False),
        "recurrent": Site("recurrent_norm", 3, center=False),
        "recurrent_gates": Site("recurrent_gates_norm", 2, center=False),
        "recurrent_candidate": Site("recurrent_candidate_norm", 1, center=False),
        "joint_gates": Site("joint_gates_norm", 2, center=False),
        "joint_candidate": Site("joint_candidate_norm", 1, center=False),
    }
    OPTIONS: ClassVar = {**NormCell.OPTIONS, "gate_norm": "split"}
    CHOICES: ClassVar = {**NormCell.CHOICES, "gate_norm": ("split", "fused")}

    def __init__(
        self, units: int, norm: Any = LAYER, *, gate_norm: str | None = None, **kwargs: Any
    ):
        if not kwargs.get("reset_after", True):
            raise ValueError(
                "NormGRUCell has the reset-after form only: h U is normalised before the reset "
                "gate is known. Received: reset_after=False. Leave it out, or use keras.layers.GRU."
            )
        super().__init__(units, norm, gate_norm=gate_norm, **kwargs)

    def normalized_sites(self) -> set[str]:
        """Names in `SITES` that hold the normaliser, one per part where norms are split."""
        sites = super().normalized_sites()
        if self.gate_norm == "fused" and self.placement == "separate":
            return sites
        return {f"{site}_{part}" for site in sites for part in ("gates", "candidate")}

    def project(self, inputs: Any, norm: SiteNorms) -> tuple[Any, Any]:
        """N(x W) as two tensors, the part of the gates and that of the candidate."""
        return self._parts("input", super().project(inputs, norm), norm)

    def _parts(self, site: str, x: Any, norm: SiteNorms) -> tuple[Any, Any]:
        """The part of the two gates and that of the candidate, each normalised."""
        cut = 2 * self.units
        return norm(f"{site}_gates", x[..., :cut]), norm(f"{site}_candidate", x[..., cut:])

    def _biases(self) -> tuple[Any, Any, Any]:
        """b_zr + b'_zr, b_h and b'_h; zeros where the cell has no bias."""
        if self.bias is None:
            return 0.0, 0.0, 0.0
        cut = 2 * self.units
        b, b_reset = self.bias[0], self.bias[1]
        return b[:cut] + b_reset[:cut], b[cut:], b_reset[cut:]

    def step(
        self, a_t: tuple[Any, Any], states: list[Any], norm: SiteNorms
    ) -> tuple[Any, list[Any]]:
        """a_t = N(x_t W) and [h] to h and [h]."""
        (h,), (a_gates, a) = states, a_t
        b_gates, b, b_reset = self._biases()
        u_gates, u = self._parts("recurrent", self.recurrent(h, norm), norm)
        gates = norm("joint_gates", a_gates + u_gates) + b_gates
        z, r = ops.split(self.recurrent_activation(gates), 2, axis=-1)
        candidate = norm("joint_candidate", a + r * u) + b + r * b_reset
        h = z * h + (1 - z) * self.activation(candidate)
        return h, [h]

    def to_kernel(self) -> KernelCell:
        """A product has one norm, or that of the gates and that of the candidate side by side."""
        return KernelCell(
            "gru",
            tanh=(self.activation,),
            sigmoid=(self.recurrent_activation,),
            input=("input", "input_gates", "input_candidate"),
            recurrent=("recurrent", "recurrent_gates", "recurrent_candidate"),
        )

    def kernel_offsets(self) -> tuple[Any, Any]:
        """The two rows of the bias, b and b'."""
        return (None, None) if self.bias is None else (self.bias[0], self.bias[1])
