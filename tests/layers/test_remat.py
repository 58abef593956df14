"""A call that the backward pass makes anew gives the gradient of the first one."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqnorm import NormLSTM
from tests import grid
from tests.tiers import exhaustive

torch_only = pytest.mark.skipif(grid.BACKEND != "torch", reason="torch.utils.checkpoint")
X = np.random.default_rng(5).normal(size=(4, 5, 3)).astype("float32")


REST = [("shrink", False), ("running", False), ("running", True), ("naive", False), ("naive", True)]


def batch_normalised(policy, implementation):
    keras.utils.set_random_seed(3)
    norm = {"name": "batch", "small_batch": policy}
    layer = NormLSTM(3, norm, return_sequences=True, implementation=implementation)
    layer.build(X.shape)
    return layer


def trained(implementation, policy, graph, wrap):
    import tensorflow as tf

    layer = batch_normalised(policy, implementation)
    once = wrap(lambda x: layer(x, training=True))
    both = wrap(lambda x: once(layer(x, training=True)))  # nested, and two calls in one pass

    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.sin(both(once(x))))
        return tape.gradient(loss, [x, *(v.value for v in layer.trainable_variables)])

    step = tf.function(step) if graph else step
    for _ in range(2):
        slopes = step(tf.constant(X))
    return [*map(np.array, slopes), *map(grid.numpy, layer.non_trainable_variables)]


@grid.tensorflow_only
@pytest.mark.parametrize(
    ("implementation", "policy", "graph"),
    [
        ("auto", "shrink", True),
        *(pytest.param("auto", *each, marks=exhaustive) for each in REST),
        *(pytest.param("loop", "renorm", graph, marks=exhaustive) for graph in (False, True)),
    ],
)
def test_recomputed_batch_statistics(implementation, policy, graph):
    plain = trained(implementation, policy, False, lambda call: call)
    again = trained(implementation, policy, graph, keras.remat)
    assert np.abs(plain[0]).max() > 0
    for expected, found in zip(plain, again, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@grid.tensorflow_only
@pytest.mark.parametrize(
    "options", [{"dropout": 0.5}, {"recurrent_dropout": 0.5}, {"zoneout": 0.5}]
)
def test_recomputed_dropout_is_that_of_the_output(options):
    """Which Keras's own is not on TensorFlow: see findings/keras_remat_draws_dropout_again.sh."""
    import tensorflow as tf

    found = []
    for wrap in (lambda call: call, keras.remat):
        keras.utils.set_random_seed(3)
        layer = NormLSTM(3, "layer", seed=5, **options)
        layer.build(X.shape)
        call = wrap(lambda x, layer=layer: layer(x, training=True))
        x = tf.constant(X)
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.sin(call(x)))
        slopes = tape.gradient(loss, [x, *(v.value for v in layer.trainable_variables)])
        found.append([loss, *slopes, *(v.value for v in layer.non_trainable_variables)])
    for expected, again in zip(*found, strict=True):
        np.testing.assert_allclose(again, expected, rtol=1e-5, atol=1e-6)


@torch_only
@pytest.mark.parametrize("policy", ["shrink", "running", "renorm", "naive"])
def test_recomputed_batch_statistics_of_torch(policy):
    import torch

    found = []
    for wrap in (lambda call: call, keras.remat):
        layer = batch_normalised(policy, "loop")
        call = wrap(lambda x, layer=layer: layer(x, training=True))
        for _ in range(2):
            x = torch.tensor(X, requires_grad=True)
            loss = torch.sin(call(call(x))).sum()
            slopes = torch.autograd.grad(loss, [x, *(v.value for v in layer.trainable_variables)])
        found.append([*map(grid.numpy, slopes), *map(grid.numpy, layer.non_trainable_variables)])
    for expected, again in zip(*found, strict=True):
        np.testing.assert_allclose(again, expected, rtol=1e-5, atol=1e-6)


@torch_only
@pytest.mark.parametrize("implementation", ["loop", "auto"])
def test_recomputed_batch_statistics_of_torch_s_own_function(implementation):
    import torch
    from torch.utils.checkpoint import checkpoint

    def reentrant(call):
        return lambda x: checkpoint(call, x, use_reentrant=True)

    found = []
    for wrap in (lambda call: call, reentrant):
        layer = batch_normalised("shrink", implementation)
        once = wrap(lambda x, layer=layer: layer(x, training=True))
        twice = wrap(lambda x, layer=layer: layer(layer(x, training=True), training=True))
        for _ in range(2):
            x = torch.tensor(X, requires_grad=True)
            torch.sin(twice(once(x))).sum().backward()  # which alone such a checkpoint allows
        slopes = [x.grad, *(v.value.grad for v in layer.trainable_variables)]
        found.append([*map(grid.numpy, slopes), *map(grid.numpy, layer.non_trainable_variables)])
    assert np.abs(found[0][0]).max() > 0
    for expected, again in zip(*found, strict=True):
        np.testing.assert_allclose(again, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(grid.BACKEND != "jax", reason="jax.checkpoint")
def test_recomputed_batch_statistics_of_jax():
    import jax

    layer = batch_normalised("shrink", "loop")
    variables = layer.trainable_variables, layer.non_trainable_variables
    values = [[v.value for v in each] for each in variables]

    def trained(wrap):
        def loss(weights, state):
            call = wrap(lambda *values: layer.stateless_call(*values, X, training=True))
            y, state = call(weights, state)
            return jax.numpy.sin(y).sum(), state

        return jax.value_and_grad(loss, has_aux=True)(*values)

    expected, again = (jax.tree.leaves(trained(wrap)) for wrap in (lambda f: f, jax.checkpoint))
    for one, other in zip(expected, again, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-6)


@grid.tensorflow_only
def test_a_second_gradient_of_a_recomputed_call_is_refused():
    import tensorflow as tf

    layer = NormLSTM(3, "batch")
    layer.build(X.shape)
    x = tf.constant(X)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = keras.remat(lambda x: layer(x, training=True))(x)
    assert tape.gradient(y, x) is not None
    with pytest.raises(RuntimeError, match="Take one gradient, soon after the call"):
        tape.gradient(y, x)
