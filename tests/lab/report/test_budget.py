"""Expected validation performance against counting by hand and against simulation."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from seqnorm.lab.report.statistics.budget import expected_maximum


def test_expected_maximum_by_hand() -> None:
    # Pairs of 1, 2, 3: maxima 2, 3, 3.
    np.testing.assert_allclose(expected_maximum([3.0, 1.0, 2.0]), [2.0, 8 / 3, 3.0])
    np.testing.assert_array_equal(expected_maximum([0.7]), [0.7])
    assert expected_maximum([]).size == 0


def test_expected_maximum_is_the_mean_over_all_subsets() -> None:
    scores = np.random.default_rng(2).normal(size=8)
    by_counting = [np.mean([max(c) for c in combinations(scores, n)]) for n in range(1, 9)]
    np.testing.assert_allclose(expected_maximum(scores), by_counting)


def test_expected_maximum_is_unbiased() -> None:
    # The best of n uniform numbers is n / (n + 1) on average.
    scores = np.random.default_rng(3).uniform(size=(4000, 6))
    found = expected_maximum(scores).mean(axis=0)
    np.testing.assert_allclose(found, np.arange(1, 7) / np.arange(2, 8), atol=0.01)


def test_large_numbers_of_trials_stay_exact() -> None:
    found = expected_maximum(np.arange(1.0, 2001.0))
    # E[max of n] of 1 ... N without replacement is n (N + 1) / (n + 1).
    n = np.arange(1, 2001)
    np.testing.assert_allclose(found, n * 2001 / (n + 1), rtol=1e-10)
