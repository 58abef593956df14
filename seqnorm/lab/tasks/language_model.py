"""The next token at each step of a row."""

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

CANDIDATES = 5  # next tokens that an answer names


class LanguageModel(Task):
    """Which token comes next, at each step of a row.

    No labels are needed: that of a step is the token after it (`IGNORED` at the last step of a
    text), and the classes are the words. The model answers with logits float32[B, T, words].
    Predictions are "asked", int32[n], how many tokens of a row were asked for, and "bits",
    float32[n], what they cost together; "score", float32[n], the bits a token of a row; and
    "label_names".

    Scores are means over tokens, of all rows together: bits -log2 p, which are bits per character
    where `data.tokenizer` cuts characters; and perplexity, 2 to the power of the bits.

    Args:
        window: cut the texts of a part, one after the other, into rows of so many steps; None
            leaves each text a row, as `data.max_length` cuts it.
        carry_state: whether a window begins with the state in which the one before it ended;
            gradients end at its beginning (truncated backpropagation through time).

    Raises:
        ValueError: if the state is to be carried over windows that are not asked for.
    """

    name = "language_model"
    scores = (
        Score("bits", "bits per token", digits=3, bounds=(0.0, math.inf), higher_is_better=False),
        Score("perplexity", "perplexity", 2, bounds=(1.0, math.inf), higher_is_better=False),
    )
    baseline_name = "frequencies of tokens"
    every_step = True

    def __init__(self, window: int | None = None, carry_state: bool = False) -> None:
        if carry_state and window is None:
            raise ValueError(
                "task.carry_state=true carries the state from window to window and needs "
                "task.window; received task.window=null. Add task.window=100, or so."
            )
        self.window, self.carry_state = window, carry_state

    @property
    def carries_state(self) -> bool:
        """Whether a batch goes on where the one before it ended."""
        return self.carry_state

    def prepare(self, dataset: Dataset) -> Dataset:
        """The same rows, labelled with their next tokens."""
        from seqnorm.lab.data.next_tokens import labelled_with_next

        return labelled_with_next(dataset)

    def rows(self, dataset: Dataset, batch_size: int) -> Dataset:
        """Windows, where they are asked for."""
        from seqnorm.lab.data.next_tokens import windows

        if self.window is None:
            return dataset
        return windows(dataset, self.window, batch_size if self.carry_state else None)

    def head(self, dataset: Dataset) -> keras.layers.Layer:
        """Logits of all words."""
        from seqnorm.lab.tasks.heads import logits

        return logits(dataset)

    def loss(self) -> keras.losses.Loss:
        """Mean negative log-likelihood of the tokens that are asked for, in nats."""
        import keras

        from seqnorm.lab.data.spec import IGNORED

        return keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=IGNORED)

    def metrics(self) -> list[keras.metrics.Metric]:
        """Bits per token."""
        from seqnorm.lab.tasks.likelihood import Bits

        return [Bits(name="bits")]

    def evaluate(
        self, model: keras.Model, dataset: Dataset, part: str, batch_size: int
    ) -> Evaluation:
        """Scores of a model that returns logits float[B, T, words]."""
        from seqnorm.lab.tasks.likelihood import costs_of

        split: Split = getattr(dataset, part)
        costs = costs_of(self, model, split, batch_size)
        return _score(dataset, split, costs, network=True)

    def evaluate_floor(self, floor: Any, dataset: Dataset, part: str) -> Evaluation:
        """Scores of what has ``log_probabilities(split)``, float[steps]."""
        split: Split = getattr(dataset, part)
        costs = -floor.log_probabilities(split)
        return _score(dataset, split, _sum_by_row(costs, split), network=False)

    def baseline(self, dataset: Dataset, part: str) -> Evaluation:
        """Scores of how frequent each token is in the training part, each counted once more."""
        from seqnorm.lab.data.spec import IGNORED, UNKNOWN

        labels = dataset.train.labels.values
        counts = np.bincount(labels[labels != IGNORED], minlength=dataset.num_classes) + 1.0
        costs = -np.log(counts / counts[UNKNOWN:].sum())
        split: Split = getattr(dataset, part)
        asked = split.labels.values
        each = np.where(asked == IGNORED, 0.0, costs[asked])
        return _score(dataset, split, _sum_by_row(each, split), network=False)

    def answer(self, output: NDArray, label_names: Sequence[str]) -> dict[str, Any]:
        """The most likely "next" token after a row, its "probability", and those of a few more."""
        logits = output[-1].astype(np.float64)
        likelihood = np.exp(logits - logits.max())
        likely = likelihood / likelihood.sum()
        best = np.argsort(-likely, kind="stable")[:CANDIDATES].tolist()
        found = {label_names[token]: float(likely[token]) for token in best}
        first = label_names[best[0]]
        return {"next": first, "probability": found[first], "probabilities": found}

    def exported(self, output: Any) -> dict[str, Any]:
        """The "next" token after each step, int32[B, T], and the "probabilities" of all."""
        from keras import ops

        from seqnorm.lab.tasks.likeliest import likeliest

        return {"next": likeliest(output), "probabilities": ops.softmax(output, axis=-1)}


def _sum_by_row(values: NDArray, split: Split) -> NDArray[np.float64]:
    """Sums of what stands at the steps of each row; no row is empty."""
    return np.add.reduceat(values.astype(np.float64), split.sequences.offsets[:-1])


def _score(
    dataset: Dataset, split: Split, costs: NDArray[np.float64], *, network: bool
) -> Evaluation:
    """Scores of what each row costs, in nats."""
    from seqnorm.lab.data.spec import IGNORED

    asked = _sum_by_row(split.labels.values != IGNORED, split)
    total = asked.sum()
    loss, bits = float(costs.sum() / total), costs / math.log(2)
    with np.errstate(over="ignore"):
        perplexity = float(np.exp(np.float64(loss)))
    return Evaluation(
        {"bits": loss / math.log(2), "perplexity": perplexity},
        loss if network else None,
        {
            "label_names": np.array(dataset.label_names),
            "asked": asked.astype(np.int32),
            "bits": bits.astype(np.float32),
            "score": (bits / np.maximum(asked, 1)).astype(np.float32),
        },
    )
