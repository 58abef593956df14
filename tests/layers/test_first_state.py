"""The state before the first step, sequences that begin with zeros, and the states of all steps."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqnorm.cells import CELLS, LayerNormLSTMCell, NormLSTMCell
from seqnorm.cells.variants import VARIANTS
from seqnorm.layers import NormLSTM, NormRNN, recurrent_layer
from tests import grid
from tests.gradients import gradients, weighted_sum
from tests.tiers import each_value


def silent(rng, zeros, steps=grid.STEPS):
    """Noise behind zeros, the number of which each row has of its own."""
    x = rng.normal(size=(len(zeros), steps, grid.FEATURES))
    x[np.arange(steps) < np.asarray(zeros)[:, None]] = 0
    return x


def fresh(cell, norm, **options):
    """A layer as a user gets it: with a bias of zeros, which leaves the state at zero."""
    keras.utils.set_random_seed(0)
    layer = recurrent_layer(cell, units=grid.UNITS, norm=norm, dtype="float64", **options)
    layer.build((grid.BATCH, grid.STEPS, grid.FEATURES))
    return layer


def of_weights(layer, x, **options):
    def loss(x):
        return weighted_sum(layer(x, training=True, **options))

    return gradients(loss, layer, x)[:-1]


@each_value
@grid.over_grid
def test_twelve_zeros_ahead_leave_the_gradient_bounded(cell, norm, rng):
    """As published it grows by up to 1 / (4 ε) with each, but for norms without that slope."""
    x = silent(rng, [12] * 4, 14)
    # Its initial gain, 0.1, would hide the growth.
    full = {"name": "batch", "gamma_initializer": "ones"} if norm == "batch" else norm
    largest = {}
    for kind in ("rest", "zeros"):
        with np.errstate(all="ignore"):
            found = of_weights(fresh(cell, full, init_state=kind), x)
        largest[kind] = max(np.max(np.abs(g)) for g in found if g.size)
    assert largest["rest"] < 1e3
    if norm in ("none", "dyt"):
        assert largest["zeros"] == largest["rest"]
    else:
        assert not largest["zeros"] < 1e3 * largest["rest"]


@pytest.mark.parametrize("cell", CELLS)
def test_noise_bounds_batch_norm_where_a_whole_batch_has_left_zero_together(cell, rng):
    """Rows that are the same keep the slope γ / sqrt(ε); at rest are only those at zero."""
    x = silent(rng, [20] * 4, 22)
    largest = {}
    for kind in ("noise", "rest"):
        layer = fresh(cell, "batch", init_state=kind)
        layer.cell.bias.assign(rng.normal(scale=0.01, size=layer.cell.bias.shape))
        with np.errstate(all="ignore"):
            found = of_weights(layer, x)
        largest[kind] = max(np.max(np.abs(g)) for g in found if g.size)
    assert largest["noise"] < 1e3
    if cell == "lstm":  # the others' slopes are smaller, and may cancel
        assert not largest["rest"] < 1e3  # or docs/leading_zeros.md has to say something else


@each_value
@grid.over_grid
def test_without_zeros_ahead_nothing_changes(cell, norm, rng):
    x = rng.normal(size=(grid.BATCH, grid.STEPS, grid.FEATURES))
    for a, b in zip(
        of_weights(fresh(cell, norm), x),
        of_weights(fresh(cell, norm, init_state="zeros"), x),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("norm", ["none", "dyt"])
@pytest.mark.parametrize("cell", CELLS)
def test_norms_that_do_not_amplify_keep_their_exact_gradient(cell, norm, rng):
    x = silent(rng, [3, 0, 6])
    for a, b in zip(
        of_weights(fresh(cell, norm), x),
        of_weights(fresh(cell, norm, init_state="zeros"), x),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_kernels_end_the_gradient_where_the_loop_does(cell, masked, rng):
    """Rows with no, some and nothing but zeros, also where padding or the end follows."""
    x = silent(rng, [0, 1, 3, 4, 6])
    mask = grid.right_padded([6, 4, 3, 6, 5]) if masked else None
    options = {"return_sequences": True, "return_state": True}
    found = [
        of_weights(fresh(cell, "layer", implementation=how, **options), x, mask=mask)
        for how in ("loop", "auto")
    ]
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def test_the_growth_is_that_of_the_formula(rng):
    """∂h_t/∂h_{t-1} = (U P)_g P / (4 ε) at h = c = x = b = 0 (docs/leading_zeros.md)."""
    layer = fresh("lstm", "layer", init_state="zeros", implementation="loop")
    units, epsilon = grid.UNITS, 1e-5
    h = np.zeros((units, units))
    x, c = np.zeros((units, 1, grid.FEATURES)), np.zeros((units, units))
    (*_, jacobian) = gradients(
        lambda h: keras.ops.sum(layer(x, initial_state=[h, c]) * np.eye(units)), layer, h
    )
    u = grid.numpy(layer.cell.recurrent_kernel)
    centred = (u - u.mean(1, keepdims=True))[:, 2 * units : 3 * units]
    expected = centred @ (np.eye(units) - 1 / units) / (4 * epsilon)
    np.testing.assert_allclose(jacobian, expected.T, rtol=1e-9, atol=1e-6)


def test_what_is_published_starts_as_published():
    """Variants and TensorFlow Addons' cells have the exact gradient, unless told otherwise."""
    for cell, known in VARIANTS.items():
        for variant in known:
            assert CELLS[cell](4, variant=variant).init_state == "zeros"
    assert CELLS["lstm"](4, variant="paper", init_state="rest").init_state == "rest"
    assert LayerNormLSTMCell(4).init_state == "zeros"
    again = LayerNormLSTMCell.from_config(LayerNormLSTMCell(4, init_state="rest").get_config())
    assert again.init_state == "rest"


