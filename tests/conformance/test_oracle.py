"""The layer computes what the NumPy reference, written from the papers, computes."""

from __future__ import annotations

import numpy as np
import pytest

from tests import grid
from tests.gradients import gradients, weighted_sum
from tests.reference.np_gradients import numeric_gradient

OF_ANY = [{"placement": "joint"}, {"sites": ("recurrent",)}, {"sites": ("input",)}]
OF_CELL = {
    "simple_rnn": [],
    "lstm": [{"cell_norm": "carry"}, {"cell_norm": "none"}, {"forget_bias": 1.0}],
    "gru": [{"gate_norm": "fused"}],
}
CASES = [(cell, norm, {}) for cell in grid.CELLS for norm in grid.NORMS] + [
    (cell, norm, options)
    for cell in grid.CELLS
    for norm in ("layer", "batch")
    for options in OF_ANY + OF_CELL[cell]
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
    """Along one random direction per weight, and one through the inputs."""
    layer = grid.make(cell, norm, rng, return_state=False, **options)
    x, mask = grid.inputs(rng)[:, :4], grid.MASK[:, :4]
    start = layer.get_weights()

    def loss(x):
        return weighted_sum(layer(x, mask=mask, training=training))

    def along(move):
        """The loss as a function of one coordinate; statistics start anew every time."""

        def value(t):
            layer.set_weights(start)
            return float(grid.numpy(loss(move(float(t[0])))))

        return numeric_gradient(value, [0.0], step=1e-5)[0]

    *of_weights, of_input = gradients(loss, layer, x)
    assert np.all(of_input[~mask] == 0)
    for variable, gradient in zip(layer.trainable_variables, of_weights, strict=True):
        direction = rng.normal(size=gradient.shape)

        def move(t, variable=variable, direction=direction):
            variable.assign(variable + t * direction)
            return x

        np.testing.assert_allclose(np.sum(gradient * direction), along(move), rtol=1e-6, atol=1e-6)
    direction = rng.normal(size=x.shape)
    expected = along(lambda t: x + t * direction)
    np.testing.assert_allclose(np.sum(of_input * direction), expected, rtol=1e-6, atol=1e-6)
