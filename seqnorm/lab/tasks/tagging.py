"""One class for each step of a row."""

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


class Tagging(Task):
    """Which class each step belongs to, as the parts of speech of a sentence.

    Labels are rows of int32, one for each step; `IGNORED` (-1) where none is asked for, as at START
    and in padding: such a step plays no part in loss and scores. The model answers with logits
    float32[B, T, classes]. Predictions are "asked" and "right", int32[n], how many steps of a row
    have a label and how many of them were answered with it, "score", float32[n], the accuracy of a
    row, and "label_names".

    Accuracy is the share of steps that are right, over all rows together; macro-F1 the unweighted
    mean of the F1 scores of the classes that the part has.
    """

    name = "tagging"
    scores = (
        Score.share("accuracy", "accuracy of steps"),
        Score.share("macro_f1", "macro-F1"),
    )
    baseline_name = "majority class"
    every_step = True

    def head(self, dataset: Dataset) -> keras.layers.Layer:
        """Logits at each step."""
        from seqnorm.lab.tasks.heads import logits

        return logits(dataset)

    def loss(self) -> keras.losses.Loss:
        """Mean negative log-likelihood of the steps that are asked for."""
        import keras

        from seqnorm.lab.data.spec import IGNORED

        return keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=IGNORED)

    def metrics(self) -> list[keras.metrics.Metric]:
        """Accuracy over the steps that are asked for."""
        from seqnorm.lab.tasks.steps import StepAccuracy

        return [StepAccuracy(name="accuracy")]

    def evaluate(
        self, model: keras.Model, dataset: Dataset, part: str, batch_size: int
    ) -> Evaluation:
        """Scores of a model that returns logits float[B, T, classes]."""
        from seqnorm.lab.data.spec import IGNORED
        from seqnorm.lab.tasks.steps import Counted
        from seqnorm.lab.tasks.stream import answers_of

        split: Split = getattr(dataset, part)
        counted, loss = Counted(split, dataset.label_names), 0.0
        for rows, targets, answers in answers_of(self, model, split, batch_size):
            asked = targets != IGNORED
            logits, right = answers[asked].astype(np.float64), targets[asked]
            shifted = logits - logits.max(axis=-1, keepdims=True)
            norm = np.log(np.exp(shifted).sum(axis=-1))
            loss += float((norm - shifted[np.arange(len(right)), right]).sum())
            counted.add(rows, targets, answers.argmax(axis=-1))
        return counted.evaluation(loss)

    def answer(self, output: NDArray, label_names: Sequence[str]) -> dict[str, Any]:
        """The "labels" of the steps of a row; a text begins with its start."""
        return {"labels": [label_names[step] for step in output.argmax(axis=-1).tolist()]}

    def exported(self, output: Any) -> dict[str, Any]:
        """The "labels" int32[B, T] and their "probabilities"; those of padding mean nothing."""
        from keras import ops

        from seqnorm.lab.tasks.likeliest import likeliest

        return {"labels": likeliest(output), "probabilities": ops.softmax(output, axis=-1)}

    def baseline(self, dataset: Dataset, part: str) -> Evaluation:
        """Scores of always answering the most frequent class of the training part."""
        from seqnorm.lab.data.spec import IGNORED
        from seqnorm.lab.tasks.steps import Counted

        labels = dataset.train.labels.values
        common = np.bincount(labels[labels != IGNORED], minlength=dataset.num_classes).argmax()
        split: Split = getattr(dataset, part)
        counted = Counted(split, dataset.label_names)
        for row in range(len(split)):
            targets = split.labels[row][None]
            counted.add(np.array([row]), targets, np.full_like(targets, common))
        return counted.evaluation(None)
