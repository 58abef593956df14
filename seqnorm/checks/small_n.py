"""Batch norm of few rows: how much it amplifies, and how little it lets through.

For n rows of standard normal values n σ²_B is χ² with n - 1 degrees of freedom, so that

    E[1/sqrt(σ²_B + ε)] = ∫ (q/n + ε)^(-1/2) p_{n-1}(q) dq,

for n = 1 (σ²_B = 0) 1/sqrt(ε) = 316, for n = 2 exp(ε/2) K_0(ε/2) / sqrt(π) = 6.95 (K_0: modified
Bessel function), for n >= 3 and ε -> 0 sqrt(n/2) Γ(n/2 - 1) / Γ((n-1)/2).
It is above 1 for all n: what was 1.58 times as large in training with 4 rows is not at inference.
And no value can be further than sqrt(n - 1) deviations from the mean of n (one row against n - 1
equal ones): a single row comes out as 0, two as ±1.
"""

from __future__ import annotations

import math

import numpy as np
from keras import ops

from seqnorm.checks.layers import numpy
from seqnorm.checks.row import Row, near
from seqnorm.normalizers import BatchNorm, Context
from seqnorm.ops.moments import masked_moments, normalize

EPSILON, DEAD, VALUES = 1e-5, 3, 1_000_000
COUNTS = (1, 2, 4, 8, 16, 64)
SOURCE = "χ² of n - 1 degrees of freedom"


def amplification(n: int) -> float:
    """E[1/sqrt(σ²_B + ε)] by the trapezoidal rule in ln s, q = s², where the density has its pole.

    2 s p_k(s²) = 2 s^(k-1) exp(-s²/2) / (2^(k/2) Γ(k/2)),   k = n - 1
    """
    if n == 1:
        return EPSILON**-0.5
    k = n - 1
    log_s = np.linspace(math.log(1e-12), math.log(math.sqrt(n) + 12), 20_001)
    log_density = k * log_s - np.exp(2 * log_s) / 2 + math.log(2) * (1 - k / 2) - math.lgamma(k / 2)
    scale = (np.exp(2 * log_s) / n + EPSILON) ** -0.5
    return float(np.trapezoid(scale * np.exp(log_density), log_s))


def measured_amplification(n: int, rng: np.random.Generator) -> float:
    """The mean over many batches of n rows and three padded ones."""
    valid = np.arange(n + DEAD)[:, None] < n
    x = np.where(valid, rng.normal(size=(n + DEAD, VALUES // n)), 1e3).astype("float32")
    batch = masked_moments(ops.convert_to_tensor(x), valid)
    one = ops.ones_like(batch.mean)
    return float(numpy(normalize(one, 0 * one, batch.variance, EPSILON)).mean())


def largest(n: int) -> float:
    """The largest output of `BatchNorm` for one outlier among n rows."""
    norm = BatchNorm(epsilon=1e-30, small_batch="naive", gamma_initializer="ones", dtype="float64")
    norm.build((None, 1))
    x = np.where(np.arange(n + DEAD)[:, None] == 0, 5.0, 1.0)
    valid = np.arange(n + DEAD)[:, None] < n
    y, _ = norm.call(ops.convert_to_tensor(x), Context(np.zeros(1, "int32"), valid, True))
    return float(np.abs(numpy(y)[:n]).max())


def check() -> list[Row]:
    """Amplification and largest output for each n."""
    rng = np.random.default_rng(6)
    rows = [
        # 2 %: over four standard errors at n = 2, where the tail is longest.
        near(
            f"n = {n}: mean of 1/σ",
            amplification(n),
            measured_amplification(n, rng),
            SOURCE,
            relative=0.02,
        )
        for n in COUNTS
    ]
    rows += [
        near(f"n = {n}: largest |x̂|", (n - 1) ** 0.5, largest(n), "sqrt(n - 1)", absolute=1e-9)
        for n in COUNTS
    ]
    return rows
