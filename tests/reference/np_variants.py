"""SimpleRNN and GRU cells that are called "layer-normalised" elsewhere, and all by name.

Nothing here uses np_cells or np_norms, so the two check each other. Every function is one step,
variant(x_t [B, E], states, weights, epsilon) -> (h [B, H], states), without dropout. Weights are
in Keras's gate order (LSTM i, f, c, o; GRU z, r, h) whatever order the source uses. A gain that
weights.gammas does not hold is 1 (hou: 0.1), an offset that weights.betas does not hold is 0.
Sites: input, recurrent, joint, for the GRU with _gates (z, r) and _candidate (h).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.reference.np_statistics import Array
from tests.reference.np_variant_tools import Result, States, bias_of, ln, no_beta, no_bias, sig
from tests.reference.np_variants_lstm import (
    lstm_addons,
    lstm_contrib,
    lstm_fastrnns,
    lstm_haste,
    lstm_hou,
    lstm_paper,
    lstm_sonnet1,
)
from tests.reference.np_weights import Weights

Variant = Callable[..., Result]


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


def gru_paper(x_t: Array, states: States, w: Weights, epsilon: float = 1e-5) -> Result:
    """Ba et al. 2016 (arXiv 1607.06450), supplement, the layer-normalised GRU.

    (z, r) = LN(h W_h; a1, b1) + LN(x W_x; a2, b2), each over 2H
    hh = tanh(LN(x W; a3, b3) + sig(r) * LN(h U; a4, b4)), each over H
    The paper prints h = (1 - sig(z)) h_prev + sig(z) hh; the authors' code has h = sig(z) h_prev +
    (1 - sig(z)) hh, which is Keras's meaning of z and is followed here. No bias beside b1..b4.
    Sites: recurrent_gates, input_gates, input_candidate, recurrent_candidate.
    """
    no_bias(w, "paper GRU")
    (h_prev,) = states
    two = 2 * h_prev.shape[1]
    zr = ln(h_prev @ w.recurrent_kernel[:, :two], w, "recurrent_gates", epsilon)
    zr = zr + ln(x_t @ w.kernel[:, :two], w, "input_gates", epsilon)
    z, r = np.split(zr, 2, axis=1)
    from_input = ln(x_t @ w.kernel[:, two:], w, "input_candidate", epsilon)
    from_state = ln(h_prev @ w.recurrent_kernel[:, two:], w, "recurrent_candidate", epsilon)
    hh = np.tanh(from_input + sig(r) * from_state)
    h = sig(z) * h_prev + (1.0 - sig(z)) * hh
    return h, (h,)


def gru_haste(x_t: Array, states: States, w: Weights, epsilon: float = 1e-5) -> Result:
    """Haste (lmnt-com/haste), LayerNormGRU: one norm over 3H on each side, gains only.

    Wx = LN(x K; gamma_0, 0) + b;  Rh = LN(h R; gamma_1, 0) + b_r;  z, r = sig(Wx + Rh)
    g = tanh(Wx_g + r * Rh_g);  h = z h_prev + (1 - z) g.
    """
    no_beta(w, "haste GRU")
    (h_prev,) = states
    b, b_r = (np.zeros(1), np.zeros(1)) if w.bias is None else w.bias
    x_z, x_r, x_g = np.split(ln(x_t @ w.kernel, w, "input", epsilon) + b, 3, axis=1)
    rh = ln(h_prev @ w.recurrent_kernel, w, "recurrent", epsilon) + b_r
    h_z, h_r, h_g = np.split(rh, 3, axis=1)
    z, r = sig(h_z + x_z), sig(h_r + x_r)
    h = z * h_prev + (1.0 - z) * np.tanh(x_g + r * h_g)
    return h, (h,)


VARIANTS: dict[tuple[str, str], Variant] = {
    ("simple_rnn", "paper"): simple_rnn_paper,
    ("simple_rnn", "addons"): simple_rnn_addons,
    ("lstm", "paper"): lstm_paper,
    ("lstm", "addons"): lstm_addons,
    ("lstm", "contrib"): lstm_contrib,
    ("lstm", "fastrnns"): lstm_fastrnns,
    ("lstm", "haste"): lstm_haste,
    ("lstm", "hou"): lstm_hou,
    ("lstm", "sonnet1"): lstm_sonnet1,
    ("gru", "paper"): gru_paper,
    ("gru", "haste"): gru_haste,
}


def as_step(variant: Variant, weights: Weights, **options: float) -> Variant:
    """The variant as a step for np_layers.run_layer (its norms are its own; pass none there)."""

    def step(x_t: Array, states: States, norms: object = None) -> Result:
        return variant(x_t, states, weights, **options)

    return step
