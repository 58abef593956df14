"""The settings that were tried for an arm, on validation data only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqnorm.analysis.arms import Arm, as_text, is_setting, settings_of
from seqnorm.analysis.charts import plain_band
from seqnorm.analysis.records import RunRecord
from seqnorm.analysis.statistics import Band

Setting = tuple[tuple[str, str], ...]
LEARNING_RATE = "optim.learning_rate"


@dataclass(frozen=True)
class Trial:
    """One setting that was tried.

    Attributes:
        config: Its config, flat.
        score: Validation accuracy, the mean over its seeds; of the majority class if diverged.
    """

    config: Mapping[str, Any]
    score: float


def _by_setting(trials: Sequence[RunRecord]) -> dict[Setting, list[RunRecord]]:
    """Trials that differ in the seed at most, in the order of the settings."""
    found: defaultdict[Setting, list[RunRecord]] = defaultdict(list)
    for run in trials:
        found[settings_of(run)].append(run)
    return {key: found[key] for key in sorted(found)}


def _score(runs: Sequence[RunRecord]) -> float:
    return float(np.mean([run.validation_score for run in runs]))


def arm_trials(arm: Arm) -> list[Trial]:
    """The settings that were tried for an arm; one counts once, however many seeds it ran with."""
    return [Trial(runs[0].config, _score(runs)) for runs in _by_setting(arm.trials).values()]


def best_settings(trials: Sequence[RunRecord]) -> set[Setting]:
    """The setting with the highest mean validation accuracy; several if they are equal."""
    scores = {key: _score(runs) for key, runs in _by_setting(trials).items()}
    best = max(scores.values(), default=0.0)
    return {key for key, score in scores.items() if score == best}


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
