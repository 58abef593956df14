"""Gradients taken outside the function that the kernels ran in: of inputs and of weights."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")
keras = pytest.importorskip("keras")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the kernels are bound to TensorFlow", allow_module_level=True)
tf = pytest.importorskip("tensorflow")

from seqnorm import NormLSTM  # noqa: E402  (after the skips)
from tests.tiers import exhaustive  # noqa: E402

WAYS = {
    "function": lambda layer, x: tf.function(lambda x: layer(x))(x),
    "branch": lambda layer, x: tf.function(
        lambda x: tf.cond(tf.size(x) > 0, lambda: layer(x), lambda: layer(-x))
    )(x),
    "map": lambda layer, x: tf.function(
        lambda x: tf.map_fn(lambda row: layer(row[None])[0], x)
    )(x),
    "vectorized map": lambda layer, x: tf.function(
        lambda x: tf.vectorized_map(lambda row: layer(row[None])[0], x)
    )(x),
    "while": lambda layer, x: tf.function(
        lambda x: tf.while_loop(
            lambda i, y: i < 2, lambda i, y: (i + 1, layer(y) + y), (0, x), maximum_iterations=2
        )[1]
    )(x),
}  # fmt: skip


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(way, marks=exhaustive) if way in ("branch", "vectorized map") else way
        for way in WAYS
    ],
)
def test_a_tape_around_the_function_gets_every_gradient(way, rng):
    x = tf.constant(rng.normal(size=(3, 5, 4)), tf.float32)
    found = {}
    for implementation in ("loop", "auto"):
        keras.utils.set_random_seed(3)
        layer = NormLSTM(4, return_sequences=True, implementation=implementation)
        layer.build(x.shape)
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.sin(WAYS[way](layer, x)))
        values = [variable.value for variable in layer.trainable_variables]
        found[implementation] = tape.gradient(loss, [x, *values])
    for expected, got in zip(found["loop"], found["auto"], strict=True):
        assert got is not None and np.abs(expected).max() > 0
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


def test_an_embedding_below_a_branch_learns(rng):
    """The gradient of the inputs is that of what made them."""
    table = tf.Variable(rng.normal(size=(9, 4)), dtype=tf.float32)
    layer = NormLSTM(4)
    layer.build((3, 5, 4))

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            x = tf.gather(table, tf.constant([[1, 2, 3, 4, 5]] * 3))
            loss = tf.reduce_sum(tf.cond(tf.size(x) > 0, lambda: layer(x), lambda: layer(-x)))
        return tf.convert_to_tensor(tape.gradient(loss, table))

    assert np.all(np.abs(step()[1:6]).max(axis=1) > 0)


def test_a_jacobian_of_the_weights_taken_eagerly_is_the_loop_s(rng):
    x = tf.constant(rng.normal(size=(3, 5, 4)), tf.float32)
    found = {}
    for implementation in ("loop", "auto"):
        keras.utils.set_random_seed(3)
        layer = NormLSTM(2, implementation=implementation)
        layer.build(x.shape)
        with tf.GradientTape(persistent=True) as tape:
            y = tf.reduce_sum(layer(x), axis=-1)
        found[implementation] = tape.jacobian(y, [v.value for v in layer.trainable_variables])
    for expected, got in zip(found["loop"], found["auto"], strict=True):
        assert np.abs(expected).max() > 0
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
