"""The oracles of norms and gradients against properties that define them."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from tests.reference import np_norms
from tests.reference.np_gradients import numeric_gradient

assert_close = partial(np.testing.assert_allclose, rtol=1e-10, atol=1e-12)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_layer_norm_has_mean_beta_and_spread_gamma(rng):
    x = rng.normal(3.0, 5.0, (4, 6, 9))
    y = np_norms.layer_norm(x, epsilon=0.0)
    np.testing.assert_allclose(y.mean(-1), 0.0, atol=1e-12)
    assert_close(y.var(-1), 1.0)
    gamma, beta = rng.normal(size=9), rng.normal(size=9)
    assert_close(np_norms.layer_norm(x, gamma, beta, 0.0), gamma * y + beta)


def test_epsilon_is_added_to_the_variance():
    x = np.array([[-2.0, 2.0]])
    assert_close(np_norms.layer_norm(x, epsilon=5.0), x / 3.0)
    assert_close(np_norms.rms_norm(x, epsilon=5.0), x / 3.0)
    y, _ = np_norms.batch_norm(x.T, epsilon=5.0)
    assert_close(y, x.T / 3.0)


def test_rms_norm_does_not_centre(rng):
    x = rng.normal(2.0, 1.0, (5, 8))
    y = np_norms.rms_norm(x, epsilon=0.0)
    assert_close((y**2).mean(-1), 1.0)
    centred = x - x.mean(-1, keepdims=True)
    assert_close(np_norms.rms_norm(centred, epsilon=0.0), np_norms.layer_norm(x, epsilon=0.0))
    assert np.abs(y.mean(-1)).min() > 0.1


def test_group_norm_normalises_each_run_of_features(rng):
    x = rng.normal(2.0, 3.0, (5, 12))
    assert_close(np_norms.group_norm(x, 1), np_norms.layer_norm(x))
    y = np_norms.group_norm(x, 3, epsilon=0.0).reshape(5, 3, 4)
    np.testing.assert_allclose(y.mean(-1), 0.0, atol=1e-12)
    assert_close(y.var(-1), 1.0)
    with pytest.raises(ValueError, match="groups=5, features=12"):
        np_norms.group_norm(x, 5)


def test_dyt_is_linear_near_zero_and_bounded(rng):
    gamma, beta = rng.normal(size=4), rng.normal(size=4)
    small, large = 1e-6 * rng.normal(size=(3, 4)), np.full((3, 4), 1e6)
    expected = gamma * 0.5 * small + beta
    np.testing.assert_allclose(np_norms.dyt(small, 0.5, gamma, beta), expected, rtol=1e-9)
    np.testing.assert_allclose(np_norms.dyt(large, 0.5, gamma, beta), np.tile(gamma + beta, (3, 1)))


def test_batch_norm_erases_one_row_and_keeps_the_sign_of_two(rng):
    x = rng.normal(size=(4, 6))
    x[[0, 2]] = np.nan
    one, moments = np_norms.batch_norm(x, np.array([False, True, False, False]), epsilon=1e-12)
    np.testing.assert_array_equal(one, 0.0)
    assert moments.count == 1 and not moments.variance.any()
    two, _ = np_norms.batch_norm(x, np.array([False, True, False, True]), epsilon=1e-12)
    np.testing.assert_allclose(two[1], np.sign(x[1] - x[3]), rtol=1e-6)
    assert_close(two[3], -two[1])
    none, moments = np_norms.batch_norm(x, np.zeros(4, bool), beta=np.arange(6.0))
    np.testing.assert_array_equal(none, np.tile(np.arange(6.0), (4, 1)))
    assert moments.count == 0


def test_numeric_gradient_of_batch_norm_is_the_formula(rng):
    """r (dy - mean(dy) - xhat mean(dy xhat)) over valid rows, 0 elsewhere (Ioffe, Szegedy 2015)."""
    x, dy = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    valid = np.array([True, False, True, True, False])
    before = x.copy()
    numeric = numeric_gradient(
        lambda v: float((dy * np_norms.batch_norm(v, valid)[0])[valid].sum()), x
    )
    hat, moments = np_norms.batch_norm(x, valid)
    r = 1.0 / np.sqrt(moments.variance + 1e-5)
    centred = dy - dy[valid].mean(0) - hat * (dy * hat)[valid].mean(0)
    np.testing.assert_allclose(numeric, valid[:, None] * r * centred, rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(x, before)
