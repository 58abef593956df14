"""Recurrent steps of other libraries, each from its equations and in its own layout.

Gates lie in the source's order, kernels are joined or transposed as the source stores them, names
are the source's. One step is step(weights, x_t [B, E], h [B, H], c [B, H]) -> (h, c); a GRU hands
c through.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tests.reference.np_statistics import Array

Named = dict[str, Array]
States = tuple[Array, Array]

E, H = 3, 4


def sig(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


def ln(
    a: Array, gamma: float | Array = 1.0, beta: float | Array = 0.0, epsilon: float = 1e-5
) -> Array:
    centred = a - a.mean(axis=-1, keepdims=True)
    return gamma * centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + epsilon) + beta


def contrib(w: Named, x: Array, h: Array, c: Array, forget_bias: float = 1.0) -> States:
    """TensorFlow 1, contrib.rnn.LayerNormBasicLSTMCell: gates i, j, f, o; epsilon 1e-12."""
    i, j, f, o = np.split(np.concatenate([x, h], 1) @ w["kernel"], 4, axis=1)
    scopes = ("input", "transform", "forget", "output")
    i, j, f, o = (
        ln(gate, w[f"{scope}/gamma"], w[f"{scope}/beta"], 1e-12)
        for gate, scope in zip((i, j, f, o), scopes, strict=True)
    )
    c = c * sig(f + forget_bias) + sig(i) * np.tanh(j)
    c = ln(c, w["state/gamma"], w["state/beta"], 1e-12)
    return np.tanh(c) * sig(o), c


def haste_lstm(w: Named, x: Array, h: Array, c: Array) -> States:
    """Haste, LayerNormLSTM: gates i, g, f, o."""
    v = ln(x @ w["kernel"], w["gamma"][0]) + ln(h @ w["recurrent_kernel"], w["gamma"][1])
    i, g, f, o = np.split(v + w["bias"], 4, axis=1)
    c = sig(f) * c + sig(i) * np.tanh(g)
    return sig(o) * np.tanh(ln(c, w["gamma_h"], w["beta_h"])), c


def haste_gru(w: Named, x: Array, h: Array, c: Array) -> States:
    """Haste, LayerNormGRU: gates z, r, h."""
    wx = ln(x @ w["kernel"], w["gamma"][0]) + w["bias"]
    rh = ln(h @ w["recurrent_kernel"], w["gamma"][1]) + w["recurrent_bias"]
    (xz, xr, xg), (hz, hr, hg) = np.split(wx, 3, axis=1), np.split(rh, 3, axis=1)
    z, r = sig(xz + hz), sig(xr + hr)
    return z * h + (1 - z) * np.tanh(xg + r * hg), c


def fastrnns(w: Named, x: Array, h: Array, c: Array) -> States:
    """PyTorch, benchmarks/fastrnns, LayerNormLSTMCell: gates i, f, g, o."""

    def norm(a: Array, n: str) -> Array:
        return ln(a, w[f"layernorm_{n}.weight"], w[f"layernorm_{n}.bias"])

    i, f, g, o = np.split(norm(x @ w["weight_ih"].T, "i") + norm(h @ w["weight_hh"].T, "h"), 4, 1)
    c = norm(sig(f) * c + sig(i) * np.tanh(g), "c")
    return sig(o) * np.tanh(c), c


def sonnet1(w: Named, x: Array, h: Array, c: Array, forget_bias: float = 1.0) -> States:
    """Sonnet 1, LSTM(use_layer_norm=True): gates i, j, f, o."""
    gates = ln(
        np.concatenate([x, h], 1) @ w["w_gates"], w["layer_norm/gamma"], w["layer_norm/beta"]
    )
    i, j, f, o = np.split(gates + w["b_gates"], 4, axis=1)
    c = sig(f + forget_bias) * c + sig(i) * np.tanh(j)
    return np.tanh(c) * sig(o), c


def torch_lstm(w: Named, x: Array, h: Array, c: Array) -> States:
    """torch.nn.LSTM: gates i, f, g, o."""
    gates = x @ w["weight_ih_l0"].T + w["bias_ih_l0"] + h @ w["weight_hh_l0"].T + w["bias_hh_l0"]
    i, f, g, o = np.split(gates, 4, axis=1)
    c = sig(f) * c + sig(i) * np.tanh(g)
    return sig(o) * np.tanh(c), c


def torch_gru(w: Named, x: Array, h: Array, c: Array) -> States:
    """torch.nn.GRU: gates r, z, n."""
    xr, xz, xn = np.split(x @ w["weight_ih_l0"].T + w["bias_ih_l0"], 3, axis=1)
    hr, hz, hn = np.split(h @ w["weight_hh_l0"].T + w["bias_hh_l0"], 3, axis=1)
    r, z = sig(xr + hr), sig(xz + hz)
    return (1 - z) * np.tanh(xn + r * hn) + z * h, c


class Source(NamedTuple):
    """A step, the shapes of its weights, which (name, axis) is the number of inputs, our setting.

    A kernel of [x, h] has the inputs' rows and H more.
    """

    step: Callable[..., States]
    shapes: dict[str, tuple[int, ...]]
    inputs: tuple[str, int]
    cell: str
    arguments: dict[str, str]


def torch_shapes(gates: int) -> dict[str, tuple[int, ...]]:
    """Shapes of one layer of torch.nn, which has this many gates."""
    width = gates * H
    return {
        "weight_ih_l0": (width, E),
        "weight_hh_l0": (width, H),
        "bias_ih_l0": (width,),
        "bias_hh_l0": (width,),
    }


SOURCES = {
    "contrib_lstm": Source(
        contrib,
        {"kernel": (E + H, 4 * H)}
        | {
            f"{scope}/{name}": (H,)
            for scope in ("input", "transform", "forget", "output", "state")
            for name in ("gamma", "beta")
        },
        ("kernel", 0),
        "lstm",
        {"variant": "contrib"},
    ),
    "haste_lstm": Source(
        haste_lstm,
        {
            "kernel": (E, 4 * H),
            "recurrent_kernel": (H, 4 * H),
            "bias": (4 * H,),
            "gamma": (2, 4 * H),
            "gamma_h": (H,),
            "beta_h": (H,),
        },
        ("kernel", 0),
        "lstm",
        {"variant": "haste"},
    ),
    "haste_gru": Source(
        haste_gru,
        {
            "kernel": (E, 3 * H),
            "recurrent_kernel": (H, 3 * H),
            "bias": (3 * H,),
            "recurrent_bias": (3 * H,),
            "gamma": (2, 3 * H),
        },
        ("kernel", 0),
        "gru",
        {"variant": "haste"},
    ),
    "fastrnns_lstm": Source(
        fastrnns,
        {"weight_ih": (4 * H, E), "weight_hh": (4 * H, H)}
        | {
            f"layernorm_{n}.{name}": (size,)
            for n, size in (("i", 4 * H), ("h", 4 * H), ("c", H))
            for name in ("weight", "bias")
        },
        ("weight_ih", 1),
        "lstm",
        {"variant": "fastrnns"},
    ),
    "sonnet1_lstm": Source(
        sonnet1,
        {
            "w_gates": (E + H, 4 * H),
            "b_gates": (4 * H,),
            "layer_norm/gamma": (4 * H,),
            "layer_norm/beta": (4 * H,),
        },
        ("w_gates", 0),
        "lstm",
        {"variant": "sonnet1"},
    ),
    "torch_lstm": Source(
        torch_lstm, torch_shapes(4), ("weight_ih_l0", 1), "lstm", {"norm": "none"}
    ),
    "torch_gru": Source(torch_gru, torch_shapes(3), ("weight_ih_l0", 1), "gru", {"norm": "none"}),
}
