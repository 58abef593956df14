"""The settings that were tried for an arm, on validation data only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqnorm.analysis.arms import Arm, as_text, is_setting
from seqnorm.analysis.charts import plain_band
from seqnorm.analysis.statistics import Band

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


def arm_trials(arm: Arm) -> list[Trial]:
    """The settings that were tried for an arm; one counts once, however many seeds it ran with."""
    scores: dict[str, list[float]] = {}
    configs: dict[str, Mapping[str, Any]] = {}
    for run in arm.trials:
        key = str(run.result.get("config_hash", run.name))
        scores.setdefault(key, []).append(run.validation_score)
        configs[key] = run.config
    return [Trial(configs[key], float(np.mean(scores[key]))) for key in sorted(scores)]


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
