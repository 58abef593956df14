"""The schema of a run: what may be set, and of which type.

Every group of ``conf/`` has one dataclass per choice, so that a key of another choice is refused
while the configuration is composed: ``norm=layer norm.momentum=0.9`` fails and names the keys that
``LayerNormConfig`` has. The values that runs use are in the YAML files, with their reasons.

A YAML file of a group takes its schema through its first lines::

    defaults:
      - /schema/norm@_here_: layer
      - _self_

A new choice is one dataclass, listed in ``SCHEMAS``, and one YAML file. Cells and normalisers, the
arms of the comparison, are in `seqnorm.lab.config.parts`; models, data sets and tasks in `models`,
`data` and `tasks` beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, OmegaConf

from seqnorm.lab.config.data import DATA, DataConfig
from seqnorm.lab.config.models import MODELS, ModelConfig
from seqnorm.lab.config.parts import CELLS, NORMS, CellConfig, NormConfig
from seqnorm.lab.config.ranges import (
    FOLDER,
    POSITIVE,
    POSITIVE_OR_OFF,
    RATE,
    SEED,
    at_least,
    one_of,
    ranged,
)
from seqnorm.lab.config.tasks import TASKS, TaskConfig


@dataclass
class OptimConfig:
    """What every optimiser takes.

    Attributes:
        name: "adam", "sgd" or "rmsprop".
        learning_rate: after the linear rise over the first `warmup_steps`.
        clipnorm: largest global norm of the gradient; None does not clip.
        weight_decay: decoupled: each step takes learning rate * weight_decay * weight off; None for
            none.
        schedule: "constant", or "cosine" down to zero at the end of the last epoch.
    """

    name: str = MISSING
    learning_rate: float = ranged(MISSING, POSITIVE)
    clipnorm: float | None = ranged(None, POSITIVE_OR_OFF)
    weight_decay: float | None = ranged(None, POSITIVE_OR_OFF)
    schedule: str = ranged("constant", one_of("constant", "cosine"))
    warmup_steps: int = ranged(0, at_least(0))


@dataclass
class AdamConfig(OptimConfig):
    """Adam, with its decay rates and the offset of its divisor."""

    beta_1: float = ranged(0.9, RATE)
    beta_2: float = ranged(0.999, RATE)
    epsilon: float = ranged(1e-7, POSITIVE)


@dataclass
class SGDConfig(OptimConfig):
    """Stochastic gradient descent with (Nesterov's) momentum."""

    momentum: float = ranged(0.0, RATE)
    nesterov: bool = False


@dataclass
class RMSpropConfig(OptimConfig):
    """RMSprop, with the decay rate of its mean square."""

    rho: float = ranged(0.9, RATE)
    momentum: float = ranged(0.0, RATE)
    epsilon: float = ranged(1e-7, POSITIVE)
    centered: bool = False


@dataclass
class TrainConfig:
    """How long to train and what to record.

    Attributes:
        epochs: largest number of epochs.
        patience: epochs without a lower validation loss before training stops; 0 never stops.
        keep: which epoch's weights are the result, "best" (lowest validation loss) or "last".
        reestimate: estimate the running statistics of batch normalisation anew over the training
            part before the test.
        test: score the test part and keep the model; a trial of a comparison does neither.
        log_every: steps between two "train" records.
        validate_every: steps between two "validation" records, besides each epoch's end, which
            alone decides which epoch is the best; 0 for none.
        probe_every: steps between two "probe" records, besides each epoch's end; 0 for no probes.
        probe_examples: rows of the batch that is probed.
        steps_per_execution: optimiser steps in one call of the compiled function; records and
            checks come once a call.
        save_every: minutes between two saves of what the run needs to go on if it is stopped,
            besides each epoch's end; 0 for none within an epoch.
        strategy: of `tf.distribute`, "mirrored" (several devices of this process) or
            "multi_worker" (those of several processes); "none" for one device.
        replicas: of "mirrored"; None for one on each GPU that is visible.
        deterministic: make every TensorFlow operation reproducible bit by bit.
    """

    epochs: int = ranged(MISSING, at_least(1))
    patience: int = ranged(0, at_least(0))
    keep: str = ranged("best", one_of("best", "last"))
    reestimate: bool = False
    test: bool = True
    log_every: int = ranged(50, at_least(1))
    validate_every: int = ranged(0, at_least(0))
    probe_every: int = ranged(0, at_least(0))
    probe_examples: int = ranged(64, at_least(2))
    steps_per_execution: int = ranged(1, at_least(1))
    save_every: float = ranged(5.0, at_least(0))
    strategy: str = ranged("none", one_of("none", "mirrored", "multi_worker"))
    replicas: int | None = ranged(None, at_least(1))
    deterministic: bool = True


@dataclass
class TrackingConfig:
    """Where records go besides the run folder: nowhere ("local") or "wandb".

    Attributes:
        mode: "online", "offline" or "disabled"; this and the rest as W&B names them.
    """

    name: str = MISSING
    mode: str = ranged("online", one_of("online", "offline", "disabled"))
    project: str = "seqnorm"
    entity: str | None = None
    group: str | None = None
    tags: list[str] = field(default_factory=list)


@dataclass
class RunConfig:
    """One run, completely.

    Attributes:
        seed: decides the split, initial weights, the order of batches and dropout.
        runs_dir: folder in which the run gets its own folder.
        study: name of the comparison that the run belongs to; at W&B its group.
        arm: name that the runs and trials of one arm of a study share; at W&B its job type.
        resume: "auto" goes on with the same run if it was stopped, "never" begins anew, and a run
            folder goes on there.
        imports: modules that register parts of the user's, see `seqnorm.lab.registry`.
    """

    seed: int = ranged(MISSING, SEED)
    runs_dir: str = ranged(MISSING, FOLDER)
    study: str | None = None
    arm: str | None = None
    resume: str = "auto"
    imports: list[str] = field(default_factory=list)
    data: DataConfig = MISSING
    cell: CellConfig = MISSING
    norm: NormConfig = MISSING
    task: TaskConfig = MISSING
    model: ModelConfig = MISSING
    optim: OptimConfig = MISSING
    train: TrainConfig = MISSING
    tracking: TrackingConfig = MISSING

    @property
    def network(self) -> str:
        """What names the arm beside its norm: the cell, or the model if it has no recurrence."""
        return self.model.name if self.cell.name == "none" else self.cell.name


# group of conf/ -> choice -> its dataclass
SCHEMAS: dict[str, dict[str, type]] = {
    "data": DATA,
    "cell": CELLS,
    "norm": NORMS,
    "task": TASKS,
    "model": MODELS,
    "optim": {"adam": AdamConfig, "sgd": SGDConfig, "rmsprop": RMSpropConfig},
    "train": {"default": TrainConfig},
    "tracking": {"local": TrackingConfig, "wandb": TrackingConfig},
}


# group that modules of the user's add to -> what their schemas derive from
BASES: dict[str, type] = {
    "cell": CellConfig,
    "norm": NormConfig,
    "task": TaskConfig,
    "model": ModelConfig,
    "data": DataConfig,
}


def register() -> None:
    """Stores the schema where Hydra finds it: ``schema/<group>: <choice>`` and ``schema: run``."""
    OmegaConf.register_new_resolver("shortest", _shortest, replace=True)
    store = ConfigStore.instance()
    store.store(group="schema", name="run", node=RunConfig)
    for group, choices in SCHEMAS.items():
        for choice, node in choices.items():
            store.store(group=f"schema/{group}", name=choice, node=node)


def _shortest(*lengths: int | None) -> int:
    """The least of the lengths that are set: ${shortest:A,B} in a YAML file."""
    return min(length for length in lengths if length is not None)


def add_choice(group: str, name: str, schema: type) -> None:
    """Makes a dataclass of a user's part a choice of its group, with the values of its defaults."""
    SCHEMAS[group][name] = schema
    store = ConfigStore.instance()
    store.store(group=f"schema/{group}", name=name, node=schema)
    store.store(group=group, name=name, node=schema(name=name))


def conf_dir() -> Path:
    """The folder of the YAML files: beside the package in a checkout, inside it when installed.

    Raises:
        FileNotFoundError: if neither exists, which means a broken installation.
    """
    package = Path(__file__).resolve().parents[2]
    for folder in (package / "conf", package.parent / "conf"):
        if (folder / "config.yaml").is_file():
            return folder
    raise FileNotFoundError(
        f"seqnorm needs its configuration in {package / 'conf'} or {package.parent / 'conf'}; "
        "received no config.yaml in either. Install seqnorm again."
    )


register()
