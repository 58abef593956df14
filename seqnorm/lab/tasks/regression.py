"""One number for each row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.tasks.base import Evaluation, Task
from seqnorm.lab.tasks.score import Score

if TYPE_CHECKING:
    import keras

    from seqnorm.lab.data.spec import Dataset, Split

ERROR = (0.0, math.inf)


class Regression(Task):
    """A number of each row, such as a price or a sum.

    Labels are float32[n], in whatever unit; the model answers float32[B, 1] in the same.
    Predictions are "labels" and "predicted", float32[n], and "score", the absolute error of each
    row.

    The loss is the mean squared error. The last layer works in units of the labels' spread in the
    training part, so that a learning rate means the same for grams and tons.
    """

    name = "regression"
    scores = (
        Score("mae", "mean absolute error", bounds=ERROR, higher_is_better=False),
        Score("rmse", "root mean squared error", bounds=ERROR, higher_is_better=False),
    )
    baseline_name = "mean label of the training part"

    def head(self, dataset: Dataset) -> keras.layers.Layer:
        """A number that begins at the mean of the training labels, in units of their spread."""
        import keras

        labels = dataset.train.labels.astype(np.float64)
        layers = [
            keras.layers.Dense(1, dtype="float32", name="standardised"),
            keras.layers.Rescaling(
                float(labels.std()) or 1.0, float(labels.mean()), dtype="float32"
            ),
        ]
        return keras.Sequential(layers, name="number")

    def loss(self) -> keras.losses.Loss:
        """Mean squared error."""
        import keras

        return keras.losses.MeanSquaredError()

    def metrics(self) -> list[keras.metrics.Metric]:
        """Mean absolute error."""
        import keras

        return [keras.metrics.MeanAbsoluteError(name="mae")]

    def evaluate(
        self, model: keras.Model, dataset: Dataset, part: str, batch_size: int
    ) -> Evaluation:
        """Errors of a model that returns float[B, 1]."""
        from seqnorm.lab.tasks.stream import outputs_of

        split: Split = getattr(dataset, part)
        return _score(split, outputs_of(self, model, split, batch_size)[:, 0], network=True)

    def answer(self, output: NDArray, label_names: Sequence[str]) -> dict[str, Any]:
        """The "number" of a row."""
        return {"number": float(output[0])}

    def exported(self, output: Any) -> dict[str, Any]:
        """The "number" float32[B]."""
        return {"number": output[:, 0]}

    def baseline(self, dataset: Dataset, part: str) -> Evaluation:
        """Errors of always answering the mean of the training labels."""
        split: Split = getattr(dataset, part)
        mean = dataset.train.labels.mean(dtype=np.float64)
        return _score(split, np.full(len(split), mean), network=False)


def _score(split: Split, predicted: NDArray, *, network: bool) -> Evaluation:
    error = predicted.astype(np.float64) - split.labels
    squared = float(np.mean(error**2))
    return Evaluation(
        {"mae": float(np.abs(error).mean()), "rmse": math.sqrt(squared)},
        squared if network else None,
        {
            "labels": split.labels,
            "predicted": predicted.astype(np.float32),
            "score": np.abs(error).astype(np.float32),
        },
    )
