"""Worked examples and properties of the pure functions."""

from __future__ import annotations

import numpy as np

from seqnorm.lab.report.statistics.curves import common_band, mean_profile


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
