"""The estimates of the report: bootstrap functions with the generator and the metrics filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from seqnorm.lab.report.arms.arms import Arm, Comparison
from seqnorm.lab.report.arms.floors import is_floor
from seqnorm.lab.report.findings.evidence import Evidence, RunCurves
from seqnorm.lab.report.statistics.bootstrap import (
    Estimate,
    bootstrap,
    interquartile_mean,
    paired_bootstrap,
    probability_of_improvement,
)
from seqnorm.lab.report.statistics.targets import TimeToTarget, first_reaching, time_to_target

_SEED = 20160721  # of layer normalisation; any number, as long as it stays


def fresh_generator() -> np.random.Generator:
    """A generator in the same state at every call: no number depends on what came before it."""
    return np.random.default_rng(_SEED)


def mean_estimate(values: Sequence[float]) -> Estimate:
    """Mean over seeds with its bootstrap interval."""
    return bootstrap(values, fresh_generator())


def iqm_estimate(values: Sequence[float]) -> Estimate:
    """Interquartile mean over seeds with its bootstrap interval."""
    return bootstrap(values, fresh_generator(), interquartile_mean)


def paired_estimate(treated: Mapping[int, float], baseline: Mapping[int, float]) -> Estimate:
    """Mean difference by seed with its bootstrap interval."""
    return paired_bootstrap(treated, baseline, fresh_generator())


def improvement_estimate(treated: Mapping[int, float], baseline: Mapping[int, float]) -> Estimate:
    """Probability that a run of one arm beats one of the other."""
    ours, theirs = list(treated.values()), list(baseline.values())
    return probability_of_improvement(ours, theirs, fresh_generator())


def common_target(comparison: Comparison) -> float | None:
    """The validation accuracy whose time is measured: 97 % of the best arm's, rounded down.

    Of the best arm it is the median over seeds of the kept epoch's validation accuracy, so that
    the target is one that a usual run of a good arm reaches. None without a run.
    """
    medians = [
        float(np.median([run.validation_score for run in arm.runs]))
        for arm in comparison.arms
        if not is_floor(arm)
    ]
    return float(np.floor(97 * max(medians)) / 100) if medians else None


def arm_time_to_target(
    arm: Arm, evidence: Evidence, target: float
) -> tuple[TimeToTarget, TimeToTarget]:
    """Steps and seconds at which the runs of an arm reach a validation accuracy.

    A run that diverged never reaches it, whatever it had before: it scores as the majority class.
    One whose curves cannot be read does not count.
    """
    completed = [run for run in evidence.arms[arm.label].curves if not run.diverged]
    never = [np.inf] * arm.diverged
    steps, seconds = (time_to_target([*_times(completed, axis, target), *never]) for axis in (0, 1))
    return steps, seconds


def _times(runs: Sequence[RunCurves], axis: int, target: float) -> list[float]:
    histories = [run.metrics["val_accuracy"] for run in runs]
    return [first_reaching(history[:, axis], history[:, 2], target) for history in histories]
