"""Moments of the rows of all replicas, under a strategy of `tf.distribute`."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from seqnorm.ops.moments import Moments


def count_replicas() -> int:
    """How many replicas train side by side here; 1 outside a strategy and on other backends."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    if not tf.distribute.in_cross_replica_context() and tf.distribute.has_strategy():
        return int(tf.distribute.get_strategy().num_replicas_in_sync)
    return 1


def of_all_replicas(moments: Moments) -> Moments:
    """Moments of the values of all replicas taken together, the same on each.

        n = Σ n_r,  μ = Σ n_r μ_r / n,  σ² = Σ n_r (σ_r² + (μ_r - μ)²) / n

    A replica without a value adds nothing. Differentiable: a gradient goes to every replica's
    values. Outside a strategy they are returned as they are.

    Args:
        moments: of this replica's values, of one shape on all replicas.
    """
    if count_replicas() == 1:
        return moments
    import tensorflow as tf

    def total(*values: Any) -> Any:
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, values)

    count, weighted = total(moments.count, moments.count * moments.mean)
    divisor = ops.maximum(count, keras.config.epsilon())
    mean = weighted / divisor
    about = moments.variance + ops.square(moments.mean - mean)
    (spread,) = total(moments.count * about)
    return Moments(mean, spread / divisor, count)
