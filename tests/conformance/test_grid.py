"""Every invariant in every case: cells x normalisers x precisions x maskings.

Each case is computed once, eagerly, on a small shape; a test compares that with another way to
compute the same. `tests.grid.EXEMPT` names the cases that are left out, and why.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest

from tests import grid
from tests.gradients import gradients, weighted_sum
from tests.reference import np_statistics

# In units of the tolerance: gradients pass through more roundings than outputs do, and against the
# reference in float64 the rounding of weights and inputs to half precision counts as well.
OF_GRADIENT, OF_WEIGHTS = 4, 2


class Case(NamedTuple):
    """A layer with its inputs, and what came out of it."""

    layer: Any
    x: np.ndarray
    mask: np.ndarray | None
    start: list[np.ndarray]

    def run(self, training: bool, x: Any = None, mask: Any = None, **kwargs: Any) -> Any:
        """Outputs and states, and the statistics afterwards, from the starting weights on."""
        self.reset()
        x, mask = (self.x, self.mask) if x is None else (x, mask)
        found = [grid.numpy(y) for y in self.layer(x, mask=mask, training=training, **kwargs)]
        return found, self.statistics()

    def reset(self) -> None:
        """Start anew; without running statistics no call changes anything."""
        if self.layer.time_aware:
            self.layer.set_weights(self.start)

    def statistics(self) -> list[np.ndarray]:
        return [grid.numpy(v) for v in self.layer.non_trainable_variables]

    def gradient(self, x: Any = None, mask: Any = None, window: slice = slice(None)) -> Any:
        """Of a scalar of the outputs at valid steps inside the window and of the last states."""
        self.reset()
        x, mask = (self.x, self.mask) if x is None else (x, mask)
        return gradients(lambda x: self.scalar(x, mask, window), self.layer, x)

    def scalar(self, x: Any, mask: Any, window: slice = slice(None)) -> Any:
        outputs, *states = self.layer(x, mask=mask, training=True)
        outputs, *states = [keras.ops.cast(y, "float64") for y in (outputs, *states)]
        outputs = outputs[:, window]
        if mask is not None:
            outputs = outputs * mask[:, window, None]
        return weighted_sum([outputs, states[: 2 if self.layer.cell.NAME == "lstm" else 1]])


@cache
def layer_of(cell: str, norm: str, dtype: str, implementation: str) -> tuple[Any, Any]:
    rng = np.random.default_rng(7)
    layer = grid.make(cell, norm, rng, dtype=dtype, implementation=implementation)
    return layer, layer.get_weights()


@cache
def case(cell: str, norm: str, dtype: str, masking: str, implementation: str) -> Case:
    layer, start = layer_of(cell, norm, dtype, implementation)
    mask = grid.MASKINGS[masking]
    x = grid.inputs(np.random.default_rng(8), 3 if mask is None else len(mask), grid.SHORT)
    return Case(layer, x, mask, start)


@cache
def known(*key: str, training: bool = True) -> Any:
    return case(*key).run(training)


@cache
def known_gradient(*key: str) -> list[np.ndarray]:
    return case(*key).gradient()


@pytest.fixture
def key(cell, norm, dtype, masking, implementation):
    return cell, norm, dtype, masking, implementation


def assert_all_close(found, expected, dtype, factor=1.0):
    for a, b in zip(found, expected, strict=True):
        grid.assert_close(a, b, dtype, factor)


@grid.over_cases("reference")
def test_outputs_states_and_statistics_are_those_of_the_reference(key):
    it, dtype = case(*key), key[2]
    for training in (False, True) if it.layer.time_aware else (True,):
        it.reset()
        start = it.statistics()
        expected = grid.oracle(it.layer, it.x, it.mask, training=training)
        norms = {name: n for name, n in it.layer.cell.normalizers.items() if n.time_aware}
        before = {name: grid.table(n) for name, n in norms.items()}
        (outputs, *states), after = known(*key, training=training)
        assert_all_close([outputs, *states[: len(expected.states)]],
                         [expected.outputs, *expected.states], dtype, OF_WEIGHTS)  # fmt: skip
        it.run(training)
        for name, norm in norms.items():
            site = {"output": "state"}.get(name, name)
            want = before[name]
            if training:
                want = np_statistics.fold(want, expected.statistics[site], norm.momentum)
            found = grid.table(norm)
            for a, b in (
                (found.mean, want.mean),
                (found.variance, want.variance),
                (found.count, want.count),
            ):
                np.testing.assert_allclose(a, b, rtol=1e-6, atol=grid.TOLERANCE[dtype])
        if not training:
            assert all(np.array_equal(a, b) for a, b in zip(start, after, strict=True))


@grid.over_cases("finite_differences")
def test_gradient_is_that_of_finite_differences(key, rng):
    """Along one random direction through all weights and inputs."""
    it = case(*key)
    found = known_gradient(*key)
    assert it.mask is None or np.all(found[-1][~it.mask] == 0)
    directions = [rng.normal(size=g.shape) for g in found]

    def value(t):
        it.layer.set_weights(it.start)
        for variable, d in zip(it.layer.trainable_variables, directions, strict=False):
            variable.assign(variable + t * d)
        return float(grid.numpy(it.scalar(it.x + t * directions[-1], it.mask)))

    step = 3e-6  # LN at h = 0 is steep: larger steps see its curvature
    expected = (value(step) - value(-step)) / (2 * step)
    it.layer.set_weights(it.start)
    along = sum(np.sum(g * d) for g, d in zip(found, directions, strict=True))
    np.testing.assert_allclose(along, expected, rtol=1e-6, atol=1e-6)


@grid.over_cases("gradient")
def test_gradient_is_that_in_float64(key):
    cell, norm, dtype, masking, _ = key
    exact = known_gradient(cell, norm, "float64", masking, "loop")
    assert_gradients_close(known_gradient(*key), exact, dtype)


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
    (outputs, *states), after = it.run(True, x, mask)
    (before, *old), moved = known(*key)
    assert_all_close([outputs[:, window], *states, *after], [before, *old, *moved], dtype)
    *of_weights, of_input = it.gradient(x, mask, window)
    assert np.all(of_input[~mask] == 0)
    assert_gradients_close([*of_weights, of_input[:, window]], known_gradient(*key), dtype)


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
    assert np.all(known_gradient(*key)[-1][empty] == 0)


@grid.over_cases("permuted")
def test_permuted_rows_give_permuted_outputs(key):
    it, order = case(*key), [2, 0, 1]
    found, after = it.run(True, it.x[order], None if it.mask is None else it.mask[order])
    expected, moved = known(*key)
    assert_all_close([*found, *after], [*(y[order] for y in expected), *moved], key[2])


@grid.over_cases("mates")
def test_row_depends_on_its_mates_only_through_batch_norm_in_training(key):
    it = case(*key)
    x = it.x.copy()
    x[1:] *= -2
    training = not it.layer.time_aware
    found, _ = it.run(training, x, it.mask)
    for a, b in zip(found, known(*key, training=training)[0], strict=True):
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
    (outputs, *last), moved = known(*key)
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


@grid.over_cases("bidirectional")
def test_bidirectional_equals_two_unpadded_loops(key):
    cell, norm, dtype, _, implementation = key
    it, wrapped = case(*key), both_directions(cell, norm, dtype, implementation)
    outputs = grid.numpy(wrapped(it.x, mask=it.mask))
    mask = np.ones(it.x.shape[:2], bool) if it.mask is None else it.mask
    for x, valid, output in zip(it.x, mask, outputs, strict=True):
        if not np.any(valid):
            continue
        alone = x[None, valid]
        ahead = grid.oracle(wrapped.forward_layer, alone, training=False).outputs
        back = grid.oracle(wrapped.backward_layer, alone[:, ::-1], training=False).outputs
        expected = np.concatenate([ahead, back[:, ::-1]], -1)[0]
        grid.assert_close(output[valid], expected, dtype, OF_WEIGHTS)


@grid.over_cases("keras_rnn")
def test_layer_equals_keras_rnn_around_the_same_cell(key):
    it = case(*key)
    plain = keras.layers.RNN(
        it.layer.cell, return_sequences=True, return_state=True, dtype=it.layer.dtype_policy
    )
    assert_all_close(plain(it.x, mask=it.mask), known(*key)[0], key[2])
