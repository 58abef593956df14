"""One class for each row of tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.tasks.base import Evaluation, Table, Task
from seqnorm.lab.tasks.mistakes import COLUMNS, mistakes
from seqnorm.lab.tasks.score import Score

if TYPE_CHECKING:
    import keras

    from seqnorm.lab.data.spec import Dataset, Split


class Classification(Task):
    """Which of a data set's classes a row belongs to.

    Labels are int32[n]; the model answers with logits float32[B, classes]. Predictions are
    "labels" and "predicted", int32[n], "probability", float32[n], what the model gave its answer,
    and "label_names".

    Accuracy is the share of rows that are right, macro-F1 the unweighted mean of the F1 scores of
    the classes that the part has: one that is never answered counts 0.
    """

    name = "classification"
    scores = (
        Score.share("accuracy", "accuracy"),
        Score.share("macro_f1", "macro-F1"),
    )
    baseline_name = "majority class"

    def head(self, dataset: Dataset) -> keras.layers.Layer:
        """Logits."""
        from seqnorm.lab.tasks.heads import logits

        return logits(dataset)

    def loss(self) -> keras.losses.Loss:
        """Mean negative log-likelihood."""
        import keras

        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def metrics(self) -> list[keras.metrics.Metric]:
        """Accuracy."""
        import keras

        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def evaluate(
        self, model: keras.Model, dataset: Dataset, part: str, batch_size: int
    ) -> Evaluation:
        """Scores of a classifier that returns logits float[B, classes]."""
        from seqnorm.lab.tasks.stream import outputs_of

        split: Split = getattr(dataset, part)
        logits = outputs_of(self, model, split, batch_size).astype(np.float64)
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_probability = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        predicted = logits.argmax(axis=1).astype(np.int32)
        rows = np.arange(len(split))
        return _score(
            dataset,
            split,
            predicted,
            np.exp(log_probability[rows, predicted]),
            loss=float(-log_probability[rows, split.labels].mean()),
        )

    def evaluate_floor(self, floor: Any, dataset: Dataset, part: str) -> Evaluation:
        """Scores of what has ``probabilities(split)``, float[n, classes]."""
        answers = floor.probabilities(getattr(dataset, part))
        return self.evaluate_probabilities(dataset, part, answers)

    def evaluate_probabilities(
        self, dataset: Dataset, part: str, probabilities: NDArray
    ) -> Evaluation:
        """Scores of answers float[n, classes], with no loss: a class may have probability 0."""
        predicted = probabilities.argmax(axis=1).astype(np.int32)
        chosen = probabilities[np.arange(len(predicted)), predicted]
        return _score(dataset, getattr(dataset, part), predicted, chosen, loss=None)

    def baseline(self, dataset: Dataset, part: str) -> Evaluation:
        """Scores of always answering the most frequent class of the training part."""
        split: Split = getattr(dataset, part)
        counts = np.bincount(dataset.train.labels, minlength=dataset.num_classes)
        rows = len(split)
        share = np.full(rows, counts.max() / counts.sum())
        return _score(dataset, split, np.full(rows, counts.argmax(), np.int32), share, loss=None)

    def answer(self, output: NDArray, label_names: Sequence[str]) -> dict[str, Any]:
        """The "label" of a row, its "probability", and the "probabilities" of all by name."""
        likelihood = np.exp(output.astype(np.float64) - output.max())
        likely = likelihood / likelihood.sum()
        best = int(likely.argmax())
        return {
            "label": label_names[best],
            "probability": float(likely[best]),
            "probabilities": dict(zip(label_names, likely.tolist(), strict=True)),
        }

    def exported(self, output: Any) -> dict[str, Any]:
        """The "label" int32[B] and the "probabilities" float32[B, classes]."""
        from keras import ops

        from seqnorm.lab.tasks.likeliest import likeliest

        return {"label": likeliest(output), "probabilities": ops.softmax(output, axis=-1)}

    def tables(self, dataset: Dataset, predictions: Mapping[str, NDArray]) -> Iterator[Table]:
        """The most confident mistakes."""
        rows = mistakes(dataset, predictions["predicted"], predictions["probability"])
        yield "mistakes", COLUMNS, rows


def _score(
    dataset: Dataset,
    split: Split,
    predicted: NDArray[np.int32],
    probability: NDArray,
    loss: float | None,
) -> Evaluation:
    from sklearn.metrics import f1_score

    right, present = split.labels, np.unique(split.labels)
    return Evaluation(
        {
            "accuracy": float(np.mean(predicted == right)),
            "macro_f1": float(f1_score(right, predicted, labels=present, average="macro")),
        },
        loss,
        {
            "labels": right,
            "predicted": predicted,
            "probability": probability.astype(np.float32),
            "label_names": np.array(dataset.label_names),
        },
    )
