"""The settings of an arm that were stopped early: tried, but not to their end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from seqnorm.lab.report.arms.arms import Comparison, Configured, recipe_of, settings_of
from seqnorm.lab.runs.pruned import PrunedRun


def with_pruned(comparison: Comparison, pruned: Iterable[PrunedRun]) -> Comparison:
    """The comparison whose arms have those runs that were stopped early and are theirs.

    Args:
        comparison: Its arms.
        pruned: Runs, also of other comparisons; a copy in another folder is no further one.
    """
    found: defaultdict[Any, dict[str, PrunedRun]] = defaultdict(dict)
    for run in pruned:
        found[_home(run)].setdefault(run.name, run)
    arms = []
    for arm in comparison.arms:
        finished = {run.name for run in arm.trials}
        own = found.get(_home(arm.runs[0]), {})
        left = (own[name] for name in sorted(own) if name not in finished)
        arms.append(replace(arm, pruned=tuple(left)))
    return replace(comparison, arms=tuple(arms))


def settings_pruned(runs: Iterable[PrunedRun]) -> int:
    """How many settings were stopped early; one counts once, however many seeds it ran with."""
    return len({settings_of(run) for run in runs})


def _home(run: Configured) -> tuple[Any, ...]:
    """What a trial and the tested runs of its arm have in common."""
    names = (run.config.get(key) for key in ("study", "arm", "data.name", "task.name"))
    return (*names, recipe_of(run))
