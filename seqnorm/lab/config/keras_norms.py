"""Keras's own normalisation layers, every argument of theirs, for models without recurrence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

from seqnorm.lab.config.ranges import POSITIVE, WEIGHT, ranged

# Keys of a norm inside the step that are first values of its weights of these names.
FIRST_VALUES = ("gamma", "alpha")


@dataclass
class NormConfig:
    """What every choice of normalisation has: its registered name."""

    name: str = MISSING


@dataclass
class KerasNormConfig(NormConfig):
    """Arguments that Keras's own normalisation layers share, by Keras's names.

    Only models without recurrence take them. Initialisers, regularisers and constraints are names
    ("ones") or what Keras serialises (``{class_name: L2, config: {l2: 0.01}}``).

    Attributes:
        epsilon: added to the variance.
        center, scale: whether there is an offset and a gain.
        beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint,
            gamma_constraint: of the offset and of the gain.
    """

    epsilon: float = ranged(MISSING, POSITIVE)
    center: bool = True
    scale: bool = True
    beta_initializer: Any = "zeros"
    gamma_initializer: Any = "ones"
    beta_regularizer: Any = None
    gamma_regularizer: Any = None
    beta_constraint: Any = None
    gamma_constraint: Any = None


@dataclass
class KerasLayerNormConfig(KerasNormConfig):
    """Mean and variance over the features of one example.

    Attributes:
        axis: the axes to take them over, one or a list.
    """

    axis: Any = MISSING


@dataclass
class KerasBatchNormConfig(KerasNormConfig):
    """Mean and variance of each feature over the batch.

    Attributes:
        axis: the axis of the features.
        momentum: weight of the old running statistics at an update.
        moving_mean_initializer, moving_variance_initializer: running statistics before the first.
        renorm: correct the batch's statistics towards the running ones (Ioffe, 2017).
        renorm_clipping: bounds of that correction, a mapping of rmin, rmax and dmax.
        renorm_momentum: as `momentum`, for the statistics of the correction.
        synchronized: take statistics over all replicas.
    """

    axis: int = MISSING
    momentum: float = ranged(MISSING, WEIGHT)
    moving_mean_initializer: Any = "zeros"
    moving_variance_initializer: Any = "ones"
    renorm: bool = False
    renorm_clipping: Any = None
    renorm_momentum: float = ranged(0.99, WEIGHT)
    synchronized: bool = False
