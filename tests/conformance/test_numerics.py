"""Numbers at the edge: zeros, constants, tiny, huge, one of everything, ten thousand steps."""

from __future__ import annotations

from copy import copy

import keras
import numpy as np
import pytest

from seqnorm.layers import recurrent_layer
from seqnorm.testing.precision import stays_finite
from tests import grid
from tests.case import case
from tests.gradients import gradients_and_more, weighted_sum
from tests.tiers import each_pair, each_value

POLICIES = ("naive", "running", "shrink", "renorm")


def assert_finite(layer, x, mask=None, training=True):
    def loss(x):
        total = weighted_sum(layer(x, mask=mask, training=training))
        return total, total

    slopes, total = gradients_and_more(loss, layer, x)
    assert np.isfinite(total) and all(np.all(np.isfinite(slope)) for slope in slopes)
    assert all(np.all(np.isfinite(w)) for w in layer.get_weights())


# What each precision can represent.
EDGES = {
    "float32": (0.0, 1.0, 1e-20, 1e18, -1e18),
    "float64": (0.0, 1e-20, 1e18, 1e100),
    "mixed_bfloat16": (0.0, 1.0, 1e-20, 1e18),
    "mixed_float16": (0.0, 1.0, 6e-8, 1e3),  # x W must stay below 65,504
}


@each_pair
@pytest.mark.parametrize("dtype", EDGES)
@grid.over_grid
def test_extreme_inputs_stay_finite(cell, norm, dtype, implementation, rng):
    """Everywhere, and beside random steps; in one batch, unless its rows see each other."""
    it = copy(case(cell, norm, dtype, "empty row", implementation))
    batches = [[value] for value in EDGES[dtype]] if it.mixes_rows else [EDGES[dtype]]
    mask = it.mask
    for values in batches:
        it.mask = np.tile(mask, (len(values), 1))
        x = np.concatenate([np.full_like(it.x, value) for value in values])
        stays_finite(it, f"inputs of {values}", x)
        if dtype == "float32":
            x[:, ::2] = rng.normal(size=x[:, ::2].shape)
            stays_finite(it, f"inputs of {values} and random ones", x)


@pytest.mark.parametrize("norm", grid.NORMS)
def test_huge_inputs_of_a_wide_layer_stay_finite(norm, rng):
    """1200 squares of 1e18 do not fit in float32 together."""
    layer = recurrent_layer(
        "lstm", units=300, norm=norm, implementation=grid.DEFAULTS["implementation"]
    )
    layer.build((2, 2, 3))  # torch and JAX ask for the weights before the call
    assert_finite(layer, rng.normal(0, 1e18, (2, 2, 3)).astype("float32"))


@each_value
@pytest.mark.parametrize("batch", [1, 2])
@grid.over_grid
def test_one_unit_one_feature(cell, norm, batch, rng):
    layer = recurrent_layer(
        cell,
        units=1,
        norm=norm,
        return_sequences=True,
        dtype="float64",
        implementation=grid.DEFAULTS["implementation"],
    )
    x, mask = rng.normal(size=(batch, 3, 1)), grid.right_padded([3, 2][:batch], 3)
    layer.build(x.shape)
    grid.randomize(layer, rng)
    for training in (False, True):
        expected = grid.oracle(layer, x, mask, training=training).outputs
        start = layer.get_weights()
        grid.assert_close(layer(x, mask=mask, training=training), expected)
        layer.set_weights(start)
        assert_finite(layer, x, mask, training)
        layer.set_weights(start)


@each_value
@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("cell", grid.CELLS)
def test_batch_of_one_row(cell, policy, fresh, rng):
    """With statistics to lean on, and in the very first batch, where there are none."""
    layer = grid.make(cell, {"name": "batch", "small_batch": policy}, rng, return_state=False)
    if fresh:
        for norm in layer.cell.normalizers.values():
            if norm.time_aware:
                norm.count.assign(np.zeros(norm.count.shape))
    x, mask = grid.inputs(rng, batch=1), grid.right_padded([4])
    start = layer.get_weights()
    expected = grid.oracle(layer, x, mask, training=True).outputs
    grid.assert_close(layer(x, mask=mask, training=True), expected)
    layer.set_weights(start)
    assert_finite(layer, x, mask)


LONG = [("lstm", norm) for norm in grid.NORMS] + [("gru", "layer"), ("simple_rnn", "layer")]


@each_value
@pytest.mark.parametrize(("cell", "norm"), LONG)
def test_ten_thousand_steps(cell, norm, rng):
    """One compiled training step; a gradient that is not finite would reach the weights."""
    layer = recurrent_layer(
        cell, units=2, norm=norm, implementation=grid.DEFAULTS["implementation"]
    )
    model = keras.Sequential([keras.Input((None, 1)), layer])
    model.compile(keras.optimizers.SGD(1e-3), "mse", jit_compile=grid.BACKEND == "jax")
    before = model.get_weights()
    # Keras runs torch one step at a time, several milliseconds each.
    steps = 1_000 if grid.BACKEND == "torch" else 10_000
    x = rng.normal(size=(2, steps, 1)).astype("float32")
    assert np.isfinite(model.train_on_batch(x, np.ones((2, 2))))
    after = model.get_weights()
    assert all(np.all(np.isfinite(w)) for w in after)
    assert any(np.any(a != b) for a, b in zip(before, after, strict=True))
