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
from seqnorm.lab.report.statistics.plateau import Plateau, find_plateau
from seqnorm.lab.report.statistics.targets import (
    TimeToTarget,
    first_reaching,
    target_near,
    time_to_target,
)
from seqnorm.lab.tasks.score import Score

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


def improvement_estimate(
    treated: Mapping[int, float], baseline: Mapping[int, float], score: Score
) -> Estimate:
    """Probability that a run of one arm beats one of the other."""
    ours, theirs = ([score.merit(value) for value in arm.values()] for arm in (treated, baseline))
    return probability_of_improvement(ours, theirs, fresh_generator())


def plateau_estimate(arms: Mapping[float, Sequence[float]], score: Score, near: float) -> Plateau:
    """Where scores, by the value of a setting, lie within a share of the best mean."""
    merits = {value: [*map(score.merit, scores)] for value, scores in arms.items()}
    best = max(np.mean(scores) for scores in merits.values())
    return find_plateau(merits, near * abs(float(best)), fresh_generator())


def common_target(comparison: Comparison) -> float | None:
    """The validation score whose time is measured: 97 % of the best arm's, rounded down.

    Of an error it is 103 %, rounded up, see `target_near`. Of the best arm it is the median over
    seeds of the kept epoch's validation score, so that the target is one that a usual run of a good
    arm reaches. None without a run.
    """
    score = comparison.task.score
    medians = [
        float(np.median([run.result.validation_score for run in arm.runs]))
        for arm in comparison.arms
        if not is_floor(arm)
    ]
    return target_near(max(medians, key=score.merit), score) if medians else None


def arm_time_to_target(
    arm: Arm, evidence: Evidence, target: float
) -> tuple[TimeToTarget, TimeToTarget]:
    """Steps and seconds at which the runs of an arm reach a validation score.

    A run that diverged never reaches it, whatever it had before: it scores as the baseline.
    One whose curves cannot be read does not count.
    """
    score = arm.runs[0].result.task.score
    completed = [run for run in evidence.arms[arm.label].curves if not run.diverged]
    never = [np.inf] * arm.diverged
    steps, seconds = (
        time_to_target([*_times(completed, axis, target, score), *never]) for axis in (0, 1)
    )
    return steps, seconds


def _times(runs: Sequence[RunCurves], axis: int, target: float, score: Score) -> list[float]:
    sign = score.merit(1.0)
    histories = [run.metrics[f"val_{score.name}"] for run in runs]
    return [first_reaching(each[:, axis], sign * each[:, 2], sign * target) for each in histories]
