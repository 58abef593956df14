"""Running statistics estimated anew: those of all rows, in both kinds of batch normalisation."""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np

from seqnorm import reestimate
from seqnorm.lab.config.compose import compose
from seqnorm.lab.data.batching import Batches
from seqnorm.lab.data.spec import Sequences, Split
from seqnorm.lab.models.classifier import build_classifier, recurrent_layers
from seqnorm.lab.training.run import run

NO_DROPOUT = ["model.embedding_dropout=0", "model.dropout=0"]
MLP = ["data=synthetic", "model=mlp", "norm=keras_batch", "model.hidden=[6]"]


def some_batches(rng: np.random.Generator) -> Batches:
    rows = [[1, *rng.integers(3, 20, rng.integers(2, 7))] for _ in range(50)]
    split = Split(Sequences.from_rows(rows), rng.integers(0, 2, 50).astype(np.int32))
    return Batches(split, batch_size=16, bucket=2)


def test_kerass_layer_gets_the_moments_of_all_rows(rng):
    tokens = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(20, 4)(tokens)
    pooled = keras.layers.GlobalAveragePooling1D()(x)
    layer: Any = keras.layers.BatchNormalization(momentum=0.99)
    model = keras.Model(tokens, layer(pooled))
    below = keras.Model(tokens, pooled)
    batches = some_batches(rng)
    assert reestimate(model, batches) == 1
    seen = np.concatenate([below(batches[index][0]) for index in range(len(batches))])
    np.testing.assert_allclose(layer.moving_mean, seen.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(layer.moving_variance, seen.var(axis=0), rtol=1e-4)
    assert layer.momentum == 0.99


def test_a_table_inside_a_recurrence_counts_every_row_once(rng):
    config = compose(["experiment=smoke", "norm=batch", "data.max_length=8", *NO_DROPOUT])
    model = build_classifier(
        config, vocabulary_size=20, head=partial(keras.layers.Dense, 2, name="logits")
    )
    batches = some_batches(rng)
    (layer,) = recurrent_layers(model)
    table: Any = layer.cells[0].normalizers["input"]
    table.moving_mean.assign(np.full(table.moving_mean.shape, 7.0))  # what training left behind
    table.count.assign(np.full(table.count.shape, 1e6))
    assert reestimate(model, batches) == 3
    alive = [(batches.split.sequences.lengths > step).sum() for step in range(8)]
    np.testing.assert_allclose(np.asarray(table.count)[:, 0], alive)
    # x W does not depend on the normalisation, so its moments are known.
    embedding = np.asarray(model.get_layer("embedding").embeddings)
    kernel = np.asarray(layer.cells[0].kernel)
    for step in range(3):
        words = [row[step] for row in batches.split.sequences if len(row) > step]
        product = embedding[words] @ kernel
        np.testing.assert_allclose(table.moving_mean[step], product.mean(axis=0), atol=1e-6)
        np.testing.assert_allclose(
            table.moving_variance[step], product.var(axis=0), rtol=1e-3, atol=1e-9
        )
    assert table.momentum == 0.99


def test_without_batch_normalisation_nothing_changes(rng):
    model = build_classifier(
        compose(["experiment=smoke"]),
        vocabulary_size=20,
        head=partial(keras.layers.Dense, 2, name="logits"),
    )
    before = model.get_weights()
    assert reestimate(model, some_batches(rng)) == 0
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_run_keeps_what_was_estimated_and_all_else(tmp_path):
    options = ["data.examples=100", "train.epochs=1", "optim=rmsprop", f"runs_dir={tmp_path}"]
    results = [run(compose([*MLP, *options, f"train.reestimate={flag}"])) for flag in (False, True)]
    assert results[0].config_hash != results[1].config_hash
    left, mended = (
        keras.models.load_model(tmp_path / result.run / "model.keras") for result in results
    )
    for one, two in zip(left.weights, mended.weights, strict=True):
        assert np.array_equal(one, two) != one.name.startswith("moving_"), one.name
    # Two updates with momentum 0.99 have hardly moved the variance away from 1.
    before, after = (model.get_layer("norm_1").moving_variance for model in (left, mended))
    assert np.abs(np.asarray(before) - 1).max() < 0.05 < np.abs(np.asarray(after) - 1).min()


def test_statistics_that_give_no_loss_are_a_divergence(tmp_path, monkeypatch):
    def spoil(model, batches):
        for weight in model.weights:
            if weight.name.startswith("moving_variance"):
                weight.assign(np.full(weight.shape, np.nan))

    monkeypatch.setattr("seqnorm.lab.training.fit.reestimate", spoil)
    options = ["data.examples=100", "train.epochs=1", "train.test=false", f"runs_dir={tmp_path}"]
    result = run(compose([*MLP, *options, "train.reestimate=true"]))
    assert result.status == "diverged"
    assert "the validation loss became nan with re-estimated statistics" in result.message
