"""Eager, graph and XLA; precisions; saving and loading; seeds."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest

from seqnorm.layers import NormRNN, recurrent_layer
from tests import grid

ROOT_CODE = """
import sys, numpy as np, keras, seqnorm
seqnorm.NormRNN
model = keras.models.load_model(sys.argv[1])
data = np.load(sys.argv[2])
np.testing.assert_array_equal(model.predict(data["x"], verbose=0), data["y"])
"""


@pytest.mark.parametrize("training", [False, True])
@grid.over_grid
def test_eager_equals_graph_equals_xla(cell, norm, training, rng):
    import tensorflow as tf

    layer = grid.make(cell, norm, rng)
    start = layer.get_weights()
    x, mask = grid.inputs(rng), grid.MASK
    results = []
    for call in (layer, tf.function(layer), tf.function(layer, jit_compile=True)):
        layer.set_weights(start)
        outputs = call(x, mask=mask, training=training)
        results.append([*outputs, *layer.get_weights()])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            grid.assert_close(a, b)


@grid.over_grid
def test_fits_in_a_model_with_dynamic_shapes(cell, norm, rng):
    model = _text_model(cell, norm)
    tokens = rng.integers(1, 20, (12, 7))
    tokens[::2, 4:] = 0
    history = model.fit(tokens, rng.integers(0, 2, 12), epochs=2, batch_size=5, verbose=0)
    assert np.all(np.isfinite(history.history["loss"]))
    assert model.predict(tokens[:, :3], verbose=0).shape == (12, 2)


def _text_model(cell, norm):
    tokens = keras.Input((None,), dtype="int32")
    mask = keras.ops.not_equal(tokens, 0)
    x = keras.layers.Embedding(20, 6)(tokens)
    layer = recurrent_layer(cell, units=5, norm=norm, return_sequences=True, dropout=0.1)
    x = keras.layers.Bidirectional(layer)(x, mask=mask)
    x = recurrent_layer(cell, units=4, norm=norm)(x, mask=mask)
    model = keras.Model(tokens, keras.layers.Dense(2)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, jit_compile=False)
    return model


@grid.over_grid
def test_save_and_load_in_a_fresh_process(cell, norm, rng, tmp_path):
    model = _text_model(cell, norm)
    tokens = rng.integers(1, 20, (4, 7))
    tokens[1, 3:] = 0
    model.fit(tokens, np.zeros(4), verbose=0)
    path = tmp_path / "model.keras"
    model.save(path)
    np.savez(tmp_path / "data.npz", x=tokens, y=model.predict(tokens, verbose=0))
    code = [sys.executable, "-c", ROOT_CODE, str(path), str(tmp_path / "data.npz")]
    subprocess.run(code, check=True, capture_output=True, timeout=300)


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


@grid.over_grid
def test_same_seed_same_bytes(cell, norm, rng):
    tokens, labels = rng.integers(1, 20, (16, 7)), rng.integers(0, 2, 16)
    runs = []
    for seed in (3, 3, 4):
        keras.utils.set_random_seed(seed)
        model = _text_model(cell, norm)
        model.fit(tokens, labels, epochs=2, batch_size=4, verbose=0)
        runs.append(np.concatenate([w.ravel() for w in model.get_weights()]).tobytes())
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.parametrize("value", [0.0, 1.0, 1e-20, 1e18])
@grid.over_grid
def test_extreme_inputs_stay_finite(cell, norm, value, rng):
    from tests.gradients import gradients, weighted_sum

    layer = grid.make(cell, norm, rng, dtype="float32", return_state=False)
    x = np.full((grid.BATCH, grid.STEPS, grid.FEATURES), value, "float32")
    loss = lambda x: weighted_sum(layer(x, mask=grid.MASK, training=True))  # noqa: E731
    assert np.isfinite(float(loss(x)))
    assert all(np.all(np.isfinite(g)) for g in gradients(loss, layer, x))
