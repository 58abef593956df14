"""One step of each recurrent cell, in float64 NumPy, with a norm at each named site.

Every step has the signature step(x_t [B, E], states, norms, weights, ...) -> (h [B, H], states).
`norms` maps a site name to a function [B, F] -> [B, F]; a site that is not in it is not normalised.
Gate order of the weights is that of Keras: LSTM i, f, c, o; GRU z, r, h.
Biases are always added after the norms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tests.reference.np_statistics import Array
from tests.reference.np_weights import Weights

Norm = Callable[[Array], Array]
Norms = Mapping[str, Norm]
States = tuple[Array, ...]

PLACEMENTS = ("separate", "joint")


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), written so that it does not overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def _identity(x: Array) -> Array:
    return x


def _check(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {choices}; received {name}={value!r}.")


def _pre_activation(
    x_t: Array, h_prev: Array, norms: Norms, weights: Weights, placement: str
) -> Array:
    """`separate`: N_input(x W) + N_recurrent(h U) + b.  `joint`: N_joint(x W + h U) + b."""
    _check("placement", placement, PLACEMENTS)
    xw = x_t @ weights.kernel
    hu = h_prev @ weights.recurrent_kernel
    if placement == "separate":
        z = norms.get("input", _identity)(xw) + norms.get("recurrent", _identity)(hu)
    else:
        z = norms.get("joint", _identity)(xw + hu)
    return z if weights.bias is None else z + weights.bias


def simple_rnn_step(
    x_t: Array,
    states: States,
    norms: Norms,
    weights: Weights,
    *,
    placement: str = "separate",
    activation: Norm = np.tanh,
) -> tuple[Array, States]:
    """h = tanh(z), z by placement; `joint` is Ba et al. 2016 (arXiv 1607.06450), eq. 4.

    `joint` with batch norm is what the authors of arXiv 1603.09025 run for a plain RNN.
    """
    (h_prev,) = states
    h = activation(_pre_activation(x_t, h_prev, norms, weights, placement))
    return h, (h,)


def lstm_step(
    x_t: Array,
    states: States,
    norms: Norms,
    weights: Weights,
    *,
    placement: str = "separate",
    cell_norm: str = "output",
    activation: Norm = np.tanh,
    recurrent_activation: Norm = sigmoid,
) -> tuple[Array, States]:
    """LSTM: Ba et al. 2016 (arXiv 1607.06450), supplement; arXiv 1603.09025, eq. 6 to 8.

    (i, f, g, o) = z;  c = sig(f) c_prev + sig(i) tanh(g); then by `cell_norm`, N = site "state":
      output  h = sig(o) tanh(N(c)), c is carried as it is (both papers).
      carry   c <- N(c), h = sig(o) tanh(c), and the normalised c is carried.
      none    h = sig(o) tanh(c).
    states = (h, c).
    """
    _check("cell_norm", cell_norm, ("output", "carry", "none"))
    h_prev, c_prev = states
    z = _pre_activation(x_t, h_prev, norms, weights, placement)
    i, f, g, o = np.split(z, 4, axis=-1)
    i, f, o = recurrent_activation(i), recurrent_activation(f), recurrent_activation(o)
    c = f * c_prev + i * activation(g)
    state_norm = norms.get("state", _identity)
    if cell_norm == "output":
        h = o * activation(state_norm(c))
        return h, (h, c)
    if cell_norm == "carry":
        c = state_norm(c)
    h = o * activation(c)
    return h, (h, c)


def gru_step(
    x_t: Array,
    states: States,
    norms: Norms,
    weights: Weights,
    *,
    placement: str = "separate",
    form: str = "split",
    activation: Norm = np.tanh,
    recurrent_activation: Norm = sigmoid,
) -> tuple[Array, States]:
    """GRU in the reset-after form: Ba et al. 2016 (arXiv 1607.06450), supplement.

    a = input side [3H], u = recurrent side [3H], b0 and b1 the two rows of the bias.
      separate  z, r = sig(a_zr + u_zr);  hh = tanh(a_h + r u_h), with a = N(x W) + b0 and
                u = N(h U) + b1. form "split": N is one norm over z, r [2H] and another over h [H]
                (sites input_gates, input_candidate, recurrent_gates, recurrent_candidate).
                form "fused": one norm over all 3H (sites input, recurrent).
      joint     z, r = sig(N_joint_gates(x W_zr + h U_zr) + b0_zr + b1_zr)
                hh = tanh(N_joint_candidate(x W_h + r (h U_h)) + b0_h + r b1_h);
                no paper defines it; without norms it is Keras's GRU, and no norm sees a bias.
    h = z h_prev + (1 - z) hh: Keras and the paper's authors' code; the paper prints 1 - z for z.
    """
    _check("placement", placement, PLACEMENTS)
    _check("form", form, ("split", "fused"))
    (h_prev,) = states
    units = h_prev.shape[-1]
    gates, candidate = slice(0, 2 * units), slice(2 * units, 3 * units)
    xw = x_t @ weights.kernel
    hu = h_prev @ weights.recurrent_kernel
    b0, b1 = np.zeros((2, 3 * units)) if weights.bias is None else weights.bias

    if placement == "separate":
        a = _gru_side("input", form, xw, norms, units) + b0
        u = _gru_side("recurrent", form, hu, norms, units) + b1
        zr = recurrent_activation(a[:, gates] + u[:, gates])
        z, r = zr[:, :units], zr[:, units:]
        hh = activation(a[:, candidate] + r * u[:, candidate])
    else:
        normed = norms.get("joint_gates", _identity)(xw[:, gates] + hu[:, gates])
        zr = recurrent_activation(normed + b0[gates] + b1[gates])
        z, r = zr[:, :units], zr[:, units:]
        mixed = norms.get("joint_candidate", _identity)(xw[:, candidate] + r * hu[:, candidate])
        hh = activation(mixed + b0[candidate] + r * b1[candidate])

    h = z * h_prev + (1.0 - z) * hh
    return h, (h,)


def _gru_side(site: str, form: str, product: Array, norms: Norms, units: int) -> Array:
    if form == "fused":
        return norms.get(site, _identity)(product)
    gates = norms.get(f"{site}_gates", _identity)(product[:, : 2 * units])
    candidate = norms.get(f"{site}_candidate", _identity)(product[:, 2 * units :])
    return np.concatenate([gates, candidate], axis=-1)
