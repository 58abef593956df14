"""What a task is: what a model has to answer, and what its answers are worth.

Nothing here imports Keras; a task imports it where it makes something of it, so that a report may
read what a task is called by without waiting.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.tasks.score import Score, Scoring

if TYPE_CHECKING:
    import keras

    from seqnorm.lab.data.spec import Dataset

_ROUNDING = 1e-6  # of a mean of shares in single precision
Table = tuple[str, Sequence[str], Sequence[Sequence[Any]]]  # name, headings, rows


@dataclass(frozen=True)
class Evaluation:
    """What answers to one part of a data set are worth.

    Attributes:
        scores: a value for each score of the task, by name.
        loss: the mean loss; None where no network has answered.
        predictions: one entry for each row of the part, in its order, by name: what is kept beside
            the lengths of the rows. An array "score", float[n], is the first score of each row by
            itself: the report draws its mean by length, in which a row counts as often as an array
            "asked", [n], says; once without one.
    """

    scores: Mapping[str, float]
    loss: float | None
    predictions: Mapping[str, NDArray]

    @property
    def fault(self) -> str | None:
        """Which number is none, as "loss became nan": then the answers mean nothing."""
        numbers = {"loss": self.loss, **self.scores}
        broken = (f"{name} became {value}" for name, value in numbers.items() if _broken(value))
        return next(broken, None)

    def checked(self, task: Task, dataset: Dataset, part: str) -> Evaluation:
        """This, if it is what the task promises of a part.

        Raises:
            ValueError: if scores are not those that the task declares, if one lies outside of its
                bounds, or if "score" or "asked" has not one number for each row.
        """
        declared = [score.name for score in task.scores]
        if sorted(self.scores) != sorted(declared):
            raise ValueError(
                f"task={task.name} declares scores={declared} and needs a value for each; "
                f"received scores={list(self.scores)} of the {part} part. Return or declare others."
            )
        for score in task.scores:
            value, (low, high) = self.scores[score.name], score.bounds or (-math.inf, math.inf)
            if value < low - _ROUNDING or value > high + _ROUNDING:
                raise ValueError(
                    f"task={task.name} declares {score.name} between {low:g} and {high:g}; "
                    f"received {score.name}={value:g} of the {part} part. Correct it or its bounds."
                )
        rows = len(getattr(dataset, part).sequences)
        for name in {"score", "asked"} & {*self.predictions}:
            if (shape := np.shape(self.predictions[name])) != (rows,):
                raise ValueError(
                    f"task={task.name} needs {name} of each of the {rows} rows of the {part} part, "
                    f"in their order; received {name} of shape={shape}. Give one number a row."
                )
        return self


def _broken(value: float | None) -> bool:
    return value is not None and not math.isfinite(value)


class Task(ABC):
    """What a model has to answer about a row of tokens or numbers, and how answers are judged.

    The constructor gets the keys of the task's group by their names.

    Attributes:
        name: by which it is chosen.
        scores: what is measured. The first is written while training, leads the report, and its
            validation value chooses between settings.
        baseline_name: the answer that needs no model, in words, as "majority class".
        every_step: whether the model answers at every step, [B, T, ...], rather than once for a
            row, [B, ...].
    """

    name: ClassVar[str]
    scores: ClassVar[tuple[Score, ...]]
    baseline_name: ClassVar[str]
    every_step: ClassVar[bool] = False

    @property
    def carries_state(self) -> bool:
        """Whether batches are read in order, each with the states in which the last one ended."""
        return False

    def prepare(self, dataset: Dataset) -> Dataset:
        """A data set with the labels of the task; here those that it has."""
        return dataset

    def rows(self, dataset: Dataset, batch_size: int) -> Dataset:
        """What `prepare` gave, cut into the rows that a network reads; here those that it has."""
        return dataset

    @property
    def scoring(self) -> Scoring:
        """What a run keeps of the task."""
        return Scoring(self.name, self.scores, self.baseline_name)

    @abstractmethod
    def head(self, dataset: Dataset) -> keras.layers.Layer:
        """The last layer of a model: float[B, F] (with `every_step` float[B, T, F]) to answers.

        It computes in float32: mixed precision must not round what a loss exponentiates.
        """

    @abstractmethod
    def loss(self) -> keras.losses.Loss:
        """What is minimised, of `targets` and answers."""

    @abstractmethod
    def metrics(self) -> list[keras.metrics.Metric]:
        """What is measured in each epoch; one has the name of the first score."""

    def targets(self, tokens: NDArray, labels: NDArray) -> NDArray:
        """What is right for a batch.

        Args:
            tokens: int32[B, T] or float32[B, T, F], padded on the right.
            labels: the labels of these rows, see `seqnorm.lab.data.Split.batch`.

        Returns:
            What the loss compares answers with, always of one dtype and number of axes; here the
            labels.
        """
        return labels

    @abstractmethod
    def evaluate(
        self, model: keras.Model, dataset: Dataset, part: str, batch_size: int
    ) -> Evaluation:
        """What a trained model is worth on one part, "validation" or "test"."""

    def evaluate_floor(self, floor: Any, dataset: Dataset, part: str) -> Evaluation:
        """What the model without recurrence is worth that the task's schema names as `FLOOR`."""
        raise NotImplementedError(f"task={self.name} names a FLOOR and needs evaluate_floor")

    @abstractmethod
    def baseline(self, dataset: Dataset, part: str) -> Evaluation:
        """What an answer is worth that needs no model, learnt from the training part.

        A run that diverged counts as this one.
        """

    def answer(self, output: NDArray, label_names: Sequence[str]) -> dict[str, Any]:
        """What the model says of one row, for a person: here its numbers, as "output".

        Args:
            output: [...], what the model gave for the row; with `every_step` for each real step.
            label_names: of the classes; empty without.
        """
        return {"output": output.tolist()}

    def exported(self, output: Any) -> dict[str, Any]:
        """What `answer` says, by the same names, as tensors of a graph that runs without Python.

        Whole numbers are classes by their place in the label names. Here the output as it is.

        Args:
            output: symbolic, [B, ...] or with `every_step` [B, T, ...], what the model gives.
        """
        return {"output": output}

    def tables(self, dataset: Dataset, predictions: Mapping[str, NDArray]) -> Iterable[Table]:
        """Tables for the trackers, of the predictions on the test part; here none."""
        return ()
