"""The multi-hot MLP: which words, not how many or where; norms before or after the activation."""

from __future__ import annotations

from functools import partial

import keras
import numpy as np
import pytest

from seqnorm.lab.config.compose import compose
from seqnorm.lab.models.mlp import build_mlp, multi_hot


def build(*overrides: str) -> keras.Model:
    keras.utils.set_random_seed(0)
    config = compose(["model=mlp", "model.hidden=[6, 5]", *overrides])
    return build_mlp(
        config.model,
        config.norm,
        vocabulary_size=12,
        head=partial(keras.layers.Dense, 3, name="logits"),
    )


def test_multi_hot_marks_the_words_that_occur():
    found = multi_hot(np.array([[1, 5, 5, 2], [1, 11, 0, 0]], "int32"), 12)
    expected = np.zeros((2, 12))
    expected[0, [1, 2, 5]] = expected[1, [1, 11]] = 1
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("norm", ["none", "keras_layer", "keras_batch"])
def test_order_repetition_and_padding_change_nothing(norm):
    model = build(f"norm={norm}", "model.activation=tanh")  # relu may answer 0 to everything
    rows = [[1, 4, 7, 0, 0, 0], [1, 7, 4, 4, 7, 0], [1, 4, 7, 7, 7, 7]]
    logits = np.asarray(model(np.array(rows, "int32")))
    assert logits.shape == (3, 3) and np.ptp(logits, axis=1).min() > 0
    np.testing.assert_allclose(logits, np.repeat(logits[:1], 3, axis=0), rtol=1e-6)
    other = model(np.array([[1, 4, 8]], "int32"))
    assert np.abs(other - logits[0]).max() > 1e-4


@pytest.mark.parametrize("position", ["before", "after"])
def test_the_norm_stands_where_it_is_put(position):
    """NumPy, from the two hidden layers' own weights."""
    model = build(f"model.norm_position={position}", "norm.epsilon=1e-3")
    tokens = np.array([[1, 4, 7], [3, 9, 0]], "int32")

    def normalize(x):
        return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-3)

    x = np.asarray(multi_hot(tokens, 12))
    for level in (1, 2):
        kernel, bias = model.get_layer(f"hidden_{level}").get_weights()
        x = x @ kernel + bias
        before = position == "before"
        x = np.maximum(normalize(x), 0) if before else normalize(np.maximum(x, 0))
    kernel, bias = model.get_layer("logits").get_weights()
    np.testing.assert_allclose(model(tokens), x @ kernel + bias, rtol=1e-4, atol=1e-5)


def test_arguments_of_the_norm_reach_the_layer():
    penalty = "norm.gamma_regularizer={class_name: L2, config: {l2: 0.5}}"
    model = build("norm=keras_batch", "norm.gamma_initializer=zeros", "norm.momentum=0.5", penalty)
    layer = model.get_layer("norm_2")
    assert isinstance(layer, keras.layers.BatchNormalization) and layer.momentum == 0.5
    np.testing.assert_array_equal(layer.gamma, np.zeros(5))
    assert layer.gamma_regularizer.l2 == 0.5


def test_it_is_made_of_keras_alone_and_loads(tmp_path):
    model = build("norm=keras_batch", "model.activation=tanh")
    kinds = {type(layer).__module__.split(".")[0] for layer in model.layers}
    assert kinds == {"keras"}
    model.save(tmp_path / "model.keras")
    tokens = np.array([[1, 4, 7, 0]], "int32")
    np.testing.assert_array_equal(
        keras.models.load_model(tmp_path / "model.keras")(tokens), model(tokens)
    )
