"""Which settings are the best, from what their runs came to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from statistics import fmean as mean

from seqnorm.lab.engine.job import Job
from seqnorm.lab.report.arms.trials import leaders, merit_of
from seqnorm.lab.runs.files import RunFolderError
from seqnorm.lab.runs.read import RunRecord, read_run

# arm -> number of a setting -> a score of each of its runs, the higher the better
Merits = Mapping[str, Mapping[int, Sequence[float]]]


@contextmanager
def naming(job: Job) -> Iterator[None]:
    """Has what is wrong with a run's files name its folder.

    Raises:
        RunFolderError: If they are damaged.
    """
    try:
        yield
    except RunFolderError as error:
        raise RunFolderError(f"{job.folder}: {error}") from error


@cache
def _read(folder: Path) -> RunRecord:
    """Read once: a finished run stays as it is."""
    return read_run(folder)


def record_of(job: Job) -> RunRecord:
    """What a finished run came to."""
    with naming(job):
        return _read(job.folder)


def final_merit(job: Job) -> float:
    """What a finished run is worth, the higher the better."""
    return merit_of(record_of(job))


def merits(trials: Iterable[Job], merit: Callable[[Job], float] = final_merit) -> Merits:
    """What every setting of every arm is worth, run by run.

    Args:
        trials: Of all arms, setting by setting.
        merit: What one of them is worth, the higher the better.
    """
    found: dict[str, dict[int, list[float]]] = {}
    for job in trials:
        if job.number is not None:
            found.setdefault(job.arm, {}).setdefault(job.number, []).append(merit(job))
    return found


def best(found: Merits, count: int) -> dict[str, list[int]]:
    """The best settings of each arm by their mean, best first; of equals the first.

    Args:
        found: What they are worth.
        count: How many of each arm.
    """
    return {
        arm: sorted(of_arm, key=lambda number: -mean(of_arm[number]))[:count]
        for arm, of_arm in found.items()
    }


def ended(trials: Iterable[Job]) -> list[Job]:
    """Those of settings all of whose trials have ended, by themselves or with the last epoch."""
    jobs = list(trials)
    under_way = {(job.arm, job.number) for job in jobs if not job.is_made}
    return [job for job in jobs if (job.arm, job.number) not in under_way]


def finalists(trials: Iterable[Job], count: int) -> dict[str, list[int]]:
    """The best settings of each arm by the mean score of their finished trials, best first."""
    return best(merits(trials), count)


def choose(trials: Iterable[Job]) -> dict[str, int]:
    """The best setting of each arm, as `leaders` has it; of equals the first.

    Args:
        trials: Finished trials of all arms, setting by setting, and further runs of some settings.
    """
    return {arm: leaders(of_arm)[0] for arm, of_arm in merits(trials).items()}
