"""The LSTM cells; sites input, recurrent, joint, state, per gate with _i, _f, _c, _o."""

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
    sig,
)


def lstm_paper(x_t: Array, states: States, w: Weights, epsilon: float = 1e-5) -> Result:
    """Ba et al. 2016 (arXiv 1607.06450), supplement, the layer-normalised LSTM.

    (f, i, o, g) = LN(h U; a1, b1) + LN(x W; a2, b2) + b, each LN over all 4H
    c = sig(f) * c_prev + sig(i) * tanh(g);  h = sig(o) * tanh(LN(c; a3, b3)); c itself is carried.

    The authors' code (ryankiros/layer-norm) also adds b to x W before its LN; with b = 0, where it
    starts, they agree, and here the equation is followed.
    """
    h_prev, c_prev = states
    z = ln(h_prev @ w.recurrent_kernel, w, "recurrent", epsilon)
    z = z + ln(x_t @ w.kernel, w, "input", epsilon) + bias_of(w)
    i, f, g, o = np.split(z, 4, axis=1)
    c = sig(f) * c_prev + sig(i) * np.tanh(g)
    h = sig(o) * np.tanh(ln(c, w, "state", epsilon))
    return h, (h, c)


def lstm_addons(x_t: Array, states: States, w: Weights, epsilon: float = 1e-3) -> Result:
    """TensorFlow Addons, LayerNormLSTMCell.

    z = LN(x K) + LN(h R) + b over 4H, all three norms with gamma and beta
    c = LN(sig(f) * c_prev + sig(i) * tanh(g)), carried normalised;  h = sig(o) * tanh(c).
    """
    h_prev, c_prev = states
    z = ln(x_t @ w.kernel, w, "input", epsilon)
    z = z + ln(h_prev @ w.recurrent_kernel, w, "recurrent", epsilon) + bias_of(w)
    i, f, g, o = np.split(z, 4, axis=1)
    c = ln(sig(f) * c_prev + sig(i) * np.tanh(g), w, "state", epsilon)
    h = sig(o) * np.tanh(c)
    return h, (h, c)


def lstm_contrib(
    x_t: Array, states: States, w: Weights, epsilon: float = 1e-12, forget_bias: float = 1.0
) -> Result:
    """TensorFlow 1 contrib, LayerNormBasicLSTMCell.

    (i, j, f, o) = [x, h] W without bias, then each by its own LN over H (sites joint_i, joint_c for
    j, joint_f, joint_o), with gamma and beta
    c = LN(c_prev * sig(f + forget_bias) + sig(i) * tanh(j)), carried;  h = tanh(c) * sig(o).
    """
    no_bias(w, "contrib LSTM")
    h_prev, c_prev = states
    concat = np.concatenate([x_t, h_prev], axis=1)
    i, f, j, o = np.split(concat @ np.concatenate([w.kernel, w.recurrent_kernel]), 4, axis=1)
    i = ln(i, w, "joint_i", epsilon)
    j = ln(j, w, "joint_c", epsilon)
    f = ln(f, w, "joint_f", epsilon)
    o = ln(o, w, "joint_o", epsilon)
    c = ln(c_prev * sig(f + forget_bias) + sig(i) * np.tanh(j), w, "state", epsilon)
    h = np.tanh(c) * sig(o)
    return h, (h, c)


def lstm_fastrnns(x_t: Array, states: States, w: Weights, epsilon: float = 1e-5) -> Result:
    """PyTorch's benchmarks/fastrnns, LayerNormLSTMCell (with nn.LayerNorm).

    z = LN_i(x W) + LN_h(h U) over 4H, the betas of the norms are the only bias
    c = LN_c(sig(f) * c_prev + sig(i) * tanh(g)), carried;  h = sig(o) * tanh(c).
    """
    no_bias(w, "fastrnns LSTM")
    h_prev, c_prev = states
    input_gates = ln(x_t @ w.kernel, w, "input", epsilon)
    hidden_gates = ln(h_prev @ w.recurrent_kernel, w, "recurrent", epsilon)
    i, f, g, o = np.split(input_gates + hidden_gates, 4, axis=1)
    c = ln(sig(f) * c_prev + sig(i) * np.tanh(g), w, "state", epsilon)
    h = sig(o) * np.tanh(c)
    return h, (h, c)


def lstm_haste(x_t: Array, states: States, w: Weights, epsilon: float = 1e-5) -> Result:
    """Haste (lmnt-com/haste), LayerNormLSTM.

    v = LN(x K; gamma_0, 0) + LN(h R; gamma_1, 0) + b over 4H;  c = sig(f) c_prev + sig(i) tanh(g)
    h = sig(o) * tanh(LN(c; gamma_h, beta_h)); c is carried as it is.
    """
    no_beta(w, "haste LSTM", "state")
    h_prev, c_prev = states
    v = ln(x_t @ w.kernel, w, "input", epsilon)
    v = v + ln(h_prev @ w.recurrent_kernel, w, "recurrent", epsilon) + bias_of(w)
    v_i, v_f, v_g, v_o = np.split(v, 4, axis=1)
    c = sig(v_f) * c_prev + sig(v_i) * np.tanh(v_g)
    h = sig(v_o) * np.tanh(ln(c, w, "state", epsilon))
    return h, (h, c)


def lstm_hou(x_t: Array, states: States, w: Weights, epsilon: float = 1e-5) -> Result:
    """Hou et al. 2019, code houlu369/Normalized-Quantized-LSTM, model_mnist.py with norm "layer".

    For each gate k of i, f, a (Keras: c), o: z_k = LN((x W)_k) + LN((h U)_k) + b_k, that is eight
    norms over H (sites input_i, recurrent_i, ...), with gains that start at 0.1
    c = sig(i) * tanh(a) + sig(f) * c_prev;  h = sig(o) * tanh(c): no norm on c (one is made there
    but never called).
    """
    h_prev, c_prev = states
    units = h_prev.shape[1]
    z = {}
    for k, gate in enumerate("ifco"):
        part = slice(k * units, (k + 1) * units)
        z[gate] = ln(x_t @ w.kernel[:, part], w, f"input_{gate}", epsilon, 0.1)
        z[gate] += ln(h_prev @ w.recurrent_kernel[:, part], w, f"recurrent_{gate}", epsilon, 0.1)
        z[gate] += 0.0 if w.bias is None else w.bias[part]
    c = sig(z["i"]) * np.tanh(z["c"]) + sig(z["f"]) * c_prev
    h = sig(z["o"]) * np.tanh(c)
    return h, (h, c)


def lstm_sonnet1(
    x_t: Array, states: States, w: Weights, epsilon: float = 1e-5, forget_bias: float = 1.0
) -> Result:
    """Sonnet 1 (gated_rnn.py), LSTM with use_layer_norm.

    z = LN([x, h] W; gamma, beta) + b, one norm over 4H of the sum (site joint)
    c = sig(f + forget_bias) * c_prev + sig(i) * tanh(j);  h = tanh(c) * sig(o): no norm on c.
    """
    h_prev, c_prev = states
    kernel = np.concatenate([w.kernel, w.recurrent_kernel])
    z = ln(np.concatenate([x_t, h_prev], axis=1) @ kernel, w, "joint", epsilon) + bias_of(w)
    i, f, j, o = np.split(z, 4, axis=1)
    c = sig(f + forget_bias) * c_prev + sig(i) * np.tanh(j)
    h = np.tanh(c) * sig(o)
    return h, (h, c)
