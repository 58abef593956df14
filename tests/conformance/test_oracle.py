"""The layer computes what the NumPy reference, written from the papers, computes."""

from __future__ import annotations

import numpy as np
import pytest

from tests import grid
from tests.gradients import gradients, weighted_sum
from tests.reference.np_gradients import numeric_gradient

OPTIONS = [
    {},
    {"placement": "joint"},
    {"sites": ("recurrent",)},
    {"sites": ("input",)},
]
LSTM_OPTIONS = [
    {"cell_norm": "carry"},
    {"cell_norm": "none"},
    {"placement": "joint", "cell_norm": "carry"},
]


def options_of(cell):
    return OPTIONS + (LSTM_OPTIONS if cell == "lstm" else [])


CASES = [
    (cell, norm, options)
    for cell in grid.CELLS
    for norm in grid.NORMS
    for options in options_of(cell)
]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("cell", "norm", "options"), CASES)
def test_forward(cell, norm, options, training, rng):
    layer = grid.make(cell, norm, rng, **options)
    x = grid.inputs(rng)
    expected = grid.oracle(layer, x, grid.MASK, training=training)
    outputs, *states = layer(x, mask=grid.MASK, training=training)
    grid.assert_close(outputs, expected.outputs)
    for state, want in zip(states, expected.states, strict=False):
        grid.assert_close(state, want)


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
@grid.over_grid
def test_forward_in_other_precisions(cell, norm, dtype, rng):
    layer = grid.make(cell, norm, rng, dtype=dtype)
    x = grid.inputs(rng)
    expected = grid.oracle(layer, x, grid.MASK, training=True)
    outputs, *_ = layer(x, mask=grid.MASK, training=True)
    assert outputs.dtype == layer.compute_dtype
    grid.assert_close(outputs, expected.outputs, dtype)


@pytest.mark.parametrize("small_batch", ["naive", "running", "shrink", "renorm"])
@pytest.mark.parametrize("input_statistics", ["step", "sequence"])
def test_batch_norm_policies(small_batch, input_statistics, rng):
    norm = {"name": "batch", "small_batch": small_batch, "few": 4, "max_steps": 4}
    norm["input_statistics"] = input_statistics
    if input_statistics == "sequence" and small_batch != "naive":
        pytest.skip("the reference takes sequence statistics as they are; see the next test")
    layer = grid.make("lstm", norm, rng)
    x = grid.inputs(rng)
    expected = grid.oracle(layer, x, grid.MASK, training=True)
    outputs, *_ = layer(x, mask=grid.MASK, training=True)
    grid.assert_close(outputs, expected.outputs)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("zero_output_for_mask", [False, True])
@grid.over_grid
def test_directions(cell, norm, go_backwards, zero_output_for_mask, training, rng):
    layer = grid.make(
        cell, norm, rng, go_backwards=go_backwards, zero_output_for_mask=zero_output_for_mask
    )
    x = grid.inputs(rng)
    expected = grid.oracle(
        layer,
        x,
        grid.MASK,
        training=training,
        go_backwards=go_backwards,
        zero_output_for_mask=zero_output_for_mask,
    )
    outputs, *_ = layer(x, mask=grid.MASK, training=training)
    grid.assert_close(outputs, expected.outputs)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("cell", "norm", "options"), CASES)
def test_gradient_against_finite_differences(cell, norm, options, training, rng):
    layer = grid.make(cell, norm, rng, **options)
    layer.return_state = False
    x, mask = grid.inputs(rng)[:, :4], grid.MASK[:, :4]

    def loss(x):
        return weighted_sum(layer(x, mask=mask, training=training))

    statistics = [v.numpy() for v in layer.non_trainable_variables]

    def value():
        # A training call moves the running statistics, and `shrink` reads them.
        for variable, before in zip(layer.non_trainable_variables, statistics, strict=True):
            variable.assign(before)
        return float(loss(x))

    found = gradients(loss, layer, x)
    for variable, gradient in zip(layer.trainable_variables, found, strict=False):
        before = variable.numpy()

        def at(w, variable=variable):
            variable.assign(w)
            return value()

        some = np.zeros(before.shape, bool)
        some.flat[rng.choice(before.size, min(before.size, 6), replace=False)] = True
        numeric = _numeric_at(at, before, some)
        variable.assign(before)
        np.testing.assert_allclose(gradient[some], numeric, rtol=1e-6, atol=1e-6)


def _numeric_at(f, x, chosen):
    def along(values):
        y = x.copy()
        y[chosen] = values
        return f(y)

    return numeric_gradient(along, x[chosen], step=1e-5)


@pytest.mark.parametrize("training", [False, True])
@grid.over_grid
def test_gradient_of_inputs(cell, norm, training, rng):
    layer = grid.make(cell, norm, rng, return_state=False)
    mask = grid.right_padded([3, 2, 1], 3)
    x = grid.inputs(rng, 3, 3)

    def loss(x):
        return weighted_sum(layer(x, mask=mask, training=training))

    statistics = [v.numpy() for v in layer.non_trainable_variables]

    def value(x):
        for variable, before in zip(layer.non_trainable_variables, statistics, strict=True):
            variable.assign(before)
        return float(loss(x))

    found = gradients(loss, layer, x)[-1]
    np.testing.assert_allclose(found, numeric_gradient(value, x, 1e-5), rtol=1e-6, atol=1e-6)
    assert np.all(found[~mask] == 0)
