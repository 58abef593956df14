"""ONNX says what `predict` says, also where padding holds what no one may read."""

from __future__ import annotations

import warnings

import keras
import numpy as np
import pytest

from seqnorm import MaskedPooling, NormLSTM
from seqnorm.checks.layers import randomize
from seqnorm.layers import advice, recurrent_layer
from tests import grid
from tests.tiers import exhaustive

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("tf2onnx")

pytestmark = [
    grid.tensorflow_only,
    # Keras's patch of tf2onnx asks NumPy for a name that it no longer has, and TensorFlow 2's
    # session is on its way out.
    pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

TOKENS = np.array([[1, 2, 3, 4, 5], [1, 2, 3, 0, 0], [0, 0, 0, 0, 0]], "int32")
POOLINGS = ("last", "mean", "max")


def exported(model, folder, *arrays):
    """What onnxruntime makes of the model, and what Keras does."""
    given = arrays[0] if len(arrays) == 1 else list(arrays)
    expected = keras.tree.flatten(model.predict(given, verbose=0))
    model.export(folder / "model.onnx", format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    names = [entry.name for entry in session.get_inputs()]
    return session.run(None, dict(zip(names, arrays, strict=True))), expected


def assert_same(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert np.isfinite(b).all()
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5)


def over_tokens(*layers):
    tokens = keras.Input((None,), dtype="int32")
    y = keras.layers.Embedding(10, 4, mask_zero=True)(tokens)
    for layer in layers:
        y = layer(y)
    return keras.Model(tokens, y)


@pytest.mark.parametrize(
    ("cell", "norm"),
    [
        ("simple_rnn", "batch"),
        pytest.param("gru", "batch", marks=exhaustive),
        pytest.param("simple_rnn", "dyt", marks=exhaustive),
        ("lstm", "layer"),
        pytest.param("lstm", "group", marks=exhaustive),
        ("gru", "rms"),
    ],
)
def test_a_short_and_an_empty_row(cell, norm, tmp_path, rng):
    backwards = norm in ("rms", "group")
    layer = recurrent_layer(cell, units=4, norm=norm, go_backwards=backwards)
    model = over_tokens(layer)
    randomize(model, rng)
    assert_same(*exported(model, tmp_path, TOKENS))


@exhaustive
def test_both_directions_with_batch_statistics_and_every_pooling(tmp_path, rng):
    model = over_tokens(keras.layers.Bidirectional(NormLSTM(4, "batch", return_sequences=True)))
    pooled = [MaskedPooling(mode)(model.output) for mode in POOLINGS]
    model = keras.Model(model.input, pooled)
    randomize(model, rng)
    assert_same(*exported(model, tmp_path, TOKENS))


@pytest.mark.parametrize("padding", [np.nan, np.inf])
def test_padding_that_holds_no_number(padding, tmp_path, rng):
    x, mask = keras.Input((5, 3)), keras.Input((5,), dtype="bool")
    outputs = [MaskedPooling(mode)(x, mask=mask) for mode in POOLINGS]
    model = keras.Model([x, mask], [*outputs, NormLSTM(4, "layer")(x, mask=mask)])
    valid = TOKENS != 0
    values = np.where(valid[..., None], rng.normal(size=(3, 5, 3)) - 5, padding)
    assert_same(*exported(model, tmp_path, values.astype("float32"), valid))


def test_padding_on_the_left_comes_out_as_nan_where_steps_matter(tmp_path):
    """A graph of ONNX cannot raise."""
    model = over_tokens(NormLSTM(4, "batch"))
    model.predict(TOKENS, verbose=0)
    model.export(tmp_path / "model.onnx", format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (found,) = session.run(None, {session.get_inputs()[0].name: TOKENS[:, ::-1]})
    assert np.isnan(found).all()


def test_what_an_export_cannot_refuse_is_said(tmp_path):
    advice._say_what_no_graph_refuses.cache_clear()
    model = over_tokens(NormLSTM(2, "batch"))
    with pytest.warns(RuntimeWarning, match="padding that is not on the right.*with NaN"):
        model.export(tmp_path / "model", verbose=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        over_tokens(NormLSTM(2, "layer")).export(tmp_path / "other", verbose=False)
        model.predict(TOKENS, verbose=0)  # where Keras raises
