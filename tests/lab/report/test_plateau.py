"""Plateaus: where they end, how sure that is, and what cannot be one."""

from __future__ import annotations

import numpy as np
import pytest

from seqnorm.lab.report.statistics.plateau import find_plateau, mean_along

RATES = (1e-3, 1e-2, 1e-1, 1.0)


def plateau(means, margin=0.1, seeds=1, spread=0.0):
    rng = np.random.default_rng(0)
    scores = {
        rate: [mean + spread * (-1) ** seed for seed in range(seeds)]
        for rate, mean in zip(RATES, means, strict=True)
    }
    return find_plateau(scores, margin, rng)


def test_it_ends_on_the_lines_between_the_values():
    found = plateau([0.5, 0.8, 0.8, 0.5])
    assert found.begin == pytest.approx(10 ** (-2 - 1 / 3))
    assert found.end == pytest.approx(10 ** (-1 + 1 / 3))
    assert found.decades.value == pytest.approx(1 + 2 / 3)
    assert np.isnan(found.decades.low)  # of one seed
    assert not (found.open_begin or found.open_end)


def test_a_second_summit_behind_a_valley_is_none_of_it():
    found = plateau([0.75, 0.5, 0.8, 0.6])
    assert found.begin == pytest.approx(10 ** (-1 - 1 / 3))
    assert found.end == pytest.approx(10 ** (-1 + 1 / 2))


def test_what_reaches_the_last_value_is_said_to_be_open():
    found = plateau([0.5, 0.6, 0.75, 0.8])
    assert (found.end, found.open_end, found.open_begin) == (1.0, True, False)
    assert plateau([0.8, 0.8, 0.8, 0.8]).decades.value == pytest.approx(3)


def test_seeds_that_agree_leave_no_doubt_and_others_some():
    sure = plateau([0.5, 0.8, 0.8, 0.5], seeds=4)
    assert sure.decades.low == pytest.approx(sure.decades.high)
    unsure = plateau([0.5, 0.8, 0.8, 0.5], seeds=4, spread=0.05)
    assert unsure.decades.low < unsure.decades.value < unsure.decades.high
    assert unsure.decades.value == pytest.approx(sure.decades.value)


def test_the_mean_along_a_curve_is_over_the_logarithm():
    # One decade at 0.65 in the mean, two at 0.7.
    assert mean_along({1.0: 0.6, 1e-3: 0.5, 1e-2: 0.8}) == pytest.approx((0.65 + 2 * 0.7) / 3)


def test_one_value_or_zero_make_none():
    for scores in ({0.1: [0.5]}, {0.0: [0.5], 0.1: [0.6]}):
        with pytest.raises(ValueError, match="two values or more, all above zero"):
            find_plateau(scores, 0.1, np.random.default_rng(0))
