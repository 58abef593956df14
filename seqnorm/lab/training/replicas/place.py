"""Which of the processes that train together this one is; needs no TensorFlow to tell."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seqnorm.lab.config.devices import TOGETHER
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.config.schema import TrainConfig

if TYPE_CHECKING:
    from omegaconf import DictConfig

TF_CONFIG = "TF_CONFIG"
_JOBS = ("chief", "worker")  # in the order in which TensorFlow counts them
_EXAMPLE = (
    '{"cluster": {"worker": ["HOST1:2222", "HOST2:2222"]}, "task": {"type": "worker", "index": 0}}'
)


@dataclass(frozen=True)
class Place:
    """One process among those that train together.

    Attributes:
        index: of this one, from 0.
        processes: how many there are.
    """

    index: int = 0
    processes: int = 1

    @property
    def is_chief(self) -> bool:
        """Whether it keeps the run: the folder, the records, the result."""
        return self.index == 0


def place_of(config: TrainConfig) -> Place:
    """The place of this process, by the variables that `tf.distribute` reads.

    That is TF_CONFIG or, in a step of SLURM's with several tasks, what SLURM says.

    Raises:
        ConfigError: if several processes are asked for and the environment does not say which.
    """
    if config.strategy != TOGETHER:
        return Place()
    text = os.environ.get(TF_CONFIG)
    if text:
        return _by_tf_config(text)
    if in_slurm():
        return Place(int(os.environ["SLURM_PROCID"]), int(os.environ["SLURM_STEP_NUM_TASKS"]))
    raise ConfigError(
        "train.strategy=multi_worker needs to know the processes; received no TF_CONFIG, and no "
        f"step of SLURM's with several tasks. Start one process on each machine, with TF_CONFIG="
        f"'{_EXAMPLE}' and an index of its own, or all with srun --ntasks=2."
    )


def refuse_processes_together(config: TrainConfig | DictConfig, what: str) -> None:
    """Refuses several processes for each of many runs: each process would make all of the runs.

    Args:
        config: of one of the runs.
        what: has many runs, for the message.

    Raises:
        ConfigError: if they are asked for.
    """
    if config.strategy == TOGETHER:
        raise ConfigError(
            f"train.strategy={TOGETHER} is for one run, whose processes are started together; "
            f"received it in {what}, whose runs are processes of their own. Use mirrored there."
        )


def in_slurm() -> bool:
    """Whether this is one of several tasks that SLURM has started together."""
    return int(os.environ.get("SLURM_STEP_NUM_TASKS", "1")) > 1


def _by_tf_config(text: str) -> Place:
    try:
        given = json.loads(text)
        jobs: dict[str, Any] = {job: list(given["cluster"].get(job, ())) for job in _JOBS}
        others = sorted(set(given["cluster"]) - set(_JOBS))
        job, number = given["task"]["type"], int(given["task"]["index"])
        index = number + (len(jobs["chief"]) if job == "worker" else 0)
        known = not others and 0 <= number < len(jobs[job])
    except (ValueError, KeyError, TypeError, AttributeError):
        known = False
    if not known:
        raise ConfigError(
            "TF_CONFIG must list the processes under chief or worker, and say which of them this "
            f"one is; received TF_CONFIG={text!r}. Write {_EXAMPLE}."
        )
    return Place(index, sum(map(len, jobs.values())))
