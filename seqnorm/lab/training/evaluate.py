"""Scores on the test part, of a model or of the majority class."""

from __future__ import annotations

import math
from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from seqnorm.lab.data.batching import Batches
from seqnorm.lab.data.spec import Dataset, Split
from seqnorm.lab.training.backend import stream


class Evaluation(NamedTuple):
    """Predictions for each row of the test part, in its order, and the scores they give.

    Attributes:
        predicted: int32[n], the class that was answered.
        probability: float32[n], the probability that the model gave it.
        accuracy: share of rows that are right.
        macro_f1: unweighted mean of the F1 scores of the classes that the part has; one that is
            never answered counts 0.
        loss: mean negative log-likelihood; None where there is no network.
    """

    predicted: NDArray[np.int32]
    probability: NDArray[np.float32]
    accuracy: float
    macro_f1: float
    loss: float | None

    @property
    def broken(self) -> bool:
        """Whether the loss is not finite: then the classes that were answered mean nothing."""
        return self.loss is not None and not math.isfinite(self.loss)


def batches_of(split: Split, batch_size: int) -> Batches:
    """A split in an order of its own, sorted by length so that little is padding."""
    whole = len(split) // batch_size + 1
    return Batches(split, batch_size, shuffle=False, bucket=whole)


def evaluate(model: keras.Model, split: Split, batch_size: int) -> Evaluation:
    """Scores of a classifier that returns logits float[B, classes]."""
    batches = batches_of(split, batch_size)
    outputs = model.predict(stream(batches), verbose=0)
    logits = batches.restore(outputs).astype(np.float64)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probability = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    predicted = logits.argmax(axis=1).astype(np.int32)
    rows = np.arange(len(split))
    return _score(
        split,
        predicted,
        np.exp(log_probability[rows, predicted]),
        loss=float(-log_probability[rows, split.labels].mean()),
    )


def evaluate_probabilities(split: Split, probabilities: NDArray) -> Evaluation:
    """Scores of what answers float[n, classes], with no loss: a class may have probability 0."""
    predicted = probabilities.argmax(axis=1).astype(np.int32)
    chosen = probabilities[np.arange(len(split)), predicted]
    return _score(split, predicted, chosen, loss=None)


def evaluate_majority(dataset: Dataset, part: str = "test") -> Evaluation:
    """Scores of always answering the most frequent class of the training part.

    Args:
        dataset: where the classes are counted.
        part: what is scored, "test" or "validation".
    """
    split: Split = getattr(dataset, part)
    counts = np.bincount(dataset.train.labels, minlength=dataset.num_classes)
    rows = len(split)
    share = counts.max() / counts.sum()
    return _score(split, np.full(rows, counts.argmax(), np.int32), np.full(rows, share), loss=None)


def _score(
    split: Split, predicted: NDArray[np.int32], probability: NDArray, loss: float | None
) -> Evaluation:
    return Evaluation(
        predicted,
        probability.astype(np.float32),
        accuracy=float(np.mean(predicted == split.labels)),
        macro_f1=float(
            f1_score(split.labels, predicted, labels=np.unique(split.labels), average="macro")
        ),
        loss=loss,
    )
