"""The settings that were tried for an arm, on validation data only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean as mean
from typing import Any, TypeVar

import numpy as np

from seqnorm.lab.report.arms.arms import Arm, as_text, is_setting, settings_of
from seqnorm.lab.report.arms.floors import is_floor
from seqnorm.lab.report.page.charts import plain_band
from seqnorm.lab.report.statistics.curves import Band
from seqnorm.lab.runs.read import RunRecord

Key = TypeVar("Key")
Setting = tuple[tuple[str, str], ...]
LEARNING_RATE = "optim.learning_rate"


@dataclass(frozen=True)
class Trial:
    """One setting that was tried.

    Attributes:
        config: Its config, flat.
        score: Validation score, the mean over the seeds that all settings of the arm ran with; of
            the baseline if diverged.
        mean: The mean over all its seeds, which are more for a finalist.
        seeds: Their number.
    """

    config: Mapping[str, Any]
    score: float
    mean: float
    seeds: int


def _by_setting(trials: Sequence[RunRecord]) -> dict[Setting, list[RunRecord]]:
    """Trials that differ in the seed at most, in the order of the settings."""
    found: defaultdict[Setting, list[RunRecord]] = defaultdict(list)
    for run in trials:
        found[settings_of(run)].append(run)
    return {key: found[key] for key in sorted(found)}


def arm_trials(arm: Arm) -> list[Trial]:
    """The settings that were tried for an arm; one counts once, however many seeds it ran with.

    Of one that was stopped early some seeds may have ended by themselves: it does not count.
    """
    pruned = set(map(settings_of, arm.pruned))
    tried = [runs for key, runs in _by_setting(arm.trials).items() if key not in pruned]
    shared = (
        set.intersection(*({run.result.seed for run in runs} for runs in tried)) if tried else set()
    )
    found = []
    for runs in tried:
        scores = {run.result.seed: run.result.validation_score for run in runs}
        alike = [scores[seed] for seed in sorted(shared)] or list(scores.values())
        found.append(Trial(runs[0].config, mean(alike), mean(scores.values()), len(scores)))
    return found


def tried_configs(arm: Arm) -> list[Mapping[str, Any]]:
    """What was tried for an arm, also what was stopped early; one setting may come twice."""
    return [run.config for runs in (arm.trials, arm.pruned) for run in runs]


def merit_of(run: RunRecord) -> float:
    """What a setting is chosen by, the higher the better: the validation score or its negative."""
    return run.result.task.score.merit(run.result.validation_score)


def leaders(scores: Mapping[Key, Sequence[float]]) -> list[Key]:
    """Of the keys with the most scores those with the highest mean; several if they are equal.

    Scores are the higher the better, see `merit_of`.

    What ran once cannot win against what was good enough to run again.
    """
    most = max(map(len, scores.values()), default=0)
    means = {key: mean(sorted(each)) for key, each in scores.items() if len(each) == most}
    return [key for key, found in means.items() if found == max(means.values())]


def best_settings(trials: Sequence[RunRecord]) -> set[Setting]:
    """The setting that the trials chose, as `leaders` has it."""
    found = _by_setting(trials)
    return set(leaders({key: [merit_of(run) for run in runs] for key, runs in found.items()}))


def tried_alike(arms: Sequence[Arm]) -> bool:
    """Whether all networks tried the same values of the keys that all of them have."""
    networks = [arm for arm in arms if not is_floor(arm)]
    configs = [tried_configs(arm) for arm in networks]
    keys = set.intersection(*(set(varied_keys(tried)) for tried in configs)) if configs else set()
    lists = {
        frozenset(tuple(as_text(one[key]) for key in sorted(keys)) for one in tried)
        for tried in configs
    }
    return len(lists) <= 1


def by_learning_rate(arm: Arm) -> Band:
    """Score of every trial against its learning rate, rising."""
    pairs = sorted(
        (float(trial.config[LEARNING_RATE]), trial.score)
        for trial in arm_trials(arm)
        if LEARNING_RATE in trial.config
    )
    array = np.array(pairs, dtype=float).reshape(-1, 2)
    return plain_band(array[:, 0], array[:, 1])


def varied_keys(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Settings that are not the same in all configs, in the order of the first config."""
    values: defaultdict[str, set[str]] = defaultdict(set)
    for config in configs:
        for key, value in config.items():
            values[key].add(as_text(value))
    return [key for key in values if is_setting(key) and len(values[key]) > 1]
