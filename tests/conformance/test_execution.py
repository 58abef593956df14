"""Whole models, configurations, seeds."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqnorm.layers import NormRNN, recurrent_layer
from tests import grid
from tests.tiers import exhaustive


@grid.over_pairs
def test_fits_in_a_model_with_dynamic_shapes(cell, norm, implementation, rng):
    """The kernels serve all of the layers; the loop those with dropout as well."""
    model = text_model(cell, norm, dropout=0.1 if implementation == "loop" else 0.0)
    tokens = rng.integers(1, 20, (12, 7))
    tokens[::2, 4:] = 0
    history = model.fit(tokens, rng.integers(0, 2, 12), epochs=2, batch_size=6, verbose=0)
    assert np.all(np.isfinite(history.history["loss"]))
    assert model.predict(tokens[:, :3], verbose=0).shape == (12, 2)


def text_model(cell, norm, dropout=0.1):
    tokens = keras.Input((None,), dtype="int32")
    mask = keras.ops.not_equal(tokens, 0)
    x = keras.layers.Embedding(20, 6)(tokens)
    own = {"norm": norm, "implementation": grid.DEFAULTS["implementation"]}
    layer = recurrent_layer(cell, units=5, return_sequences=True, dropout=dropout, **own)
    x = keras.layers.Bidirectional(layer)(x, mask=mask)
    x = recurrent_layer(cell, units=4, **own)(x, mask=mask)
    model = keras.Model(tokens, keras.layers.Dense(2)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, jit_compile=grid.BACKEND == "jax")
    grid.build_optimizer(model)
    return model


@pytest.mark.parametrize("implementation", ["loop"], indirect=True)
@grid.over_grid
def test_config_round_trip(cell, norm, rng):
    for layer in (
        grid.make(cell, norm, rng, name="one", go_backwards=True, recurrent_dropout=0.2),
        NormRNN([grid.make(cell, norm, rng).cell, grid.make(cell, norm, rng).cell]),
    ):
        config = keras.saving.serialize_keras_object(layer)
        copy = keras.saving.deserialize_keras_object(config)
        assert keras.saving.serialize_keras_object(copy) == config
        assert [tuple(w.shape) for w in _built(copy).weights] == [
            tuple(w.shape) for w in _built(layer).weights
        ]


def _built(layer):
    if not layer.built:
        layer.build((grid.BATCH, grid.STEPS, grid.FEATURES))
    return layer


@pytest.mark.parametrize(
    ("implementation", "norm"),
    [
        ("auto", "layer"),
        # In the quick tier, lab/training/test_run repeats a run by the loop and with dropout.
        *(
            pytest.param(*each, marks=exhaustive)
            for each in (("auto", "batch"), ("loop", "layer"), ("loop", "batch"))
        ),
    ],
    indirect=["implementation"],
)
def test_same_seed_same_bytes(norm, implementation, rng):
    """With shuffling, padding, both directions and, by the loop, dropout.

    Of the cell that is traced soonest.
    """
    dropout = 0.1 if implementation == "loop" else 0.0
    tokens, labels = rng.integers(1, 20, (16, 7)), rng.integers(0, 2, 16)
    starts, ends = [], []
    for seed in (3, 3, 4):
        keras.utils.set_random_seed(seed)
        model = text_model("simple_rnn", norm, dropout)
        starts.append(_bytes_of(model))
        if seed == 3:
            model.fit(tokens, labels, epochs=2, batch_size=4, verbose=0)
            ends.append(_bytes_of(model))
    assert starts[0] == starts[1] != starts[2]
    assert ends[0] == ends[1] != starts[0]


def _bytes_of(model):
    return np.concatenate([w.ravel() for w in model.get_weights()]).tobytes()
