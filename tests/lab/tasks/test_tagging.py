"""A class at every step."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from seqnorm.lab.data.spec import IGNORED, Dataset, Sequences, Split, Vocabulary
from seqnorm.lab.data.vocabulary import SPECIAL
from seqnorm.lab.tasks import Tagging

# START is not asked for; the last row is longer, so that the others have padding.
ROWS = [[1, 3], [1, 4, 3], [1, 3, 3, 4]]
TAGS = [[IGNORED, 0], [IGNORED, 1, 0], [IGNORED, 0, 1, 1]]


@pytest.fixture
def dataset() -> Dataset:
    part = Split(Sequences.from_rows(ROWS), Sequences.from_rows(TAGS))
    return Dataset("own", part, part, part, ("a", "b"), Vocabulary([*SPECIAL, "x", "y"]))


def by_id() -> keras.Model:
    """Says class 0 of id 3 and class 1 of everything else, START and padding too."""
    tokens = keras.Input((None,), dtype="int32")
    sure = ops.cast(ops.equal(tokens, 3), "float32") * 4 - 2
    return keras.Model(tokens, ops.stack([sure, -sure], axis=-1))


def test_steps_that_are_not_asked_for_play_no_part_in_scores(dataset):
    found = Tagging().evaluate(by_id(), dataset, "test", batch_size=2)
    assert found.scores["accuracy"] == pytest.approx(5 / 6)
    # class a: 3 of 3 found, 4 answered; class b: 2 of 3 found, 2 answered
    assert found.scores["macro_f1"] == pytest.approx((6 / 7 + 4 / 5) / 2)
    right, wrong = np.log1p(np.exp(-4.0)), np.log1p(np.exp(4.0))
    assert found.loss == pytest.approx((5 * right + wrong) / 6)
    assert found.predictions["asked"].tolist() == [1, 2, 3]
    assert found.predictions["right"].tolist() == [1, 2, 2]
    assert found.predictions["score"].tolist() == pytest.approx([1, 1, 2 / 3])


def test_loss_and_metric_while_training_are_those_of_the_steps_that_are_asked_for(dataset):
    task = Tagging()
    tokens, labels = dataset.test.batch([0, 1, 2])
    answers, found = by_id()(tokens), task.evaluate(by_id(), dataset, "test", batch_size=3)
    assert float(task.loss()(labels, answers)) == pytest.approx(found.loss, rel=1e-5)
    (metric,) = task.metrics()
    metric.update_state(labels, answers)
    assert float(metric.result()) == pytest.approx(found.scores["accuracy"])


def test_the_baseline_is_the_most_frequent_tag_of_the_training_part(dataset):
    found = Tagging().baseline(dataset, "test")
    assert found.scores["accuracy"] == pytest.approx(3 / 6)
    assert found.loss is None
