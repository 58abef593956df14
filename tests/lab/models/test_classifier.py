"""The classifier: shapes, masks, initial gains."""

from __future__ import annotations

from functools import partial

import keras
import numpy as np
import pytest

from seqnorm.lab.config.compose import compose
from seqnorm.lab.models.classifier import build_classifier, norm_arguments, recurrent_layers

SMALL = ["experiment=smoke"]


def build(*overrides: str) -> keras.Model:
    return build_classifier(
        compose([*SMALL, *overrides]),
        vocabulary_size=30,
        head=partial(keras.layers.Dense, 3, name="logits"),
    )


def rows(rng: np.random.Generator, lengths: list[int], width: int) -> np.ndarray:
    tokens = rng.integers(1, 30, (len(lengths), width)).astype("int32")
    return np.where(np.arange(width) < np.array(lengths)[:, None], tokens, 0).astype("int32")


@pytest.mark.parametrize(
    "overrides",
    [
        *(["norm=layer", f"model.pooling={pooling}"] for pooling in ("last", "mean", "max")),
        ["norm=layer", "model.pooling=last", "model.bidirectional=true", "model.depth=2"],
        ["norm=batch", "model.pooling=last", "model.bidirectional=true"],
        ["norm=batch", "model.pooling=mean", "model.depth=2"],
    ],
    ids=" ".join,
)
def test_padding_changes_nothing(rng, overrides):
    keras.utils.set_random_seed(1)
    model = build(*overrides)
    tokens = rows(rng, [5, 3, 1], 5)
    logits = np.asarray(model(tokens))
    assert logits.shape == (3, 3) and logits.dtype == np.float32
    wider = np.pad(tokens, ((0, 0), (0, 4)))
    np.testing.assert_allclose(model(wider), logits, atol=1e-5)
    alone = np.concatenate([model(tokens[i : i + 1, :n]) for i, n in enumerate((5, 3, 1))])
    np.testing.assert_allclose(alone, logits, atol=1e-5)


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_every_word_reaches_every_pooled_vector(rng, pooling):
    """With both directions read, each word of a row matters, wherever it stands."""
    model = build("model.bidirectional=true", f"model.pooling={pooling}")
    tokens = rows(rng, [6], 6)
    before = np.asarray(model(tokens))
    for place in range(6):
        changed = tokens.copy()
        changed[0, place] = tokens[0, place] % 29 + 1
        assert np.abs(model(changed) - before).max() > 1e-7


def test_dropout_is_on_in_training_only(rng):
    model = build("model.embedding_dropout=0.5", "model.dropout=0.5")
    tokens = rows(rng, [6, 6], 6)
    np.testing.assert_array_equal(model(tokens), model(tokens))
    assert np.abs(model(tokens, training=True) - model(tokens, training=True)).max() > 0


def test_recurrent_layers_are_found_bottom_up():
    names = [layer.name for layer in recurrent_layers(build("model.depth=2"))]
    assert names == ["lstm_1", "lstm_2"]
    both = build("model.depth=2", "model.bidirectional=true")
    assert [layer.name for layer in recurrent_layers(both)] == [
        "forward_lstm_1",
        "backward_lstm_1",
        "forward_lstm_2",
        "backward_lstm_2",
    ]


def test_gamma_is_the_initial_gain():
    model = build("norm=layer", "norm.gamma=0.25")
    gains = [weight for weight in model.weights if weight.name == "gamma"]
    assert gains
    for gain in gains:
        np.testing.assert_array_equal(gain, np.full(gain.shape, 0.25, "float32"))
    assert "gamma" not in norm_arguments(compose([*SMALL, "norm=batch"]).norm)


def test_padding_and_special_ids_come_from_the_data_package(rng):
    """A row of padding only is a row of no words, not a row of the word 0."""
    model = build("model.pooling=mean", "norm=layer")
    empty = np.zeros((1, 4), "int32")
    np.testing.assert_allclose(model(empty), model(np.zeros((1, 9), "int32")), atol=1e-7)
