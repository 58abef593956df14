"""The published cells, which the package holds for its own checks, as steps of run_layer."""

from __future__ import annotations

from seqnorm.checks.published import VARIANTS, Variant, Weights
from seqnorm.checks.published.step import Result, States
from tests.reference.np_statistics import Array

__all__ = ["VARIANTS", "as_step"]


def as_step(variant: Variant, weights: Weights, **options: float) -> Variant:
    """The variant as a step for np_layers.run_layer (its norms are its own; pass none there)."""

    def step(x_t: Array, states: States, norms: object = None) -> Result:
        return variant(x_t, states, weights, **options)

    return step
