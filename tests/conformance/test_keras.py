"""`none` is Keras's own cell, and a cell behaves alike in our layer and in Keras's."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqnorm.cells import CELLS
from seqnorm.layers import NormRNN
from tests import grid
from tests.gradients import gradients, weighted_sum

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


@pytest.mark.parametrize("cell", grid.CELLS)
def test_none_trains_like_keras(cell, rng):
    x, y = grid.inputs(rng, 16), rng.normal(size=(16, grid.UNITS))
    weights = []
    for layer in (
        grid.make(cell, "none", rng, return_sequences=False, return_state=False, dtype="float32"),
        grid.CELLS[cell].keras_layer(grid.UNITS, dtype="float32"),
    ):
        model = keras.Sequential([keras.Input((None, grid.FEATURES)), layer])
        model.compile(keras.optimizers.Adam(0.01), "mse")
        model.set_weights(weights[0] if weights else layer.get_weights())
        weights.append(model.get_weights())
        model.fit(x, y, batch_size=16, epochs=3, verbose=0)
        weights.append(model.get_weights())
    before, ours, _, theirs = weights
    for a, b, start in zip(ours, theirs, before, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
        assert not np.allclose(a, start)


@pytest.mark.parametrize("mask", MASKS)
@grid.over_stateless
def test_layer_equals_keras_rnn_around_the_same_cell(cell, norm, mask, rng):
    layer = grid.make(cell, norm, rng)
    plain = keras.layers.RNN(
        layer.cell, return_sequences=True, return_state=True, dtype=layer.dtype_policy
    )
    x = grid.inputs(rng)
    for a, b in zip(layer(x, mask=MASKS[mask]), plain(x, mask=MASKS[mask]), strict=True):
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


@grid.over_grid
def test_stateless_cells_run_in_keras_rnn_and_the_others_say_why_not(cell, norm, rng):
    plain = keras.layers.RNN(CELLS[cell](grid.UNITS, norm))
    if norm in grid.STATELESS:
        assert plain(grid.inputs(rng)).shape == (grid.BATCH, grid.UNITS)
    else:
        with pytest.raises(ValueError, match=r"Use seqnorm\.NormRNN\(cell\) instead"):
            plain(grid.inputs(rng))


def test_foreign_cells_are_refused():
    with pytest.raises(TypeError, match=r"Run other cells in keras\.layers\.RNN"):
        NormRNN(keras.layers.LSTMCell(3))
