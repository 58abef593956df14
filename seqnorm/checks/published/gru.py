"""The GRU cells; sites input, recurrent, with _gates (z, r) and _candidate (h) where split."""

from __future__ import annotations

import numpy as np

from seqnorm.checks.published.step import Array, Result, States, Weights, ln, no_beta, no_bias, sig


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
