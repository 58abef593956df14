"""Carries a comparison out: what is missing is run, the settings are chosen, the test set read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from filelock import FileLock, Timeout

from seqnorm.lab.comparison.choice import choose, ended, finalists, record_of
from seqnorm.lab.comparison.consistency import (
    keep_settings,
    refuse_other_names,
    refuse_other_threads,
    warn_of_other_parts,
)
from seqnorm.lab.comparison.halving import going_on, in_words, leave_behind, spent
from seqnorm.lab.comparison.plan import Plan
from seqnorm.lab.comparison.progress import Progress
from seqnorm.lab.durable import write_text
from seqnorm.lab.engine.engine import Engine
from seqnorm.lab.engine.job import Job, RunFailed
from seqnorm.lab.errors import UserError, blame_the_input
from seqnorm.lab.report.arms.grouping import compare
from seqnorm.lab.report.arms.pruned import with_pruned
from seqnorm.lab.report.page.comparison_tables import robust_table, tuning_table
from seqnorm.lab.runs.checkpoint import CHECKPOINT
from seqnorm.lab.runs.pruned import is_pruned, read_pruned
from seqnorm.lab.runs.standing import has_reached

TABLE = "table.md"


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
        keep_settings(self.plan)
        every, floors = self._tune(engine), list(self.plan.floors())
        trials = ended(every)
        self._make(list(self.plan.finals(finalists(trials, self.plan.compare.finalists))), engine)
        # A list that was shorter may have had other finalists, which have run again as well.
        again = self.plan.finals({arm: range(len(self.plan.settings)) for arm in self.plan.arms})
        trials += [job for job in again if job.is_made]
        trials = [job for job in trials if job.arm not in self.failed]
        final = list(self.plan.tests(choose(trials), self.failed))
        # Floors take seconds, and would promise an early end.
        tested = self._make([*final, *floors], engine)
        text = _tables([*trials, *tested], every)
        write_text(self.plan.folder / TABLE, text)
        return text

    def _tune(self, engine: Engine) -> list[Job]:
        """Makes trials, rung by rung; returns all of the arms that did not fail."""
        every = made = self._make(list(self.plan.trials(until=self.plan.rungs[0].until)), engine)
        for rung, after in pairwise(self.plan.rungs):
            kept = going_on(made, rung, after)
            leave_behind(made, kept, rung)
            made = self._make(list(self.plan.trials(kept, after.until)), engine)
        every = [replace(job, until=None) for job in every if job.arm not in self.failed]
        if len(self.plan.rungs) > 1:
            self.progress.note(spent(every))
        return every

    def _first(self) -> int:
        """Trials and floors; a trial that is paused counts each time."""
        each = sum(rung.settings for rung in self.plan.rungs) * self.plan.compare.trial_seeds
        return len(self.plan.arms) * each + self.plan.number_of_floors

    def _later(self) -> int:
        """Runs that depend on the results of the first trials."""
        options, arms = self.plan.compare, len(self.plan.arms)
        kept = min(options.finalists, options.trials)
        again = kept * (options.final_seeds - options.trial_seeds) if kept else 0
        return arms * (again + options.seeds)

    def _make(self, jobs: Sequence[Job], engine: Engine) -> list[Job]:
        """Make what is missing; returns the runs of the arms that did not fail."""
        # By name: where an arm has no key of a setting, two settings may be one run.
        made = {job.name: job for job in jobs if job.is_made}
        missing = list({job.name: job for job in jobs if job.name not in made}.values())
        begun = [*made.values(), *(job for job in missing if (job.folder / CHECKPOINT).exists())]
        if missing:
            refuse_other_threads(begun, self.plan.compare.threads)
        refuse_other_names(begun, self.plan.compare.name)
        warn_of_other_parts(begun)
        self.progress.skip(len(jobs) - len(missing))
        self.progress.begin(len(missing), engine.workers)
        for done in engine.run_all(missing):
            if isinstance(done, RunFailed):
                self._give_up(done)
            else:
                self.progress.finished(done.title, _came_to(done))
        if set(self.plan.arms) <= self.failed.keys():
            raise UserError("\n".join(self.failed.values()))
        return [job for job in jobs if job.arm not in self.failed]

    def _give_up(self, failure: RunFailed) -> None:
        arm = failure.job.arm
        if arm not in self.failed:
            self.failed[arm] = str(failure)
            self.progress.note(f"{failure.job.title}: the arm is given up, the others go on")
        self.progress.skip(1)


def _tables(jobs: Sequence[Job], tried: Sequence[Job]) -> str:
    """The tables of exactly these runs; the folder may hold those of another choice.

    Args:
        jobs: Finished runs.
        tried: Trials, also those that were stopped early.
    """
    comparisons, _ = compare(map(record_of, jobs))
    pruned = [read_pruned(job.folder) for job in tried if is_pruned(job.folder)]
    parts: list[str] = []
    for comparison in (with_pruned(each, pruned) for each in comparisons):
        parts += [f"## {comparison.subject}", robust_table(comparison).markdown()]
        tuning = tuning_table(comparison)
        parts += [tuning.markdown()] if tuning else []
    return "\n\n".join(parts) + "\n"


def _came_to(job: Job) -> str:
    if not has_reached(job.folder, None):
        return in_words(job)
    result = record_of(job).result
    score = result.task.score
    if result.diverged:
        return "diverged"
    if result.test_score is None:
        return f"validation {score.title} {score.write(result.validation_score)}"
    return f"test {score.title} {score.write(result.test_score)}"
