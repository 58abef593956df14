"""The schema of a run: what may be set, and of which type.

Every group of ``conf/`` has one dataclass per choice, so that a key of another choice is refused
while the configuration is composed: ``norm=layer norm.momentum=0.9`` fails and names the keys that
``LayerNormConfig`` has. The values that runs use are in the YAML files, with their reasons.

A YAML file of a group takes its schema through its first lines::

    defaults:
      - /schema/norm@_here_: layer
      - _self_

A new choice is one dataclass, listed in ``SCHEMAS``, and one YAML file. Cells and normalisers, the
arms of the comparison, are in `seqnorm.config_arms`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from seqnorm.config_arms import CELLS, NORMS, CellConfig, NormConfig


@dataclass
class DataConfig:
    """A data set and how it is cut into batches.

    Attributes:
        name: registered name of the loader.
        dir: folder that holds the data; None means the loader's own default.
        num_words: size of the id table, special ids included.
        max_length: longest row in tokens, the start token included.
        truncate: which part of a longer text is cut off, "head" or "tail".
        batch_size: rows per batch.
        validation_fraction: share of the training examples held out for early stopping.
        bucket: batches in one shuffled pool that is sorted by length; 0 or 1 means no bucketing.
    """

    name: str = MISSING
    dir: str | None = None
    num_words: int = 20_000
    max_length: int = 200
    truncate: str = "tail"
    batch_size: int = 64
    validation_fraction: float = 0.1
    bucket: int = 0


@dataclass
class SyntheticConfig(DataConfig):
    """Generated sequences: no file, no network.

    Attributes:
        examples, test_examples: rows generated for training and validation, and for the test.
    """

    examples: int = 2_000
    test_examples: int = 1_000


@dataclass
class ModelConfig:
    """The classifier around the recurrent layers.

    Attributes:
        embedding: width of the word vectors.
        embedding_dropout: share of the word vectors' entries dropped.
        depth: number of recurrent layers.
        bidirectional: read every sequence in both directions and concatenate.
        pooling: how a sequence becomes one vector, "last", "mean" or "max".
        dropout: share of the pooled vector dropped before the head.
    """

    embedding: int = MISSING
    embedding_dropout: float = 0.0
    depth: int = 1
    bidirectional: bool = False
    pooling: str = "last"
    dropout: float = 0.0


@dataclass
class OptimConfig:
    """What every optimiser takes.

    Attributes:
        name: "adam" or "sgd".
        learning_rate: after the linear rise over the first `warmup_steps`.
        clipnorm: largest global norm of the gradient; None does not clip.
        weight_decay: decoupled decay per step; None for none.
        schedule: "constant", or "cosine" down to zero at the end of the last epoch.
    """

    name: str = MISSING
    learning_rate: float = MISSING
    clipnorm: float | None = None
    weight_decay: float | None = None
    schedule: str = "constant"
    warmup_steps: int = 0


@dataclass
class AdamConfig(OptimConfig):
    """Adam, with its decay rates and the offset of its divisor."""

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7


@dataclass
class SGDConfig(OptimConfig):
    """Stochastic gradient descent with (Nesterov's) momentum."""

    momentum: float = 0.0
    nesterov: bool = False


@dataclass
class TrainConfig:
    """How long to train and what to record.

    Attributes:
        epochs: largest number of epochs.
        patience: epochs without a lower validation loss before training stops; 0 never stops.
        log_every: steps between two "train" records.
        probe_every: steps between two "probe" records, besides each epoch's end; 0 for no probes.
        probe_examples: rows of the batch that is probed.
        deterministic: make every TensorFlow operation reproducible bit by bit.
    """

    epochs: int = MISSING
    patience: int = 0
    log_every: int = 50
    probe_every: int = 0
    probe_examples: int = 64
    deterministic: bool = True


@dataclass
class TrackingConfig:
    """Where records go besides the run folder: nowhere ("local") or "wandb".

    Attributes:
        mode: "online", "offline" or "disabled"; this and the rest as W&B names them.
    """

    name: str = MISSING
    mode: str = "online"
    project: str = "seqnorm"
    entity: str | None = None
    group: str | None = None
    tags: list[str] = field(default_factory=list)


@dataclass
class RunConfig:
    """One training run, completely.

    Attributes:
        seed: decides the split, initial weights, the order of batches and dropout.
        runs_dir: folder in which the run gets its own folder.
    """

    seed: int = MISSING
    runs_dir: str = MISSING
    data: DataConfig = MISSING
    cell: CellConfig = MISSING
    norm: NormConfig = MISSING
    model: ModelConfig = MISSING
    optim: OptimConfig = MISSING
    train: TrainConfig = MISSING
    tracking: TrackingConfig = MISSING


# group of conf/ -> choice -> its dataclass
SCHEMAS: dict[str, dict[str, type]] = {
    "data": {"imdb": DataConfig, "reuters": DataConfig, "synthetic": SyntheticConfig},
    "cell": CELLS,
    "norm": NORMS,
    "model": {"classifier": ModelConfig},
    "optim": {"adam": AdamConfig, "sgd": SGDConfig},
    "train": {"default": TrainConfig},
    "tracking": {"local": TrackingConfig, "wandb": TrackingConfig},
}


def register() -> None:
    """Stores the schema where Hydra finds it: ``schema/<group>: <choice>`` and ``schema: run``."""
    store = ConfigStore.instance()
    store.store(group="schema", name="run", node=RunConfig)
    for group, choices in SCHEMAS.items():
        for choice, node in choices.items():
            store.store(group=f"schema/{group}", name=choice, node=node)


def conf_dir() -> Path:
    """The folder of the YAML files: beside the package in a checkout, inside it when installed.

    Raises:
        FileNotFoundError: if neither exists, which means a broken installation.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "conf", package.parent / "conf"):
        if (folder / "config.yaml").is_file():
            return folder
    raise FileNotFoundError(
        f"seqnorm needs its configuration in {package / 'conf'} or {package.parent / 'conf'}; "
        "received no config.yaml in either. Install seqnorm again."
    )


register()
