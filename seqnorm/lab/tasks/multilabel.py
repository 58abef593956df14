"""Any number of classes for each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.tasks.base import Evaluation, Task
from seqnorm.lab.tasks.score import Score

if TYPE_CHECKING:
    import keras

    from seqnorm.lab.data.spec import Dataset, Split

THRESHOLD = 0.5  # a class of at least this probability is answered


class Multilabel(Task):
    """Which of a data set's classes a row belongs to: none, one or several.

    Labels are uint8[n, classes], 1 for those that a row has; the model answers with a logit for
    each, float32[B, classes], and a class is answered from a probability of 1/2 on. Predictions are
    "right" and "answered", uint8[n, classes], and "label_names".

    Micro-F1 counts all rows and classes together, macro-F1 is the mean over the classes that the
    part has, and exact match the share of rows of which every class is right.
    """

    name = "multilabel"
    scores = (
        Score.share("micro_f1", "micro-F1"),
        Score.share("macro_f1", "macro-F1"),
        Score.share("exact_match", "exact match"),
    )
    baseline_name = "most frequent class"

    def head(self, dataset: Dataset) -> keras.layers.Layer:
        """A logit for each class."""
        from seqnorm.lab.tasks.heads import logits

        return logits(dataset)

    def loss(self) -> keras.losses.Loss:
        """Binary cross-entropy, a mean over rows and classes."""
        import keras

        return keras.losses.BinaryCrossentropy(from_logits=True)

    def metrics(self) -> list[keras.metrics.Metric]:
        """Micro-F1."""
        import keras
        from keras import ops

        class MicroF1(keras.metrics.F1Score):
            """Of logits, and of a class from a probability of 1/2 on."""

            def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
                answered = ops.cast(ops.greater_equal(y_pred, 0), "float32")
                right = ops.reshape(y_true, (-1, y_pred.shape[-1]))  # Keras asks for a known width
                super().update_state(right, answered, sample_weight)

        return [MicroF1(average="micro", threshold=THRESHOLD, name="micro_f1")]

    def evaluate(
        self, model: keras.Model, dataset: Dataset, part: str, batch_size: int
    ) -> Evaluation:
        """Scores of a model that returns logits float[B, classes]."""
        from seqnorm.lab.tasks.stream import outputs_of

        split: Split = getattr(dataset, part)
        logits = outputs_of(self, model, split, batch_size).astype(np.float64)
        # -log p of what is right: log(1 + e^-z) of a class that a row has, log(1 + e^z) else.
        loss = np.logaddexp(0.0, np.where(split.labels, -logits, logits)).mean()
        return _score(dataset, split, logits >= 0, loss=float(loss))

    def evaluate_floor(self, floor: Any, dataset: Dataset, part: str) -> Evaluation:
        """Scores of what has ``probabilities(split)``, float[n, classes]."""
        split: Split = getattr(dataset, part)
        return _score(dataset, split, floor.probabilities(split) >= THRESHOLD, loss=None)

    def baseline(self, dataset: Dataset, part: str) -> Evaluation:
        """Scores of always answering the most frequent class of the training part, and no other."""
        split: Split = getattr(dataset, part)
        common = dataset.train.labels.sum(axis=0, dtype=np.int64).argmax()
        return _score(dataset, split, np.eye(dataset.num_classes)[[common] * len(split)], loss=None)

    def answer(self, output: NDArray, label_names: Sequence[str]) -> dict[str, Any]:
        """The "labels" of a row, and the "probabilities" of all classes by name."""
        likely = (1 / (1 + np.exp(-output.astype(np.float64)))).tolist()
        found = dict(zip(label_names, likely, strict=True))
        chosen = [name for name, value in found.items() if value >= THRESHOLD]
        return {"labels": chosen, "probabilities": found}

    def exported(self, output: Any) -> dict[str, Any]:
        """Whether each class is among the "labels", bool[B, classes], and the "probabilities"."""
        from keras import ops

        chosen = ops.greater_equal(output, 0.0)  # of at least `THRESHOLD`
        return {"labels": chosen, "probabilities": ops.sigmoid(output)}


def _score(dataset: Dataset, split: Split, answered: NDArray, loss: float | None) -> Evaluation:
    right, answered = split.labels.astype(bool), answered.astype(bool)
    hits = (right & answered).sum(axis=0)
    both = right.sum(axis=0) + answered.sum(axis=0)
    here = right.any(axis=0)
    by_class = 2 * hits[here] / both[here]
    return Evaluation(
        {
            "micro_f1": float(2 * hits.sum() / max(both.sum(), 1)),
            "macro_f1": float(by_class.mean()) if here.any() else 0.0,
            "exact_match": float((right == answered).all(axis=1).mean()),
        },
        loss,
        {
            "label_names": np.array(dataset.label_names),
            "right": right.astype(np.uint8),
            "answered": answered.astype(np.uint8),
        },
    )
