"""The layer inside Keras models of every style."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqnorm.layers import recurrent_layer
from tests import grid
from tests.gradients import gradients

UNITS = 4
PLAIN = {"return_sequences": False, "return_state": False}
eager_backend = pytest.mark.skipif(
    grid.BACKEND == "torch",
    reason="Keras on torch has no steps_per_execution and no stable jit",
)


def counts(layer):
    """What each row of each running table has seen."""
    return [grid.numpy(w) for w in layer.non_trainable_variables if w.name == "count"]


@pytest.mark.parametrize("items", [3, None])
@grid.over_pairs
def test_time_distributed(cell, norm, items, rng):
    """A sequence per item, whether or not the number of items is static."""
    if items is None and (grid.BACKEND == "torch" or norm == "batch"):
        pytest.skip("torch has no dynamic shapes; vectorised assertions differ between backends")
    layer = grid.make(cell, norm, rng, **PLAIN)
    wrapped = keras.layers.TimeDistributed(layer, dtype="float64")
    x = rng.normal(size=(2, 3, grid.STEPS, grid.FEATURES))
    source = keras.Input((items, grid.STEPS, grid.FEATURES), batch_size=2, dtype="float64")
    model = keras.Model(source, wrapped(source))
    expected = np.stack([grid.numpy(layer(x[:, i])) for i in range(3)], 1)
    grid.assert_close(model(x), expected)


class SubClassed(keras.Model):
    def __init__(self, layer, **kwargs):
        super().__init__(**kwargs)
        self.recurrent = layer
        self.head = keras.layers.Dense(1)

    def call(self, x, mask=None, training=False):
        return self.head(self.recurrent(x, mask=mask, training=training))


@grid.over_pairs
def test_subclassed_model_trains_every_weight(cell, norm, rng):
    layer = grid.make(cell, norm, rng, dtype="float32", **PLAIN)
    model = SubClassed(layer)
    assert len(model.trainable_variables) == len(layer.trainable_variables)
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=grid.BACKEND != "jax")
    x = grid.inputs(rng).astype("float32")
    before, seen = layer.get_weights(), counts(layer)
    model.fit(x, np.ones((len(x), 1)), verbose=0, batch_size=len(x))
    assert len(model.trainable_variables) == len(layer.trainable_variables) + 2
    for variable, old in zip(layer.weights, before, strict=True):
        if variable.trainable:
            assert np.any(grid.numpy(variable) != old), variable.path
    for old, new in zip(seen, counts(layer), strict=True):
        np.testing.assert_allclose(new[: grid.STEPS], 0.99 * old[: grid.STEPS] + len(x), rtol=1e-5)


@grid.over_pairs
def test_masking_layer_in_a_sequential_model(cell, norm, rng):
    layer = grid.make(cell, norm, rng, **PLAIN)
    masking = keras.layers.Masking(-1.0, dtype="float64")
    model = keras.Sequential([keras.Input((None, grid.FEATURES), dtype="float64"), masking, layer])
    x = grid.inputs(rng)
    grid.assert_close(model(np.where(grid.MASK[..., None], x, -1.0)), layer(x, mask=grid.MASK))


@grid.over_pairs
def test_embedding_mask_passes_through_stacked_layers(cell, norm, rng):
    embedding = keras.layers.Embedding(9, grid.FEATURES, mask_zero=True, dtype="float64")
    first = grid.make(cell, norm, rng, return_state=False)
    second = recurrent_layer(cell, units=2, norm=norm, return_sequences=True, dtype="float64")
    third = recurrent_layer(cell, units=2, norm=norm, dtype="float64")
    tokens = np.where(grid.MASK, rng.integers(1, 9, grid.MASK.shape), 0)
    found = keras.Sequential([embedding, first, second, third])(tokens)
    y = second(first(embedding(tokens), mask=grid.MASK), mask=grid.MASK)
    grid.assert_close(found, third(y, mask=grid.MASK))
    assert first.supports_masking
    assert np.any(grid.numpy(found) != grid.numpy(third(grid.numpy(y))))


def test_mask_after_the_layer(rng):
    for norm in ("layer", "batch"):
        whole = grid.make("lstm", norm, rng)
        kept = whole.compute_mask(None, grid.MASK)
        assert kept[0] is grid.MASK
        assert kept[1:] == [None] * len(whole.state_size)
        assert grid.make("lstm", norm, rng, **PLAIN).compute_mask(None, grid.MASK) is None


@grid.over_pairs
def test_one_layer_called_twice_shares_its_weights(cell, norm, rng):
    layer = grid.make(cell, {"name": norm}, rng, **PLAIN)
    left, right = (keras.Input((None, grid.FEATURES), dtype="float64") for _ in range(2))
    model = keras.Model([left, right], [layer(left), layer(right)])
    assert len(model.weights) == len(layer.weights)
    a, b = grid.inputs(rng), grid.inputs(rng)
    for found, x in zip(model([a, b]), (a, b), strict=True):
        grid.assert_close(found, layer(x))
    both = gradients(lambda a, b: sum(map(keras.ops.sum, (layer(a), layer(b)))), layer, a, b)
    once = [gradients(lambda x: keras.ops.sum(layer(x)), layer, x)[:-1] for x in (a, b)]
    for together, one, other in zip(both, *once, strict=False):
        grid.assert_close(together, one + other)
    before = counts(layer)
    model([a, b], training=True)
    for old, new in zip(before, counts(layer), strict=True):
        expected = 0.99 * (0.99 * old + grid.BATCH) + grid.BATCH
        grid.assert_close(new[: grid.STEPS], expected[: grid.STEPS], "float32")


@grid.over_pairs
def test_clone_model(cell, norm, rng):
    layer = grid.make(cell, norm, rng, **PLAIN)
    model = keras.Sequential([keras.Input((None, grid.FEATURES), dtype="float64"), layer])
    clone = keras.models.clone_model(model)
    assert not {id(w) for w in clone.weights} & {id(w) for w in model.weights}
    assert [(w.name, w.shape) for w in clone.weights] == [(w.name, w.shape) for w in model.weights]
    x = grid.inputs(rng)
    assert np.any(grid.numpy(clone(x)) != grid.numpy(model(x)))
    clone.set_weights(model.get_weights())
    grid.assert_close(clone(x), model(x))


def trained(cell, norm, rng, **options):
    """The weights after four batches of a small model."""
    layer = grid.make(cell, norm, np.random.default_rng(0), dtype="float32", **PLAIN)
    model = keras.Sequential([keras.Input((grid.STEPS, grid.FEATURES)), layer])
    model.compile(keras.optimizers.SGD(0.1), "mse", **options)
    x, y = grid.inputs(rng, 16), rng.normal(size=(16, UNITS))
    model.fit(x, y, batch_size=4, shuffle=False, verbose=0)
    return model.get_weights()


@eager_backend
@pytest.mark.parametrize(
    "options", [{"jit_compile": True}, {"steps_per_execution": 3, "jit_compile": False}], ids=str
)
@grid.over_pairs
def test_fit_in_other_executions(cell, norm, options):
    make = lambda: np.random.default_rng(5)  # noqa: E731
    expected = trained(cell, norm, make(), run_eagerly=True)
    for a, b in zip(trained(cell, norm, make(), **options), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@grid.over_pairs
def test_frozen_layer_stays_as_it_is_in_fit(cell, norm, rng):
    """As Keras's BatchNormalization: not trainable means statistics stand still, and are used."""
    layer = grid.make(cell, norm, rng, dtype="float32", **PLAIN)
    layer.trainable = False
    head = keras.layers.Dense(1)
    model = keras.Sequential([keras.Input((None, grid.FEATURES)), layer, head])
    model.compile("sgd", "mse", run_eagerly=grid.BACKEND != "jax")
    before, of_head = layer.get_weights(), head.get_weights()
    x = grid.inputs(rng)
    model.fit(x, np.ones((len(x), 1)), verbose=0)
    for a, b in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.any(head.get_weights()[0] != of_head[0])


