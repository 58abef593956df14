"""Worked examples, and simulations in which the truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from seqnorm.lab.report.statistics.bootstrap import (
    bootstrap,
    interquartile_mean,
    mean,
    paired_bootstrap,
    probability_of_improvement,
)


def test_interquartile_mean_by_hand() -> None:
    assert interquartile_mean(np.array([10.0, 1.0, 3.0, 2.0])) == 2.5
    # Ten values lose two at each end.
    assert interquartile_mean(np.array([0.0, 0, 1, 2, 3, 4, 5, 6, 99, 99])) == 3.5


@pytest.mark.parametrize(
    ("statistic", "count", "share"),
    [(mean, 5, 0.91), (mean, 10, 0.94), (interquartile_mean, 12, 0.95)],
)
def test_interval_covers_as_often_as_the_report_says(statistic, count: int, share: float) -> None:
    rng = np.random.default_rng(11)
    trials, truth = 1500, 1.0
    covered = 0
    for _ in range(trials):
        estimate = bootstrap(rng.normal(1.0, 0.3, count), rng, statistic, resamples=400)
        covered += estimate.low <= truth <= estimate.high
    # Standard error of the share: 0.7 points. The plain percentile interval would reach 0.84
    # (n = 5) and 0.90 (n = 10).
    assert covered / trials == pytest.approx(share, abs=0.02)


def test_interval_of_the_mean_is_student_s() -> None:
    values = np.random.default_rng(12).normal(0.85, 0.01, 30)
    estimate = bootstrap(values, np.random.default_rng(1), resamples=20_000)
    half = stats.t.ppf(0.975, 29) * stats.sem(values)
    assert estimate.value == pytest.approx(values.mean())
    assert estimate.high - estimate.low == pytest.approx(2 * half, rel=0.06)


def test_of_few_values_every_resample_is_taken_once() -> None:
    ends = [bootstrap([0.0, 0.0, 9.0], np.random.default_rng(seed), level=0.2) for seed in range(3)]
    assert ends[0] == ends[1] == ends[2]
    # Of 27 resamples 8 have the mean 0, 12 have 3, 6 have 6 and 1 has 9; Student's quantile widens
    # a level of .2 to tails of .36.
    assert (ends[0].low, ends[0].high) == (3.0, 3.0)
    assert bootstrap([0.0, 0.0, 9.0], np.random.default_rng(0), level=0.5).low == 0.0


def test_same_generator_same_interval() -> None:
    values = [0.8, 0.82, 0.85, 0.81, 0.86, 0.83, 0.84]
    first, second = (bootstrap(values, np.random.default_rng(3)) for _ in range(2))
    assert first == second
    assert first != bootstrap(values, np.random.default_rng(4))


def test_few_values_have_no_interval() -> None:
    rng = np.random.default_rng(1)
    one, none = bootstrap([0.7], rng), bootstrap([], rng)
    assert (one.value, one.count) == (0.7, 1) and math.isnan(one.low) and math.isnan(one.high)
    assert math.isnan(none.value) and none.count == 0
    assert math.isnan(probability_of_improvement([], [1.0], rng).value)
    assert math.isnan(probability_of_improvement([2.0], [1.0, 3.0], rng).low)


def test_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match=r"finite values; received values=\[1\.0, nan\].*Decide"):
        bootstrap([1.0, math.nan], np.random.default_rng(1))


def test_paired_differences_by_hand() -> None:
    rng = np.random.default_rng(1)
    estimate = paired_bootstrap({1: 3.0, 2: 5.0, 9: 0.0}, {2: 2.0, 1: 1.0, 4: 8.0}, rng)
    assert (estimate.value, estimate.count) == (2.5, 2)
    assert paired_bootstrap({1: 1.0}, {2: 1.0}, rng).count == 0


def test_pairing_removes_what_seeds_share() -> None:
    rng = np.random.default_rng(3)
    shared = dict(enumerate(rng.normal(0.8, 0.05, size=8)))
    better = {seed: value + 0.01 + 0.001 * rng.normal() for seed, value in shared.items()}
    paired = paired_bootstrap(better, shared, rng)
    assert 0.0 < paired.low < 0.01 < paired.high
    alone = bootstrap(list(better.values()), rng)
    assert paired.high - paired.low < 0.1 * (alone.high - alone.low)


def test_probability_of_improvement_by_hand() -> None:
    rng = np.random.default_rng(1)
    assert probability_of_improvement([2, 3], [1, 2], rng).value == 0.875
    assert probability_of_improvement([1, 1], [1, 1], rng).value == 0.5
    sure = probability_of_improvement([5, 6, 7], [1, 2, 3], rng)
    assert sure.value == 1.0 and math.isnan(sure.low)  # every resample agrees
    a, b = rng.normal(size=9), rng.normal(size=7)
    share = stats.mannwhitneyu(a, b).statistic / 63
    assert probability_of_improvement(a, b, rng).value == pytest.approx(share)


def test_probability_of_improvement_covers() -> None:
    rng = np.random.default_rng(5)
    truth = stats.norm.cdf(0.5 / math.sqrt(2))  # P(N(0.5, 1) > N(0, 1))
    covered = 0
    for _ in range(400):
        a, b = rng.normal(0.5, 1, 12), rng.normal(0.0, 1, 12)
        estimate = probability_of_improvement(a, b, rng, resamples=300)
        covered += estimate.low <= truth <= estimate.high
    assert covered / 400 == pytest.approx(0.95, abs=0.04)
