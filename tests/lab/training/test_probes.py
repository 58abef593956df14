"""Probes measure what they say they do."""

from __future__ import annotations

from functools import partial
from itertools import product

import keras
import numpy as np
import pytest
from keras import ops

from seqnorm.lab.config.compose import compose
from seqnorm.lab.data.spec import Sequences, Split
from seqnorm.lab.models.classifier import build_classifier
from seqnorm.lab.tasks import Classification
from seqnorm.lab.training.probes import Prober, probe_batch, scalars
from tests.tiers import exhaustive

LOSS = Classification().loss()
# Each is traced for seconds; batch norm has all that there is to read.
ALL = [*(pytest.param(norm, marks=exhaustive) for norm in ("none", "layer")), "batch"]


@pytest.fixture
def batch(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return rng.integers(1, 30, (5, 4)).astype("int32"), rng.integers(0, 3, 5).astype("int32")


def classifier(*overrides: str) -> keras.Model:
    keras.utils.set_random_seed(3)
    config = compose(["experiment=smoke", *overrides])
    return build_classifier(
        config, vocabulary_size=30, head=partial(keras.layers.Dense, 3, name="logits")
    )


def test_probe_batch_has_rows_of_every_length(rng):
    rows = [rng.integers(1, 9, length) for length in (3, 7, 5, 6, 1)]
    split = Split(Sequences.from_rows(rows), np.arange(5, dtype="int32"))
    tokens, labels = probe_batch(split, 3)
    assert tokens.shape == (3, 7) and labels.tolist() == [4, 2, 1]
    assert (tokens != 0).sum(axis=1).tolist() == [1, 5, 7]
    np.testing.assert_array_equal(tokens[1, :5], rows[2])
    assert probe_batch(split, 99)[0].shape == (5, 7)


@pytest.mark.parametrize("norm", [pytest.param("layer", marks=exhaustive), "batch"])
def test_a_row_counts_only_while_it_is_alive(batch, norm):
    tokens, labels = batch[0].copy(), batch[1]
    tokens[0, 2:] = 0
    model = classifier(f"norm={norm}", "model.bidirectional=true")
    read = Prober(model, tokens, labels, LOSS).read()
    alone = Prober(model, tokens[1:], labels[1:], LOSS).read()
    assert read["rows"].tolist() == [5, 5, 4, 4]
    late = slice(2, 4)  # where the short row has ended
    for layer, what in product(
        ("forward_lstm_1", "backward_lstm_1"), ("input/mean", "recurrent/spread", "gradient_norm")
    ):
        name = f"{layer}/{what}"
        np.testing.assert_allclose(read[name][late], alone[name][late], rtol=1e-5, atol=1e-7)


def test_input_site_is_the_input_product(batch):
    tokens, labels = batch
    model = classifier("norm=layer")
    arrays = Prober(model, tokens, labels, LOSS).read()
    x = model.get_layer("embedding")(tokens)
    product = np.asarray(ops.matmul(x, model.get_layer("lstm_1").cell.kernel))  # [B, T, 4H]
    np.testing.assert_allclose(arrays["lstm_1/input/mean"], product.mean(axis=(0, 2)), atol=1e-6)
    np.testing.assert_allclose(arrays["lstm_1/input/spread"], product.std(axis=(0, 2)), rtol=1e-4)
    assert arrays["rows"].tolist() == [5] * 4
    assert scalars(arrays)["lstm_1/input/mean"] == pytest.approx(product.mean(), abs=1e-6)


@pytest.mark.parametrize("norm", ALL)
def test_gradient_at_the_last_step_is_that_of_the_head(batch, norm):
    """No later step follows there: only pooling (last) and the head lie between it and the loss."""
    tokens, labels = batch
    model = classifier(f"norm={norm}", "model.pooling=last", "model.bidirectional=true")
    read = Prober(model, tokens, labels, LOSS).read()
    error = np.asarray(ops.softmax(model(tokens))) - np.eye(3)[labels]  # [B, classes]
    kernel = np.asarray(model.get_layer("logits").kernel)  # [2H, classes]
    for direction, half in (("forward", kernel[:4]), ("backward", kernel[4:])):
        found = read[f"{direction}_lstm_1/gradient_norm"]
        assert found.shape == (4,) and (found > 0).all()
        norms = np.linalg.norm(error @ half.T, axis=1)
        assert found[-1] == pytest.approx(norms.mean(), rel=1e-4)


def test_gradient_passes_through_all_later_steps(batch):
    """Against finite differences of a perturbation at the first step."""
    tokens, labels = batch
    model = classifier("norm=layer", "model.pooling=max")
    layer = model.get_layer("lstm_1")
    read = Prober(model, tokens, labels, LOSS).read()["lstm_1/gradient_norm"]

    def losses(perturbation: np.ndarray) -> np.ndarray:
        with layer.observing(ops.convert_to_tensor(perturbation, "float32")):
            logits = model(tokens, training=False)
        return np.asarray(
            keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        )

    step, gradient = 1e-2, np.zeros((5, 4))
    for unit in range(4):
        shift = np.zeros((4, 5, 4), "float32")  # [T, B, H]
        shift[0, :, unit] = step
        gradient[:, unit] = (losses(shift) - losses(-shift)) / (2 * step)
    assert read[0] == pytest.approx(np.linalg.norm(gradient, axis=1).mean(), rel=0.02)


@exhaustive
def test_distance_is_measured_in_running_spreads(batch):
    tokens, labels = batch
    model = classifier("norm=batch", "model.pooling=last", "model.embedding_dropout=0")
    norm = model.get_layer("lstm_1").cell.normalizers["input"]
    prober = Prober(model, tokens, labels, LOSS)
    assert "lstm_1/joint/distance" not in prober.read()
    for _ in range(60):  # statistics settle on this very batch
        model(tokens, training=True)
    settled = prober.read()["lstm_1/input/distance"]
    np.testing.assert_allclose(settled, np.zeros(4), atol=1e-3)
    norm.moving_mean.assign(norm.moving_mean + 3 * ops.sqrt(norm.moving_variance + norm.epsilon))
    moved = prober.read()["lstm_1/input/distance"]
    np.testing.assert_allclose(moved, np.full(4, 3.0), rtol=1e-3)


@pytest.mark.parametrize("norm", ALL)
def test_reading_changes_no_weight(batch, norm):
    model = classifier(f"norm={norm}")
    before = model.get_weights()
    Prober(model, *batch, LOSS).read()
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
