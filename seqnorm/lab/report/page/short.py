"""A comparison in a few plain sentences, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from seqnorm.lab.report.arms.arms import BASELINE, Arm, Comparison
from seqnorm.lab.report.arms.floors import bag_of_words, is_floor
from seqnorm.lab.report.findings.evidence import Evidence
from seqnorm.lab.report.page.drawn import Drawn, drawn_arms
from seqnorm.lab.report.statistics.bootstrap import Estimate
from seqnorm.lab.report.statistics.estimates import (
    arm_time_to_target,
    common_target,
    improvement_estimate,
    mean_estimate,
    paired_estimate,
)


def _points(found: Estimate) -> str:
    """A difference in points of accuracy with its interval."""
    text = f"{100 * found.value:+.2f} points"
    if math.isnan(found.low):
        return f"{text} (too few seeds for an interval)"
    return f"{text} ({100 * found.low:+.2f} to {100 * found.high:+.2f})"


def _best(comparison: Comparison) -> str:
    arms = [arm for arm in comparison.arms if not is_floor(arm)]
    means = {arm.label: mean_estimate(list(arm.values("accuracy").values())) for arm in arms}
    label = max(means, key=lambda name: means[name].value)
    found = means[label]
    interval = "" if math.isnan(found.low) else f" ({found.low:.4f} to {found.high:.4f})"
    sentence = f"Highest mean test accuracy: {label} with {found.value:.4f}{interval}"
    floor = bag_of_words(comparison)
    if floor is None:
        return sentence + "."
    return f"{sentence}, {_side(found, floor.accuracy)} the bag of words with {floor.accuracy:.4f}."


def _side(found: Estimate, floor: float) -> str:
    low, high = (found.value, found.value) if math.isnan(found.low) else (found.low, found.high)
    if low <= floor <= high:
        return "not told apart from"
    return "above" if floor < low else "below"


def _beats(ours: Mapping[int, float], theirs: Mapping[int, float]) -> str | None:
    """How the single runs compare; None where they say nothing, as one of each does."""
    if len(ours) * len(theirs) == 1:
        return None
    better = improvement_estimate(ours, theirs)
    if better.value in (0.0, 1.0):
        side = "above" if better.value else "below"
        own = f"each of its {len(ours)} runs" if len(ours) > 1 else "its one run"
        others = f"all {len(theirs)} of the other" if len(theirs) > 1 else "the other's one"
        return f"{own} is {side} {others}"
    if (better.low, better.high) == (0.0, 1.0):
        return None
    interval = "" if math.isnan(better.low) else f" ({better.low:.0%} to {better.high:.0%})"
    return f"of two runs, one of each, its own is the better in {better.value:.0%}{interval}"


def _sooner(comparison: Comparison, evidence: Evidence, arms: tuple[Arm, Arm]) -> str | None:
    """Steps to the target, if their medians differ by an epoch or more."""
    target = common_target(comparison)
    if target is None:
        return None
    mine, other = (arm_time_to_target(arm, evidence, target)[0].median for arm in arms)
    epochs = [
        run.metrics["val_accuracy"][0, 0]
        for arm in arms
        for run in evidence.arms[arm.label].curves
        if len(run.metrics["val_accuracy"])
    ]
    known = epochs and (math.isfinite(mine) or math.isfinite(other))
    if not known or abs(mine - other) < min(epochs):
        return None
    ours, theirs = (
        f"after {median:,.0f} steps" if math.isfinite(median) else _seldom(arm)
        for median, arm in zip((mine, other), arms, strict=True)
    )
    return f"it reaches {target:.2f} on validation data {ours}, the other {theirs}"


def _seldom(arm: Arm) -> str:
    return "in half of its runs at most" if len(arm.runs) > 1 else "not at all"


def _against(comparison: Comparison, evidence: Evidence, arm: Arm, baseline: Arm) -> str:
    ours, theirs = arm.values("accuracy"), baseline.values("accuracy")
    difference = _points(paired_estimate(ours, theirs))
    more = (_beats(ours, theirs), _sooner(comparison, evidence, (arm, baseline)))
    parts = [f"{arm.label} against {baseline.label}: {difference}", *filter(None, more)]
    if arm.diverged or baseline.diverged:
        parts.append(f"runs that diverged: {arm.diverged} against {baseline.diverged}")
    return "; ".join(parts) + "."


def _along(drawn: Drawn, key: str, pairs: Sequence[tuple[Arm, Arm]]) -> Iterator[str]:
    """One sentence for all values of a setting, as the batch size, instead of one for each."""
    series: dict[str, list[str]] = {}
    for arm, base in pairs:
        found = _points(paired_estimate(arm.values("accuracy"), base.values("accuracy")))
        diverged = f", diverged {arm.diverged} against {base.diverged}"
        text = f"{found}{diverged if arm.diverged or base.diverged else ''}"
        looks = (drawn.variant(one).removeprefix(f"{one.cell} ") for one in (arm, base))
        names = " against ".join(f"{arm.cell} {look}" for look in looks)
        series.setdefault(names, []).append(f"at {dict(arm.settings).get(key)} {text}")
    short = key.rsplit(".", 1)[-1].replace("_", " ")
    for names, texts in series.items():
        yield f"{names}, by {short}: {'; '.join(texts)}."


def sentences(comparison: Comparison, evidence: Evidence) -> Iterator[str]:
    """The best arm against the floor, then each arm against its counterpart without a norm, if any.

    Arms that differ in a varied setting, as the batch size, share a sentence.

    Args:
        comparison: The arms.
        evidence: The curves, for steps to the target.
    """
    if not all(is_floor(arm) for arm in comparison.arms):
        yield _best(comparison)
    pairs = [(arm, comparison.baseline_of(arm)) for arm in comparison.arms]
    known = [
        (arm, base)
        for arm, base in pairs
        if base is not None and arm.values("accuracy").keys() & base.values("accuracy")
    ]
    drawn = drawn_arms(comparison, evidence)
    if drawn.axis is not None:
        yield from _along(drawn, drawn.axis, known)
    else:
        for arm, base in known:
            yield _against(comparison, evidence, arm, base)
    alone = [arm.label for arm, base in pairs if base is None and arm.norm != BASELINE]
    if alone:
        yield f"No counterpart that differs in the norm only: {'; '.join(alone)}."
