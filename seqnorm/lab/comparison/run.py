"""Carries a comparison out: what is missing is run, the settings are chosen, the test set read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from statistics import fmean as mean

from filelock import FileLock, Timeout

from seqnorm.lab.comparison.plan import Plan
from seqnorm.lab.comparison.progress import Progress
from seqnorm.lab.durable import write_text
from seqnorm.lab.engine.engine import Engine
from seqnorm.lab.engine.job import Job, RunFailed
from seqnorm.lab.errors import UserError, blame_the_input
from seqnorm.lab.report.arms.grouping import compare
from seqnorm.lab.report.arms.trials import leaders, merit_of
from seqnorm.lab.report.page.comparison_tables import robust_table, tuning_table
from seqnorm.lab.runs.files import RunFolderError, read_object
from seqnorm.lab.runs.read import RunRecord, read_run
from seqnorm.lab.runs.result import RESULT

TABLE, SETTINGS = "table.md", "settings.json"
NAMED_BY = {"arm": "the arm", "study": "compare.name"}


def is_made(job: Job) -> bool:
    """Whether a run has its result."""
    return (job.folder / RESULT).exists()


@cache
def _read(folder: Path) -> RunRecord:
    """Read once: a finished run stays as it is."""
    return read_run(folder)


def record_of(job: Job) -> RunRecord:
    """What a run that was made came to.

    Raises:
        RunFolderError: If its files are damaged; the message names the folder.
    """
    try:
        return _read(job.folder)
    except RunFolderError as error:
        raise RunFolderError(f"{job.folder}: {error}") from error


def _scores(trials: Iterable[Job]) -> dict[str, dict[int, list[float]]]:
    """Scores of every setting of every arm, the higher the better."""
    found: dict[str, dict[int, list[float]]] = {}
    for job in trials:
        if job.number is not None:
            of_arm = found.setdefault(job.arm, {})
            of_arm.setdefault(job.number, []).append(merit_of(record_of(job)))
    return found


def finalists(trials: Iterable[Job], count: int) -> dict[str, list[int]]:
    """The best settings of each arm by their mean score, best first; of equals the first.

    Args:
        trials: Finished trials of all arms, setting by setting.
        count: How many of each arm.
    """
    return {
        arm: sorted(of_arm, key=lambda number: -mean(of_arm[number]))[:count]
        for arm, of_arm in _scores(trials).items()
    }


def choose(trials: Iterable[Job]) -> dict[str, int]:
    """The best setting of each arm, as `leaders` has it; of equals the first.

    Args:
        trials: Finished trials of all arms, setting by setting, and further runs of some settings.
    """
    return {arm: leaders(of_arm)[0] for arm, of_arm in _scores(trials).items()}


class Comparison:
    """One comparison on its way.

    Args:
        plan: Its runs.
        command: What each run records as its command.

    Attributes:
        failed: Arms that were given up, and why.
    """

    def __init__(self, plan: Plan, command: Sequence[str]) -> None:
        self.plan, self.failed = plan, dict[str, str]()
        self.progress = Progress(self._first() + self._later(), 0)
        self.command = list(command)

    def carry_out(self) -> str:
        """Make the runs that are missing.

        Returns:
            The final tables, which hold no time: the same for the same comparison, however often
            it was stopped.

        Raises:
            UserError: If all arms fail, or another process is at work on the same comparison.
        """
        with blame_the_input():
            self.plan.folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.plan.folder / ".lock", timeout=0), self._engine() as engine:
                return self._carry_out(engine)
        except Timeout:
            raise UserError(
                f"a comparison is made by one process; received runs_dir={self.plan.folder}, where "
                "another one is at work. Wait for it, or set another compare.name."
            ) from None

    def _engine(self) -> Engine:
        options = self.plan.compare
        return Engine(
            self.plan.engine,
            options.workers,
            options.threads,
            self.plan.folder,
            self.command,
            self.progress.note,
        )

    def _carry_out(self, engine: Engine) -> str:
        self.keep_settings()
        trials, floors = list(self.plan.trials()), list(self.plan.floors())
        trials = self._make(trials, engine)
        self._make(list(self.plan.finals(finalists(trials, self.plan.compare.finalists))), engine)
        # A list that was shorter may have had other finalists, which have run again as well.
        again = self.plan.finals({arm: range(len(self.plan.settings)) for arm in self.plan.arms})
        trials += [job for job in again if is_made(job)]
        trials = [job for job in trials if job.arm not in self.failed]
        final = list(self.plan.tests(choose(trials), self.failed))
        # Floors take seconds, and would promise an early end.
        tested = self._make([*final, *floors], engine)
        text = self._tables([*trials, *tested])
        write_text(self.plan.folder / TABLE, text)
        return text

    def keep_settings(self) -> None:
        """What was taken from another comparison stays: that one may have grown and chosen anew."""
        if not self.plan.compare.settings_of:
            return
        path = self.plan.folder / SETTINGS
        kept = read_object(path) if path.exists() else {}
        settings = {arm: self.plan.untuned(arm) for arm in self.plan.arms}
        changed = [arm for arm in settings if settings[arm] != kept.get(arm, settings[arm])]
        if changed:
            arm = changed[0]
            raise UserError(
                f"all runs of a comparison need the settings of its first start; received "
                f"compare.settings_of={self.plan.compare.settings_of}, which has chosen "
                f"{settings[arm]} for '{arm}' now, and {kept[arm]} before ({path}). Set another "
                "compare.name, or another runs_dir."
            )
        write_text(path, json.dumps(kept | settings, indent=1, sort_keys=True) + "\n")

    def _first(self) -> int:
        """Runs that depend on nothing."""
        options = self.plan.compare
        trials = len(self.plan.arms) * len(self.plan.settings) * options.trial_seeds
        return trials + self.plan.number_of_floors

    def _later(self) -> int:
        """Runs that depend on the results of the first trials."""
        options, arms = self.plan.compare, len(self.plan.arms)
        kept = min(options.finalists, options.trials)
        again = kept * (options.final_seeds - options.trial_seeds) if kept else 0
        return arms * (again + options.seeds)

    def _make(self, jobs: Sequence[Job], engine: Engine) -> list[Job]:
        """Make what is missing; returns the runs of the arms that did not fail."""
        # By name: where an arm has no key of a setting, two settings may be one run.
        made = {job.name: job for job in jobs if is_made(job)}
        missing = list({job.name: job for job in jobs if job.name not in made}.values())
        if missing:
            self._refuse_other_threads(made.values())
        self._refuse_other_names(made.values())
        self.progress.skip(len(jobs) - len(missing))
        self.progress.begin(len(missing), engine.workers)
        for done in engine.run_all(missing):
            if isinstance(done, RunFailed):
                self._give_up(done)
            else:
                self.progress.finished(done.title, _text(record_of(done)))
        if set(self.plan.arms) <= self.failed.keys():
            raise UserError("\n".join(self.failed.values()))
        return [job for job in jobs if job.arm not in self.failed]

    def _give_up(self, failure: RunFailed) -> None:
        arm = failure.job.arm
        if arm not in self.failed:
            self.failed[arm] = str(failure)
            self.progress.note(f"{failure.job.title}: the arm is given up, the others go on")
        self.progress.skip(1)

    def _refuse_other_names(self, made: Iterable[Job]) -> None:
        """The report tells arms by the names they were given: another spelling is another arm."""
        for job in made:
            found = record_of(job).config
            for key, name in (("arm", job.arm), ("study", self.plan.compare.name)):
                if found.get(key) != name:
                    raise UserError(
                        f"the runs of a comparison keep the names they were begun with; received "
                        f"{NAMED_BY[key]} '{name}', and {job.name} was made as "
                        f"'{found.get(key)}'. Spell it as before, or set another "
                        "runs_dir."
                    )

    def _refuse_other_threads(self, made: Iterable[Job]) -> None:
        """Numbers differ by rounding with the threads, and so must be those of all runs."""
        wanted = self.plan.compare.threads
        for job in made:
            found = record_of(job).environment.get("machine", {}).get("threads", wanted)
            if found != wanted:
                raise UserError(
                    f"all runs of a comparison need the same threads; received compare.threads="
                    f"{wanted}, and {job.name} was made with {found}. Go on with compare.threads="
                    f"{found}, or set another runs_dir."
                )

    def _tables(self, jobs: Sequence[Job]) -> str:
        """The tables of exactly these runs; the folder may hold those of another choice."""
        comparisons, _ = compare(map(record_of, jobs))
        parts: list[str] = []
        for comparison in comparisons:
            parts += [f"## {comparison.subject}", robust_table(comparison).markdown()]
            tuning = tuning_table(comparison)
            parts += [tuning.markdown()] if tuning else []
        return "\n\n".join(parts) + "\n"


def _text(run: RunRecord) -> str:
    result, score = run.result, run.result.task.score
    if result.diverged:
        return "diverged"
    if result.test_score is None:
        return f"validation {score.title} {score.write(result.validation_score)}"
    return f"test {score.title} {score.write(result.test_score)}"
