"""A comparison in a few plain sentences, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from seqnorm.lab.report.arms.arms import BASELINE, Arm, Comparison
from seqnorm.lab.report.arms.floors import (
    baseline_score,
    capitalised,
    floor_scores,
    floor_title,
    is_floor,
)
from seqnorm.lab.report.findings.evidence import Evidence
from seqnorm.lab.report.page.looks import Looks
from seqnorm.lab.report.page.plateau_displays import plateau_sentences
from seqnorm.lab.report.statistics.bootstrap import Estimate
from seqnorm.lab.report.statistics.estimates import (
    arm_time_to_target,
    common_target,
    improvement_estimate,
    mean_estimate,
    paired_estimate,
)
from seqnorm.lab.report.statistics.targets import TimeToTarget, target_digits
from seqnorm.lab.tasks.score import Score
from seqnorm.spelling import counted


def _difference(found: Estimate, score: Score) -> str:
    """A difference with its unit and its interval, as "+0.70 points (-0.30 to +1.90)"."""
    text = f"{score.write_difference(found.value)} {score.unit}".rstrip()
    if math.isnan(found.low):
        return f"{text} (too few seeds for an interval)"
    low, high = (score.write_difference(end) for end in (found.low, found.high))
    return f"{text} ({low} to {high})"


def _best(comparison: Comparison) -> str:
    score = comparison.task.score
    arms = [arm for arm in comparison.arms if not is_floor(arm)]
    means = {arm.label: mean_estimate(list(arm.values(score.name).values())) for arm in arms}
    label = max(means, key=lambda name: score.merit(means[name].value))
    found = means[label]
    low, high = (score.write(end) for end in (found.low, found.high))
    interval = "" if math.isnan(found.low) else f" ({low} to {high})"
    best = f"{capitalised(score.best)} mean test {score.title}"
    sentence = f"{best}: {label} with {score.write(found.value)}{interval}"
    floor = floor_scores(comparison)
    if floor is None:
        return f"{sentence}, {_beside_baseline(comparison, found)}."
    side, value = _side(found, floor[score.name]), score.write(floor[score.name])
    return f"{sentence}, {side} the {floor_title(comparison)} with {value}."


def _beside_baseline(comparison: Comparison, best: Estimate) -> str:
    """What the best arm is worth where no model without recurrence says it."""
    task, value = comparison.task, baseline_score(comparison)
    beaten = task.score.merit(best.value) > task.score.merit(value)
    lost = "" if beaten else ": no arm beats what needs no model"
    return f"{_side(best, value)} the {task.baseline} with {task.score.write(value)}{lost}"


def _side(found: Estimate, floor: float) -> str:
    low, high = (found.value, found.value) if math.isnan(found.low) else (found.low, found.high)
    if low <= floor <= high:
        return "not told apart from"
    return "above" if floor < low else "below"


def _beats(ours: Mapping[int, float], theirs: Mapping[int, float], score: Score) -> str | None:
    """How the single runs compare; None where they say nothing, as one of each does."""
    if len(ours) * len(theirs) == 1:
        return None
    better = improvement_estimate(ours, theirs, score)
    if better.value in (0.0, 1.0):
        side = "above" if bool(better.value) == score.higher_is_better else "below"
        own = f"each of its {len(ours)} runs" if len(ours) > 1 else "its one run"
        others = f"all {len(theirs)} of the other" if len(theirs) > 1 else "the other's one"
        return f"{own} is {side} {others}"
    if (better.low, better.high) == (0.0, 1.0):
        return None
    interval = "" if math.isnan(better.low) else f" ({better.low:.0%} to {better.high:.0%})"
    return f"of two runs, one of each, its own is the better in {better.value:.0%}{interval}"


def _sooner(comparison: Comparison, evidence: Evidence, arms: tuple[Arm, Arm]) -> str | None:
    """Steps to the target, if their medians differ by an epoch or more."""
    score, target = comparison.task.score, common_target(comparison)
    if target is None:
        return None
    times = [arm_time_to_target(arm, evidence, target)[0] for arm in arms]
    mine, other = (time.median for time in times)
    epochs = [
        history[0, 0]
        for arm in arms
        for run in evidence.arms[arm.label].curves
        if len(history := run.metrics[f"val_{score.name}"])
    ]
    known = epochs and (math.isfinite(mine) or math.isfinite(other))
    if not known or abs(mine - other) < min(epochs):
        return None
    ours, theirs = (
        f"after {time.median:,.0f} steps" if math.isfinite(time.median) else _seldom(time)
        for time in times
    )
    aim = f"{target:.{target_digits(score)}f}"
    return f"it reaches {aim} on validation data {ours}, {arms[1].label} {theirs}"


def _seldom(time: TimeToTarget) -> str:
    runs = counted(time.count, "run")
    return f"in {time.reached} of its {runs}" if time.reached else "not at all"


def _against(comparison: Comparison, evidence: Evidence, arm: Arm, baseline: Arm) -> str:
    score = comparison.task.score
    ours, theirs = (one.values(score.name) for one in (arm, baseline))
    difference = _difference(paired_estimate(ours, theirs), score)
    more = (_beats(ours, theirs, score), _sooner(comparison, evidence, (arm, baseline)))
    parts = [f"{arm.label} against {baseline.label}: {difference}", *filter(None, more)]
    if arm.diverged or baseline.diverged:
        parts.append(f"runs that diverged: {arm.diverged} against {baseline.diverged}")
    return "; ".join(parts) + "."


def _along(looks: Looks, key: str, pairs: Sequence[tuple[Arm, Arm]]) -> Iterator[str]:
    """One sentence for all values of a setting, as the batch size, instead of one for each."""
    series: dict[str, list[str]] = {}
    score = looks.comparison.task.score
    for arm, base in pairs:
        ours, theirs = (one.values(score.name) for one in (arm, base))
        found = _difference(paired_estimate(ours, theirs), score)
        diverged = f", diverged {arm.diverged} against {base.diverged}"
        text = f"{found}{diverged if arm.diverged or base.diverged else ''}"
        variants = (looks.variant(one).removeprefix(f"{one.cell} ") for one in (arm, base))
        names = " against ".join(f"{arm.cell} {variant}" for variant in variants)
        series.setdefault(names, []).append(f"at {dict(arm.settings).get(key)} {text}")
    short = looks.short[key].replace("_", " ")
    for names, texts in series.items():
        yield f"{names}, by {short}: {'; '.join(texts)}."


def sentences(looks: Looks) -> Iterator[str]:
    """The best arm against the floor, then each arm against its counterpart without a norm, if any.

    Arms that differ in a varied setting, as the batch size, share a sentence; along a curve it is
    about the plateau.

    Args:
        looks: The arms, with the curves for steps to the target.
    """
    comparison, evidence = looks.comparison, looks.evidence
    if not all(is_floor(arm) for arm in comparison.arms):
        yield _best(comparison)
    pairs = [(arm, comparison.baseline_of(arm)) for arm in comparison.arms]
    name = comparison.task.score.name
    known = [
        (arm, base)
        for arm, base in pairs
        if base is not None and arm.values(name).keys() & base.values(name)
    ]
    for key in looks.varied:  # a sentence for each value of a curve would be no short result
        yield from plateau_sentences(looks, key)
    curves = [each.series for found in looks.plateaus.values() for each in found]
    told = {arm.label for series in curves for arm in series.arms}
    known = [(arm, base) for arm, base in known if arm.label not in told]
    if looks.axis is not None:
        yield from _along(looks, looks.axis, known)
    else:
        for arm, base in known:
            yield _against(comparison, evidence, arm, base)
    alone = [arm.label for arm, base in pairs if base is None and arm.norm != BASELINE]
    if alone:
        yield f"No counterpart that differs in the norm only: {'; '.join(alone)}."
