"""Carries a comparison out: what is missing is run, the settings are chosen, the test set read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from seqnorm.analysis.grouping import compare
from seqnorm.analysis.headline import robust_table, tuning_table
from seqnorm.analysis.records import read_run
from seqnorm.comparison.plan import Job, Plan
from seqnorm.comparison.pool import run_all, usable_cores
from seqnorm.comparison.progress import Progress
from seqnorm.errors import UserError

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


def choose(trials: Sequence[Job]) -> dict[str, int]:
    """The best setting of each arm by its mean validation accuracy; of equals the first.

    Args:
        trials: Finished trials of all arms.
    """
    scores: dict[str, dict[int, list[float]]] = {}
    for job in trials:
        if job.number is not None:
            scores.setdefault(job.arm, {}).setdefault(job.number, []).append(_score(job))
    return {
        arm: max(of_arm, key=lambda number: (np.mean(of_arm[number]), -number))
        for arm, of_arm in scores.items()
    }


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
        tests = len(self.plan.arms) * self.plan.compare.seeds
        before = sum(result_of(job) is not None for job in (*trials, *floors))
        self.progress = Progress(len(trials) + len(floors) + tests, before)
        self._make([*floors, *trials])
        final = list(self.plan.tests(choose(trials)))
        made = sum(result_of(job) is not None for job in final)
        self.progress.before += made
        self.progress.done += made
        self._make(final)
        text = self._tables([*floors, *trials, *final])
        (self.plan.folder / TABLE).write_text(text, encoding="utf-8")
        return text

    def _make(self, jobs: Sequence[Job]) -> None:
        missing = [job for job in jobs if result_of(job) is None]
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
