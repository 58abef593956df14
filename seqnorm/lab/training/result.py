"""What a run came to: scores on the test part, and the files that hold them."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.data.spec import Dataset
from seqnorm.lab.errors import blame_the_input
from seqnorm.lab.runs.naming import config_hash
from seqnorm.lab.runs.result import Result
from seqnorm.lab.runs.write import RunFolder
from seqnorm.lab.tasks import Evaluation, Task
from seqnorm.lab.training.fit import Training


def conclude(
    config: RunConfig,
    task: Task,
    dataset: Dataset,
    model: keras.Model,
    training: Training,
    message: str | None,
    folder: RunFolder,
) -> Result:
    """Evaluates on the test part and writes everything but result.json.

    A diverged run is scored as what it is worth, the task's baseline, on both parts: leaving it out
    of a comparison would favour the arm that diverges. With `train.test` off the test part is not
    looked at: its scores are None, the baseline's is that on the validation part, no model is kept.
    """
    first = task.scoring.score.name
    baseline = task.baseline(dataset, "test" if config.train.test else "validation")
    test = None
    if config.train.test:
        test = baseline
        if message is None:
            test = task.evaluate(training.runner, dataset, "test", config.data.batch_size)
            with blame_the_input():
                test.checked(task, dataset, "test")
            # Running statistics can break on texts of other lengths.
            if test.fault:
                test, message = baseline, f"the test {test.fault}"
        folder.write_model(model, dataset)
        folder.write_predictions(predictions(dataset, test))
    validation = training.best.score if training.best.epoch else None
    if message is not None:
        validation = task.baseline(dataset, "validation").scores[first]
    if training.probe and training.probe.last:
        folder.write_arrays("probes.npz", training.probe.last)
    return Result(
        **identity(config, task, folder),
        status="completed" if message is None else "diverged",
        message=message,
        test={name: float(value) for name, value in test.scores.items()} if test else None,
        test_loss=None if test is None or test.loss is None else float(test.loss),
        validation=None if validation is None else float(validation),
        baseline=float(baseline.scores[first]),
        best_epoch=training.best.epoch,
        steps=training.clock.step,
        train_seconds=round(training.seconds, 3),
        tokens_per_second=round(training.clock.overall_tokens_per_second, 1),
        parameters=model.count_params(),
        trainable_parameters=sum(math.prod(each.shape) for each in model.trainable_weights),
    )


def predictions(dataset: Dataset, test: Evaluation) -> dict[str, np.ndarray]:
    """What was answered on the test part, row by row, and how long each row is."""
    return {**test.predictions, "lengths": dataset.test.sequences.lengths}


def identity(config: RunConfig, task: Task, folder: RunFolder) -> dict[str, Any]:
    """The fields of a result that say which run it is."""
    return {
        "run": folder.name,
        "task": task.scoring,
        "data": config.data.name,
        "cell": config.network,
        "norm": config.norm.name,
        "seed": config.seed,
        "config_hash": config_hash(config),
    }


def closing_line(result: Result) -> str:
    """The last line that a person sees of a run."""
    if result.diverged:
        return f"diverged: {result.message}"
    epoch = f"best epoch {result.best_epoch}  " if result.best_epoch else ""
    end = f"{epoch}{result.train_seconds:.0f} s"
    scores, test = result.task.scores, result.test
    if test is None:
        return f"validation {scores[0].title} {scores[0].write(result.validation_score)}  {end}"
    found = "  ".join(f"{score.title} {score.write(test[score.name])}" for score in scores)
    return f"test {found}  {end}"
