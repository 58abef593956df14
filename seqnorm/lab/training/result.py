"""What a run came to: scores on the test part, the files that hold them, and result.json."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.data.spec import Dataset
from seqnorm.lab.runs.naming import config_hash
from seqnorm.lab.runs.write import RunFolder
from seqnorm.lab.training.evaluate import Evaluation, evaluate, evaluate_majority
from seqnorm.lab.training.fit import Training


def conclude(
    config: RunConfig,
    dataset: Dataset,
    model: keras.Model,
    training: Training,
    message: str | None,
    folder: RunFolder,
) -> dict[str, Any]:
    """Evaluates on the test part and writes everything but result.json.

    A diverged run is scored as what it is worth, the majority class, on both parts: leaving it out
    of a comparison would favour the arm that diverges. With `train.test` off the test part is not
    looked at: its scores are None, the majority's accuracy is that on the validation part, no model
    is kept.
    """
    majority = evaluate_majority(dataset, "test" if config.train.test else "validation")
    test = None
    if config.train.test:
        test = majority
        if message is None:
            test = evaluate(model, dataset.test, config.data.batch_size)
            # Running statistics can break on texts of other lengths.
            if test.broken:
                test, message = majority, f"the test loss became {test.loss}"
        folder.write_model(model, dataset.vocabulary)
        folder.write_predictions(predictions(dataset, test))
    validation = training.best.accuracy if training.best.epoch else None
    if message is not None:
        validation = evaluate_majority(dataset, "validation").accuracy
    if training.probe and training.probe.last:
        folder.write_arrays("probes.npz", training.probe.last)
    return {
        **identity(config, folder),
        "status": "completed" if message is None else "diverged",
        "message": message,
        "test_accuracy": test and test.accuracy,
        "test_macro_f1": test and test.macro_f1,
        "test_loss": test and test.loss,
        "val_accuracy": validation,
        "majority_accuracy": majority.accuracy,
        "best_epoch": training.best.epoch,
        "steps": training.pulse.step,
        "train_seconds": round(training.seconds, 3),
        "tokens_per_second": round(training.pulse.overall_tokens_per_second, 1),
        "parameters": model.count_params(),
        "trainable_parameters": sum(math.prod(each.shape) for each in model.trainable_weights),
    }


def predictions(dataset: Dataset, test: Evaluation) -> dict[str, np.ndarray]:
    """What was answered on the test part, row by row, beside what is right."""
    return {
        "labels": dataset.test.labels,
        "predicted": test.predicted,
        "probability": test.probability,
        "lengths": dataset.test.sequences.lengths,
        "label_names": np.array(dataset.label_names),
    }


def identity(config: RunConfig, folder: RunFolder) -> dict[str, Any]:
    """The fields of result.json that say which run it is."""
    return {
        "run": folder.name,
        "data": config.data.name,
        "cell": config.network,
        "norm": config.norm.name,
        "seed": config.seed,
        "config_hash": config_hash(config),
    }


def closing_line(result: dict[str, Any]) -> str:
    """The last line that a person sees of a run."""
    if result["status"] == "diverged":
        return f"diverged: {result['message']}"
    epoch = f"best epoch {result['best_epoch']}  " if result["best_epoch"] else ""
    if result["test_accuracy"] is None:
        scores = f"validation accuracy {result['val_accuracy']:.4f}"
        return f"{scores}  {epoch}{result['train_seconds']:.0f} s"
    return (
        f"test accuracy {result['test_accuracy']:.4f}  macro-F1 {result['test_macro_f1']:.4f}  "
        f"{epoch}{result['train_seconds']:.0f} s"
    )
