"""Every invariant in every case: cells x normalisers x precisions x maskings.

Each case is computed once, eagerly, on a small shape; a test compares that with another way to
compute the same. `tests.grid.EXEMPT` names the cases that are left out, and why.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import keras
import numpy as np
import pytest

from tests import grid
from tests.case import case, inferred, trained
from tests.reference import np_statistics

# In units of the tolerance: gradients pass through more roundings than outputs do, and against the
# reference in float64 the rounding of weights and inputs to half precision counts as well.
OF_GRADIENT, OF_WEIGHTS = 4, 2


@cache
def reference(cell: str, norm: str, masking: str, training: bool) -> tuple[Any, dict[str, Any]]:
    """What NumPy makes of the weights in float64, and the tables of statistics afterwards."""
    it = case(cell, norm, "float64", masking, "loop")
    it.reset()
    found = grid.oracle(it.layer, it.x, it.mask, training=training)
    tables = {}
    for name, each in it.layer.cell.normalizers.items():
        if each.time_aware:
            tables[name] = grid.table(each)
            if training:
                site = {"output": "state"}.get(name, name)
                tables[name] = np_statistics.fold(
                    tables[name], found.statistics[site], each.momentum
                )
    return found, tables


@pytest.fixture
def key(cell, norm, dtype, masking, implementation):
    return cell, norm, dtype, masking, implementation


def assert_all_close(found, expected, dtype, factor=1.0):
    for a, b in zip(found, expected, strict=True):
        grid.assert_close(a, b, dtype, factor)


@grid.over_cases("reference")
def test_outputs_states_and_statistics_are_those_of_the_reference(key):
    cell, norm, dtype, masking, _ = key
    it = case(*key)
    for training in (False, True) if it.layer.time_aware else (True,):
        expected, tables = reference(cell, norm, masking, training)
        (outputs, *states), after = trained(*key)[:2] if training else inferred(*key)
        assert_all_close([outputs, *states[: len(expected.states)]],
                         [expected.outputs, *expected.states], dtype, OF_WEIGHTS)  # fmt: skip
        found = dict(zip(map(id, it.layer.non_trainable_variables), after, strict=True))
        for name, want in tables.items():
            each = it.layer.cell.normalizers[name]
            for variable, value in (
                (each.moving_mean, want.mean),
                (each.moving_variance, want.variance),
                (each.count, want.count[:, None]),
            ):
                np.testing.assert_allclose(
                    found[id(variable)], value, rtol=1e-6, atol=grid.TOLERANCE[dtype]
                )
        if not training:
            it.reset()
            assert all(np.array_equal(a, b) for a, b in zip(it.statistics(), after, strict=True))


@grid.over_cases("finite_differences")
def test_gradient_is_that_of_finite_differences(key, rng):
    """Along one random direction through all weights and inputs."""
    it = case(*key)
    found = trained(*key).gradient
    assert it.mask is None or np.all(found[-1][~it.mask] == 0)
    directions = [rng.normal(size=g.shape) for g in found]

    def value(t):
        it.layer.set_weights(it.start)
        for variable, d in zip(it.layer.trainable_variables, directions, strict=False):
            variable.assign(variable + t * d)
        return float(grid.numpy(it.scalar(it.x + t * directions[-1], it.mask)[0]))

    step = 3e-6  # LN at h = 0 is steep: larger steps see its curvature
    expected = (value(step) - value(-step)) / (2 * step)
    it.layer.set_weights(it.start)
    along = sum(np.sum(g * d) for g, d in zip(found, directions, strict=True))
    np.testing.assert_allclose(along, expected, rtol=1e-6, atol=1e-6)


@grid.over_cases("gradient")
def test_gradient_is_that_in_float64(key):
    cell, norm, dtype, masking, _ = key
    exact = trained(cell, norm, "float64", masking, "loop").gradient
    assert_gradients_close(trained(*key).gradient, exact, dtype)


def assert_gradients_close(found, expected, dtype):
    """By the largest one: a small gradient can be the difference of large ones."""
    most = max(np.abs(g).max() for g in expected)
    assert_all_close(found, expected, dtype, OF_GRADIENT * max(most, 1))


@grid.over_cases("more_padding")
def test_more_padding_changes_no_output_gradient_or_statistic(key):
    it, dtype, more = case(*key), key[2], 1
    mask = np.ones(it.x.shape[:2], bool) if it.mask is None else it.mask
    sides = (more, 0) if key[3] == "left" else (0, more)
    x = np.pad(it.x, ((0, 0), sides, (0, 0)), constant_values=1e3)
    mask = np.pad(mask, ((0, 0), sides))
    window = slice(sides[0], sides[0] + grid.SHORT)
    (outputs, *states), after, (*of_weights, of_input) = it.train(x, mask, window)
    (before, *old), moved, gradient = trained(*key)
    assert_all_close([outputs[:, window], *states, *after], [before, *old, *moved], dtype)
    assert np.all(of_input[~mask] == 0)
    assert_gradients_close([*of_weights, of_input[:, window]], gradient, dtype)


@grid.over_cases("empty_row")
def test_empty_row_keeps_its_state_and_gets_no_gradient(key, rng):
    it, empty = case(*key), 1
    start = [rng.normal(size=(len(it.x), size)) for size in it.layer.state_size]
    if it.layer.time_aware:
        start[-1][:] = 0
    (outputs, *states), _ = it.run(True, initial_state=start)
    for state, before in zip(states, start, strict=True):
        grid.assert_close(state[empty], before[empty], key[2], 0.5)
    assert np.all(outputs[empty] == 0)
    assert np.all(trained(*key).gradient[-1][empty] == 0)


@grid.over_cases("permuted")
def test_permuted_rows_give_permuted_outputs(key):
    it, order = case(*key), [2, 0, 1]
    found, after = it.run(True, it.x[order], None if it.mask is None else it.mask[order])
    expected, moved, _ = trained(*key)
    assert_all_close([*found, *after], [*(y[order] for y in expected), *moved], key[2])


@grid.over_cases("mates")
def test_row_depends_on_its_mates_only_through_batch_norm_in_training(key):
    it = case(*key)
    x = it.x.copy()
    x[1:] *= -2
    training = not it.layer.time_aware
    found, _ = it.run(training, x, it.mask)
    expected = trained(*key).outputs if training else inferred(*key)[0]
    for a, b in zip(found, expected, strict=True):
        grid.assert_close(a[0], b[0], key[2], 0.1)


@grid.over_cases("chunks")
def test_chunks_with_carried_state_equal_one_shot(key):
    it = case(*key)
    it.reset()
    states, parts = None, []
    for chunk in (slice(0, 1), slice(1, grid.SHORT)):
        mask = None if it.mask is None else it.mask[:, chunk]
        part, *states = it.layer(it.x[:, chunk], mask=mask, initial_state=states, training=True)
        parts.append(grid.numpy(part))
    valid = slice(None) if it.mask is None else it.mask
    (outputs, *last), moved, _ = trained(*key)
    found = [np.concatenate(parts, 1)[valid], *states, *it.statistics()]
    assert_all_close(found, [outputs[valid], *last, *moved], key[2])


@cache
def both_directions(cell: str, norm: str, dtype: str, implementation: str) -> Any:
    rng = np.random.default_rng(3)
    layer = grid.make(
        cell, norm, rng, dtype=dtype, implementation=implementation, return_state=False
    )
    wrapped = keras.layers.Bidirectional(layer, dtype=dtype)
    wrapped.build((3, grid.SHORT, grid.FEATURES))
    grid.randomize(wrapped, rng)
    return wrapped


@cache
def row_by_row(cell: str, norm: str, masking: str) -> list[np.ndarray]:
    """What NumPy makes of each row without its padding, in both directions, in float64."""
    it, wrapped = (
        case(cell, norm, "float64", masking, "loop"),
        both_directions(cell, norm, "float64", "loop"),
    )
    mask = np.ones(it.x.shape[:2], bool) if it.mask is None else it.mask
    expected = []
    for x, valid in zip(it.x, mask, strict=True):
        alone, found = x[None, valid], np.zeros((1, 0, 2 * grid.UNITS))
        if np.any(valid):
            ahead = grid.oracle(wrapped.forward_layer, alone, training=False).outputs
            back = grid.oracle(wrapped.backward_layer, alone[:, ::-1], training=False).outputs
            found = np.concatenate([ahead, back[:, ::-1]], -1)
        expected.append(found[0])
    return expected


@grid.over_cases("bidirectional")
def test_bidirectional_equals_two_unpadded_loops(key):
    cell, norm, dtype, masking, implementation = key
    it, wrapped = case(*key), both_directions(cell, norm, dtype, implementation)
    outputs = grid.numpy(wrapped(it.x, mask=it.mask))
    valid = np.ones(it.x.shape[:2], bool) if it.mask is None else it.mask
    expected = np.concatenate(row_by_row(cell, norm, masking))
    grid.assert_close(outputs[valid], expected, dtype, OF_WEIGHTS)


@grid.over_cases("keras_rnn")
def test_layer_equals_keras_rnn_around_the_same_cell(key):
    it = case(*key)
    plain = keras.layers.RNN(
        it.layer.cell, return_sequences=True, return_state=True, dtype=it.layer.dtype_policy
    )
    assert_all_close(plain(it.x, mask=it.mask), trained(*key).outputs, key[2])
