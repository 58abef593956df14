"""Chunks, directions, stacks: the same sequence read in other ways."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqnorm.cells import CELLS
from seqnorm.layers import NormRNN
from tests import grid
from tests.gradients import gradients
from tests.tiers import each_value


@each_value
@grid.over_grid
def test_stateful_equals_one_shot_and_resets(cell, norm, rng):
    stateless = grid.make(cell, norm, rng)
    layer = grid.make(cell, norm, rng, stateful=True)
    layer.set_weights(stateless.get_weights())
    x = grid.inputs(rng)
    whole = stateless(x)[0]
    for _ in range(2):
        parts = [grid.numpy(layer(x[:, :2])[0]), grid.numpy(layer(x[:, 2:])[0])]
        grid.assert_close(np.concatenate(parts, 1), whole)
        layer.reset_state()
    with pytest.raises(ValueError, match="stateful layer needs the batch size"):
        layer(x[:2])


@pytest.mark.parametrize("cell", grid.CELLS)
def test_states_without_an_age_begin_at_step_zero(cell, rng):
    layer = grid.make(cell, "batch", rng)
    x = grid.inputs(rng)
    _, *states, age = layer(x)
    short, whole = (
        layer(x, mask=grid.MASK, initial_state=start)
        for start in (states, [*states, np.zeros(age.shape)])
    )
    for a, b in zip(short, whole, strict=True):
        np.testing.assert_array_equal(grid.numpy(a), grid.numpy(b))


@each_value
@grid.over_trainings
def test_stack_of_cells_equals_stacked_layers(cell, norm, training, rng):
    own = {"return_sequences": True, "implementation": grid.DEFAULTS["implementation"]}
    stack = NormRNN([CELLS[cell](grid.UNITS, norm, dtype="float64") for _ in range(2)], **own)
    layers = [NormRNN(each, **own) for each in stack.cells]
    x = grid.inputs(rng)
    stack.build(x.shape)
    grid.randomize(stack, rng)
    start = stack.get_weights()
    together = stack(x, mask=grid.MASK, training=training)
    stack.set_weights(start)
    for layer in layers:
        x = layer(x, mask=grid.MASK, training=training)
    grid.assert_close(together, x)


@pytest.mark.parametrize("cell", grid.CELLS)
def test_left_padding_is_refused_where_the_step_matters(cell, rng):
    layer = grid.make(cell, "batch", rng)
    with pytest.raises(ValueError, match="needs a right-padded mask"):
        layer(grid.inputs(rng), mask=grid.MASK[:, ::-1])


@grid.tensorflow_only
def test_compiled_code_answers_left_padding_with_nan_or_an_error(rng):
    import tensorflow as tf

    layer = grid.make("lstm", "batch", rng, dtype="float32", return_state=False)
    x, mask = grid.inputs(rng).astype("float32"), grid.MASK[:, ::-1].copy()
    with pytest.raises(tf.errors.InvalidArgumentError, match="needs a right-padded mask"):
        tf.function(layer)(x, mask=mask)
    assert np.all(np.isnan(tf.function(layer, jit_compile=True)(x, mask=mask)[0, -1]))
    before = layer.get_weights()
    tf.function(layer, jit_compile=True)(x, mask=mask, training=True)
    for a, b in zip(before, layer.get_weights(), strict=True):  # no statistic has taken it
        np.testing.assert_array_equal(a, b)


def test_observing_changes_nothing_and_sees_the_preactivations(rng):
    layer = grid.make("lstm", "batch", rng)
    x = grid.inputs(rng)
    before = layer.get_weights()
    plain = layer(x, mask=grid.MASK)
    with layer.observing() as seen:
        watched = layer(x, mask=grid.MASK)
    for a, b in zip(plain, watched, strict=True):  # watching always runs the loop
        grid.assert_close(a, b)
    for a, b in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    expected = grid.oracle(layer, x, grid.MASK, training=False).observed
    for site, name in {"input": "input", "recurrent": "recurrent", "output": "state"}.items():
        mean, variance, count = seen[0][site]
        grid.assert_close(mean[:, 0], expected[name].mean)
        grid.assert_close(variance[:, 0], expected[name].variance)
        grid.assert_close(count[:, 0, 0], expected[name].count)


def test_perturbation_gives_the_gradient_through_time(rng):
    """dL/dh_t of a loss on the last output, against shifting the state between two chunks."""
    layer = grid.make("lstm", "layer", rng, return_sequences=False)
    x = grid.inputs(rng)

    def perturbed(zero):
        with layer.observing(perturbation=zero):
            return keras.ops.sum(layer(x)[0] ** 2)

    found = gradients(perturbed, layer, np.zeros((grid.STEPS, grid.BATCH, grid.UNITS)))[-1]
    _, h, c = layer(x[:, :3])
    rest = lambda h: keras.ops.sum(layer(x[:, 3:], initial_state=[h, c])[0] ** 2)  # noqa: E731
    grid.assert_close(found[2], gradients(rest, layer, h)[-1])
