"""A call that the backward pass makes anew gives the gradient of the first one."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqnorm import NormLSTM
from tests import grid

pytestmark = grid.tensorflow_only
X = np.random.default_rng(5).normal(size=(4, 5, 3)).astype("float32")


def trained(implementation, policy, graph, wrap):
    import tensorflow as tf

    keras.utils.set_random_seed(3)
    norm = {"name": "batch", "small_batch": policy}
    layer = NormLSTM(3, norm, return_sequences=True, implementation=implementation)
    layer.build(X.shape)
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


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("policy", ["shrink", "running", "renorm"])
@pytest.mark.parametrize("implementation", ["loop", "auto"])
def test_recomputed_batch_statistics(implementation, policy, graph):
    plain = trained(implementation, policy, graph, lambda call: call)
    again = trained(implementation, policy, graph, keras.remat)
    assert np.abs(plain[0]).max() > 0
    for expected, found in zip(plain, again, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


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
