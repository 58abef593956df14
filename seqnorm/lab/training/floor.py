"""The floor that recurrent networks have to beat, as a run like theirs."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import cast

from seqnorm.lab import data
from seqnorm.lab.config.compose import compose
from seqnorm.lab.config.models import BagOfWordsConfig
from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.errors import blame_the_input
from seqnorm.lab.models.bag_of_words import BagOfWords
from seqnorm.lab.runs.result import Result
from seqnorm.lab.runs.write import RunFolder
from seqnorm.lab.tasks import Classification, Evaluation
from seqnorm.lab.tracking.factory import make_sinks
from seqnorm.lab.training.result import closing_line, identity, predictions


def floor_of(config: RunConfig) -> RunConfig:
    """The bag of words on the data of another run, beside it."""
    floor = compose(["model=bag_of_words"])
    return replace(config, model=floor.model, cell=floor.cell, norm=floor.norm)


def run_floor(config: RunConfig, name: str | None = None) -> Result:
    """Trains, scores and records a bag of words; of ``optim`` and ``train`` it reads `train.test`.

    The run folder has no model.keras and no epochs.

    Returns:
        What result.json holds.

    Raises:
        UserError: if data is missing or damaged, or the training part is too small.
    """
    with blame_the_input():
        dataset = data.load(config.data, config.seed, config.task.LABELS)
        settings = asdict(cast(BagOfWordsConfig, config.model))
        del settings["name"]
        model = BagOfWords(dataset.words.size, dataset.num_classes, **settings)
        sinks = make_sinks(config.tracking, config.study, config.arm)
    with RunFolder.opened(config, name, sinks) as folder:
        print(f"{folder.path}", flush=True)
        began = time.perf_counter()
        with blame_the_input():
            model.fit(dataset.train)
        seconds = time.perf_counter() - began
        result = _conclude(config, dataset, model, seconds, folder)
        folder.finish(result)
        sinks.summary(result.flat())
    print(closing_line(result), flush=True)
    return result


def _conclude(
    config: RunConfig, dataset: data.Dataset, model: BagOfWords, seconds: float, folder: RunFolder
) -> Result:
    task = Classification()

    def scored(part: str) -> Evaluation:
        probabilities = model.probabilities(getattr(dataset, part))
        return task.evaluate_probabilities(dataset, part, probabilities)

    test = scored("test") if config.train.test else None
    if test:
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
        validation=scored("validation").scores[first],
        baseline=baseline.scores[first],
        best_epoch=None,
        steps=0,
        train_seconds=round(seconds, 3),
        tokens_per_second=round(len(dataset.train.sequences.values) / seconds, 1),
        parameters=model.parameters,
        trainable_parameters=model.parameters,
    )
