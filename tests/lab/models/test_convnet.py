"""The small convnet: it sees the image that the row of ids stands for."""

from __future__ import annotations

from functools import partial

import keras
import numpy as np
import pytest

from seqnorm.lab.config.compose import compose
from seqnorm.lab.data.mnist import GREYS, OFFSET, SIDE
from seqnorm.lab.models.convnet import build_convnet, image


def build(*overrides: str, ids: int = OFFSET + GREYS) -> keras.Model:
    config = compose(["model=convnet", "data=mnist", *overrides])
    return build_convnet(
        config.model,
        config.norm,
        vocabulary_size=ids,
        head=partial(keras.layers.Dense, 10, name="logits"),
    )


def rows(rng: np.random.Generator, number: int) -> tuple[np.ndarray, np.ndarray]:
    pixels = rng.integers(0, GREYS, (number, SIDE, SIDE))
    tokens = np.concatenate([np.ones((number, 1)), pixels.reshape(number, -1) + OFFSET], axis=1)
    return tokens.astype("int32"), pixels


def test_ids_become_the_image_again(rng):
    tokens, pixels = rows(rng, 3)
    np.testing.assert_allclose(image(tokens)[..., 0], pixels / 255, rtol=1e-6)


@pytest.mark.parametrize(
    ("norm", "kind"),
    [
        ("none", keras.layers.Identity),
        ("keras_layer", keras.layers.LayerNormalization),
        ("keras_batch", keras.layers.BatchNormalization),
    ],
)
def test_the_norm_is_over_the_channels(rng, norm, kind):
    model = build(f"norm={norm}", "model.filters=5")
    assert type(model.get_layer("norm")) is kind
    assert [weight.shape for weight in model.get_layer("norm").weights] in (
        [],
        [(5,)] * 2,
        [(5,)] * 4,
    )
    logits = np.asarray(model(rows(rng, 2)[0]))
    assert logits.shape == (2, 10) and logits.dtype == np.float32


def test_axis_3_is_the_same_as_the_default(rng):
    tokens, _ = rows(rng, 2)
    named, default = build("norm.axis=3"), build()
    named.set_weights(default.get_weights())
    np.testing.assert_allclose(named(tokens), default(tokens), rtol=1e-5)


def test_words_are_no_image():
    with pytest.raises(ValueError, match=r"received data with 1000 ids\. Use data=mnist"):
        build(ids=1000)
