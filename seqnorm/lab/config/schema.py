"""The schema of a run: what may be set, and of which type.

Every group of ``conf/`` has one dataclass per choice, so that a key of another choice is refused
while the configuration is composed: ``norm=layer norm.momentum=0.9`` fails and names the keys that
``LayerNormConfig`` has. The values that runs use are in the YAML files, with their reasons.

A YAML file of a group takes its schema through its first lines::

    defaults:
      - /schema/norm@_here_: layer
      - _self_

A new choice is one dataclass, listed in ``SCHEMAS``, and one YAML file. Cells and normalisers, the
arms of the comparison, are in `seqnorm.lab.config.parts`; models in `seqnorm.lab.config.models`,
tasks in `seqnorm.lab.config.tasks`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from seqnorm.lab.config.models import MODELS, ModelConfig
from seqnorm.lab.config.parts import CELLS, NORMS, CellConfig, NormConfig
from seqnorm.lab.config.ranges import (
    BUILDER,
    FILES,
    FOLDER,
    NAME,
    POSITIVE,
    POSITIVE_OR_OFF,
    RATE,
    SHARE,
    SIGN,
    Range,
    at_least,
    one_of,
    ranged,
)
from seqnorm.lab.config.tasks import TASKS, TaskConfig

# What NumPy and Keras take as one.
SEED = Range("must be at least 0 and below 2**32", lambda value: 0 <= value < 2**32)


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
        even_batches: whether the rows of an epoch are divided evenly; if not, every training batch
            has `batch_size` rows and the last one of an epoch has the rest.
        batch_tokens: tokens per training batch instead, the number of rows following from their
            lengths; None goes by rows.
        validation_fraction: share of the training examples held out for early stopping.
        validation_first: hold out this many training examples instead, the first in the loader's
            order (for Keras's ids that of Keras), the same whatever the seed; None holds out the
            share.
        bucket: batches in one shuffled pool that is sorted by length; 0 or 1 means no bucketing.
    """

    name: str = MISSING
    dir: str | None = ranged(None, FOLDER)
    # The ids 0, 1 and 2 are special; the start token leaves no word in a row of 1.
    num_words: int = ranged(20_000, at_least(4))
    max_length: int = ranged(200, at_least(2))
    truncate: str = ranged("tail", one_of("head", "tail"))
    batch_size: int = ranged(64, at_least(1))
    even_batches: bool = True
    batch_tokens: int | None = ranged(None, at_least(1))
    validation_fraction: float = ranged(0.1, SHARE)
    validation_first: int | None = ranged(None, at_least(1))
    bucket: int = ranged(0, at_least(0))


@dataclass
class TextConfig(DataConfig):
    """Texts whose words are cut and numbered here.

    Attributes:
        tokenizer: what a word is: "unicode"; "words", which knows no combining marks, decimals or
            typographic apostrophes and is that of the published results; or "keras", as in the ids
            that Keras publishes.
        lowercase: whether capitals are made small.
        strip_breaks: whether HTML line breaks are spaces.
        min_count: how often a word must occur in the training part to get an id.
    """

    tokenizer: str = ranged("words", one_of("unicode", "words", "keras"))
    lowercase: bool = True
    strip_breaks: bool = True
    min_count: int = ranged(1, at_least(1))


@dataclass
class OwnTextConfig(TextConfig):
    """Texts of the user's, whose parts may be missing.

    Attributes:
        label_separator: stands between the labels of a row that has several; None if each has one.
        test_fraction: share of the training rows held out as test part, where there is none.
        split_seed: decides which; a test part is the same for every seed of the run.
    """

    label_separator: str | None = ranged(None, SIGN)
    test_fraction: float = ranged(0.2, SHARE)
    split_seed: int = ranged(0, SEED)


@dataclass
class FilesConfig(OwnTextConfig):
    """Texts from files: CSV, TSV, JSON lines, Parquet, each also gzipped.

    Attributes:
        train: a name, a list of names, or a pattern with ``*``, relative to the current folder.
        validation: likewise; None holds out a share of the training rows by the run's seed.
        test: likewise; None holds out `test_fraction`.
        text: name of the column of texts.
        label: name of the column of labels.
        delimiter: between the fields of CSV and TSV; None goes by the file's ending.
        quotes: whether their fields may stand in double quotes.
    """

    train: Any = ranged("", FILES)
    validation: Any = ranged(None, FILES)
    test: Any = ranged(None, FILES)
    text: str = ranged("text", NAME)
    label: str = ranged("label", NAME)
    delimiter: str | None = ranged(None, SIGN)
    quotes: bool = True


@dataclass
class TFDSConfig(OwnTextConfig):
    """Any data set of texts that TensorFlow Datasets has.

    Attributes:
        builder: its name there, with its config if it has several, such as "glue/sst2".
        text: name of the feature that is the text; None takes the only one there is.
        label: likewise of the label.
        train: name of the split to train on.
        validation: likewise; None holds out a share of the training examples by the run's seed.
        test: likewise; None holds out `test_fraction`.
    """

    builder: str = ranged("", BUILDER)
    text: str | None = ranged(None, NAME)
    label: str | None = ranged(None, NAME)
    train: str = ranged("train", NAME)
    validation: str | None = ranged(None, NAME)
    test: str | None = ranged("test", NAME)


@dataclass
class SyntheticConfig(DataConfig):
    """Generated sequences: no file, no network.

    Attributes:
        examples, test_examples: rows generated for training and validation, and for the test.
    """

    examples: int = ranged(2_000, at_least(10))
    test_examples: int = ranged(1_000, at_least(1))


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
        probe_every: steps between two "probe" records, besides each epoch's end; 0 for no probes.
        probe_examples: rows of the batch that is probed.
        steps_per_execution: optimiser steps in one call of the compiled function; records and
            checks come once a call.
        deterministic: make every TensorFlow operation reproducible bit by bit.
    """

    epochs: int = ranged(MISSING, at_least(1))
    patience: int = ranged(0, at_least(0))
    keep: str = ranged("best", one_of("best", "last"))
    reestimate: bool = False
    test: bool = True
    log_every: int = ranged(50, at_least(1))
    probe_every: int = ranged(0, at_least(0))
    probe_examples: int = ranged(64, at_least(2))
    steps_per_execution: int = ranged(1, at_least(1))
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
        imports: modules that register parts of the user's, see `seqnorm.lab.registry`.
    """

    seed: int = ranged(MISSING, SEED)
    runs_dir: str = ranged(MISSING, FOLDER)
    study: str | None = None
    arm: str | None = None
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
    "data": {
        "imdb": TextConfig,
        "imdb_ids": DataConfig,
        "reuters": DataConfig,
        "reuters_r8": TextConfig,
        "reuters_r52": TextConfig,
        "reuters_clean": TextConfig,
        "mnist": DataConfig,
        "synthetic": SyntheticConfig,
        "files": FilesConfig,
        "tfds": TFDSConfig,
    },
    "cell": CELLS,
    "norm": NORMS,
    "task": TASKS,
    "model": MODELS,
    "optim": {"adam": AdamConfig, "sgd": SGDConfig, "rmsprop": RMSpropConfig},
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
