"""The curves of results/ along the learning rate: for tests that recompute what is said of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from seqnorm.lab.report.page.plateaus import NEAR
from seqnorm.lab.report.statistics.estimates import plateau_estimate
from seqnorm.lab.report.statistics.plateau import mean_along
from tests.lab.report.published import published

CURVES = "compare_reuters_clean_learning_rate"
NORMS = ("none", "layer", "rms", "group", "batch", "dyt")


def curves_of(cell: str) -> dict[str, dict[float, dict[int, float]]]:
    """The accuracy by norm, learning rate and seed."""
    found: dict[str, dict[float, dict[int, float]]] = {norm: {} for norm in NORMS}
    for arm in published(CURVES).arms:
        if arm.cell == cell:
            rate = dict(arm.settings)["optim.learning_rate"]
            found[arm.norm][rate] = dict(arm.values("accuracy"))
    return found


def over_all(curve: dict[float, dict[int, float]], least: float = 0.0) -> dict[int, float]:
    """The mean along a curve from some value on, of each seed."""
    kept = {value: each for value, each in curve.items() if value >= least}
    seeds = {seed for each in kept.values() for seed in each}
    return {seed: mean_along({value: each[seed] for value, each in kept.items()}) for seed in seeds}


def width_of(curve: dict[float, dict[int, float]]) -> str:
    """How many decades of a setting do, as the texts write it: 1.03 (0.89 to 1.12)."""
    by_value = {value: [*each.values()] for value, each in curve.items()}
    wide = plateau_estimate(by_value, published(CURVES).task.score, NEAR).decades
    return f"{wide.value:.2f} ({wide.low:.2f} to {wide.high:.2f})"


def best_of(curve: Mapping[float, Mapping[int, float]]) -> Mapping[int, float]:
    """The scores at the value with the best mean."""
    return max(curve.values(), key=lambda each: float(np.mean([*each.values()])))