@grid.over_pairs
def test_a_learned_first_state_is_trained_and_saved(cell, norm, rng, tmp_path):
    """In both directions one of its own; the weights come last, and only where they are asked."""
    plain, layer = fresh(cell, norm), fresh(cell, norm, init_state="learned", init_stddev=0.5)
    states = 2 if cell == "lstm" else 1
    assert len(layer.trainable_weights) == len(plain.trainable_weights) + states
    x = grid.inputs(rng)
    given = [np.tile(grid.numpy(w), (grid.BATCH, 1)) for w in layer.cell.first]
    grid.assert_close(layer(x), layer(x, initial_state=given))
    assert all(np.any(g != 0) for g in of_weights(layer, x)[-states:])
    both = keras.layers.Bidirectional(layer)
    model = keras.Sequential([keras.Input((None, grid.FEATURES), dtype="float64"), both])
    ahead, back = (each.cell.first[0] for each in (both.forward_layer, both.backward_layer))
    assert np.any(grid.numpy(ahead) != grid.numpy(back))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    grid.assert_close(loaded(x), model(x))


def test_a_learned_first_state_in_keras_own_layer_and_in_a_stack(rng):
    x = grid.inputs(rng)
    cells = [
        NormLSTMCell(4, "layer", init_state=kind, dtype="float64") for kind in ("learned", "rest")
    ]
    ours = NormRNN(cells)
    # The stack that Keras makes of a list rounds its inputs to float32.
    grid.assert_close(keras.layers.RNN(cells, dtype="float64")(x), ours(x), "float32")
    assert np.any(grid.numpy(cells[0].first[0]) != 0)


def test_a_stateful_layer_starts_from_the_learned_state(rng, tmp_path):
    """Also after `reset_state`, and after the weights were loaded or trained further."""
    x = grid.inputs(rng)
    free = fresh("gru", "layer", init_state="learned", return_sequences=True)
    layer = fresh("gru", "layer", init_state="learned", return_sequences=True, stateful=True)
    layer.set_weights([w + 0.1 for w in free.get_weights()])
    layer.set_weights(free.get_weights())
    for _ in range(2):
        halves = [grid.numpy(layer(part)) for part in (x[:, :2], x[:, 2:])]
        grid.assert_close(np.concatenate(halves, 1), free(x))
        layer.reset_state()
    assert np.any(of_weights(layer, x)[-1] != 0)


