"""Eager and compiled; precisions; saving and loading; seeds."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest

from seqnorm.layers import NormRNN, recurrent_layer
from tests import grid
from tests.compiled import ways

PAIR = ("layer", "batch")  # one normaliser without memory and the one with
IN_A_FRESH_PROCESS = """
import sys, numpy as np, keras, seqnorm
seqnorm.NormRNN
data = np.load(sys.argv[1] + "/data.npz")
for norm in sys.argv[2:]:
    model = keras.models.load_model(f"{sys.argv[1]}/{norm}.keras")
    y = keras.ops.convert_to_numpy(model(data["x"]))
    np.testing.assert_allclose(y, data[norm], rtol=0, atol=1e-6)
"""


@grid.compiled_only
@pytest.mark.parametrize(
    ("cell", "norm", "training"),
    # Nothing depends on `training` but batch statistics: there is no dropout here.
    [(cell, norm, True) for cell in grid.CELLS for norm in grid.NORMS]
    + [(cell, "batch", False) for cell in grid.CELLS],
)
def test_compiled_equals_eager(cell, norm, training, implementation, rng):
    """Graph and XLA on TensorFlow, jit on JAX; statistics included."""
    layer = grid.make(cell, norm, rng)
    start = layer.get_weights()
    x, mask = grid.inputs(rng), grid.MASK
    results = []
    # XLA compiles the loop, whatever the implementation.
    compiled = ways(layer)[:1] if implementation == "auto" else ways(layer)
    for call in (layer, *compiled):
        layer.set_weights(start)
        outputs = call(x, mask=mask, training=training)
        results.append([*outputs, *layer.get_weights()])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            grid.assert_close(a, b)


@grid.over_pairs
def test_fits_in_a_model_with_dynamic_shapes(cell, norm, rng):
    model = _text_model(cell, norm)
    tokens = rng.integers(1, 20, (12, 7))
    tokens[::2, 4:] = 0
    history = model.fit(tokens, rng.integers(0, 2, 12), epochs=2, batch_size=6, verbose=0)
    assert np.all(np.isfinite(history.history["loss"]))
    assert model.predict(tokens[:, :3], verbose=0).shape == (12, 2)


def _text_model(cell, norm):
    tokens = keras.Input((None,), dtype="int32")
    mask = keras.ops.not_equal(tokens, 0)
    x = keras.layers.Embedding(20, 6)(tokens)
    own = {"norm": norm, "implementation": grid.DEFAULTS["implementation"]}
    layer = recurrent_layer(cell, units=5, return_sequences=True, dropout=0.1, **own)
    x = keras.layers.Bidirectional(layer)(x, mask=mask)
    x = recurrent_layer(cell, units=4, **own)(x, mask=mask)
    model = keras.Model(tokens, keras.layers.Dense(2)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, jit_compile=grid.BACKEND == "jax")
    return model


@pytest.mark.parametrize("implementation", ["auto"], indirect=True)
@pytest.mark.parametrize("cell", grid.CELLS)
def test_save_and_load_in_a_fresh_process(cell, rng, tmp_path):
    """Of a model of many layers; `test_models` does so with one layer of every kind."""
    tokens = rng.integers(1, 20, (4, 7))
    tokens[1, 3:] = 0
    outputs = {}
    for norm in PAIR:
        model = _text_model(cell, norm)
        grid.randomize(model, rng)
        model.save(tmp_path / f"{norm}.keras")
        outputs[norm] = grid.numpy(model(tokens))
    np.savez(tmp_path / "data.npz", x=tokens, **outputs)
    code = [sys.executable, "-c", IN_A_FRESH_PROCESS, str(tmp_path), *PAIR]
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


@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_same_seed_same_bytes(norm, rng):
    """With dropout, shuffling, padding and both directions."""
    tokens, labels = rng.integers(1, 20, (16, 7)), rng.integers(0, 2, 16)
    starts, ends = [], []
    for seed in (3, 3, 4):
        keras.utils.set_random_seed(seed)
        model = _text_model("lstm", norm)
        starts.append(_bytes_of(model))
        if seed == 3:
            model.fit(tokens, labels, epochs=2, batch_size=4, verbose=0)
            ends.append(_bytes_of(model))
    assert starts[0] == starts[1] != starts[2]
    assert ends[0] == ends[1] != starts[0]


def _bytes_of(model):
    return np.concatenate([w.ravel() for w in model.get_weights()]).tobytes()


@grid.compiled_only
@grid.over_cases("graph")
def test_graph_equals_eager_in_every_precision(cell, norm, dtype, masking, rng):
    layer = grid.make(cell, norm, rng, dtype=dtype)
    start = layer.get_weights()
    x, mask = grid.inputs(rng, 3, grid.SHORT), grid.MASKINGS[masking]
    eager = [*layer(x, mask=mask, training=True), *layer.get_weights()]
    layer.set_weights(start)
    graph = [*ways(layer)[0](x, mask=mask, training=True), *layer.get_weights()]
    for a, b in zip(eager, graph, strict=True):
        grid.assert_close(a, b, dtype)
