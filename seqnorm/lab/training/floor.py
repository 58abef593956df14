"""The floor that recurrent networks have to beat, as a run like theirs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Protocol

from numpy.typing import NDArray

from seqnorm.lab import data
from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.data.spec import Sequences, Split
from seqnorm.lab.errors import blame_the_input
from seqnorm.lab.models.bag_of_words import BagOfWords
from seqnorm.lab.models.ngram import NGram
from seqnorm.lab.runs.files import FLOOR
from seqnorm.lab.runs.result import Result
from seqnorm.lab.runs.write import RunFolder
from seqnorm.lab.tasks import Task, make_task
from seqnorm.lab.tracking.factory import make_sinks
from seqnorm.lab.training.result import closing_line, identity, predictions


class Floor(Protocol):
    """A model that is counted rather than trained by gradients; its task knows what it answers.

    The constructor gets the number of ids, the number of classes, and the keys of its group.
    """

    parameters: int

    def fit(self, split: Split) -> None:
        """Learns from the training part."""

    def arrays(self) -> dict[str, NDArray]:
        """What was learnt, by name."""

    def restore(self, arrays: Mapping[str, NDArray]) -> None:
        """Takes what `arrays` gave in the place of `fit`."""

    def outputs(self, sequences: Sequences) -> Iterable[NDArray]:
        """For each row what a network would give, from which the task makes its answer."""


MAKERS: dict[str, Callable[..., Floor]] = {"bag_of_words": BagOfWords, "ngram": NGram}


def make_floor(config: RunConfig, size: int, num_classes: int) -> Floor:
    """The floor that a configuration asks for, of so many ids and classes; it has learnt nothing.

    Raises:
        ValueError: if it refuses its arguments.
    """
    settings = asdict(config.model)
    return MAKERS[settings.pop("name")](size, num_classes, **settings)


def run_floor(config: RunConfig, name: str | None = None) -> Result:
    """Trains, scores and records a floor; of ``optim`` and ``train`` it reads `train.test`.

    The run folder has model.npz in the place of model.keras, and no epochs.

    Returns:
        What result.json holds.

    Raises:
        UserError: if data is missing or damaged, or the training part is too small.
    """
    with blame_the_input():
        task = make_task(config.task)
        dataset = task.prepare(data.load(config.data, config.seed, config.task.LABELS))
        model = make_floor(config, dataset.words.size, dataset.num_classes)
        sinks = make_sinks(config.tracking, config.study, config.arm)
    with RunFolder.opened(config, name, sinks) as folder:
        print(f"{folder.path}", flush=True)
        began = time.perf_counter()
        with blame_the_input():
            model.fit(dataset.train)
        seconds = time.perf_counter() - began
        result = _conclude(config, task, dataset, model, seconds, folder)
        folder.finish(result)
        sinks.summary(result.flat())
    print(closing_line(result), flush=True)
    return result


def _conclude(
    config: RunConfig,
    task: Task,
    dataset: data.Dataset,
    model: Floor,
    seconds: float,
    folder: RunFolder,
) -> Result:
    test = task.evaluate_floor(model, dataset, "test") if config.train.test else None
    if test:
        folder.write_arrays(FLOOR, model.arrays())
        folder.write_encoding(dataset)
        folder.write_predictions(predictions(dataset, test))
    first = task.scoring.score.name
    baseline = task.baseline(dataset, "test" if config.train.test else "validation")
    return Result(
        **identity(config, task, folder),
        status="completed",
        message=None,
        test=test.scores if test else None,
        test_loss=None,
        validation=task.evaluate_floor(model, dataset, "validation").scores[first],
        baseline=baseline.scores[first],
        best_epoch=None,
        steps=0,
        train_seconds=round(seconds, 3),
        tokens_per_second=round(len(dataset.train.sequences.values) / seconds, 1),
        parameters=model.parameters,
        trainable_parameters=model.parameters,
    )