@grid.over_pairs
def test_noise_is_drawn_in_training_only(cell, norm, rng):
    x = grid.inputs(rng)
    layer = fresh(cell, norm, init_state="noise", init_stddev=0.5, seed=3)
    plain = fresh(cell, norm)
    plain.set_weights(layer.get_weights())
    grid.assert_close(layer(x), plain(x))
    first, second = (grid.numpy(layer(x, training=True)) for _ in range(2))
    assert np.all(np.any(first != second, axis=-1))
    again = fresh(cell, norm, init_state="noise", init_stddev=0.5, seed=3)
    np.testing.assert_array_equal(first, grid.numpy(again(x, training=True)))


def test_first_states_that_cannot_be_are_refused(rng):
    with pytest.raises(ValueError, match="Choose one of: rest, zeros, learned, noise"):
        NormLSTM(4, init_state="random")
    with pytest.raises(ValueError, match=r"Received: init_stddev=-1\."):
        NormLSTM(4, init_stddev=-1.0)
    with pytest.raises(ValueError, match="no place for noise"):
        NormLSTM(4, init_state="noise", stateful=True)
    with pytest.raises(ValueError, match=r"Use seqnorm\.NormRNN\(cell\)"):
        keras.layers.RNN(NormLSTMCell(4, init_state="noise"))(grid.inputs(rng), training=True)
    with pytest.raises(ValueError, match="once it is built"):
        NormLSTM(4, init_state="learned").get_initial_state(2)
    with pytest.raises(ValueError, match="return_state='every'"):
        NormLSTM(4, return_state="every")


@pytest.mark.parametrize("backwards", [False, True])
@grid.over_pairs
def test_states_of_all_steps(cell, norm, backwards, rng):
    """Where a row stands at step t, its states are the last ones of the sequence up to there."""
    layer = grid.make(cell, norm, rng, return_state="all", go_backwards=backwards)
    x, mask = grid.inputs(rng), grid.MASK
    start = [rng.normal(size=(grid.BATCH, size)) for size in layer.state_size]
    if norm == "batch":
        start[-1] = np.full((grid.BATCH, 1), 2.0)
    outputs, *states = layer(x, mask=mask, initial_state=start)
    layer.return_state = True
    for t in range(grid.STEPS):
        seen, part = (x[:, -1 - t :], mask[:, -1 - t :]) if backwards else (x[:, : t + 1], None)
        if backwards and norm == "batch":
            continue  # a suffix has other steps; the last one is compared below
        part = mask[:, : t + 1] if part is None else part
        _, *expected = layer(seen, mask=part, initial_state=start)
        for all_steps, last in zip(states, expected, strict=True):
            grid.assert_close(all_steps[:, t], last)
    _, *expected = layer(x, mask=mask, initial_state=start)
    for all_steps, last in zip(states, expected, strict=True):
        grid.assert_close(all_steps[:, -1], last)
    alive = mask[:, ::-1] if backwards else mask
    grid.assert_close(grid.numpy(states[0])[alive], grid.numpy(outputs)[alive])


@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_states_of_all_steps_of_a_stack_in_both_directions_saved(norm, rng, tmp_path):
    x = grid.inputs(rng)
    cells = [NormLSTMCell(units, norm, dtype="float64") for units in (5, grid.UNITS)]
    stack = NormRNN(cells, return_state="all")
    source = keras.Input((grid.STEPS, grid.FEATURES), dtype="float64")
    model = keras.Model(source, stack(source))
    found = keras.tree.flatten(model(x))
    assert [tuple(s.shape)[1:] for s in found[1:]] == [
        (grid.STEPS, size) for size in keras.tree.flatten(stack.state_size)
    ]
    both = keras.layers.Bidirectional(NormLSTM(4, norm, return_state="all", dtype="float64"))
    model = keras.Model(source, both(source))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for a, b in zip(loaded(x), model(x), strict=True):
        grid.assert_close(a, b)
