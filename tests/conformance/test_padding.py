"""Padding and batch mates: what may change a row's result, and what may not."""

from __future__ import annotations

import numpy as np
import pytest

from tests import grid
from tests.gradients import gradients, weighted_sum

MORE = 12


def pad(x, mask, more=MORE, fill=1e3):
    """Append padded steps that hold large numbers rather than zeros."""
    junk = np.full((len(x), more, x.shape[2]), fill)
    return np.concatenate([x, junk], 1), np.pad(mask, ((0, 0), (0, more)))


def statistics(layer):
    return [grid.numpy(v) for v in layer.non_trainable_variables if "seed" not in v.path]


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("training", [False, True])
@grid.over_grid
def test_more_padding_changes_nothing(cell, norm, training, go_backwards, rng):
    x, mask = grid.inputs(rng), grid.MASK
    results = []
    start = None
    layer = grid.make(cell, norm, rng, return_sequences=False, go_backwards=go_backwards)
    for features, valid in ((x, mask), pad(x, mask)):
        start = start or layer.get_weights()
        layer.set_weights(start)
        loss = lambda x, valid=valid: weighted_sum(layer(x, mask=valid, training=training)[:-1])  # noqa: E731
        *of_weights, of_input = gradients(loss, layer, features)
        moved = statistics(layer)
        layer.set_weights(start)
        results.append(
            [
                *layer(features, mask=valid, training=training),
                *of_weights,
                of_input[:, : grid.STEPS],
                *moved,
            ]
        )
        assert np.all(of_input[:, grid.STEPS :] == 0)
    for short, long in zip(*results, strict=True):
        np.testing.assert_allclose(grid.numpy(short), grid.numpy(long), rtol=0, atol=1e-13)


@pytest.mark.parametrize("training", [False, True])
@grid.over_grid
def test_nan_in_padding_stays_there(cell, norm, training, rng):
    layer = grid.make(cell, norm, rng, return_sequences=False, return_state=False)
    x = grid.inputs(rng)
    poisoned = np.where(grid.MASK[..., None], x, np.nan)
    loss = lambda x: weighted_sum(layer(x, mask=grid.MASK, training=training))  # noqa: E731
    for gradient in gradients(loss, layer, poisoned):
        assert np.all(np.isfinite(gradient))
    assert all(np.all(np.isfinite(s)) for s in statistics(layer))


@pytest.mark.parametrize("go_backwards", [False, True])
@grid.over_grid
def test_empty_row_keeps_its_state_and_gets_no_gradient(cell, norm, go_backwards, rng):
    layer = grid.make(cell, norm, rng, go_backwards=go_backwards)
    x = grid.inputs(rng)
    empty = LENGTH_ZERO
    outputs, *states = layer(x, mask=grid.MASK, training=True)
    assert np.all(grid.numpy(outputs)[empty] == 0)
    assert all(np.all(grid.numpy(state)[empty] == 0) for state in states)
    of_input = gradients(
        lambda x: weighted_sum(layer(x, mask=grid.MASK, training=True)[0]), layer, x
    )[-1]
    assert np.all(of_input[empty] == 0)


LENGTH_ZERO = grid.LENGTHS.index(0)


@pytest.mark.parametrize("cell", grid.CELLS)
def test_batch_mates_matter_to_batch_norm_in_training(cell, rng):
    """And to nothing else, which the grid tests."""
    layer = grid.make(cell, "batch", rng, return_state=False)
    x = grid.inputs(rng)
    other = np.concatenate([x[:1], grid.inputs(rng)[1:]])
    start = layer.get_weights()
    a = grid.numpy(layer(x, mask=grid.MASK, training=True))[0]
    layer.set_weights(start)
    b = grid.numpy(layer(other, mask=grid.MASK, training=True))[0]
    assert np.abs(a - b).max() > 1e-3


@grid.over_grid
def test_full_mask_is_no_mask(cell, norm, rng):
    layer = grid.make(cell, norm, rng)
    start = layer.get_weights()
    x = grid.inputs(rng)
    masked = layer(x, mask=np.ones(x.shape[:2], bool), training=True)
    layer.set_weights(start)
    for a, b in zip(masked, layer(x, training=True), strict=True):
        grid.assert_close(a, b)
