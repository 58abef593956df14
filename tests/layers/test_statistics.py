"""Statistics taken anew for one's own model, and what Keras's own layer makes of padding."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqnorm import NormLSTM, reestimate
from tests import grid


def two_norms():
    """One inside a wrapper inside a model, one of Keras's."""
    inner = keras.Sequential(
        [keras.Input((5, 3)), keras.layers.Bidirectional(NormLSTM(4, {"name": "batch"}))]
    )
    return keras.Sequential([keras.Input((5, 3)), inner, keras.layers.BatchNormalization()])


def tables(model):
    layers = model._flatten_layers()
    return [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)], [
        layer for layer in model._flatten_layers() if hasattr(layer, "count")
    ]


@pytest.mark.parametrize("form", ["arrays", "pairs", "data set"])
def test_each_row_counts_once_however_the_data_come(form, rng):
    x = rng.normal(size=(3, 8, 5, 3)).astype("float32")
    batches = {"arrays": list(x), "pairs": [(each, np.zeros(8)) for each in x]}
    if form == "data set":
        if grid.BACKEND != "tensorflow":
            pytest.skip("there is no tf.data")
        import tensorflow as tf

        flat = tf.data.Dataset.from_tensor_slices((x.reshape(24, 5, 3), np.zeros(24)))
        batches[form] = flat.batch(8)
    model = two_norms()
    (between,), inside = tables(model)
    inside[0].count.assign(np.full(inside[0].count.shape, 1e6))
    assert reestimate(model, batches[form]) == 1 + 2 * 3
    for norm in inside:
        np.testing.assert_array_equal(grid.numpy(norm.count)[:6, 0], [24] * 5 + [0])
        assert norm.momentum == 0.99
    assert between.momentum == 0.99
    assert np.abs(grid.numpy(between.moving_variance) - 1).min() > 0.1


def test_a_frozen_norm_keeps_what_it_has(rng):
    model = keras.Sequential([keras.Input((5, 3)), NormLSTM(4, "batch")])
    model.layers[0].cell.normalizers["input"].trainable = False
    before = grid.numpy(model.layers[0].cell.normalizers["input"].count)
    assert reestimate(model, [rng.normal(size=(8, 5, 3))]) == 2
    after = grid.numpy(model.layers[0].cell.normalizers["input"].count)
    np.testing.assert_array_equal(before, after)


def test_no_batch_is_refused_and_changes_nothing():
    model = keras.Sequential([keras.Input((5, 3)), NormLSTM(4, "batch")])
    before = model.get_weights()
    with pytest.raises(ValueError, match="one batch or more"):
        reestimate(model, iter([]))
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_kerass_layer_after_a_recurrent_one_takes_the_mask(rng):
    """As docs/migration.md says: moments of valid tokens; a batch of padding counts as zeros."""
    x, mask = rng.normal(2.0, 3.0, size=(4, 5, 3)), np.arange(5) < [[5], [2], [3], [0]]
    layer = keras.layers.BatchNormalization(momentum=0.0)
    layer(np.where(mask[..., None], x, np.nan), mask=mask, training=True)
    np.testing.assert_allclose(grid.numpy(layer.moving_mean), x[mask].mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(grid.numpy(layer.moving_variance), x[mask].var(axis=0), rtol=1e-5)
    layer = keras.layers.BatchNormalization(momentum=0.5)
    layer(x, mask=np.zeros((4, 5), bool), training=True)
    np.testing.assert_allclose(grid.numpy(layer.moving_variance), 0.5, rtol=1e-6)
