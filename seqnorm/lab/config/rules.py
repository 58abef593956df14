"""What types cannot say about a configuration: ranges, choices, keys that contradict each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from seqnorm.lab.config.models import NORMS_WITHOUT_STEPS
from seqnorm.lab.config.schema import SCHEMAS, RunConfig, TrackingConfig
from seqnorm.lab.config.tasks import ClassificationConfig


class ConfigError(ValueError):
    """A configuration that cannot be run as it is; the message says what to change."""


Rule = tuple[str, Callable[[Any], Any]]  # what is required, and whether it holds


def _at_least(low: int) -> Rule:
    return f"must be at least {low}", lambda value: value >= low


def _one_of(*choices: str) -> Rule:
    return f"must be one of {', '.join(choices)}", lambda value: value in choices


POSITIVE: Rule = ("must be a positive number", lambda value: value > 0 and math.isfinite(value))
POSITIVE_OR_OFF: Rule = (f"{POSITIVE[0]}, or null for none", POSITIVE[1])
FINITE: Rule = ("must be finite", math.isfinite)
RATE: Rule = ("is a share and must be at least 0 and below 1", lambda value: 0 <= value < 1)
WEIGHT: Rule = ("is a weight and must be from 0 to 1", lambda value: 0 <= value <= 1)
FOLDER: Rule = ("must name a folder (an empty name is often a variable that is not set)", len)
SHARE: Rule = ("is a share and must be above 0 and below 1", lambda value: 0 < value < 1)

# Special ids 0, 1 and 2 leave no word below 4; the start token leaves no word in a row of 1.
RULES: dict[str, Rule] = {
    "runs_dir": FOLDER,
    "seed": ("must be at least 0 and below 2**32", lambda value: 0 <= value < 2**32),
    "data.dir": FOLDER,
    "data.num_words": _at_least(4),
    "data.max_length": _at_least(2),
    "data.truncate": _one_of("head", "tail"),
    "data.batch_size": _at_least(1),
    "data.batch_tokens": _at_least(1),
    "data.validation_fraction": SHARE,
    "data.validation_first": _at_least(1),
    "data.bucket": _at_least(0),
    "data.tokenizer": _one_of("unicode", "words", "keras"),
    "data.min_count": _at_least(1),
    "data.examples": _at_least(10),
    "data.test_examples": _at_least(1),
    "cell.units": _at_least(1),
    "cell.sites": ("must name one site or more (norm=none normalises none)", len),
    "cell.dropout": RATE,
    "cell.recurrent_dropout": RATE,
    "cell.zoneout": RATE,
    "cell.init_state": _one_of("rest", "zeros", "learned", "noise"),
    "cell.init_stddev": ("must be at least 0 and finite", lambda value: 0 <= value < math.inf),
    "cell.placement": _one_of("separate", "joint"),
    "cell.cell_norm": _one_of("output", "carry", "none"),
    "cell.gate_norm": _one_of("split", "fused"),
    "norm.epsilon": POSITIVE,
    "norm.groups": _at_least(1),
    "norm.momentum": WEIGHT,
    "norm.renorm_momentum": WEIGHT,
    "norm.gamma": FINITE,
    "norm.alpha": FINITE,
    "norm.statistics": _one_of("per_step", "shared"),
    "norm.input_statistics": _one_of("step", "sequence"),
    "norm.small_batch": _one_of("naive", "running", "shrink", "renorm"),
    "model.embedding": _at_least(1),
    "model.embedding_dropout": RATE,
    "model.depth": _at_least(1),
    "model.pooling": _one_of("last", "mean", "max"),
    "model.dropout": RATE,
    "model.hidden": (
        "must be positive, and for the MLP a list such as [64, 64]",
        lambda value: (
            len(value) > 0 and all(width > 0 for width in value)
            if isinstance(value, Sequence)
            else value > 0
        ),
    ),
    "model.norm_position": _one_of("before", "after"),
    "model.filters": _at_least(1),
    "model.kernel_size": _at_least(1),
    "model.weighting": _one_of("tfidf", "counts"),
    "model.inverse_regularisation": POSITIVE,
    "model.min_texts": _at_least(1),
    "optim.learning_rate": POSITIVE,
    "optim.clipnorm": POSITIVE_OR_OFF,
    "optim.weight_decay": POSITIVE_OR_OFF,
    "optim.schedule": _one_of("constant", "cosine"),
    "optim.warmup_steps": _at_least(0),
    "optim.beta_1": RATE,
    "optim.beta_2": RATE,
    "optim.epsilon": POSITIVE,
    "optim.momentum": RATE,
    "optim.rho": RATE,
    "tracking.mode": _one_of("online", "offline", "disabled"),
    "train.epochs": _at_least(1),
    "train.patience": _at_least(0),
    "train.keep": _one_of("best", "last"),
    "train.log_every": _at_least(1),
    "train.probe_every": _at_least(0),
    "train.steps_per_execution": _at_least(1),
    "train.probe_examples": _at_least(2),
}


# Keras's batch norm over one vector a row; over images it has many positions.
_ONE_VECTOR = ("mlp", "keras_batch")
WITH_RUNNING_STATISTICS = ("batch", "keras_batch")
# START and the pixels of an image of `seqnorm.lab.data.mnist`.
WHOLE_IMAGE = 1 + 28 * 28


def validate(config: RunConfig) -> None:
    """Refuses a configuration whose values are out of range or contradict one another.

    What only one component can judge (a normaliser's arguments, say) is left to its constructor.

    Args:
        config: complete configuration; keys that are None are not set and are not checked.

    Raises:
        ConfigError: naming every offending key with its value, and what to do about it.
    """
    problems = [*_renamed(config)] or [
        *_out_of_range(OmegaConf.structured(config)),
        *_contradictions(config),
    ]
    if problems:
        raise ConfigError("\n".join(problems))


def _renamed(config: RunConfig) -> Iterator[str]:
    """Components whose name was changed under the keys of another one."""
    for group, choices in SCHEMAS.items():
        component = getattr(config, group)
        if not hasattr(component, "name"):
            continue
        wanted = choices.get(component.name)
        if wanted is not type(component):
            choice = f"{group}={component.name}"
            advice = f"Use {choice}" if wanted else f"Use {group}= one of {', '.join(choices)}"
            yield (
                f"{group}.name says which component the keys of {group} are for, and cannot be set "
                f"by itself; received {group}.name={component.name} with the keys of another. "
                f"{advice}."
            )


def check_group(group: str, component: Any) -> None:
    """Refuses values of one group, such as "data", that are out of range.

    Raises:
        ConfigError: naming every offending key with its value.
    """
    if problems := [*_out_of_range(OmegaConf.create({group: component}))]:
        raise ConfigError("\n".join(problems))


def _out_of_range(tree: DictConfig) -> Iterator[str]:
    for key, (requirement, holds) in RULES.items():
        value = OmegaConf.select(tree, key)
        if value is not None and not holds(value):
            shown = "''" if value == "" else value
            yield f"{key} {requirement}; received {key}={shown}."


def _contradictions(config: RunConfig) -> Iterator[str]:
    yield from _misfits(config)
    tracking, default = config.tracking, TrackingConfig()
    unheard = [
        f"tracking.{key}={getattr(tracking, key)}"
        for key in ("mode", "project", "entity", "tags")
        if getattr(tracking, key) != getattr(default, key)
    ]
    if tracking.name == "local" and unheard:
        yield (
            f"tracking=local writes into the run folder only; received {', '.join(unheard)}. Add "
            "tracking=wandb, or leave it out."
        )
    if config.train.reestimate and config.norm.name not in WITH_RUNNING_STATISTICS:
        yield (
            "train.reestimate=true takes running statistics anew and needs norm to be one of "
            f"{', '.join(WITH_RUNNING_STATISTICS)}; received norm={config.norm.name}. Leave "
            "train.reestimate out."
        )
    if config.data.batch_tokens is not None and not config.data.even_batches:
        yield (
            "data.batch_tokens cuts batches of equal tokens and needs data.even_batches=true; "
            f"received data.batch_tokens={config.data.batch_tokens} with data.even_batches=false. "
            "Set one of the two."
        )
    if config.data.bucket > 1 and not config.data.even_batches:
        yield (
            "data.bucket sorts the rows of a pool by length, so that the rest which "
            "data.even_batches=false keeps for the last batch would be its longest rows; received "
            f"data.bucket={config.data.bucket} with data.even_batches=false. Add data.bucket=0 (25 "
            "or 50 is the default), or leave data.even_batches=false out."
        )
    by_rows = config.data.batch_tokens is None
    per_batch = config.norm.name == "batch" or (config.model.name, config.norm.name) == _ONE_VECTOR
    if per_batch and config.data.batch_size == 1 and by_rows:
        yield (
            f"norm={config.norm.name} needs batches of at least 2 rows; received "
            "data.batch_size=1. The mean of one row is the row itself, so everything would be "
            "normalised to exactly zero and nothing of the input would be left. Raise "
            "data.batch_size (64 is the default), or use the layer norm, whose statistics do not "
            "depend on the batch."
        )


def _misfits(config: RunConfig) -> Iterator[str]:
    """Cells and norms that the model has no place for."""
    model, cell, norm = config.model.name, config.cell.name, config.norm.name
    if model == "bag_of_words" and not isinstance(config.task, ClassificationConfig):
        yield (
            "model=bag_of_words answers with a class and needs task=classification; received "
            f"task={config.task.name}. Use another model; of a comparison, compare.floors=0."
        )
    if model in NORMS_WITHOUT_STEPS:
        if cell != "none":
            yield f"model={model} has no recurrence and needs cell=none; received cell={cell}."
        if norm not in NORMS_WITHOUT_STEPS[model]:
            choices = ", ".join(NORMS_WITHOUT_STEPS[model])
            yield f"model={model} needs norm to be one of {choices}; received norm={norm}."
        if model == "convnet" and config.data.max_length < WHOLE_IMAGE:
            yield (
                f"model=convnet needs whole images, data.max_length={WHOLE_IMAGE}; received "
                f"data.max_length={config.data.max_length}. Add data=mnist, or leave it as it is."
            )
        return
    if cell == "none":
        yield f"model={model} is recurrent and needs a cell; received cell=none. Use cell=lstm."
    if norm.startswith("keras_"):
        yield (
            f"model={model} normalises inside each step, which norm={norm} cannot. Use "
            f"norm={norm.removeprefix('keras_')}."
        )
