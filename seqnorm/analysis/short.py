"""A comparison in a few plain sentences, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from seqnorm.analysis.arms import BASELINE, Arm, Comparison
from seqnorm.analysis.bootstrap import Estimate
from seqnorm.analysis.drawn import Drawn, drawn_arms
from seqnorm.analysis.estimates import (
    arm_time_to_target,
    common_target,
    improvement_estimate,
    mean_estimate,
    paired_estimate,
)
from seqnorm.analysis.evidence import Evidence
from seqnorm.analysis.floors import bag_of_words, is_floor


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
    side = "above" if found.value > floor.accuracy else "not above"
    return f"{sentence}, {side} the bag of words with {floor.accuracy:.4f}."


def _against(comparison: Comparison, evidence: Evidence, arm: Arm, baseline: Arm) -> str:
    ours, theirs = arm.values("accuracy"), baseline.values("accuracy")
    difference, better = paired_estimate(ours, theirs), improvement_estimate(ours, theirs)
    parts = [f"{arm.label} against {baseline.label}: {_points(difference)}"]
    parts.append(f"a run of it beats the other with probability {better.value:.2f}")
    target = common_target(comparison)
    if target is not None:
        mine, other = (arm_time_to_target(each, evidence, target)[0] for each in (arm, baseline))
        known = math.isfinite(mine.median) and math.isfinite(other.median)
        if known and mine.median != other.median:
            parts.append(
                f"it reaches {target:.2f} on validation data after {mine.median:,.0f} steps, "
                f"the other after {other.median:,.0f}"
            )
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
