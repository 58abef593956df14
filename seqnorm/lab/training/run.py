"""One run from top to bottom, in the order of a paper's method section."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import cast

import keras

from seqnorm.lab import data
from seqnorm.lab.config.models import FLOORS
from seqnorm.lab.config.rules import validate
from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.errors import blame_the_input
from seqnorm.lab.models.build import build_model
from seqnorm.lab.runs.result import Result
from seqnorm.lab.runs.write import NoFolder, RunFolder
from seqnorm.lab.tasks import make_task
from seqnorm.lab.tracking.factory import make_sinks
from seqnorm.lab.training.fit import Training
from seqnorm.lab.training.floor import run_floor
from seqnorm.lab.training.replicas.strategy import Replicas, make_replicas
from seqnorm.lab.training.result import closing_line, conclude
from seqnorm.lab.training.seeding import seed_all, start_afresh
from seqnorm.machine import threads


def run(config: RunConfig, name: str | None = None) -> Result:
    """Trains what the configuration asks for: a network, or what stands under it.

    Args:
        config: the complete configuration.
        name: of the run folder; None for one that holds the time.

    Returns:
        What result.json holds. With `train.strategy=multi_worker` only the chief has a result: None
        in the other processes.

    Raises:
        ConfigError: if the configuration contradicts itself.
        UserError: if data is missing or damaged, or a component refuses its arguments.
    """
    return cast(Result, advance(config, name))


def advance(config: RunConfig, name: str | None = None, until: int | None = None) -> Result | None:
    """Likewise, but with a pause: the same call with a later one goes on, to the same bytes.

    Args:
        config: as of `run`.
        name: likewise.
        until: epochs after which the run is paused: it is saved, and left as one that was stopped;
            None for no pause.

    Returns:
        What result.json holds; None of a run that is paused. One that has ended before, by its
        patience or as it diverged, is finished.
    """
    replicas = start(config)
    if config.model.name in FLOORS:
        return run_floor(config, name)
    with replicas.naming_losses():
        result = _run_network(config, name, until, replicas)
        replicas.leave()
    return result


def start(config: RunConfig) -> Replicas:
    """Checks what can be checked before data is read, and forgets whatever ran before.

    Returns:
        The devices to train on.

    Raises:
        ConfigError: if the configuration contradicts itself, or the environment contradicts it.
        UserError: if SEQNORM_THREADS is no number of threads, or devices are missing.
    """
    validate(config)
    with blame_the_input():
        threads()
    replicas = make_replicas(config.train)
    start_afresh(config.seed, config.train.deterministic)
    return replicas


def _built(config: RunConfig, dataset: data.Dataset) -> keras.Model:
    try:
        return build_model(config, dataset)
    except (TypeError, KeyError) as error:  # Keras's own components raise these as well
        raise ValueError(
            f"model={config.model.name}, cell={config.cell.name} and norm={config.norm.name} need "
            f"arguments that they take; received {asdict(config.model)}, {asdict(config.cell)}, "
            f"{asdict(config.norm)} and the answer {error}. Correct the key that it is about."
        ) from error


def _run_network(
    config: RunConfig, name: str | None, until: int | None, replicas: Replicas
) -> Result | None:
    """Trains, evaluates and records one network; helps to, in a process that is not the chief."""
    with blame_the_input():
        task = make_task(config.task)
        dataset = task.prepare(data.load(config.data, config.seed, config.task.LABELS))
        dataset = task.rows(dataset, config.data.batch_size)
        task.baseline(dataset, "validation").checked(task, dataset, "validation")
        seed_all(config.seed)  # once more: preparing data for the first time draws from these too
        with replicas.scope():
            model = _built(config, dataset)
        model = replicas.on_one_device(model)
        sinks = make_sinks(config.tracking, config.study, config.arm)
    if not replicas.is_chief:
        elsewhere = NoFolder(Path(config.runs_dir), replicas.state_of_chief(None))
        Training(config, task, dataset, model, elsewhere, replicas).fit(until)
        return None
    with RunFolder.opened(config, name, sinks) as folder:
        print(f"{folder.path}  {model.count_params():,} parameters", flush=True)
        if devices := replicas.described():
            folder.note_devices(devices)
        replicas.state_of_chief(folder.saved)
        training = Training(config, task, dataset, model, folder, replicas)
        if folder.saved:
            print(f"goes on where it was stopped, {training.checkpoint.position}", flush=True)
        diverged = training.fit(until)
        if training.paused:
            print(f"paused after epoch {until} of {config.train.epochs}", flush=True)
            return None
        result = conclude(config, task, dataset, model, training, diverged, folder)
        folder.finish(result)  # before what is only mirrored, whose failure costs no finished run
        # Of a diverged run the score that a sweep compares is none.
        chosen_by = f"val_{task.scoring.score.name}"
        sinks.summary({**result.flat(), chosen_by: result.objective})
        answers = folder.read_predictions()
        for table in task.tables(dataset, answers) if answers else ():  # a trial has none
            sinks.table(*table)
    print(closing_line(result), flush=True)
    return result
