"""The simple recurrent cell."""

from __future__ import annotations

from typing import Any, ClassVar

import keras

from seqnorm.cells.base import NormCell
from seqnorm.cells.sites import Site, SiteNorms
from seqnorm.kernels import KernelCell


@keras.saving.register_keras_serializable(package="seqnorm")
class NormSimpleRNNCell(NormCell, keras.layers.SimpleRNNCell):
    """Fully connected recurrence with a normaliser inside each step.

        h_t = tanh(N(x_t W) + N(h_{t-1} U) + b)       placement="separate"
        h_t = tanh(N(x_t W + h_{t-1} U) + b)          placement="joint"

    The joint form with N = LN is equation 4 of Ba et al. (2016).

    Args:
        units: width H of the state.
        norm: a normaliser's name, dict or object, as `seqnorm.normalizers.get` takes them; default
            "layer". "none" or None normalises nothing.
        **kwargs: `variant`, `sites` ("input", "recurrent"), `placement`, `zoneout`, `init_state`
            and `init_stddev` of `NormCell`; every argument of `keras.layers.SimpleRNNCell` with its
            default.

    Call arguments:
        inputs: float[batch, features].
        states: [h], float[batch, units].
        training: whether dropout is on.

    Masking:
        A cell knows no mask. Inside `NormRNN` a masked step keeps output and state.

    Examples:
        >>> import numpy as np
        >>> from seqnorm import NormRNN, NormSimpleRNNCell
        >>> tuple(NormRNN(NormSimpleRNNCell(8, "rms"))(np.ones((2, 5, 3), "float32")).shape)
        (2, 8)

    Reference:
        Ba, Kiros and Hinton, "Layer Normalization", 2016, arXiv:1607.06450.
    """

    NAME = "simple_rnn"
    SITES: ClassVar = {
        "input": Site("kernel_norm", 1, center=False),
        "recurrent": Site("recurrent_norm", 1, center=False),
        "joint": Site("joint_norm", 1, center=False),
    }

    def step(self, a_t: Any, states: list[Any], norm: SiteNorms) -> tuple[Any, list[Any]]:
        """a_t = N(x_t W) and [h] to h and [h]."""
        (h,) = states
        h = self.activation(self.preactivation(a_t, h, norm))
        return h, [h]

    def to_kernel(self) -> KernelCell:
        """One tanh."""
        return KernelCell("simple_rnn", tanh=(self.activation,))
