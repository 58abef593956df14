"""One run from top to bottom, in the order of a paper's method section."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import keras

from seqnorm.lab import data
from seqnorm.lab.config.rules import validate
from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.errors import blame_the_input
from seqnorm.lab.models.build import build_model
from seqnorm.lab.runs.naming import objective
from seqnorm.lab.runs.write import RunFolder
from seqnorm.lab.tracking.factory import make_sinks
from seqnorm.lab.training.fit import Training
from seqnorm.lab.training.floor import run_floor
from seqnorm.lab.training.mistakes import COLUMNS, mistakes
from seqnorm.lab.training.result import closing_line, conclude
from seqnorm.lab.training.seeding import seed_all, start_afresh
from seqnorm.machine import threads


def run(config: RunConfig, name: str | None = None) -> dict[str, Any]:
    """Trains what the configuration asks for: a network or a bag of words.

    Args:
        config: the complete configuration.
        name: of the run folder; None for one that holds the time.

    Returns:
        The content of result.json.

    Raises:
        ConfigError: if the configuration contradicts itself.
        UserError: if data is missing or damaged, or a component refuses its arguments.
    """
    start(config)
    if config.model.name == "bag_of_words":
        return run_floor(config, name)
    return run_network(config, name)


def start(config: RunConfig) -> None:
    """Checks what can be checked before data is read, and forgets whatever ran before.

    Raises:
        ConfigError: if the configuration contradicts itself.
        UserError: if SEQNORM_THREADS is no number of threads.
    """
    validate(config)
    with blame_the_input():
        threads()
    start_afresh(config.seed, config.train.deterministic)


def _built(config: RunConfig, dataset: data.Dataset) -> keras.Model:
    try:
        return build_model(config, dataset)
    except (TypeError, KeyError) as error:  # Keras's own components raise these as well
        raise ValueError(
            f"model={config.model.name}, cell={config.cell.name} and norm={config.norm.name} need "
            f"arguments that they take; received {asdict(config.model)}, {asdict(config.cell)}, "
            f"{asdict(config.norm)} and the answer {error}. Correct the key that it is about."
        ) from error


def run_network(config: RunConfig, name: str | None = None) -> dict[str, Any]:
    """Trains, evaluates and records one network."""
    with blame_the_input():
        dataset = data.load(config.data, config.seed)
        seed_all(config.seed)  # once more: preparing data for the first time draws from these too
        model = _built(config, dataset)
        sinks = make_sinks(config.tracking, config.study, config.arm)
    with RunFolder.opened(config, name, sinks) as folder:
        print(f"{folder.path}  {model.count_params():,} parameters", flush=True)
        training = Training(config, dataset, model, sinks)
        diverged = training.fit()
        result = conclude(config, dataset, model, training, diverged, folder)
        folder.finish(result)  # before what is only mirrored, whose failure costs no finished run
        sinks.summary({**result, "val_accuracy": objective(result)})
        answers = folder.read_predictions()
        if answers:  # a trial has none
            rows = mistakes(dataset, answers["predicted"], answers["probability"])
            sinks.table("mistakes", COLUMNS, rows)
    print(closing_line(result), flush=True)
    return result
