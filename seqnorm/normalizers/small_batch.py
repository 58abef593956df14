"""How per-step BatchNorm mixes the batch's moments with the running ones.

Normalised by its own moments, a single row is exactly 0 and two rows are exactly ±1: the tail of
every padded batch, next to the classifier, loses its information. Each policy maps, at every step
of every batch, the batch moments (mean, variance, n) and the running ones (mean, variance, N) to
the pair that normalises. With `few` the number of rows that counts as few:

| policy    | normalises by                                                                       |
|-----------|-------------------------------------------------------------------------------------|
| `naive`   | the batch moments, whatever n is                                                    |
| `running` | the batch moments if n >= few, else the running ones, without gradient              |
| `shrink`  | the moments of both sets pooled, the running one counting as κ = min(few, N) rows   |
| `renorm`  | the batch moments, then x̂ r + d; r and d from the running ones (Ioffe, 2017)         |

All but `renorm` are mixtures of the two with a weight λ(n, N): 1 for `naive`, 1 or 0 for `running`,
n / (n + κ) for `shrink`:

    μ = λ μ_B + (1 - λ) μ_R
    σ² = λ σ²_B + (1 - λ) σ²_R + λ (1 - λ) (μ_B - μ_R)²

Where nothing has run yet (N = 0) every policy is `naive`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from seqnorm.kernels.spec import D_MAX, R_MAX
from seqnorm.ops.moments import Moments

Policy = Callable[[Moments, Moments, float, float], tuple[Any, Any]]


def _running_weight(n: Any, running: Any, few: float) -> Any:
    return ops.cast(ops.logical_or(n >= few, running <= 0), n.dtype)


def _shrink_weight(n: Any, running: Any, few: float) -> Any:
    total = n + ops.minimum(running, few)
    return ops.where(total > 0, n / ops.where(total > 0, total, 1), 1.0)


# λ(n, N, few): what the batch moments weigh where a policy is a mixture of both (`naive`: 1).
WEIGHTS: dict[str, Callable[[Any, Any, float], Any]] = {
    "running": _running_weight,
    "shrink": _shrink_weight,
}


def _mixture(policy: str) -> Policy:
    """The moments of both sets together, the batch having the policy's weight."""

    def mix(batch: Moments, running: Moments, few: float, epsilon: float) -> tuple[Any, Any]:
        del epsilon
        share = WEIGHTS[policy](batch.count, running.count, few)
        rest, apart = 1 - share, batch.mean - running.mean
        mean = share * batch.mean + rest * running.mean
        between = share * rest * ops.square(apart)
        return mean, share * batch.variance + rest * running.variance + between

    return mix


def naive(batch: Moments, running: Moments, few: float, epsilon: float) -> tuple[Any, Any]:
    """The batch moments as they are."""
    del running, few, epsilon
    return batch.mean, batch.variance


def renorm(batch: Moments, running: Moments, few: float, epsilon: float) -> tuple[Any, Any]:
    """The pair for which (x - μ)/σ equals x̂ r + d, r = σ_B/σ_R and d = (μ_B - μ_R)/σ_R clipped.

    r and d carry no gradient. `few` is not used: the clipping does its work.
    """
    del few
    deviation = ops.sqrt(batch.variance + epsilon)
    known = running.count > 0
    scale = ops.sqrt(ops.where(known, running.variance, batch.variance) + epsilon)
    shift = ops.where(known, batch.mean - running.mean, 0.0)
    r = ops.stop_gradient(_between(deviation / scale, 1 / R_MAX, R_MAX))
    d = ops.stop_gradient(_between(shift / scale, -D_MAX, D_MAX))
    return batch.mean - d * deviation / r, (deviation / r) ** 2 - epsilon


def _between(x: Any, low: float, high: float) -> Any:
    # `ops.clip` rounds its bounds to float32 on torch.
    return ops.minimum(ops.maximum(x, low), high)


POLICIES: dict[str, Policy] = {
    "naive": naive,
    "running": _mixture("running"),
    "shrink": _mixture("shrink"),
    "renorm": renorm,
}
