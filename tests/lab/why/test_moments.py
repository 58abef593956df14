"""Moments of batches against plain NumPy, and what they must be at the ends."""

from __future__ import annotations

import numpy as np
import pytest

from seqnorm.lab.why import moments
from seqnorm.lab.why.moments import (
    MEAN,
    SPREAD,
    averaged,
    batch_moments,
    pooled,
    relate,
    sample_moments,
)

LENGTHS = np.array([5, 3, 1])
VALID = np.arange(6) < LENGTHS[:, None]  # [rows, steps]; nobody is alive at the last step


def test_batch_moments_are_over_the_rows_that_count(rng):
    z = rng.normal(size=(3, 6, 4))
    alive = batch_moments(z, VALID, counted=VALID)
    assert alive.alive.tolist() == [3, 2, 2, 1, 1, 0]
    np.testing.assert_allclose(alive.mean[1], z[:2, 1].mean(axis=0))
    np.testing.assert_allclose(alive.spread[1], z[:2, 1].std(axis=0))
    np.testing.assert_array_equal(alive.spread[3], np.zeros(4))
    everyone = batch_moments(z, VALID, counted=np.ones_like(VALID))
    assert everyone.alive.tolist() == alive.alive.tolist()
    np.testing.assert_allclose(everyone.spread[4], z[:, 4].std(axis=0))


def test_sample_moments_are_over_features_and_end_with_the_row(rng):
    z = rng.normal(size=(3, 6, 4))
    found = sample_moments(z, VALID)
    np.testing.assert_allclose(found.mean[2, :2], z[:2, 2].mean(axis=-1))
    np.testing.assert_allclose(found.spread[2, :2], z[:2, 2].std(axis=-1))
    assert np.isnan(found.mean[2, 2]) and np.isnan(found.mean[5]).all()


def test_pooled_and_averaged_are_over_the_rows_of_all_batches(rng):
    batches = [(rng.normal(2, 3, size=(n, steps, 4)), steps) for n, steps in ((3, 6), (5, 4))]
    masks = [VALID, np.ones((5, 4), bool)]
    truth = pooled([batch_moments(z, m, m) for (z, _), m in zip(batches, masks, strict=True)])
    mean = averaged([sample_moments(z, m) for (z, _), m in zip(batches, masks, strict=True)])
    assert truth.alive.tolist() == mean.alive.tolist() == [8, 7, 7, 6, 1, 0]
    rows = np.concatenate([batches[0][0][:2, 2], batches[1][0][:, 2]])
    np.testing.assert_allclose(truth.mean[2], rows.mean(axis=0))
    np.testing.assert_allclose(truth.spread[2], rows.std(axis=0))
    np.testing.assert_allclose(mean.mean[2], [rows.mean(axis=1).mean()])
    np.testing.assert_allclose(mean.spread[2], [rows.std(axis=1).mean()])


def test_noise_of_the_mean_falls_as_one_over_the_root_of_the_rows(rng):
    lengths = np.repeat(np.arange(1, 17), 1)
    valid = np.arange(16) < lengths[:, None]
    parts = [batch_moments(rng.normal(5, 2, size=(16, 16, 8)), valid, valid) for _ in range(300)]
    curves = relate(parts, pooled(parts))
    assert curves[MEAN].alive.tolist() == list(range(1, 17))
    # nine tenths of a normal variable lie within 1.645 standard deviations
    half = (curves[MEAN].quantiles[:, -1] - curves[MEAN].quantiles[:, 0]) / 2
    np.testing.assert_allclose(half, 1.645 / np.sqrt(curves[MEAN].alive), rtol=0.1)
    assert curves[SPREAD].quantiles[0].tolist() == [0] * 5  # one row has no spread
    assert curves[SPREAD].quantiles[-1, 2] == pytest.approx(1, abs=0.1)


def test_steps_with_too_few_rows_and_features_without_spread_are_left_out(rng, monkeypatch):
    monkeypatch.setattr(moments, "MIN_ROWS", 3)
    z = rng.normal(size=(3, 6, 4))
    z[:, 0] = 1.0  # the start token
    part = batch_moments(z, VALID, VALID)
    curves = relate([part, part], pooled([part, part]))
    assert curves[MEAN].alive.tolist() == [2] and curves[MEAN].values.tolist() == [2 * 2 * 4]