@pytest.mark.parametrize("fit", [False, True])
@grid.over_pairs
def test_stateful_model_goes_on_from_batch_to_batch(cell, norm, fit, rng):
    """`fit` (at learning rate 0) and `predict` on two halves end where one call on both ends."""
    whole = grid.make(cell, norm, rng, dtype="float32")
    layer = grid.make(cell, norm, rng, dtype="float32", stateful=True, return_state=False)
    start = whole.get_weights()
    layer.set_weights(start)
    x = grid.inputs(rng).astype("float32")
    expected, *states = whole(x, training=fit)
    source = keras.Input(batch_shape=(grid.BATCH, 3, grid.FEATURES))
    model = keras.Model(source, layer(source))
    # By XLA with layer norm; with batch norm, which it takes seconds to compile, in a graph.
    graph = grid.BACKEND == "tensorflow" and norm == "batch"
    model.compile(keras.optimizers.SGD(0.0), "mse", jit_compile=False if graph else "auto")
    halves = np.concatenate([x[:, :3], x[:, 3:]])
    for _ in range(2):
        layer.reset_state()
        if fit:
            layer.set_weights(start)
            target = np.zeros((*halves.shape[:2], UNITS))
            model.fit(halves, target, batch_size=grid.BATCH, shuffle=False, verbose=0)
        else:
            found = model.predict(halves, batch_size=grid.BATCH, verbose=0)
            joined = np.concatenate(np.split(found, 2), 1)
            grid.assert_close(joined, expected, "float32")
        for variable, state in zip(keras.tree.flatten(layer.states), states, strict=True):
            grid.assert_close(variable, state, "float32")
