"""What a run came to: scores on the test part, the files that hold them, and result.json."""

from __future__ import annotations

from typing import Any

import keras

from seqnorm.config import RunConfig
from seqnorm.data.spec import Dataset
from seqnorm.training.evaluate import evaluate, evaluate_majority
from seqnorm.training.fit import Training
from seqnorm.training.record import RunFolder, config_hash


def conclude(
    config: RunConfig,
    dataset: Dataset,
    model: keras.Model,
    training: Training,
    message: str | None,
    folder: RunFolder,
) -> dict[str, Any]:
    """Evaluates on the test part and writes everything but result.json.

    A diverged run is scored as what it is worth, the majority class: leaving it out of a comparison
    would favour the arm that diverges.
    """
    test = majority = evaluate_majority(dataset)
    if message is None:
        test = evaluate(model, dataset.test, config.data.batch_size)
    folder.write_model(model, dataset)
    folder.write_arrays(
        "predictions.npz",
        {
            "labels": dataset.test.labels,
            "predicted": test.predicted,
            "probability": test.probability,
            "lengths": dataset.test.sequences.lengths,
        },
    )
    if training.probe and training.probe.last:
        folder.write_arrays("probes.npz", training.probe.last)
    return {
        "run": folder.name,
        "data": config.data.name,
        "cell": config.cell.name,
        "norm": config.norm.name,
        "seed": config.seed,
        "config_hash": config_hash(config),
        "status": "completed" if message is None else "diverged",
        "message": message,
        "test_accuracy": test.accuracy,
        "test_macro_f1": test.macro_f1,
        "test_loss": test.loss,
        "val_accuracy": training.best.accuracy if training.best.epoch else None,
        "majority_accuracy": majority.accuracy,
        "best_epoch": training.best.epoch,
        "steps": training.pulse.step,
        "train_seconds": round(training.seconds, 3),
        "tokens_per_second": round(training.pulse.overall_tokens_per_second, 1),
        "parameters": model.count_params(),
    }


def closing_line(result: dict[str, Any]) -> str:
    """The last line that a person sees of a run."""
    if result["status"] == "diverged":
        return f"diverged: {result['message']}"
    return (
        f"test accuracy {result['test_accuracy']:.4f}  macro-F1 {result['test_macro_f1']:.4f}  "
        f"best epoch {result['best_epoch']}  {result['train_seconds']:.0f} s"
    )
