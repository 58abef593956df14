"""`none` is Keras's own cell, and a cell behaves alike in our layer and in Keras's."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqnorm.cells import CELLS
from seqnorm.layers import NormRNN
from tests import grid
from tests.gradients import gradients, weighted_sum
from tests.tiers import each_pair, each_value

MODES = [
    {},
    {"go_backwards": True},
    {"zero_output_for_mask": True},
    {"unroll": True},
    {"go_backwards": True, "zero_output_for_mask": True},
]
MASKS = {
    "none": None,
    "right": grid.MASK,
    "left": grid.MASK[:, ::-1],
    "holes": np.array([[1, 0, 1, 1, 0, 1]] * grid.BATCH, bool),
}


@each_pair
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("cell", grid.CELLS)
def test_none_equals_keras(cell, mode, mask, rng):
    ours = grid.make(cell, "none", rng, **mode)
    # A cell in keras.layers.RNN, not the layer: that one would take the cuDNN kernel on a GPU.
    theirs = keras.layers.RNN(
        grid.CELLS[cell].keras_cell(grid.UNITS, dtype="float64"),
        return_sequences=True,
        return_state=True,
        dtype="float64",
        **mode,
    )
    theirs.build((grid.BATCH, grid.STEPS, grid.FEATURES))
    theirs.set_weights(ours.get_weights())
    x = grid.inputs(rng)
    for a, b in zip(ours(x, mask=MASKS[mask]), theirs(x, mask=MASKS[mask]), strict=True):
        grid.assert_close(a, b)
    for a, b in zip(
        gradients(lambda x: weighted_sum(ours(x, mask=MASKS[mask])), ours, x),
        gradients(lambda x: weighted_sum(theirs(x, mask=MASKS[mask])), theirs, x),
        strict=True,
    ):
        grid.assert_close(a, b)


# Options of the layer and of the model around it.
TRAINED = {
    "last": {},
    "sequences": {"return_sequences": True},
    "states": {"return_sequences": True, "return_state": True},
    "backwards": {"return_sequences": True, "go_backwards": True},
    "stateful": {"stateful": True},
    "unroll": {"return_sequences": True, "unroll": True},
    "zeros": {"return_sequences": True, "zero_output_for_mask": True},
    "initial_state": {"return_state": True},
    "bidirectional": {"return_sequences": True},
}


def trainable_model(layer, mode, masked):
    """The layer under a loss on everything that it returns."""
    shape = (grid.BATCH, grid.STEPS, grid.FEATURES)
    entries = [keras.Input(batch_shape=shape, dtype="float64")]
    mask = keras.Input(batch_shape=shape[:2], dtype="bool")
    states = []
    if mode == "initial_state":
        sizes = keras.tree.flatten(layer.state_size)
        states = [keras.Input(batch_shape=(grid.BATCH, size), dtype="float64") for size in sizes]
    if mode == "bidirectional":
        layer = keras.layers.Bidirectional(layer, dtype="float64")
    given = {"initial_state": states} if states else {}
    outputs = layer(entries[0], mask=mask if masked else None, **given)
    model = keras.Model([*entries, mask, *states], outputs)
    model.compile(keras.optimizers.Adam(0.01), "mse", run_eagerly=grid.BACKEND != "jax")
    return model


@each_value
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("mode", TRAINED)
@pytest.mark.parametrize("cell", grid.CELLS)
def test_none_trains_like_keras(cell, mode, masked, rng):
    """The weights after three steps of Adam, and what the layer then returns."""
    options = {**TRAINED[mode], "dtype": "float64"}
    options = {"return_sequences": False, "return_state": False, **options}
    ours = trainable_model(grid.make(cell, "none", rng, **options), mode, masked)
    theirs = keras.layers.RNN(grid.CELLS[cell].keras_cell(grid.UNITS, dtype="float64"), **options)
    theirs = trainable_model(theirs, mode, masked)
    start = ours.get_weights()
    theirs.set_weights(start)
    values = [rng.normal(size=tuple(entry.shape)) for entry in ours.inputs]
    values[1] = grid.MASK.copy()
    if (grid.BACKEND, mode) == ("jax", "initial_state"):
        # There Keras returns its initial state for a row of padding, elsewhere zeros.
        values[1][~grid.MASK.any(axis=1)] = True
    targets = [rng.normal(size=tuple(output.shape)) for output in ours.outputs]
    for _ in range(3):
        losses = [model.train_on_batch(values, targets) for model in (ours, theirs)]
        np.testing.assert_allclose(*losses, rtol=1e-6)
    for a, b, before in zip(ours.get_weights(), theirs.get_weights(), start, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-8)
        assert not np.allclose(a, before)
    for a, b in zip(*map(keras.tree.flatten, (ours(values), theirs(values))), strict=True):
        np.testing.assert_allclose(grid.numpy(a), grid.numpy(b), rtol=0, atol=1e-7)


@each_value
@grid.over_stateless
def test_layer_equals_keras_rnn_under_a_mask_with_holes(cell, norm, rng):
    layer = grid.make(cell, norm, rng)
    plain = keras.layers.RNN(
        layer.cell, return_sequences=True, return_state=True, dtype=layer.dtype_policy
    )
    x = grid.inputs(rng)
    mask = MASKS["holes"]
    for a, b in zip(layer(x, mask=mask), plain(x, mask=mask), strict=True):
        grid.assert_close(a, b)


def test_dropout_masks_are_kerass(rng):
    """The same seed drops the same entries in our loop and in Keras's."""
    options = {"dropout": 0.4, "recurrent_dropout": 0.3, "seed": 7, "dtype": "float64"}
    ours = NormRNN(CELLS["lstm"](grid.UNITS, "none", **options))
    theirs = keras.layers.RNN(keras.layers.LSTMCell(grid.UNITS, **options), dtype="float64")
    x = grid.inputs(rng)
    ours.build(x.shape)
    theirs.build(x.shape)
    theirs.set_weights(ours.get_weights())
    dropped = ours(x, training=True)
    grid.assert_close(dropped, theirs(x, training=True))
    assert not np.allclose(grid.numpy(dropped), grid.numpy(ours(x)))


@pytest.mark.parametrize("cell", grid.CELLS)
def test_cells_that_need_the_step_say_why_they_do_not_run_in_keras_rnn(cell, rng):
    plain = keras.layers.RNN(CELLS[cell](grid.UNITS, "batch"))
    with pytest.raises(ValueError, match=r"Use seqnorm\.NormRNN\(cell\) instead"):
        plain(grid.inputs(rng))


def test_foreign_cells_are_refused():
    with pytest.raises(TypeError, match=r"Run other cells in keras\.layers\.RNN"):
        NormRNN(keras.layers.LSTMCell(3))
