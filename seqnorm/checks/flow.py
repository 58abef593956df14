"""How the gradient flows back through a normalised tanh RNN: what the three flow checks share."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from keras import ops
from keras.initializers import Constant
from numpy.typing import NDArray

from seqnorm.checks.autodiff import gradients
from seqnorm.layers import recurrent_layer
from seqnorm.normalizers import BatchNorm, LayerNorm, Normalizer

NORMS = ("layer", "batch")
GAINS = (0.1, 0.5, 1.0)


class Flow(NamedTuple):
    """A tanh RNN without bias, h_t = tanh(γ_x x̂W + γ_h ĥU), its start and its loss Σ w ⊙ h_T.

    Attributes:
        recurrent_kernel: U, float64[units, units].
        start: h_0, float64[batch, units].
        weight: w, float64[batch, units], which is dL/dh_T.
        inputs: float64[batch, steps, units], put through an orthogonal W; None: no input at all.
    """

    recurrent_kernel: NDArray[np.float64]
    start: NDArray[np.float64]
    weight: NDArray[np.float64]
    inputs: NDArray[np.float64] | None = None


def _norm(name: str, gain: float) -> Normalizer:
    """Without an ε that counts: what is predicted is the limit."""
    options: dict[str, Any] = {"epsilon": 1e-30, "gamma_initializer": Constant(gain)}
    return LayerNorm(**options) if name == "layer" else BatchNorm(small_batch="naive", **options)


def kept(flow: Flow, norm: str, gain: float, steps: int) -> float:
    """‖dL/dh_{T-k}‖ / ‖dL/dh_T‖ after k = `steps` steps, all normed sites having the same gain."""
    batch, units = flow.start.shape
    layer = recurrent_layer(
        "simple_rnn",
        units=units,
        norm=_norm(norm, gain),
        sites=("recurrent",) if flow.inputs is None else ("input", "recurrent"),
        kernel_initializer="zeros" if flow.inputs is None else "orthogonal",
        use_bias=False,
        dtype="float64",
        seed=0,
    )
    length = steps + 1
    x = np.zeros((batch, length, 1)) if flow.inputs is None else flow.inputs[:, :length]
    layer.build(x.shape)
    layer.cell.recurrent_kernel.assign(flow.recurrent_kernel)
    initial = [flow.start, np.zeros((batch, 1))] if layer.time_aware else [flow.start]
    initial = [ops.convert_to_tensor(state, "float64") for state in initial]

    def loss(perturbation: Any) -> Any:
        with layer.observing(perturbation):
            return ops.sum(layer(x, initial_state=initial, training=True) * flow.weight)

    of_state = gradients(loss, layer, np.zeros((length, batch, units)))[-1]
    return float(np.linalg.norm(of_state[0]) / np.linalg.norm(of_state[-1]))


def mean_field_factor(gain: float, gain_x: float = 0.0) -> float:
    """What ‖dL/dh‖ is multiplied by per step, for wide layers, large batches and U orthogonal.

    ĥU and x̂W are standard normal, so the pre-activation is s z with s² = γ_h² + γ_x². An orthogonal
    U keeps norms and the variance v = E[tanh²(s z)] of what is normalised, so that a step
    multiplies ‖dL/dh‖² by

        χ = γ_h² E[tanh'(s z)²] / E[tanh²(s z)].

    Returns:
        sqrt(χ).
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    weights = weights / weights.sum()
    activation = np.tanh(np.hypot(gain, gain_x) * nodes)
    slopes = weights @ (1 - activation**2) ** 2
    return float(gain * np.sqrt(slopes / (weights @ activation**2)))


def orthogonal(size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """A random orthogonal matrix."""
    return np.linalg.qr(rng.normal(size=(size, size)))[0]
