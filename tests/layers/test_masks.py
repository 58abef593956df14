"""Masks with more axes than [batch, time]: one valid entry makes the step valid."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqnorm import MaskedPooling, NormLSTM
from tests import grid

# Two documents of two sentences; the first begins with padding, the last has no word.
WORDS = np.array([[[0, 0, 1, 2], [0, 3, 4, 5]], [[1, 2, 0, 0], [0, 0, 0, 0]]])
SENTENCES = np.array([[True, True], [True, False]])


def by_hand(embedding, inner, outer):
    sentences = [inner(embedding(WORDS[:, i])) for i in range(2)]
    return outer(keras.ops.stack(sentences, axis=1), mask=SENTENCES)


@pytest.mark.parametrize("wrap", [lambda layer: layer, keras.layers.Bidirectional])
@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_documents_of_sentences_of_words(norm, wrap):
    embedding, inner = keras.layers.Embedding(10, 4, mask_zero=True), NormLSTM(3)
    outer = wrap(NormLSTM(2, norm))
    model = keras.Sequential([embedding, keras.layers.TimeDistributed(inner), outer])
    found = model(WORDS)
    grid.assert_close(found, by_hand(embedding, inner, outer), "float32")
    assert np.all(np.any(grid.numpy(found) != 0, axis=1))


@pytest.mark.skipif(grid.BACKEND == "torch", reason="torch has no dynamic shapes")
def test_documents_of_any_number_of_sentences_of_any_length():
    words = keras.Input((None, None), dtype="int32")
    embedding, inner = keras.layers.Embedding(10, 4, mask_zero=True), NormLSTM(3)
    outer = NormLSTM(2)
    model = keras.Model(words, outer(keras.layers.TimeDistributed(inner)(embedding(words))))
    found = model.predict(WORDS, verbose=0)
    grid.assert_close(found, by_hand(embedding, inner, outer), "float32")


@pytest.mark.parametrize("mode", ["last", "mean", "max"])
def test_pooling_and_what_a_layer_hands_on(mode, rng):
    x, wide = rng.normal(size=(2, 2, 3)), WORDS != 0
    pooling = MaskedPooling(mode)
    grid.assert_close(pooling(x, mask=wide), pooling(x, mask=SENTENCES), "float32")
    handed = NormLSTM(3, return_sequences=True).compute_mask(x, keras.ops.convert_to_tensor(wide))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(handed), SENTENCES)
