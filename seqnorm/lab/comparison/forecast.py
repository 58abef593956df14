"""What a comparison would run and how long that takes, before any of it is run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean as mean

from seqnorm.lab.comparison.choice import choose, ended, finalists, record_of
from seqnorm.lab.comparison.halving import Rung, budget, going_on, seconds_of
from seqnorm.lab.comparison.plan import Plan
from seqnorm.lab.comparison.progress import duration
from seqnorm.lab.engine.config import LokyConfig
from seqnorm.lab.engine.engine import local_workers
from seqnorm.lab.engine.job import Job
from seqnorm.lab.runs.standing import has_reached
from seqnorm.spelling import counted


@dataclass(frozen=True)
class Stage:
    """Runs that may be made beside one another.

    Attributes:
        title: What they are for.
        total: How many there are.
        made: Those that are finished.
        missing: The arms of the others, one for each.
        share: Of a whole run that each of them trains.
    """

    title: str
    total: int
    made: list[Job]
    missing: list[str]
    share: float = 1.0


def forecast(plan: Plan) -> str:
    """Stages, arms, runs and time, for a person.

    Args:
        plan: Its runs.
    """
    stages = [stage for stage in _stages(plan) if stage.total]
    lines = [f"{plan.compare.name}, into {plan.folder}, by engine={plan.engine.name}", "arms:"]
    lines += [f"  {arm}" for arm in plan.arms]
    for stage in stages:
        lines.append(f"{stage.title}: {counted(stage.total, 'run')}, {len(stage.made)} finished")
    if len(plan.rungs) > 1:
        lines.append(budget(plan.rungs, plan.compare.trial_seeds))
    made = {job.name: job for stage in stages for job in stage.made}
    missing = [(arm, stage.share) for stage in stages for arm in stage.missing]
    return "\n".join([*lines, _time(plan, list(made.values()), missing)])


def _stages(plan: Plan) -> Iterator[Stage]:
    options, arms = plan.compare, plan.arms
    tuning, floors = list(_rungs(plan)), _once(plan.floors())
    yield from tuning
    all_tried = not any(stage.missing for stage in tuning)
    trials = ended(plan.trials()) if all_tried else []
    if options.trials and options.finalists:
        title = f"the best {min(options.finalists, options.trials)} of each arm again"
        if all_tried:
            yield _known(title, _once(plan.finals(finalists(trials, options.finalists))))
        else:
            kept = min(options.finalists, options.trials)
            yield _unknown(title, arms, kept * (options.final_seeds - options.trial_seeds))
    again = plan.finals({arm: range(len(plan.settings)) for arm in arms})
    tried = [*trials, *(job for job in again if job.is_made)]
    title = "tests with fresh seeds"
    if all_tried:
        yield _known(title, _once(plan.tests(choose(tried))))
    else:
        yield _unknown(title, arms, options.seeds)
    yield _known(f"model={plan.floor}", floors)


def _rungs(plan: Plan) -> Iterator[Stage]:
    """The trials: all at once, or rung by rung, as far as it is known which settings go on."""
    numbers: Mapping[str, Collection[int]] = dict.fromkeys(plan.arms, range(len(plan.settings)))
    known, before = True, Rung(0, 0)
    for rung, after in zip(plan.rungs, [*plan.rungs[1:], None], strict=True):
        title = _title(plan, rung)
        if known:
            trials = list(plan.trials(numbers, rung.until))
            stage = _known(title, _once(trials))
        else:
            stage = _unknown(title, plan.arms, rung.settings * plan.compare.trial_seeds)
        yield replace(stage, share=(rung.epochs - before.epochs) / plan.rungs[-1].epochs)
        known, before = known and not stage.missing, rung
        if known and after:
            numbers = going_on(trials, rung, after)


def _title(plan: Plan, rung: Rung) -> str:
    if len(plan.rungs) == 1:
        return "settings on validation data"
    first = rung is plan.rungs[0]
    which = counted(rung.settings, "setting") if first else f"the best {rung.settings}"
    return f"{which} of each arm to epoch {rung.epochs}"


def _once(jobs: Iterable[Job]) -> list[Job]:
    """By name: where an arm has no key of a setting, two settings may be one run."""
    return list({job.name: job for job in jobs}.values())


def _known(title: str, jobs: Sequence[Job]) -> Stage:
    made = [job for job in jobs if job.is_made]
    return Stage(title, len(jobs), made, [job.arm for job in jobs if not job.is_made])


def _unknown(title: str, arms: Sequence[str], of_each: int) -> Stage:
    """Runs whose settings depend on those before."""
    missing = [arm for arm in arms for _ in range(of_each)]
    return Stage(f"{title} (settings not yet known)", len(missing), [], missing)


def _time(plan: Plan, made: Sequence[Job], missing: Sequence[tuple[str, float]]) -> str:
    """How long what is missing takes, by what finished runs of the same arm took to train.

    Args:
        plan: The comparison.
        made: Finished runs, and paused ones, which say how long they would take to their end.
        missing: The arm of each of the others, and which share of a whole run is to be trained.
    """
    if not missing:
        return "Nothing is missing."
    seconds: dict[str, list[float]] = {}
    for job in made:
        finished = has_reached(job.folder, None)
        found = record_of(job).result.train_seconds if finished else seconds_of(job)
        if found is not None:
            seconds.setdefault(job.arm, []).append(found)
    if not seconds:
        return (
            f"{counted(len(missing), 'run')} to make. How long they take is not known before one "
            "is finished: start it, and ask again."
        )
    of_all = mean(mean(found) for found in seconds.values())
    total = sum(
        share * (mean(seconds[arm]) if arm in seconds else of_all) for arm, share in missing
    )
    unseen = sorted({arm for arm, _ in missing if arm not in seconds})
    guessed = f" Of {', '.join(unseen)} no run is finished: taken as the others." if unseen else ""
    known = counted(sum(map(len, seconds.values())), "finished run")
    return (
        f"{counted(len(missing), 'run')} to make: about {duration(total)} of training by {known}"
        f"{_side_by_side(plan, total)}. Starting, reading data and testing come on top.{guessed}"
    )


def _side_by_side(plan: Plan, total: float) -> str:
    options = plan.compare
    workers = options.workers
    if workers is None and isinstance(plan.engine, LokyConfig):
        workers = local_workers(options.threads)
    if workers is None:
        return "; how many go side by side on the cluster is not known before it is asked"
    return f", about {duration(total / workers)} with {workers} at a time"
