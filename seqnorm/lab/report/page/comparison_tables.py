"""The tables of a comparison beside the means: robust statistics, tests, targets, cost, tuning."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from seqnorm.lab.report.arms.arms import Arm, Comparison, differ_in_norm_only
from seqnorm.lab.report.arms.floors import baseline_score, floor_scores, floor_title, is_floor
from seqnorm.lab.report.arms.labels import make_label
from seqnorm.lab.report.arms.pruned import settings_pruned
from seqnorm.lab.report.arms.trials import Trial, arm_trials, tried_configs, varied_keys
from seqnorm.lab.report.findings.evidence import Evidence
from seqnorm.lab.report.page.tables import NOT_AVAILABLE, Table
from seqnorm.lab.report.page.task_pages import page_of
from seqnorm.lab.report.statistics.bootstrap import Estimate
from seqnorm.lab.report.statistics.estimates import (
    arm_time_to_target,
    common_target,
    improvement_estimate,
    iqm_estimate,
    mean_estimate,
    paired_estimate,
)
from seqnorm.lab.report.statistics.targets import TimeToTarget, target_digits
from seqnorm.lab.tasks.score import Score
from seqnorm.spelling import counted


def _number(value: float, decimals: int, signed: bool = False) -> str:
    if math.isnan(value):
        return NOT_AVAILABLE
    return f"{value:{'+' if signed else ''},.{decimals}f}"


def estimate_cells(found: Estimate, decimals: int, signed: bool = False) -> tuple[str, str]:
    """Value and interval as text, for example ("0.8712", "0.8671–0.8750")."""
    value = _number(found.value, decimals, signed)
    if math.isnan(found.low):
        return value, NOT_AVAILABLE
    ends = (_number(end, decimals, signed) for end in (found.low, found.high))
    return value, (" to " if signed else "–").join(ends)


def estimate_text(found: Estimate, digits: int, signed: bool = False) -> str:
    """As "0.8712 (0.8671–0.8750)"; without an interval where one seed has none."""
    value, interval = estimate_cells(found, digits, signed)
    return value if interval == NOT_AVAILABLE else f"{value} ({interval})"


def robust_table(comparison: Comparison) -> Table:
    """Mean and interquartile mean of the first score, means of others, intervals; the floors."""
    task = comparison.task
    rows = []
    for arm in comparison.arms:
        cells = [arm.label]
        for place, score in enumerate(task.scores):
            values = list(arm.values(score.name).values())
            both = (mean_estimate, iqm_estimate) if place == 0 else (mean_estimate,)
            for estimate in both:
                cells += estimate_cells(estimate(values), score.digits)
        rows.append((*cells, str(len(arm.runs)), str(arm.diverged)))
    blank = (NOT_AVAILABLE,) * (2 * len(task.scores) + 3)
    rows.append((task.baseline, task.score.write(baseline_score(comparison)), *blank))
    title = floor_title(comparison)
    if title and floor_scores(comparison) is None:
        rows.append((title, "not run", *blank))
    first, *others = (score.title for score in task.scores)
    scores = [(name, "95 %") for name in (first, "IQM", *others)]
    headings = ("arm", *(text for pair in scores for text in pair), "runs", "diverged")
    return Table(headings, tuple(rows), floors=(*Table.floors, task.baseline))


def pairs_table(comparison: Comparison, evidence: Evidence) -> Table | None:
    """Each normalised arm against its counterpart: differences, probability, what the task adds.

    Returns:
        The table, or `None` if no arm has a counterpart.
    """
    task, own = comparison.task, page_of(comparison)
    rows = []
    for arm in comparison.arms:
        baseline = comparison.baseline_of(arm)
        if baseline is None:
            continue
        cells = [arm.label, _counterpart(arm, baseline)]
        for place, score in enumerate(task.scores):
            difference = paired_estimate(arm.values(score.name), baseline.values(score.name))
            cells += [] if place else [str(difference.count)]
            cells += estimate_cells(difference, score.digits, signed=True)
        ours, theirs = (one.values(task.score.name) for one in (arm, baseline))
        cells += estimate_cells(improvement_estimate(ours, theirs, task.score), decimals=2)
        answers = (evidence.arms[one.label].answers for one in (arm, baseline))
        # A vote of fifteen runs beats one of three, whatever the arms.
        rows.append((*cells, *own.pair(*answers, alike=ours.keys() == theirs.keys())))
    scores = [(f"{score.title} Δ", "95 %") for score in task.scores] + [("P(better)", "95 %")]
    headings = ("arm", "against", "seeds", *(text for pair in scores for text in pair))
    return Table((*headings, *own.pair_headings), tuple(rows), words=2) if rows else None


def _counterpart(arm: Arm, baseline: Arm) -> str:
    """What an arm is held against, without the settings that its own name has already."""
    own_label = make_label(baseline.cell, baseline.norm, baseline.settings)
    named = baseline.label != own_label  # told apart by its name from an arm that is equal
    if named or not differ_in_norm_only(arm, baseline):
        return baseline.label
    return f"{baseline.cell} {baseline.norm}"


def _time(found: TimeToTarget, decimals: int) -> str:
    if not found.count:
        return NOT_AVAILABLE
    return "never" if math.isinf(found.median) else f"{found.median:,.{decimals}f}"


def cost_table(comparison: Comparison, evidence: Evidence, target: float | None = None) -> Table:
    """What each arm costs: size, training time, speed, steps and seconds to a target, tuning."""
    score = comparison.task.score
    target = common_target(comparison) if target is None else target
    rows = []
    for arm in comparison.arms:
        cells = [arm.label]
        cells += [_median_of(arm, key) for key in ("parameters", "trainable_parameters", "steps")]
        cells += [_median_of(arm, key, True) for key in ("train_seconds", "tokens_per_second")]
        if target is not None:
            cells += _target_cells(arm, evidence, target)
        seconds = [run.result.train_seconds for run in arm.trials]
        hours = sum((*seconds, *(run.seconds for run in arm.pruned))) / 3600
        tried = len(arm_trials(arm)) + settings_pruned(arm.pruned)
        cells += [str(tried), f"{hours:.2f}"] if tried else [NOT_AVAILABLE] * 2
        rows.append(tuple(cells))
    reach: tuple[str, ...] = ()
    if target is not None:
        reach = (f"reach {target:.{target_digits(score)}f}", "steps to it", "seconds to it")
    headings = ("arm", "parameters", "trainable", "steps", "seconds", "tokens/s", *reach)
    return Table((*headings, "settings tried", "hours of trials"), tuple(rows))


def _target_cells(arm: Arm, evidence: Evidence, target: float) -> list[str]:
    if is_floor(arm):
        return [NOT_AVAILABLE] * 3
    steps, seconds = arm_time_to_target(arm, evidence, target)
    return [f"{steps.reached} of {steps.count}", _time(steps, 0), _time(seconds, 1)]


def _median_of(arm: Arm, key: str, spread: bool = False) -> str:
    completed = [run.result for run in arm.runs if not run.result.diverged]
    found = [getattr(result, key) for result in completed]
    values = [value for value in found if value is not None]
    if not values:
        return NOT_AVAILABLE
    decimals = 1 if spread and max(values) < 100 else 0
    middle, *ends = (_number(float(f(values)), decimals) for f in (np.median, min, max))
    return f"{middle} ({'–'.join(ends)})" if spread and len(values) > 1 else middle


def tuning_table(comparison: Comparison) -> Table | None:
    """What was chosen for each arm and how it scored on validation data; None without trials."""
    tuned = [(arm, arm_trials(arm)) for arm in comparison.arms]
    keys = sorted({key for arm, _ in tuned for key in varied_keys(tried_configs(arm))})
    if not keys:
        return None
    pruned = any(arm.pruned for arm in comparison.arms)
    score = comparison.task.score
    best = {arm.label: _best_finalist(trials, score) for arm, trials in tuned}
    finals = set(best.values()) != {NOT_AVAILABLE}
    rows = []
    for arm, trials in tuned:
        if not trials:
            continue
        scores = sorted((trial.score for trial in trials), key=score.merit)
        chosen = [_setting(arm.runs[0].config.get(key, NOT_AVAILABLE)) for key in keys]
        second = scores[-2] if len(scores) > 1 else np.nan
        middle = float(np.median(scores))
        spread = (_number(value, score.digits) for value in (middle, scores[-1], second))
        again = [best[arm.label]] if finals else []
        tested = score.write(float(np.mean([run.result.validation_score for run in arm.runs])))
        early = [str(settings_pruned(arm.pruned))] if pruned else []
        rows.append((arm.label, str(len(trials)), *early, *chosen, *spread, *again, tested))
    again = ["best finalist"] if finals else []
    early = ["stopped early"] if pruned else []
    headings = (
        "arm",
        "trials",
        *early,
        *keys,
        "median trial",
        "best",
        "second",
        *again,
        "its runs",
    )
    return Table(headings, tuple(rows))


def _best_finalist(trials: Sequence[Trial], score: Score) -> str:
    """Score of the best of the settings that ran again; none if no setting did."""
    if len({trial.seeds for trial in trials}) <= 1:
        return NOT_AVAILABLE
    best = max(trials, key=lambda trial: (trial.seeds, score.merit(trial.mean)))
    return f"{score.write(best.mean)} ({counted(best.seeds, 'run')})"


def _setting(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
