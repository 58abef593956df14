"""States and shapes: functional models, stacks of cells, both directions."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqnorm.cells import CELLS
from seqnorm.layers import NormLSTM, NormRNN
from tests import grid

LAST = {"return_sequences": False}


def shapes(tensors):
    return [tuple(t.shape) for t in keras.tree.flatten(tensors)]


@grid.over_pairs
def test_states_travel_through_a_functional_model(cell, norm, rng):
    """An encoder's states start a decoder; per-step statistics go on at the encoder's age."""
    encoder, decoder = grid.make(cell, norm, rng, **LAST), grid.make(cell, norm, rng)
    source = keras.Input((None, grid.FEATURES), dtype="float64")
    _, *states = encoder(source)
    model = keras.Model(source, decoder(source, initial_state=states))
    x = grid.inputs(rng)
    _, *states = encoder(x)
    for found, expected in zip(model(x), decoder(x, initial_state=states), strict=True):
        grid.assert_close(found, expected)
    if norm == "batch":
        assert np.all(grid.numpy(model(x)[-1]) == 2 * grid.STEPS)


@grid.over_pairs
def test_states_as_inputs_of_a_model(cell, norm, rng):
    layer = grid.make(cell, norm, rng)
    source = keras.Input((None, grid.FEATURES), dtype="float64")
    entries = [keras.Input((size,), dtype="float64") for size in layer.state_size]
    model = keras.Model([source, *entries], layer(source, initial_state=entries))
    x = grid.inputs(rng)
    states = [rng.normal(size=(grid.BATCH, size)) for size in layer.state_size]
    if norm == "batch":
        states[-1] = np.full((grid.BATCH, 1), 3.0)
    for a, b in zip(model([x, *states]), layer(x, initial_state=states), strict=True):
        grid.assert_close(a, b)
    assert np.any(grid.numpy(model([x, *states])[0]) != grid.numpy(layer(x)[0]))


def make_stack(cell, norm, rng, **options):
    cells = [CELLS[cell](units, norm, dtype="float64") for units in (5, grid.UNITS)]
    stack = NormRNN(cells, return_state=True, **options)
    stack.build((grid.BATCH, grid.STEPS, grid.FEATURES))
    grid.randomize(stack, rng)
    return stack


@grid.over_pairs
def test_stack_of_cells_returns_and_takes_the_states_of_each(cell, norm, rng):
    stack = make_stack(cell, norm, rng, return_sequences=True)
    x = grid.inputs(rng)
    whole, *last = stack(x)
    y, expected = x, []
    for one in stack.cells:
        y, *states = NormRNN(one, return_sequences=True, return_state=True)(y)
        expected += states[:-1] if norm == "batch" else states
    grid.assert_close(whole, y)
    flat = keras.tree.flatten(last)
    assert len(flat) == len(expected) + (norm == "batch")
    for a, b in zip(flat, expected, strict=False):
        grid.assert_close(a, b)
    first, *states = stack(x[:, :2])
    second, *states = stack(x[:, 2:], initial_state=states)
    grid.assert_close(np.concatenate([grid.numpy(first), grid.numpy(second)], 1), whole)
    for a, b in zip(keras.tree.flatten(states), flat, strict=True):
        grid.assert_close(a, b)


@grid.over_pairs
def test_a_stack_of_one_takes_back_its_states(cell, norm, rng):
    stack = NormRNN([CELLS[cell](grid.UNITS, norm, dtype="float64")], return_state=True)
    x = grid.inputs(rng)
    _, *states = stack(x)
    promised = stack.compute_output_shape(x.shape)[1:]
    assert keras.tree.map_structure(lambda s: tuple(s.shape), states) == [*promised]
    assert np.any(grid.numpy(stack(x, initial_state=states)[0]) != grid.numpy(stack(x)[0]))


def test_inputs_that_make_no_sequence_are_refused():
    layer = NormRNN(CELLS["lstm"](4))
    with pytest.raises(ValueError, match="expected ndim=3, found ndim=2"):
        layer(np.ones((5, 3), "float32"))
    with pytest.raises(ValueError, match="one time step or more"):
        layer(np.ones((2, 0, 3), "float32"))


def test_layer_and_cells_compute_alike():
    for cell in (CELLS["lstm"](4), [CELLS["gru"](4, dtype="float64"), CELLS["gru"](4)]):
        with pytest.raises(ValueError, match=r"Received: dtype=float64 with a cell of dtype=float"):
            NormRNN(cell, dtype="float64")


def test_an_age_that_half_precision_cannot_count_is_refused():
    norm = {"name": "batch", "max_steps": 257}
    layer = NormRNN(CELLS["lstm"](4, norm, dtype="mixed_bfloat16"), return_state=True)
    x = np.ones((2, 3, 3), "float32")
    _, *states = layer(x)
    with pytest.raises(ValueError, match=r"bfloat16 counts to 256\. Received: max_steps=257"):
        layer(x, initial_state=states)
    assert layer(x, initial_state=states[:-1])[-1].shape == (2, 1)  # begins at zero
    kept = NormRNN(CELLS["lstm"](4, norm, dtype="mixed_bfloat16"), stateful=True)
    with pytest.raises(ValueError, match="bfloat16 counts to 256"):  # a variable is cast as well
        kept(x)


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("state", [False, True])
@grid.over_pairs
def test_promised_shapes_are_the_real_ones(cell, norm, sequences, state, rng):
    """`compute_output_shape`, the symbolic call and the call agree; for a stack as well."""
    x = grid.inputs(rng)
    source = keras.Input(batch_shape=x.shape, dtype="float64")
    for layer in (
        grid.make(cell, norm, rng, return_sequences=sequences, return_state=state),
        make_stack(cell, norm, rng, return_sequences=sequences),
    ):
        real = layer(x)
        promised = layer.compute_output_shape(x.shape)
        promised = promised if layer.return_state else [promised]
        assert shapes(real) == _flat(promised)
        assert shapes(layer(source)) == shapes(real)


def _flat(shape):
    """Shapes out of tuples and lists of them."""
    if all(isinstance(size, int) for size in shape):
        return [tuple(shape)]
    return [flat for part in shape for flat in _flat(part)]


MERGES = {
    "concat": lambda a, b: np.concatenate([a, b], -1),
    "sum": np.add,
    "mul": np.multiply,
    "ave": lambda a, b: (a + b) / 2,
    None: lambda a, b: (a, b),
}


@pytest.mark.parametrize("merge", MERGES)
@pytest.mark.parametrize("sequences", [False, True])
@grid.over_pairs
def test_bidirectional(cell, norm, sequences, merge, rng):
    """Every merge, with states going in and coming out; the age ends each half of them."""
    layer = grid.make(cell, norm, rng, return_sequences=sequences)
    both = keras.layers.Bidirectional(layer, merge_mode=merge, dtype="float64")
    x, mask = grid.inputs(rng), grid.MASK
    both.build(x.shape)
    grid.randomize(both, rng)
    start = [rng.normal(size=(grid.BATCH, size)) for size in layer.state_size * 2]
    half = len(layer.state_size)
    if norm == "batch":
        start[half - 1], start[-1] = np.full((grid.BATCH, 1), 2.0), np.zeros((grid.BATCH, 1))
    outputs = list(both(x, mask=mask, initial_state=start))
    ahead, *states = both.forward_layer(x, mask=mask, initial_state=start[:half])
    back, *states_back = both.backward_layer(x, mask=mask, initial_state=start[half:])
    ahead, back = grid.numpy(ahead), grid.numpy(back)
    merged = MERGES[merge](ahead, back[:, ::-1] if sequences else back)
    merged = list(merged) if merge is None else [merged]
    for found, expected in zip(outputs, [*merged, *states, *states_back], strict=True):
        grid.assert_close(found, expected)
    if sequences:
        assert np.all(grid.numpy(outputs[0])[~mask] == 0)
    if norm == "batch":
        np.testing.assert_array_equal(grid.numpy(states[-1])[:, 0], np.add(grid.LENGTHS, 2))
        np.testing.assert_array_equal(grid.numpy(states_back[-1])[:, 0], grid.LENGTHS)
    assert shapes(outputs) == _flat(both.compute_output_shape(x.shape))


@pytest.mark.parametrize("implementation", ["loop", "auto"])
def test_states_of_another_batch_are_refused(implementation):
    layer = NormLSTM(4, implementation=implementation)
    states = [np.zeros((1, 4), "float32")] * 2
    with pytest.raises(ValueError, match=r"\[1, 4\].*Give one for each, \[batch=5, size\]"):
        layer(np.ones((5, 2, 3), "float32"), initial_state=states)
