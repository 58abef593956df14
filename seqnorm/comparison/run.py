"""Carries a comparison out: what is missing is run, the settings are chosen, the test set read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from statistics import fmean as mean
from typing import Any

from filelock import FileLock, Timeout

from seqnorm.analysis.files import read_object
from seqnorm.analysis.grouping import compare
from seqnorm.analysis.headline import robust_table, tuning_table
from seqnorm.analysis.records import ENVIRONMENT, read_run
from seqnorm.analysis.trials import leaders
from seqnorm.comparison.plan import Job, Plan
from seqnorm.comparison.pool import run_all
from seqnorm.comparison.progress import Progress
from seqnorm.durable import write_text
from seqnorm.errors import UserError, blame_the_input
from seqnorm.kernels.machine import usable_cores

TABLE = "table.md"


def result_of(job: Job) -> dict[str, Any] | None:
    """What a run came to; None if it has not been made."""
    path = job.folder / "result.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _score(job: Job) -> float:
    """Validation accuracy of a finished trial; of the majority class if it diverged."""
    result = result_of(job) or {}
    diverged = result["status"] == "diverged" or result["val_accuracy"] is None
    return float(result["majority_accuracy" if diverged else "val_accuracy"])


def _scores(trials: Iterable[Job]) -> dict[str, dict[int, list[float]]]:
    """Scores of every setting of every arm."""
    found: dict[str, dict[int, list[float]]] = {}
    for job in trials:
        if job.number is not None:
            found.setdefault(job.arm, {}).setdefault(job.number, []).append(_score(job))
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
    """

    def __init__(self, plan: Plan, command: Sequence[str]) -> None:
        self.plan, self.command = plan, list(command)

    def carry_out(self) -> str:
        """Make the runs that are missing.

        Returns:
            The final tables, which hold no time: the same for the same comparison, however often
            it was stopped.

        Raises:
            UserError: If a run fails, or another process is at work on the same comparison.
        """
        with blame_the_input():
            self.plan.folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.plan.folder / ".lock", timeout=0):
                return self._carry_out()
        except Timeout:
            raise UserError(
                f"a comparison is made by one process; received runs_dir={self.plan.folder}, where "
                "another one is at work. Wait for it, or set another compare.name."
            ) from None

    def _carry_out(self) -> str:
        trials, floors = list(self.plan.trials()), list(self.plan.floors())
        self.progress = Progress(len(trials) + len(floors) + self._later(), 0)
        self._make([*floors, *trials])
        self._make(list(self.plan.finals(finalists(trials, self.plan.compare.finalists))))
        # A list that was shorter may have had other finalists, which have run again as well.
        again = self.plan.finals({arm: range(len(self.plan.settings)) for arm in self.plan.arms})
        trials += [job for job in again if result_of(job) is not None]
        final = list(self.plan.tests(choose(trials)))
        self._make(final)
        text = self._tables([*floors, *trials, *final])
        write_text(self.plan.folder / TABLE, text)
        return text

    def _later(self) -> int:
        """Runs that depend on the results of the first trials."""
        options, arms = self.plan.compare, len(self.plan.arms)
        kept = min(options.finalists, options.trials)
        again = kept * (options.final_seeds - options.trial_seeds) if kept else 0
        return arms * (again + options.seeds)

    def _make(self, jobs: Sequence[Job]) -> None:
        # By name: where an arm has no key of a setting, two settings may be one run.
        made = {job.name: job for job in jobs if result_of(job) is not None}
        missing = list({job.name: job for job in jobs if job.name not in made}.values())
        if missing:
            self._refuse_other_threads(made.values())
        self.progress.skip(len(jobs) - len(missing))
        options = self.plan.compare
        finished = run_all(
            missing,
            options.workers or max(1, usable_cores() // options.threads),
            options.threads,
            self.plan.folder / ".log",
            self.command,
        )
        for job in finished:
            self.progress.finished(job.title, _text(result_of(job) or {}))

    def _refuse_other_threads(self, made: Iterable[Job]) -> None:
        """Numbers differ by rounding with the threads, and so must be those of all runs."""
        wanted = self.plan.compare.threads
        for job in made:
            path = job.folder / ENVIRONMENT
            machine = read_object(path).get("machine", {}) if path.exists() else {}
            found = machine.get("threads", wanted)
            if found != wanted:
                raise UserError(
                    f"all runs of a comparison need the same threads; received compare.threads="
                    f"{wanted}, and {job.name} was made with {found}. Go on with compare.threads="
                    f"{found}, or set another runs_dir."
                )

    def _tables(self, jobs: Sequence[Job]) -> str:
        """The tables of exactly these runs; the folder may hold those of another choice."""
        comparisons, _ = compare([read_run(job.folder) for job in jobs])
        parts: list[str] = []
        for comparison in comparisons:
            parts += [f"## {comparison.data}", robust_table(comparison).markdown()]
            tuning = tuning_table(comparison)
            parts += [tuning.markdown()] if tuning else []
        return "\n\n".join(parts) + "\n"


def _text(result: dict[str, Any]) -> str:
    if result["status"] == "diverged":
        return "diverged"
    if result["test_accuracy"] is None:
        return f"validation {result['val_accuracy']:.4f}"
    return f"test {result['test_accuracy']:.4f}"
