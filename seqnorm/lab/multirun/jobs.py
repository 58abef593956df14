"""The jobs of a multirun, seen from the process that starts them."""

from __future__ import annotations

import os
import time
from concurrent.futures import BrokenExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from seqnorm.lab.comparison.expand import combinations
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.config.tasks import TaskConfig
from seqnorm.lab.lifeline import LIFELINE
from seqnorm.lab.multirun.ledger import BEGUN, FAILED, STOPPED, JobFailed, Ledger
from seqnorm.lab.tasks import Score, make_task
from seqnorm.lab.tracking.factory import refuse_one_id

FOLDER = ".multirun"  # below runs_dir
CLOSING = 10.0  # seconds that jobs in other processes have, after a signal to this one


class Multirun:
    """The jobs of one multirun.

    Args:
        config: what Hydra composed for the command, `hydra` included; its jobs are given the
            folder of this multirun.

    Raises:
        ConfigError: if W&B is set up so that jobs would be made as one, a sweeper so that it would
            find the worst setting, or a launcher so that a job is told of its limit at once.
    """

    def __init__(self, config: DictConfig) -> None:
        refuse_one_id(config.tracking, "a multirun")
        _refuse_early_signal(config.hydra.launcher)
        self.runs_dir = Path(config.runs_dir).expanduser().absolute()
        self.folder = _place(config, self.runs_dir)
        target = str(config.hydra.launcher._target_).rpartition(".")[2]
        self.queued = target == "SlurmLauncher"  # jobs that outlive this process rightly
        params = config.hydra.sweeper.get("params") or {}
        tokens = [f"{key}={value}" for key, value in params.items()]
        overrides = OverridesParser.create().parse_overrides(
            [*tokens, *config.hydra.overrides.task]
        )
        searched = not str(config.hydra.sweeper._target_).endswith(".BasicSweeper")
        self.score = make_task(cast(TaskConfig, OmegaConf.to_object(config.task))).scoring.score
        _refuse_worst(config.hydra.sweeper.get("direction"), self.score)
        # Which jobs there will be, where that is known beforehand.
        self.planned = [] if searched else combinations(overrides)
        self.ledger = Ledger(self.folder)
        self.ledger.open([each.get_key_element() for each in overrides if each.is_sweep_override()])
        # By which W&B keeps the runs together that were started together.
        os.environ.setdefault("WANDB_RUN_GROUP", f"multirun-{self.folder.name}")
        LIFELINE.hold()

    def failures(self) -> list[str]:
        """The jobs that failed and how many there were, a line each; none if all went well."""
        jobs = self.ledger.jobs()
        failed = [f"  {job.name} {job.message}" for job in jobs if job.state == FAILED]
        of = max(len(jobs), len(self.planned))
        return [f"{len(failed)} of {of} jobs failed:", *failed] if failed else []

    def gave_up(self, error: BaseException) -> str:
        """What a launcher or a sweeper ended with, in words; empty for any other error."""
        if isinstance(error, BrokenExecutor) or type(error).__module__.startswith("submitit"):
            return "\n".join(["the launcher " + self._lost(error), *self._unmade()])
        if isinstance(error, JobFailed):
            return "the sweep was given up: more jobs failed than hydra.sweeper.max_failure_rate"
        if isinstance(error, ValueError) and "No trials are completed" in str(error):
            return "the sweep has no best setting: every job failed or diverged"
        return ""

    def _lost(self, error: BaseException) -> str:
        said = " ".join(str(error).split()).partition(". ")[0]
        return (
            "lost a process that was making a run, and stopped: it was killed (often for want of "
            f"memory) or came to its time limit. Its words: {said}."
        )

    def _unmade(self) -> list[str]:
        jobs = self.ledger.jobs()
        begun = {job.number for job in jobs}
        never = [each for number, each in enumerate(self.planned) if number not in begun]
        cut_off = [job.name for job in jobs if job.state in (BEGUN, STOPPED)]
        return [
            *(f"  {name} was under way and has no result" for name in cut_off),
            *(f"  [{' '.join(each)}] was not begun" for each in never),
        ]

    def best(self) -> list[str]:
        """What a sweeper found best; nothing if it did not search."""
        path = self.folder / "optimization_results.yaml"
        if not path.exists():
            return []
        found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        values = " ".join(f"{key}={value}" for key, value in found["best_params"].items())
        best = f"{self.score.title} {self.score.write(found['best_value'])}"
        return [f"best validation {best}: {values}", f"kept in {path}"]

    def await_the_others(self) -> None:
        """Has the jobs in other processes end, and gives them the time to close what is open."""
        if self.queued:
            return
        LIFELINE.let_go()
        latest = time.monotonic() + CLOSING
        while time.monotonic() < latest and any(
            job.state == BEGUN and job.process != os.getpid() for job in self.ledger.jobs()
        ):
            time.sleep(0.1)

    def in_the_queue(self) -> str:
        """How to follow and to cancel what goes on in a queue; empty if nothing does."""
        if not self.queued:
            return ""
        # A folder for each job, as 7_0 and 7_1 of an array, or 7 of one that was alone.
        names = (path.name.partition("_")[0] for path in self.folder.glob("[0-9]*"))
        numbers = sorted(filter(str.isdecimal, {*names}), key=int)
        return (
            f"the jobs go on in the queue: squeue --me shows them, {self.folder} has their logs, "
            f"and their runs come to {self.runs_dir}. To cancel them: scancel "
            f"{' '.join(numbers) or '--me'}"
        )


def _refuse_early_signal(launcher: DictConfig) -> None:
    """Refuses a limit that a job would be told of before it has begun to train."""
    delay, minutes = launcher.get("signal_delay_s"), launcher.get("timeout_min")
    if delay is not None and minutes is not None and delay >= 60 * minutes:
        raise ConfigError(
            "hydra.launcher.signal_delay_s, how long before its limit a job is told to save "
            f"itself, must be below the limit; received signal_delay_s={delay} and timeout_min="
            f"{minutes}, {60 * minutes} s. Set hydra.launcher.signal_delay_s={30 * minutes}, or a "
            "higher limit."
        )


def _refuse_worst(direction: str | None, score: Score) -> None:
    """Refuses a search, as of Optuna, for the worst setting."""
    right = "maximize" if score.higher_is_better else "minimize"
    if direction is not None and str(direction).rpartition(".")[2] != right:
        raise ConfigError(
            f"a search for the {score.best} validation {score.title} needs hydra.sweeper.direction="
            f"{right}; received hydra.sweeper.direction={direction}. Set it."
        )


def _place(config: DictConfig, runs_dir: Path) -> Path:
    """The folder of the multirun, which every job is told: where it runs, runs_dir may be swept."""
    given = str(config.hydra.sweep.dir)
    stamp = f"{datetime.now():%Y%m%d-%H%M%S-%f}"
    folder = Path(given).absolute() if given != "." else runs_dir / FOLDER / stamp
    quoted = str(folder).replace("'", "\\'")
    with read_write(config.hydra), open_dict(config.hydra):
        config.hydra.sweep.dir = str(folder)
        config.hydra.overrides.hydra.append(f"hydra.sweep.dir='{quoted}'")
    return folder
