"""Successive halving: settings that are behind after a few epochs are not trained to the end.

All settings of an arm begin with `compare.min_epochs` epochs; the best of them, one in
`compare.eta`, go on from where they are until each has `eta` times as many, and so forth until the
last have all epochs of the recipe. Every arm has the same rungs, and with them the same budget.

A rung begins when the one before it has ended, for all arms: who goes on then depends on scores
alone and not on which run came first, so that a comparison comes to the same table however it is
stopped and wherever its runs are made.

Reference: Jamieson and Talwalkar, 2016, "Non-stochastic best arm identification and hyperparameter
optimization".
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from omegaconf import DictConfig

from seqnorm.lab.comparison.choice import best, merits, naming, record_of
from seqnorm.lab.comparison.config import CompareConfig
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.engine.job import Job
from seqnorm.lab.runs.pruned import prune
from seqnorm.lab.runs.standing import Standing, has_reached, standing
from seqnorm.lab.runs.stopped import NEVER
from seqnorm.lab.tasks import make_task
from seqnorm.lab.tasks.score import Score
from seqnorm.spelling import counted

HALVING = "halving"


@dataclass(frozen=True)
class Rung:
    """Settings of each arm that are trained up to an epoch.

    Attributes:
        settings: Their number.
        epochs: Epochs that each has at the end of it.
        until: The same where runs are paused; None where that is the end of their training.
    """

    settings: int
    epochs: int
    until: int | None = None


def rungs(settings: int, epochs: int, eta: int, min_epochs: int, kept: int) -> list[Rung]:
    """What is trained for how long; one rung for each time that settings are left behind.

    Args:
        settings: Number of settings of each arm.
        epochs: Epochs of a whole run.
        eta: One in so many goes on, rounded up, to so many times the epochs.
        min_epochs: Epochs of the first rung.
        kept: How many go on at least.

    Examples:
        16 settings, 6 epochs, eta=3, min_epochs=1 and kept=3 give 16 settings for 1 epoch, 6 of
        them for 3, and 3 of these for 6: 16 + 6 x 2 + 3 x 3 = 37 epochs of 96.
    """
    found = []
    reached = min_epochs
    while reached < epochs:
        fewer = max(math.ceil(settings / eta), min(kept, settings))
        if fewer < settings:
            found.append(Rung(settings, reached, until=reached))
            settings = fewer
        reached *= eta
    return [*found, Rung(settings, epochs)]


def rungs_of(options: CompareConfig, arms: Sequence[DictConfig]) -> list[Rung]:
    """The rungs of a comparison; without halving one, of all settings to their end.

    Args:
        options: How many settings there are, and how they are left behind.
        arms: The configurations of the arms.

    Raises:
        ConfigError: If the arms would have different budgets, no setting would be left behind, or
            paused runs would not be gone on with.
    """
    epochs = sorted({arm.train.epochs for arm in arms})
    if options.prune != HALVING:
        return [Rung(options.trials, epochs[-1])]
    if len(epochs) > 1:
        raise ConfigError(
            "compare.prune=halving needs arms of as many epochs, or they would have different "
            f"budgets; received arms with train.epochs={', '.join(map(str, epochs))}. Make one "
            "comparison of each, or set compare.prune=none."
        )
    if any(arm.resume == NEVER for arm in arms):
        raise ConfigError(
            "compare.prune=halving pauses runs and goes on with them; received resume=never. Leave "
            "it out, or set compare.prune=none."
        )
    found = rungs(
        options.trials, epochs[0], options.eta, options.min_epochs, max(options.finalists, 1)
    )
    if len(found) == 1:
        raise ConfigError(
            "compare.prune=halving needs compare.min_epochs below train.epochs, and "
            "compare.finalists below compare.trials, or no setting is left behind; received "
            f"compare.min_epochs={options.min_epochs}, train.epochs={epochs[0]}, "
            f"compare.finalists={options.finalists}, compare.trials={options.trials}. Change one "
            "of them, or set compare.prune=none."
        )
    return found


def budget(found: Sequence[Rung], seeds: int) -> str:
    """What each arm gets, in a sentence.

    Args:
        found: The rungs.
        seeds: Runs of each setting.
    """
    first, *others = found
    parts = [f"{counted(first.settings, 'setting')} to epoch {first.epochs}"]
    parts += [f"the best {rung.settings} to epoch {rung.epochs}" for rung in others]
    epochs = sum(
        rung.settings * (rung.epochs - before.epochs)
        for before, rung in pairwise([Rung(0, 0), *found])
    )
    whole = first.settings * found[-1].epochs
    each = f", {counted(seeds, 'run')} of each" if seeds > 1 else ""
    return f"each arm: {', '.join(parts)}{each}: {seeds * epochs} of {seeds * whole} epochs"


def spent(trials: Iterable[Job]) -> str:
    """What each arm has had of it, which patience and divergence make less."""
    jobs = {job.name: job for job in trials}.values()  # two settings may be one run
    epochs = dict.fromkeys((job.arm for job in jobs), 0)
    for job in jobs:
        epochs[job.arm] += _stands(job)[0].epochs
    found = ", ".join(f"{arm} {number}" for arm, number in epochs.items())
    return f"epochs that the settings of each arm have had: {found}"


def merit_after(job: Job, epochs: int) -> float:
    """What a run is worth after an epoch, the higher the better.

    That is the validation score it would have if it ended there: of the epoch that `train.keep`
    keeps, which is what settings are chosen by in the end. A run that has diverged by then loses.
    """
    found, score = _stands(job, epochs)
    lost = found.epochs < epochs and record_of(job).result.diverged
    return -math.inf if lost or found.score is None else score.merit(found.score)


def going_on(trials: Iterable[Job], rung: Rung, after: Rung) -> dict[str, list[int]]:
    """The settings of each arm that go on, best first; of equals the first.

    Args:
        trials: Those of a rung, which have reached its end.
        rung: The rung.
        after: The next one.
    """
    return best(merits(trials, lambda job: merit_after(job, rung.epochs)), after.settings)


def seconds_of(job: Job) -> float | None:
    """Training time of a paused run, as if it had been trained to its end."""
    found = _stands(job, job.until)[0]
    return found.seconds / found.epochs * job.config.train.epochs if found.epochs else None


def in_words(job: Job) -> str:
    """Where a paused run stands."""
    found, score = _stands(job, job.until)
    said = "no number" if found.score is None else score.write(found.score)
    return f"validation {score.title} {said} after epoch {found.epochs}"


def leave_behind(trials: Iterable[Job], kept: Mapping[str, Collection[int]], rung: Rung) -> None:
    """Ends the paused runs of settings that do not go on.

    Args:
        trials: Those of the rung.
        kept: The settings of each arm that go on.
        rung: Where they are paused.
    """
    jobs = list(trials)
    going_on = {job.name for job in jobs if job.number in kept[job.arm]}  # two may be one run
    for job in jobs:
        if job.name not in going_on and not has_reached(job.folder, None):
            prune(job.folder, rung.epochs, job.config.train.epochs)


def _stands(job: Job, epochs: int | None = None) -> tuple[Standing, Score]:
    score = make_task(job.config.task).scoring.score
    with naming(job):
        return standing(job.folder, score.name, job.config.train.keep, epochs), score
