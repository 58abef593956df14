"""The oracles of running statistics and of steps with few rows, against brute force."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from tests.reference import np_norms, np_statistics
from tests.reference.np_small_batch import POLICIES, small_batch_norm
from tests.reference.np_statistics import Moments, masked_moments, merge, pool

assert_close = partial(np.testing.assert_allclose, rtol=1e-10, atol=1e-12)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def assert_same(a: Moments, b: Moments) -> None:
    assert_close(a.mean, b.mean)
    assert_close(a.variance, b.variance)
    assert_close(a.count, b.count)


def moments_of(rows: np.ndarray, weights: np.ndarray | None = None) -> Moments:
    """Weighted moments the textbook way, with numpy.average."""
    weights = np.ones(len(rows)) if weights is None else weights
    mean = np.average(rows, axis=0, weights=weights)
    variance = np.average((rows - mean) ** 2, axis=0, weights=weights)
    return Moments(mean, variance, np.asarray(weights.sum()))


def test_zeros_of_padding_would_bias_the_moments():
    """Mean 3 and variance 2 become 1.5 and 3.25 if half of the rows are padding (keras 30161)."""
    x = np.array([[3 - 2**0.5], [3 + 2**0.5], [0.0], [0.0]])
    real = masked_moments(x, np.array([True, True, False, False]))
    assert_close([real.mean[0], real.variance[0]], [3.0, 2.0])
    all_rows = masked_moments(x)
    assert_close([all_rows.mean[0], all_rows.variance[0]], [1.5, 3.25])


def test_pool_and_merge_without_decay_are_exact(rng):
    parts = [rng.normal(k, 1 + k, (n, 5)) for k, n in enumerate([4, 0, 1, 7])]
    expected = moments_of(np.concatenate(parts))
    assert_same(pool([masked_moments(p) for p in parts]), expected)
    running = np_statistics.row_of(np_statistics.empty_table(1, 5), 0)
    for p in parts:
        running = merge(running, masked_moments(p), decay=1.0)
    assert_same(running, expected)


def test_merge_with_decay_is_the_weighted_moments_of_all_rows(rng):
    """Each row weighs rho per later batch that had rows; batches without any do not age it."""
    parts = [rng.normal(k, 1 + k, (n, 3)) for k, n in enumerate([4, 2, 0, 1, 6])]
    running = np_statistics.row_of(np_statistics.empty_table(1, 3), 0)
    for p in parts:
        running = merge(running, masked_moments(p), decay=0.8)
    weights = np.repeat(0.8 ** np.array([3, 2, 1, 0]), [4, 2, 1, 6])
    assert_same(running, moments_of(np.concatenate(parts), weights))
    assert merge(running, masked_moments(np.zeros((0, 3))), 0.8) is running


@pytest.mark.parametrize("rows", [1, 3, 4, 6])
def test_fold_pools_the_steps_of_a_row_and_decays_it_once(rng, rows):
    batches = [[rng.normal(t, 1 + t, (n, 2)) for t, n in enumerate([5, 3, 2, 0])] for _ in range(2)]
    table = np_statistics.empty_table(rows, 2)
    for batch in batches:
        steps = np_statistics.stack([masked_moments(x) for x in batch])
        table = np_statistics.fold(table, steps, decay=0.9)
    for row in range(rows):
        seen = [[x for t, x in enumerate(b) if min(t, rows - 1) == row] for b in batches]
        old, new = (np.concatenate([*s, np.zeros((0, 2))]) for s in seen)
        if len(new) == 0:
            assert_same(
                np_statistics.row_of(table, row), Moments(np.zeros(2), np.ones(2), np.zeros(()))
            )
            continue
        weights = np.concatenate([np.full(len(old), 0.9), np.ones(len(new))])
        expected = moments_of(np.concatenate([old, new]), weights)
        assert_same(np_statistics.row_of(table, row), expected)


def test_inference_row():
    counts = [9.0, 5.0, 2.0, 1.0, 0.0]
    assert [np_statistics.inference_row(t, counts) for t in (0, 3, 4, 90)] == [0, 3, 3, 3]
    assert [np_statistics.inference_row(t, counts, 2.0) for t in (0, 2, 3, 90)] == [0, 2, 2, 2]
    assert np_statistics.inference_row(2, counts, 100.0) == 0
    assert np_statistics.inference_row(2, [9.0, 9.0, 5.0], 100.0) == 1


def running_moments(rng: np.random.Generator, count: float) -> Moments:
    return Moments(rng.normal(size=3), rng.uniform(0.5, 2.0, 3), np.asarray(count))


def test_policies_agree_without_running_statistics(rng):
    x, valid = rng.normal(size=(5, 3)), np.array([True, False, True, True, False])
    gamma, beta = rng.normal(size=3), rng.normal(size=3)
    expected, _ = np_norms.batch_norm(x, valid, gamma, beta)
    for policy in POLICIES:
        for running in (None, running_moments(rng, 0.0)):
            y, moments = small_batch_norm(x, valid, running, policy, gamma, beta)
            assert_close(y, expected)
            assert_same(moments, masked_moments(x, valid))


def test_moments_from_elsewhere_replace_those_of_the_rows(rng):
    x, other = rng.normal(size=(3, 3)), rng.normal(2.0, 3.0, (20, 3))
    y, moments = small_batch_norm(x, None, None, "naive", batch=masked_moments(other))
    assert_close(y, np_norms.batch_norm_inference(x, other.mean(0), other.var(0)))
    assert moments.count == 20


def test_running_policy_switches_at_min_count(rng):
    x, running = rng.normal(size=(3, 3)), running_moments(rng, 50.0)
    few, _ = small_batch_norm(x, None, running, "running", min_count=4)
    assert_close(few, np_norms.batch_norm_inference(x, running.mean, running.variance))
    enough, _ = small_batch_norm(x, None, running, "running", min_count=3)
    assert_close(enough, np_norms.batch_norm(x)[0])


@pytest.mark.parametrize(("count", "kappa_eff"), [(50.0, 8.0), (2.5, 2.5)])
def test_shrink_uses_the_moments_of_the_mixture(rng, count, kappa_eff):
    """Adding kappa_eff imagined rows that have the running moments."""
    x, running = rng.normal(size=(3, 3)), running_moments(rng, count)
    imagined = Moments(running.mean, running.variance, np.asarray(kappa_eff))
    mixture = pool([masked_moments(x), imagined])
    y, _ = small_batch_norm(x, None, running, "shrink", kappa=8.0)
    assert_close(y, np_norms.batch_norm_inference(x, mixture.mean, mixture.variance))


def test_renorm_without_clipping_uses_running_statistics(rng):
    x, running = rng.normal(size=(4, 3)), running_moments(rng, 50.0)
    free, _ = small_batch_norm(x, None, running, "renorm", r_max=1e9, d_max=1e9)
    assert_close(free, np_norms.batch_norm_inference(x, running.mean, running.variance))
    tight, _ = small_batch_norm(x, None, running, "renorm", r_max=1.0, d_max=0.0)
    assert_close(tight, np_norms.batch_norm(x)[0])
