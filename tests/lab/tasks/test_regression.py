"""Numbers as answers."""

from __future__ import annotations

import math
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from seqnorm.lab.data.spec import Dataset, Scale, Sequences, Split
from seqnorm.lab.tasks import Regression


def dataset(*labels: float) -> Dataset:
    rows = Sequences.from_lengths(np.zeros((len(labels), 1)), [1] * len(labels))
    part = Split(rows, np.array(labels, np.float32))
    return Dataset("own", part, part, part, (), scale=Scale.none(["x"]))


def test_the_baseline_answers_the_mean_of_the_training_labels():
    found = Regression().baseline(dataset(1.0, 2.0, 6.0), "test")
    assert found.scores["mae"] == pytest.approx(2.0)
    assert found.scores["rmse"] == pytest.approx(math.sqrt((4 + 1 + 9) / 3))
    assert found.loss is None
    assert found.predictions["score"].mean() == pytest.approx(found.scores["mae"])


def test_the_answer_begins_at_the_mean_and_is_in_units_of_the_spread():
    head = Regression().head(dataset(1000.0, 3000.0))
    assert np.array(head(np.zeros((2, 4), np.float32))).ravel().tolist() == [2000.0, 2000.0]
    kernel = np.array(head.layers[0].kernel)
    grown = np.array(head(np.eye(4, dtype="float32")))
    np.testing.assert_allclose(grown, 2000 + 1000 * kernel, rtol=1e-5)


def test_labels_that_are_all_equal_divide_by_nothing():
    head = Regression().head(dataset(5.0, 5.0))
    assert np.array(head(np.zeros((1, 3), np.float32))).tolist() == [[5.0]]


def test_a_network_is_scored_in_the_order_of_the_part():
    data = dataset(1.0, 2.0, 6.0)
    answers = keras.Sequential([keras.Input((None, 1)), keras.layers.Lambda(lambda x: x[:, 0] + 2)])
    found = Regression().evaluate(answers, data, "test", batch_size=2)
    assert found.predictions["predicted"].tolist() == [2.0, 2.0, 2.0]
    assert found.scores["mae"] == pytest.approx(5 / 3) and found.loss == pytest.approx(17 / 3)


def test_lower_is_better():
    assert all(not score.higher_is_better for score in Regression.scores)
    assert SimpleNamespace(**Regression().scoring.to_json()).name == "regression"
