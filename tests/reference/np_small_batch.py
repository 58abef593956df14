"""Batch norm of one training step when only few rows are valid, in float64 NumPy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tests.reference.np_norms import affine
from tests.reference.np_statistics import Array, Moments, masked_moments

POLICIES = ("naive", "running", "shrink", "renorm")


class Normalizing(NamedTuple):
    """What a value is normalised by: (x - mean) / sqrt(variance + eps) * scale + offset."""

    mean: Array
    variance: Array
    scale: Array
    offset: Array


def normalizing_moments(
    batch: Moments,
    running: Moments | None,
    policy: str,
    epsilon: float = 1e-5,
    *,
    min_count: float = 2.0,
    kappa: float = 8.0,
    r_max: float = 3.0,
    d_max: float = 5.0,
) -> Normalizing:
    """What normalises a training step, by one of four ways to treat a step with few valid rows.

    With n valid rows, batch moments mu_B, v_B, running moments mu, v seen on N rows:
      naive    mu_B, v_B whatever n is.
      running  mu, v if n < min_count, else mu_B, v_B.
      shrink   lam = n / (n + kappa_eff), kappa_eff = min(kappa, N), and the moments of the mixture:
               m = lam mu_B + (1 - lam) mu
               s2 = lam v_B + (1 - lam) v + lam (1 - lam) (mu_B - mu)^2.
      renorm   Ioffe 2017 (arXiv 1702.03275), algorithm 1: (x - mu_B) / s_B * r + d with
               s = sqrt(v + eps), r = clip(s_B / s, 1/r_max, r_max),
               d = clip((mu_B - mu) / s, -d_max, d_max); r and d are constants for the gradient.
    As long as there are no running statistics (running None or N = 0) all four are `naive`. What
    is folded into the running statistics is the moments of the batch alone under every policy.
    """
    if policy not in POLICIES:
        raise ValueError(f"policy must be one of {POLICIES}; received policy={policy!r}.")
    one, zero = np.ones_like(batch.mean), np.zeros_like(batch.mean)
    if policy == "naive" or running is None or running.count == 0:
        return Normalizing(batch.mean, batch.variance, one, zero)
    if policy == "running":
        chosen = running if batch.count < min_count else batch
        return Normalizing(chosen.mean, chosen.variance, one, zero)
    if policy == "shrink":
        total = batch.count + min(kappa, float(running.count))
        lam = batch.count / total if total else 1.0  # no rows at all: nothing reads the moments
        mean = lam * batch.mean + (1 - lam) * running.mean
        between = lam * (1 - lam) * (batch.mean - running.mean) ** 2
        variance = lam * batch.variance + (1 - lam) * running.variance + between
        return Normalizing(mean, variance, one, zero)
    sigma = np.sqrt(running.variance + epsilon)
    r = np.clip(np.sqrt(batch.variance + epsilon) / sigma, 1 / r_max, r_max)
    d = np.clip((batch.mean - running.mean) / sigma, -d_max, d_max)
    return Normalizing(batch.mean, batch.variance, r, d)


def small_batch_norm(
    x: ArrayLike,
    valid: ArrayLike | None,
    running: Moments | None,
    policy: str,
    gamma: ArrayLike | None = None,
    beta: ArrayLike | None = None,
    epsilon: float = 1e-5,
    *,
    batch: Moments | None = None,
    **options: float,
) -> tuple[Array, Moments]:
    """One training step of batch norm under a policy.

    Args:
        x: [B, F].
        valid: bool [B] or None for all.
        running: the running statistics of the step's row, or None.
        policy: see `normalizing_moments`, also for options.
        gamma: [F] or None.
        beta: [F] or None.
        epsilon: inside the square root.
        batch: the moments of the batch; None takes those of the valid rows of x.
        **options: min_count, kappa, r_max, d_max.

    Returns:
        The normalised tensor [B, F] (invalid rows are beta) and the moments of the batch.
    """
    x = np.asarray(x, np.float64)
    valid = np.ones(len(x), bool) if valid is None else np.asarray(valid, bool)
    batch = masked_moments(x, valid) if batch is None else batch
    by = normalizing_moments(batch, running, policy, epsilon, **options)
    hat = np.zeros_like(x)
    for b in range(len(x)):
        if valid[b]:
            hat[b] = (x[b] - by.mean) / np.sqrt(by.variance + epsilon) * by.scale + by.offset
    return affine(hat, gamma, beta), batch
