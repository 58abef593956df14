"""The curves of results/ along the learning rate: for tests that recompute what is said of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from seqnorm.lab.report.arms.arms import Arm
from seqnorm.lab.report.page.plateaus import NEAR
from seqnorm.lab.report.statistics.estimates import paired_estimate, plateau_estimate
from seqnorm.lab.report.statistics.plateau import mean_along
from tests.lab.report.published import points, published

CURVES, IMDB_CURVES = "compare_reuters_clean_learning_rate", "compare_imdb_learning_rate"
IMDB_GRU_CURVES = f"{IMDB_CURVES}_gru"
NORMS = ("none", "layer", "rms", "group", "batch", "dyt")
Curve = Mapping[float, Arm]  # by learning rate


def curves_of(cell: str, name: str = CURVES) -> dict[str, dict[float, Arm]]:
    """By norm, those that were run; of clean Reuters, or of another comparison."""
    found: dict[str, dict[float, Arm]] = {norm: {} for norm in NORMS}
    for arm in published(name).arms:
        if arm.cell == cell:
            found[arm.norm][dict(arm.settings)["optim.learning_rate"]] = arm
    return {norm: curve for norm, curve in found.items() if curve}


def on_test(arm: Arm) -> dict[int, float]:
    """The accuracy on the test set, by seed."""
    return arm.values("accuracy")


def on_validation(arm: Arm) -> float:
    """The mean accuracy on validation data."""
    return float(np.mean([run.result.validation_score for run in arm.runs]))


def mean_of(by_seed: Mapping[int, float]) -> float:
    return float(np.mean([*by_seed.values()]))


def best_of(curve: Curve) -> dict[int, float]:
    """The test scores at the rate that validation data prefer."""
    return on_test(max(curve.values(), key=on_validation))


def over_all(curve: Curve, least: float = 0.0) -> dict[int, float]:
    """The mean along a curve from some rate on, over the rate's logarithm, of each seed."""
    kept = {rate: on_test(arm) for rate, arm in curve.items() if rate >= least}
    seeds = {seed for each in kept.values() for seed in each}
    return {seed: mean_along({rate: each[seed] for rate, each in kept.items()}) for seed in seeds}


def width_of(curve: Curve) -> str:
    """How many decades of the rate do, as the texts write it: 1.03 (0.89 to 1.12)."""
    by_rate = {rate: [*on_test(arm).values()] for rate, arm in curve.items()}
    wide = plateau_estimate(by_rate, published(CURVES).task.score, NEAR).decades
    return f"{wide.value:.2f} ({wide.low:.2f} to {wide.high:.2f})"


def widths_of(found: Mapping[str, Curve]) -> str:
    """none 0.82 (0.41 to 0.98), layer ...: of each curve."""
    return ", ".join(f"{norm} {width_of(curve)}" for norm, curve in found.items())


def of_cells(part: Callable[[Mapping[str, Curve]], str], of_lstm: str, of_gru: str) -> str:
    """LSTM ...; GRU ...: what is said of the curves of each, in the comparisons of these names."""
    of_each = {"LSTM": of_lstm, "GRU": of_gru}
    return "; ".join(
        f"{cell} {part(curves_of(cell.lower(), name))}" for cell, name in of_each.items()
    )


def against_none(found: Mapping[str, Curve], part: Callable[[Curve], Mapping[int, float]]) -> str:
    """layer +0.8 (-0.9 to +2.1), rms ...: what a part of each curve has on that of none."""
    none = part(found["none"])
    own = {norm: paired_estimate(part(curve), none) for norm, curve in found.items()}
    return ", ".join(f"{norm} {points(own[norm])}" for norm in own if norm != "none")
