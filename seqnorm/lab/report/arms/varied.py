"""Settings that a comparison goes through, as the learning rate or a batch size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from seqnorm.lab.report.arms.arms import Arm

Settings = tuple[tuple[str, Any], ...]


def number_of(arm: Arm, key: str) -> float | None:
    """An arm's value of a setting; None if it has none, or one that is no number."""
    value = dict(arm.settings).get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def without(settings: Settings, key: str) -> Settings:
    """All settings but one."""
    return tuple(pair for pair in settings if pair[0] != key)


def beside_norm(settings: Settings) -> Settings:
    """Settings that are no norm's."""
    return tuple(pair for pair in settings if not pair[0].startswith("norm."))


def varied_settings(arms: Sequence[Arm]) -> list[str]:
    """Settings of which some arms have three numbers or more, alike in everything else.

    So the batch size is one, and a learning rate that was tuned for each arm is not.
    """
    found = []
    for key in dict.fromkeys(key for arm in arms for key, _ in arm.settings):
        values: defaultdict[tuple[str, str, str], set[float]] = defaultdict(set)
        for arm in arms:
            if (value := number_of(arm, key)) is not None:
                values[arm.cell, arm.norm, repr(without(arm.settings, key))].add(value)
        if any(len(numbers) > 2 for numbers in values.values()):
            found.append(key)
    return found


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """The end of each key, as "batch_size"; all of it where two end alike."""
    ends = [key.rsplit(".", 1)[-1] for key in keys]
    return {
        key: end if ends.count(end) == 1 and end != "name" else key
        for key, end in zip(keys, ends, strict=True)
    }
