"""U = I without input: a gain of 0.1 keeps the gradient, a gain of 1 loses it.

The map h -> tanh(γ ĥ) acts on every number alone, but for mean and spread, and drives the state to
two values: with half the numbers at tanh γ and half at -tanh γ, ĥ is ±1 and the state stays. There
the norm's gradient is r (I - projection on 1 and ĥ), r = 1/tanh γ, and tanh' is 1/cosh² γ; so a
gradient that sums to 0 over either half is multiplied at every step by exactly

    γ / (tanh γ cosh² γ) = 2γ / sinh 2γ:   .9934 (γ = .1),  .8509 (.5),  .5514 (1).

The factor is below 1 for every γ, which is also why the state is drawn to the two values. The check
starts there; 50 steps leave .72, 3e-4 and 1e-13. (From a Gaussian start the first steps differ,
numbers near 0 being pushed apart: the figures of a simulation then depend on its length.)
Cooijmans et al. (2016, section 4 and figure 1a) chose γ = 0.1 by such a simulation.
"""

from __future__ import annotations

import numpy as np

from seqnorm.checks.flow import GAINS, NORMS, Flow, kept
from seqnorm.checks.row import Row, near

SIZE, STEPS = 16, 50
SOURCE = "2γ/sinh 2γ per step; Cooijmans 2016, fig. 1a"


def two_valued(norm: str, gain: float) -> Flow:
    """The state at its two values, and a loss whose gradient sums to 0 over either half."""
    rng = np.random.default_rng(8)
    signs = np.array([rng.permutation(np.repeat([-1.0, 1.0], SIZE // 2)) for _ in range(SIZE)])
    weight = rng.normal(size=(SIZE, SIZE))
    for sign in (-1, 1):
        half = signs == sign
        mean = (weight * half).sum(axis=1, keepdims=True) / half.sum(axis=1, keepdims=True)
        weight = np.where(half, weight - mean, weight)
    if norm == "batch":  # its statistics run down the columns
        signs, weight = signs.T, weight.T
    return Flow(np.eye(SIZE), np.tanh(gain) * signs, weight)


def check() -> list[Row]:
    """One row per norm and gain."""
    return [
        near(
            f"{norm}, γ = {gain}: gradient kept after {STEPS} steps",
            (2 * gain / np.sinh(2 * gain)) ** STEPS,
            kept(two_valued(norm, gain), norm, gain, STEPS),
            SOURCE,
            relative=1e-6,
        )
        for norm in NORMS
        for gain in GAINS
    ]
