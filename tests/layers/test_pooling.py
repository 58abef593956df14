"""Pooling over time: what is not valid enters nothing, whatever it holds and wherever it stands."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from seqnorm import MaskedPooling, NormGRU, NormLSTM

MASK = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]], bool)
VALID = [MASK[0].nonzero()[0], MASK[1].nonzero()[0]]
OF_ROW = {
    "last": lambda row: row[-1],
    "mean": lambda row: row.mean(axis=0),
    "max": lambda row: row.max(axis=0),
}


@pytest.mark.parametrize("padding", [0.0, np.nan, np.inf])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("mode", list(OF_ROW))
def test_each_row_is_that_of_its_valid_steps(mode, dtype, padding, rng):
    x = np.where(MASK[..., None], rng.normal(size=(3, 5, 4)) - 5, padding)  # below any zero
    found = MaskedPooling(mode, dtype=dtype)(ops.cast(x, dtype), mask=MASK)
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    wanted = [*(OF_ROW[mode](x[row, valid]) for row, valid in enumerate(VALID)), np.zeros(4)]
    tolerance = 1e-5 if dtype == "float32" else 4e-2
    np.testing.assert_allclose(ops.convert_to_numpy(ops.cast(found, "float32")), wanted, tolerance)


@pytest.mark.parametrize("mode", list(OF_ROW))
def test_padding_has_no_gradient(mode, rng):
    import tensorflow as tf

    x = tf.constant(np.where(MASK[..., None], rng.normal(size=(3, 5, 4)), np.nan))
    layer = MaskedPooling(mode, dtype="float64")
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = ops.sum(layer(x, mask=MASK))
    found = tape.gradient(total, x).numpy()
    assert (found[~MASK] == 0).all()
    np.testing.assert_allclose(found.sum(axis=1), [[1] * 4, [1] * 4, [0] * 4])


def with_pooling_above(layer, mode):
    """A model of the layer with weights alike, and of one that pools its outputs itself."""
    x = keras.Input((5, 3))
    mask = keras.Input((5,), dtype="bool")
    own = layer(x, mask=mask)
    above = type(layer).from_config({**layer.get_config(), **LEFT_ALONE})
    models = (
        keras.Model([x, mask], own),
        keras.Model([x, mask], MaskedPooling(mode)(above(x, mask=mask), mask=mask)),
    )
    above.set_weights(layer.get_weights())
    return models


LEFT_ALONE = {"return_sequences": True, "pooling": "last"}


@pytest.mark.parametrize("mode", ["mean", "max"])
def test_a_layer_that_pools_trains_as_with_a_pooling_layer_above(mode, rng):
    x = rng.normal(size=(4, 5, 3)).astype("float32")
    mask = np.concatenate([MASK[:1], MASK])
    trained = []
    for model in with_pooling_above(NormGRU(6, "rms", pooling=mode), mode):
        model.compile("sgd", "mse", jit_compile=False)
        model.fit([x, mask], np.ones((4, 6)), epochs=5, batch_size=4, verbose=0)
        trained.append([model.predict([x, mask], verbose=0), *model.get_weights()])
    for one, other in zip(*trained, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("implementation", ["loop", "auto"])
def test_steps_that_share_the_maximum_share_its_gradient(implementation):
    """As those of MaskedPooling do: a state at rest has the same output at every step."""
    import tensorflow as tf

    layer = NormLSTM(2, "none", pooling="max", implementation=implementation)
    x = tf.zeros((1, 4, 3))
    layer.build(x.shape)
    layer.set_weights([np.zeros(w.shape) for w in layer.weights])
    bias = layer.cell.bias
    bias.assign(np.repeat([30.0, -30.0, 30.0, 1.0], 2))  # c = 1 whatever it was
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(layer(x))
    # h = sigmoid(1) tanh(1) at all four steps: each has a quarter, and they add up to one.
    slope = tape.gradient(y, bias.value)[-2:]
    sigmoid = 1 / (1 + np.exp(-1.0))
    np.testing.assert_allclose(slope, [sigmoid * (1 - sigmoid) * np.tanh(1)] * 2, rtol=1e-5)


@pytest.mark.parametrize("mode", ["mean", "max"])
def test_both_directions_pool_as_above_their_outputs(mode, rng):
    x = rng.normal(size=(3, 5, 3)).astype("float32")
    layer = keras.layers.Bidirectional(NormLSTM(4, "batch", pooling=mode))
    both = keras.layers.Bidirectional(NormLSTM(4, "batch", return_sequences=True))
    mask = np.sort(MASK, axis=1)[:, ::-1]  # on the right
    found, _ = layer(x, mask=mask), both(x, mask=mask)
    both.set_weights(layer.get_weights())
    wanted = MaskedPooling(mode)(both(x, mask=mask), mask=mask)
    assert found.shape == (3, 8) and layer.compute_output_shape(x.shape) == (3, 8)
    np.testing.assert_allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": "most"}, r"Unknown `pooling`\. Received: pooling='most'"),
        ({"pooling": "max", "return_sequences": True}, "pooling='max' with return_sequences=True"),
    ],
)
def test_what_cannot_be_pooled_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        NormLSTM(4, **options)


def test_a_layer_without_the_argument_is_that_of_the_last_output():
    config = NormLSTM(4).get_config()
    assert config.pop("pooling") == "last"
    assert NormLSTM.from_config(config).pooling == "last"
