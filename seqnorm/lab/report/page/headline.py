"""The tables of a comparison beside the means: robust statistics, tests, targets, cost, tuning."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.report.arms.arms import Arm, Comparison
from seqnorm.lab.report.arms.floors import bag_of_words, is_floor
from seqnorm.lab.report.arms.trials import Trial, arm_trials, varied_keys
from seqnorm.lab.report.findings.evidence import Evidence
from seqnorm.lab.report.page.tables import NOT_AVAILABLE, Table
from seqnorm.lab.report.statistics.bootstrap import Estimate
from seqnorm.lab.report.statistics.estimates import (
    arm_time_to_target,
    common_target,
    improvement_estimate,
    iqm_estimate,
    mean_estimate,
    paired_estimate,
)
from seqnorm.lab.report.statistics.predictions import McNemar, mcnemar
from seqnorm.lab.report.statistics.targets import TimeToTarget


def _number(value: float, decimals: int, signed: bool = False) -> str:
    if math.isnan(value):
        return NOT_AVAILABLE
    return f"{value:{'+' if signed else ''},.{decimals}f}"


def estimate_cells(found: Estimate, decimals: int = 4, signed: bool = False) -> tuple[str, str]:
    """Value and interval as text, for example ("0.8712", "0.8671–0.8750")."""
    value = _number(found.value, decimals, signed)
    if math.isnan(found.low):
        return value, NOT_AVAILABLE
    ends = (_number(end, decimals, signed) for end in (found.low, found.high))
    return value, (" to " if signed else "–").join(ends)


def robust_table(comparison: Comparison) -> Table:
    """Mean and interquartile mean of accuracy, mean macro-F1, bootstrap intervals; the floors."""
    rows = []
    for arm in comparison.arms:
        cells = [arm.label]
        accuracy, macro_f1 = (list(arm.values(name).values()) for name in ("accuracy", "macro_f1"))
        for found in (mean_estimate(accuracy), iqm_estimate(accuracy), mean_estimate(macro_f1)):
            cells += estimate_cells(found)
        rows.append((*cells, str(len(arm.runs)), str(arm.diverged)))
    majority = float(np.mean([run.majority_accuracy for run in comparison.runs]))
    blank = (NOT_AVAILABLE,) * 7
    rows.append(("majority class", _number(majority, 4), *blank))
    if bag_of_words(comparison) is None:
        rows.append(("bag of words", "not run", *blank))
    scores = [(name, "95 %") for name in ("accuracy", "IQM", "macro-F1")]
    headings = ("arm", *(text for pair in scores for text in pair), "runs", "diverged")
    return Table(headings, tuple(rows))


def pairs_table(comparison: Comparison, evidence: Evidence) -> Table | None:
    """Each normalised arm against its counterpart: difference, probability, McNemar's test.

    Returns:
        The table, or `None` if no arm has a counterpart.
    """
    rows = []
    for arm in comparison.arms:
        baseline = comparison.baseline_of(arm)
        if baseline is None:
            continue
        ours, theirs = arm.values("accuracy"), baseline.values("accuracy")
        difference = paired_estimate(ours, theirs)
        macro_f1 = paired_estimate(arm.values("macro_f1"), baseline.values("macro_f1"))
        # A vote of fifteen runs beats one of three, whatever the arms.
        same = ours.keys() == theirs.keys()
        votes = [evidence.arms[one.label].right for one in (arm, baseline)]
        test = _mcnemar(*votes) if same else None
        only = f"{test.only_first} : {test.only_second}" if test else NOT_AVAILABLE
        rows.append(
            (
                arm.label,
                baseline.label,
                str(difference.count),
                *estimate_cells(difference, signed=True),
                *estimate_cells(macro_f1, signed=True),
                *estimate_cells(improvement_estimate(ours, theirs), decimals=2),
                only,
                _p_value(test.p_value) if test else NOT_AVAILABLE,
            )
        )
    scores = [(name, "95 %") for name in ("accuracy Δ", "macro-F1 Δ", "P(better)")]
    headings = ("arm", "against", "seeds", *(text for pair in scores for text in pair))
    table = Table((*headings, "only right", "McNemar p"), tuple(rows), words=2)
    return table if rows else None


def _mcnemar(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> McNemar | None:
    return mcnemar(ours, theirs) if ours.size and theirs.size else None


def _p_value(value: float) -> str:
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"


def _time(found: TimeToTarget, decimals: int) -> str:
    if not found.count:
        return NOT_AVAILABLE
    return "never" if math.isinf(found.median) else f"{found.median:,.{decimals}f}"


def cost_table(comparison: Comparison, evidence: Evidence, target: float | None = None) -> Table:
    """What each arm costs: size, training time, speed, steps and seconds to a target, tuning."""
    target = common_target(comparison) if target is None else target
    rows = []
    for arm in comparison.arms:
        cells = [arm.label]
        cells += [_median_of(arm, key) for key in ("parameters", "trainable_parameters", "steps")]
        cells += [_median_of(arm, key, True) for key in ("train_seconds", "tokens_per_second")]
        if target is not None:
            cells += _target_cells(arm, evidence, target)
        hours = sum(run.seconds for run in arm.trials) / 3600
        tried = len(arm_trials(arm))
        cells += [str(tried), f"{hours:.2f}"] if tried else [NOT_AVAILABLE] * 2
        rows.append(tuple(cells))
    reach = (f"reach {target:.2f}", "steps to it", "seconds to it") if target is not None else ()
    headings = ("arm", "parameters", "trainable", "steps", "seconds", "tokens/s", *reach)
    return Table((*headings, "settings tried", "hours of trials"), tuple(rows))


def _target_cells(arm: Arm, evidence: Evidence, target: float) -> list[str]:
    if is_floor(arm):
        return [NOT_AVAILABLE] * 3
    steps, seconds = arm_time_to_target(arm, evidence, target)
    return [f"{steps.reached} of {steps.count}", _time(steps, 0), _time(seconds, 1)]


def _median_of(arm: Arm, key: str, spread: bool = False) -> str:
    completed = [run.result for run in arm.runs if not run.diverged]
    values = [result[key] for result in completed if result.get(key) is not None]
    if not values:
        return NOT_AVAILABLE
    decimals = 1 if spread and max(values) < 100 else 0
    middle, *ends = (_number(float(f(values)), decimals) for f in (np.median, min, max))
    return f"{middle} ({'–'.join(ends)})" if spread and len(values) > 1 else middle


def tuning_table(comparison: Comparison) -> Table | None:
    """What was chosen for each arm and how it scored on validation data; None without trials."""
    tuned = [(arm, arm_trials(arm)) for arm in comparison.arms]
    keys = sorted(
        {key for _, trials in tuned for key in varied_keys([trial.config for trial in trials])}
    )
    if not keys:
        return None
    best = {arm.label: _best_finalist(trials) for arm, trials in tuned}
    finals = set(best.values()) != {NOT_AVAILABLE}
    rows = []
    for arm, trials in tuned:
        if not trials:
            continue
        scores = np.sort([trial.score for trial in trials])
        chosen = [_setting(arm.runs[0].config.get(key, NOT_AVAILABLE)) for key in keys]
        second = scores[-2] if len(scores) > 1 else np.nan
        spread = (_number(float(value), 4) for value in (np.median(scores), scores[-1], second))
        again = [best[arm.label]] if finals else []
        tested = _number(float(np.mean([run.validation_score for run in arm.runs])), 4)
        rows.append((arm.label, str(len(trials)), *chosen, *spread, *again, tested))
    again = ["best finalist"] if finals else []
    headings = ("arm", "trials", *keys, "median trial", "best", "second", *again, "its runs")
    return Table(headings, tuple(rows))


def _best_finalist(trials: Sequence[Trial]) -> str:
    """Score of the best of the settings that ran again; none if no setting did."""
    if len({trial.seeds for trial in trials}) <= 1:
        return NOT_AVAILABLE
    best = max(trials, key=lambda trial: (trial.seeds, trial.mean))
    return f"{_number(best.mean, 4)} ({best.seeds} runs)"


def _setting(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
