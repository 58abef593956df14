"""Worked examples and properties of the pure functions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from seqnorm.analysis.statistics import common_band, mean_profile, paired_interval, t_interval


def test_t_interval_by_hand() -> None:
    # 1, 2, 3: mean 2, s = 1; t(2 degrees of freedom, 97.5 %) = 4.302653; 4.302653 / sqrt(3)
    interval = t_interval([1.0, 2.0, 3.0])
    assert (interval.mean, interval.count) == (2.0, 3)
    assert interval.half_width == pytest.approx(2.484138, abs=1e-6)
    assert interval.low == pytest.approx(-0.484138, abs=1e-6)
    assert interval.high == pytest.approx(4.484138, abs=1e-6)


def test_t_interval_of_two_has_a_closed_form() -> None:
    # One degree of freedom is the Cauchy distribution: t = tan(pi * (0.975 - 0.5)).
    half_width = math.tan(math.pi * 0.475) * abs(0.9 - 0.8) / 2
    assert t_interval([0.8, 0.9]).half_width == pytest.approx(half_width)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
def test_t_interval_agrees_with_scipy(level: float) -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, size=11)
    low, high = stats.t.interval(level, 10, loc=values.mean(), scale=stats.sem(values))
    interval = t_interval(values, level)
    assert (interval.low, interval.high) == (pytest.approx(low), pytest.approx(high))


def test_t_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    intervals = [t_interval(rng.normal(1.0, 0.3, size=4)) for _ in range(2000)]
    covered = np.mean([interval.low <= 1.0 <= interval.high for interval in intervals])
    assert covered == pytest.approx(0.95, abs=0.015)


def test_t_interval_of_few() -> None:
    one, none = t_interval([0.7]), t_interval([])
    assert (one.mean, one.count) == (0.7, 1)
    assert math.isnan(one.half_width)
    assert math.isnan(none.mean) and none.count == 0
    assert t_interval([0.5, 0.5, 0.5]).half_width == 0.0


@pytest.mark.parametrize("values", [[1.0, math.nan], [[1.0, 2.0]]])
def test_t_interval_refuses(values: list[float]) -> None:
    with pytest.raises(ValueError, match=r"finite values; received values=.*Decide"):
        t_interval(values)


def test_t_interval_refuses_a_level_in_percent() -> None:
    with pytest.raises(ValueError, match=r"between 0 and 1; received level=95"):
        t_interval([1.0, 2.0], level=95)


def test_paired_interval_by_hand() -> None:
    # Differences 2 and 3: mean 2.5, s = sqrt(1/2), t(1) = 12.706205;
    # half-width 12.706205 * sqrt(1/2) / sqrt(2)
    interval = paired_interval({1: 3.0, 2: 5.0, 9: 0.0}, {2: 2.0, 1: 1.0, 4: 8.0})
    assert (interval.mean, interval.count) == (2.5, 2)
    assert interval.half_width == pytest.approx(6.353102, abs=1e-6)


def test_pairing_removes_what_seeds_share() -> None:
    rng = np.random.default_rng(3)
    shared = dict(enumerate(rng.normal(0.8, 0.05, size=8)))
    better = {seed: value + 0.01 + 0.001 * rng.normal() for seed, value in shared.items()}
    paired = paired_interval(better, shared)
    assert paired.low > 0.0
    assert paired.half_width < 0.1 * t_interval(list(better.values())).half_width


def test_no_common_seed_has_no_difference() -> None:
    assert paired_interval({1: 0.5}, {2: 0.5}).count == 0


def test_common_band_by_hand() -> None:
    band = common_band(
        [
            (np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0, 6.0])),
            (np.array([0.0, 1.0]), np.array([3.0, 4.0])),
        ]
    )
    np.testing.assert_array_equal(band.x, [0.0, 1.0])
    np.testing.assert_array_equal(band.mean, [2.0, 3.0])
    np.testing.assert_array_equal(band.low, [1.0, 2.0])
    np.testing.assert_array_equal(band.high, [3.0, 4.0])


def test_common_band_of_different_places() -> None:
    left = (np.array([10.0, 20.0, 30.0]), np.array([1.0, 2.0, 3.0]))
    right = (np.array([15.0, 30.0]), np.array([9.0, 5.0]))
    band = common_band([left, right])
    np.testing.assert_array_equal(band.x, [30.0])
    np.testing.assert_array_equal(band.mean, [4.0])
    assert common_band([left, (np.array([1.0]), np.array([1.0]))]).x.size == 0
    assert common_band([]).x.size == 0


def test_mean_profile_by_hand() -> None:
    profiles = [np.array([1.0, 2.0, np.nan]), np.array([3.0, np.nan])]
    np.testing.assert_array_equal(mean_profile(profiles), [2.0, 2.0, np.nan])
    assert mean_profile([]).size == 0
