"""Optimisers: schedule, norm and clipping of the gradient, decay, and that every key arrives."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from functools import cache

import keras
import numpy as np
import pytest

from seqnorm.lab.config.compose import compose
from seqnorm.lab.config.schema import SCHEMAS, OptimConfig
from seqnorm.lab.training.optim import OPTIMIZERS, Schedule, make_optimizer

chosen = cache(lambda name: compose([f"optim={name}"]).optim)


def config(name: str = "adam", **changes) -> OptimConfig:
    return replace(chosen(name), **changes)


def test_schedule_rises_and_falls_as_stated():
    schedule = Schedule(0.5, warmup_steps=4, total_steps=20)
    expected = [
        0.5 * min(1, (s + 1) / 4) * (1 + math.cos(math.pi * min(1, s / 20))) / 2 for s in range(25)
    ]
    np.testing.assert_allclose([float(schedule(s)) for s in range(25)], expected, atol=1e-7)
    assert float(schedule(20)) == pytest.approx(0, abs=1e-7)
    constant = Schedule(0.5, warmup_steps=0, total_steps=None)
    assert {float(constant(s)) for s in range(9)} == {0.5}


def test_names_of_the_schema_are_the_optimisers():
    assert set(OPTIMIZERS) == set(SCHEMAS["optim"])
    with pytest.raises(ValueError, match=r"adam, sgd, rmsprop; received optim.name=lion"):
        make_optimizer(replace(config(), name="lion"), 10)


def one_step(optimizer: keras.Optimizer, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Trains one step on rows that repeat a word; returns table, gradient, and table after."""
    tokens = keras.Input((None,), dtype="int32")
    embedding = keras.layers.Embedding(5, 3)
    outputs = keras.layers.Lambda(lambda x: keras.ops.sum(x, axis=1))(embedding(tokens))
    model = keras.Model(tokens, outputs)
    model.compile(optimizer, "mean_squared_error")
    words = np.array([[1, 1, 2], [2, 2, 2]], "int32")
    target = rng.normal(size=(2, 3)).astype("float32")
    before = embedding.get_weights()[0]
    error = 2 * (before[words].sum(axis=1) - target) / target.size  # [B, F]
    gradient = np.zeros_like(before)
    for row, ids in zip(error, words, strict=True):
        for word in ids:
            gradient[word] += row
    model.fit(words, target, batch_size=2, verbose=0)
    return before, gradient, embedding.get_weights()[0]


def test_gradient_norm_and_clipping_add_up_repeated_words(rng):
    """Word 2 occurs four times: its rows add up before they are squared."""
    optimizer = make_optimizer(config("sgd", momentum=0.0, nesterov=False, clipnorm=0.01), 10)
    before, gradient, after = one_step(optimizer, rng)
    norm = np.linalg.norm(gradient)
    assert norm > 0.01
    assert float(optimizer.gradient_norm) == pytest.approx(norm, rel=1e-5)
    assert float(optimizer.used_rate) == pytest.approx(0.1)
    np.testing.assert_allclose(after, before - 0.1 * gradient * 0.01 / norm, rtol=1e-4, atol=1e-7)


def test_the_recorded_rate_is_the_one_that_was_used(rng):
    optimizer = make_optimizer(config("sgd", warmup_steps=4), 10)
    one_step(optimizer, rng)
    assert float(optimizer.used_rate) == pytest.approx(0.1 / 4)


def test_weight_decay_leaves_biases_and_gains_alone():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, bias_initializer="ones")])
    optimizer = make_optimizer(config("sgd", weight_decay=0.5, momentum=0.0, nesterov=False), 10)
    kernel, bias = model.get_weights()
    zeros = [keras.ops.zeros_like(weight) for weight in model.trainable_weights]
    optimizer.apply(zeros, model.trainable_weights)
    np.testing.assert_allclose(model.get_weights()[0], kernel * (1 - 0.1 * 0.5), rtol=1e-6)
    np.testing.assert_array_equal(model.get_weights()[1], bias)


OTHER = {
    "learning_rate": 0.7,
    "clipnorm": 7.0,
    "weight_decay": 0.7,
    "schedule": "cosine",
    "warmup_steps": 7,
    "beta_1": 0.7,
    "beta_2": 0.7,
    "rho": 0.5,
    "centered": True,
    "epsilon": 0.7,
    "momentum": 0.7,
    "nesterov": False,
}


@pytest.mark.parametrize(
    ("name", "key"),
    [(name, key) for name in OPTIMIZERS for key in asdict(config(name)) if key != "name"],
)
def test_every_key_reaches_the_optimiser(name, key):
    def description(optimizer):
        settings = optimizer.get_config()
        rate = optimizer._learning_rate.get_config()
        return {**settings, "learning_rate": rate, "name": None}

    plain = description(make_optimizer(config(name), 10))
    assert description(make_optimizer(config(name, **{key: OTHER[key]}), 10)) != plain


def test_a_weight_that_the_loss_does_not_see_is_named_and_left(rng):
    inputs = keras.Input((3,))
    seen, unseen = keras.layers.Dense(1), keras.layers.Dense(1, name="unseen")
    output = seen(inputs) + 0 * keras.ops.stop_gradient(unseen(inputs))
    model = keras.Model(inputs, output)
    optimizer = make_optimizer(config("adam", clipnorm=1.0), 10)
    model.compile(optimizer, "mse")
    before = unseen.get_weights()[0]
    with pytest.warns(UserWarning, match=r"Gradients do not exist for variables.*unseen"):
        model.fit(rng.normal(size=(4, 3)), np.ones((4, 1)), verbose=0)
    assert float(optimizer.gradient_norm) > 0
    np.testing.assert_array_equal(unseen.get_weights()[0], before)
