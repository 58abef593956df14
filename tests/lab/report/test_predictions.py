"""Comparisons text by text, counted by hand or by another library."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from seqnorm.lab.report.classes.statistics import class_f1, mcnemar, pooled
from seqnorm.lab.report.statistics.lengths import length_bins, mean_by_bin


def test_mcnemar_by_hand() -> None:
    first = np.array([1, 1, 0, 0, 0, 0, 0, 1, 0], bool)
    second = np.array([1, 0, 1, 1, 1, 1, 1, 1, 0], bool)
    found = mcnemar(first, second)
    assert (found.only_first, found.only_second) == (1, 5)
    # Six tosses: P(at most one head) = 7 / 64, twice.
    assert found.p_value == pytest.approx(0.21875)
    assert mcnemar(second, first).p_value == pytest.approx(0.21875)
    assert mcnemar(first, first).p_value == 1.0


def test_mcnemar_raises_false_alarms_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    pairs = rng.random((2000, 2, 400)) < 0.8  # two classifiers of the same accuracy
    alarms = np.mean([mcnemar(a, b).p_value < 0.05 for a, b in pairs])
    assert 0.02 < alarms < 0.055  # exact tests stay below their level


def test_pooled_by_hand() -> None:
    predicted = [[1, 0, 2], [1, 1, 0], [0, 1, 1]]
    probability = [[0.4, 0.9, 0.5], [0.4, 0.3, 0.5], [0.7, 0.4, 0.5]]
    # 0.8 against 0.7; 0.9 against 0.7; three ways of 0.5: the lowest class.
    np.testing.assert_array_equal(pooled(predicted, probability, 3), [1, 0, 0])


def test_class_f1_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    labels, predicted = rng.integers(5, size=(2, 300))
    expected = f1_score(labels, predicted, average=None)
    np.testing.assert_allclose(class_f1(labels, predicted, 5), expected)


def test_class_f1_of_what_is_absent() -> None:
    # Class 1 is never answered, class 2 has no text (but one answer), class 3 neither.
    found = class_f1([0, 0, 1], [0, 2, 0], 4)
    assert found[0] == pytest.approx(0.5) and found[1] == 0.0
    assert np.isnan(found[2:]).all()


def test_length_bins_by_hand() -> None:
    np.testing.assert_array_equal(length_bins([4, 2, 1, 3], most=2), [1, 3, 5])
    np.testing.assert_array_equal(length_bins([7, 7, 7], most=4), [7, 8])
    # Most texts are as long as a text can be: they share the last bin.
    np.testing.assert_array_equal(length_bins([1, 5, 9, 9, 9, 9], most=3), [1, 9, 10])


def test_every_text_is_in_one_bin() -> None:
    rng = np.random.default_rng(3)
    lengths = np.minimum(rng.integers(2, 300, size=1000), 200)
    right = rng.random(1000) < 0.7
    edges = length_bins(lengths)
    accuracy = mean_by_bin(right, lengths, edges)
    counts = np.histogram(lengths, edges)[0]
    assert counts.sum() == 1000 and len(accuracy) == len(edges) - 1
    assert np.sum(accuracy * counts) == pytest.approx(right.sum())


def test_a_row_counts_as_often_as_it_was_asked() -> None:
    """Two rows of 2 and 6 tokens at 10 and 8 bits each cost 68 bits, 8.5 a token."""
    found = mean_by_bin([10, 8, 0, 3], [3, 4, 9, 9], [3, 5, 10], [2, 6, 0, 5])
    np.testing.assert_array_equal(found, [8.5, 3.0])


def test_mean_by_bin_by_hand() -> None:
    found = mean_by_bin([1, 0, 1, 1], [1, 2, 3, 9], [1, 3, 5, 9, 10])
    np.testing.assert_array_equal(found, [0.5, 1.0, np.nan, 1.0])
