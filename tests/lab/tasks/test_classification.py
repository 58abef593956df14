"""Classification: what answers are worth, and what no answer is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from seqnorm.lab.data.spec import Dataset, Sequences, Split
from seqnorm.lab.data.vocabulary import Vocabulary
from seqnorm.lab.tasks import Classification

VOCABULARY = Vocabulary(["<pad>", "<start>", "<unknown>", "word"])


def toy(train: Sequence[int], test: Sequence[int]) -> Dataset:
    """Texts of one token, of three classes."""

    def split(labels: Sequence[int]) -> Split:
        return Split(Sequences.from_rows([[1]] * len(labels)), np.array(labels, np.int32))

    return Dataset("toy", split(train), split([0]), split(test), ("a", "b", "c"), VOCABULARY)


def test_majority_is_that_of_the_training_part():
    dataset = toy([2, 2, 1], [0, 0, 1, 2])
    found = Classification().baseline(dataset, "test")
    scores = found.scores
    assert found.predictions["predicted"].tolist() == [2] * 4 and scores["accuracy"] == 0.25
    assert scores["accuracy"] == dataset.majority_accuracy
    # F1 of class 2: precision 1/4, recall 1; the other two classes are never answered.
    assert scores["macro_f1"] == pytest.approx(2 * 0.25 / 1.25 / 3)
    assert found.loss is None
    np.testing.assert_allclose(found.predictions["probability"], [2 / 3] * 4)
    assert replace(dataset, name="other").num_classes == 3


def test_macro_f1_is_over_the_classes_of_the_part():
    """A class that the part lacks is no class of it, whether it is answered or not."""
    answers = np.eye(3)[[0, 0, 1, 2]]
    found = Classification().evaluate_probabilities(toy([0], [0, 0, 1, 1]), "test", answers)
    assert found.scores["macro_f1"] == pytest.approx((1 + 2 / 3) / 2)
