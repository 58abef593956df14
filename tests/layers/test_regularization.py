"""Penalties, constraints, dropout and zoneout."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqnorm.cells import CELLS
from seqnorm.layers import NormRNN, recurrent_layer
from tests import grid

PLAIN = {"return_sequences": False, "return_state": False}


@grid.over_pairs
def test_penalties_are_among_the_losses(cell, norm, rng):
    layer = grid.make(
        cell,
        {"name": norm, "gamma_regularizer": keras.regularizers.L2(0.5)},
        rng,
        kernel_regularizer=keras.regularizers.L2(0.1),
        recurrent_regularizer=keras.regularizers.L2(0.2),
        bias_regularizer=keras.regularizers.L2(0.3),
        activity_regularizer=keras.regularizers.L2(0.4),
        **PLAIN,
    )
    output = grid.numpy(layer(grid.inputs(rng)))
    cell = layer.cell
    squares = lambda *weights: sum(np.sum(grid.numpy(w) ** 2) for w in weights)  # noqa: E731
    expected = 0.1 * squares(cell.kernel) + 0.2 * squares(cell.recurrent_kernel)
    expected += 0.3 * squares(cell.bias) + 0.4 * squares(output) / len(output)
    expected += 0.5 * squares(*(w for w in layer.weights if w.name == "gamma"))
    np.testing.assert_allclose(sum(float(loss) for loss in layer.losses), expected, rtol=1e-6)


@grid.over_pairs
def test_constraints_hold_after_an_update(cell, norm, rng):
    least, most = keras.constraints.NonNeg(), keras.constraints.MaxNorm(0.3)
    layer = grid.make(
        cell,
        {"name": norm, "gamma_constraint": least},
        rng,
        dtype="float32",
        kernel_constraint=least,
        recurrent_constraint=most,
        **PLAIN,
    )
    model = keras.Sequential([keras.Input((None, grid.FEATURES)), layer])
    model.compile(keras.optimizers.SGD(1.0), "mse", run_eagerly=grid.BACKEND != "jax")
    assert np.any(grid.numpy(layer.cell.kernel) < 0)
    model.fit(grid.inputs(rng), 9 * rng.normal(size=(grid.BATCH, grid.UNITS)), verbose=0)
    for weight in (layer.cell.kernel, *(w for w in layer.weights if w.name == "gamma")):
        assert np.all(grid.numpy(weight) >= 0)
    norms = np.linalg.norm(grid.numpy(layer.cell.recurrent_kernel), axis=0)
    assert np.all(norms <= 0.3 + 1e-6)


def zoneout_loop(layer, x, shares):
    """s' = n + p (s - n) around the plain step; `shares` [time, batch, states * units] are p."""
    start = np.zeros((len(x), grid.UNITS))
    states = [start] * len(keras.tree.flatten(layer.cell.state_size))
    outputs = []
    for t, p in enumerate(shares):
        found = grid.oracle(layer, x[:, t : t + 1], states=states).states
        parts = np.split(p, len(states), axis=-1)
        states = [n + q * (s - n) for n, s, q in zip(found, states, parts, strict=True)]
        outputs.append(states[0])
    return np.stack(outputs, 1)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("cell", grid.CELLS)
def test_zoneout_against_a_loop(cell, training, rng):
    """A unit keeps its value where it was drawn; at inference the expectation is taken."""
    rates = [0.3, 0.6][: 2 if cell == "lstm" else 1]
    layer = grid.make(cell, "layer", rng, zoneout=rates, seed=3, return_state=False)
    x = grid.inputs(rng)
    shares = np.repeat(rates, grid.UNITS) * np.ones((grid.STEPS, grid.BATCH, 1))
    if training:
        seed = grid.keras.ops.convert_to_numpy(layer.cell.seed_generator.state)
        shares = grid.numpy(layer.cell.draw_kept((grid.STEPS, grid.BATCH), True))
        layer.cell.seed_generator.state.assign(seed)
    grid.assert_close(layer(x, training=training), zoneout_loop(layer, x, shares))


@pytest.mark.parametrize("cell", grid.CELLS)
def test_zoneout_keeps_the_right_share(cell, rng):
    layer = grid.make(cell, "layer", rng, zoneout=0.25, return_state=False)
    outputs = grid.numpy(layer(rng.normal(size=(200, 20, grid.FEATURES)), training=True))
    kept = np.mean(outputs[:, 1:] == outputs[:, :-1])
    assert abs(kept - 0.25) < 4 * np.sqrt(0.25 * 0.75 / outputs[:, 1:].size)


@pytest.mark.parametrize("cell", grid.CELLS)
def test_zoneout_in_kerass_layer(cell, rng):
    """The same at inference; in training it draws anew at every step, or refuses."""
    layer = grid.make(cell, "layer", rng, zoneout=0.4)
    plain = keras.layers.RNN(
        layer.cell, return_sequences=True, return_state=True, dtype=layer.dtype_policy
    )
    x = grid.inputs(rng)
    for a, b in zip(layer(x), plain(x), strict=True):
        grid.assert_close(a, b)
    x = rng.normal(size=(200, 9, grid.FEATURES))
    if grid.BACKEND == "jax":
        with pytest.raises(ValueError, match=r"draws once for all steps.*Use seqnorm\.NormRNN"):
            plain(x, training=True)
        return
    y = grid.numpy(plain(x, training=True)[0])
    kept = y[:, 1:] == y[:, :-1]
    assert 0.3 < np.mean(kept) < 0.5
    assert np.any(kept[:, 1] != kept[:, 2])


@pytest.mark.parametrize("kind", ["dropout", "recurrent_dropout"])
@pytest.mark.parametrize("cell", grid.CELLS)
def test_dropout_has_one_mask_for_all_steps(cell, kind, rng):
    """Read from the gradient-free side: with x and h constant, only the mask can move a step."""
    masks = []
    for _ in range(2):
        layer = NormRNN(CELLS[cell](64, "none", seed=1 + len(masks), **{kind: 0.5}))
        layer.build((2, 4, 64))
        x = np.ones((4, 2, 64), "float32")
        made = layer.cell.get_dropout_mask if kind == "dropout" else None
        made = made or layer.cell.get_recurrent_dropout_mask
        first, second = made(x[0]), made(x[1])
        assert first is second
        masks.append(np.stack([grid.numpy(m) for m in keras.tree.flatten(first)]))
        assert set(np.unique(masks[-1])) == {0.0, 2.0}
    assert np.any(masks[0] != masks[1])


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=grid.compiled_only)])
@pytest.mark.parametrize("cell", grid.CELLS)
def test_dropped_entries_stay_dropped_and_change_between_calls(cell, compiled, rng):
    """No recurrence, the same input at each step: outputs of a row agree over time."""
    from seqnorm.testing.compiled import ways

    layer = recurrent_layer(
        cell, units=16, norm="none", dropout=0.5, seed=3, return_sequences=True, return_state=False
    )
    x = np.ones((3, 4, 8), "float32")  # without a seed one row in 256 would be as the first
    layer.build(x.shape)
    weights = layer.get_weights()
    of_state = [np.zeros_like(w) if w.shape[0] == 16 else w for w in weights]
    layer.set_weights(of_state)
    call = ways(layer)[0] if compiled else layer
    first = grid.numpy(call(x, training=True))
    assert np.any(first != grid.numpy(call(x, training=True)))
    assert np.any(first[0] != first[1])
    if cell == "simple_rnn":  # the others remember through their states
        np.testing.assert_allclose(first, np.repeat(first[:, :1], 4, 1), atol=1e-6)
