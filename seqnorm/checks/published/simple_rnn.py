"""The SimpleRNN cells; site joint."""

from __future__ import annotations

import numpy as np

from seqnorm.checks.published.step import (
    Array,
    Result,
    States,
    Weights,
    bias_of,
    ln,
    no_beta,
    no_bias,
)


def simple_rnn_paper(x_t: Array, states: States, w: Weights, epsilon: float = 1e-5) -> Result:
    """Ba et al. 2016 (arXiv 1607.06450), eq. 4: a = h U + x W; h = tanh(LN(a; g, b))."""
    no_bias(w, "paper SimpleRNN")
    a = states[0] @ w.recurrent_kernel + x_t @ w.kernel
    h = np.tanh(ln(a, w, "joint", epsilon))
    return h, (h,)


def simple_rnn_addons(x_t: Array, states: States, w: Weights, epsilon: float = 1e-5) -> Result:
    """TensorFlow Addons, LayerNormSimpleRNNCell: h = tanh(LN(x W + h U; gamma) + b), no beta."""
    no_beta(w, "addons SimpleRNN")
    h = np.tanh(
        ln(x_t @ w.kernel + states[0] @ w.recurrent_kernel, w, "joint", epsilon) + bias_of(w)
    )
    return h, (h,)
