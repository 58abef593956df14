"""The next token at each step, its scores, and a state that goes on from window to window."""

from __future__ import annotations

import json
import math
from pathlib import Path

import keras
import numpy as np
import pytest

from seqnorm.lab.config.compose import compose
from seqnorm.lab.config.rules import ConfigError, validate
from seqnorm.lab.data.next_tokens import labelled_with_next, windows
from seqnorm.lab.data.spec import IGNORED, Dataset, Sequences, Split, Vocabulary
from seqnorm.lab.data.vocabulary import SPECIAL
from seqnorm.lab.models.build import build_model
from seqnorm.lab.tasks import LanguageModel
from seqnorm.lab.tasks.carrying import carrying
from seqnorm.lab.tasks.likelihood import costs_of
from seqnorm.lab.trained import load
from seqnorm.lab.training.run import run
from tests.tiers import exhaustive

ROWS = [[1, 3, 4], [1], [1, 4, 4, 3, 3]]
LM = ("task=language_model", "model.bidirectional=false")


@pytest.fixture
def dataset() -> Dataset:
    part = Split(Sequences.from_rows(ROWS), np.zeros(len(ROWS), np.int32))
    words = Vocabulary([*SPECIAL, "x", "y"])
    return LanguageModel().prepare(Dataset("own", part, part, part, ("neg", "pos"), words))


def long_rows(number: int, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    rows = [[1, *rng.integers(2, 9, rng.integers(0, 9))] for _ in range(number)]
    part = Split(Sequences.from_rows(rows), np.zeros(number))
    vocabulary = Vocabulary([*SPECIAL, *"abcdef"])
    return labelled_with_next(Dataset("own", part, part, part, (), vocabulary))


def test_each_token_but_start_is_asked_for_once(dataset):
    labels = [row.tolist() for row in map(dataset.test.labels.__getitem__, range(3))]
    assert labels == [[3, 4, IGNORED], [IGNORED], [4, 4, 3, 3, IGNORED]]
    assert dataset.label_names == dataset.words.words


def test_texts_that_ask_for_nothing_are_refused():
    part = Split(Sequences.from_rows([[1], [1]]), np.zeros(2))
    with pytest.raises(ValueError, match="received 2 training texts without a word"):
        labelled_with_next(Dataset("own", part, part, part, (), Vocabulary([*SPECIAL, "a"])))


@pytest.mark.parametrize("steps", [1, 3, 5, 100])
@pytest.mark.parametrize("strands", [None, 1, 4, 7])
def test_windows_hold_every_token_once_and_go_on_in_each_strand(steps, strands):
    whole = long_rows(23).test
    cut = windows(long_rows(23), steps, strands).test
    size = strands or 1
    strand = [
        np.concatenate([part[row] for row in range(at, len(part), size)])
        for part in (cut.sequences, cut.labels)
        for at in range(size)
    ]
    assert np.concatenate(strand[:size]).tolist() == whole.sequences.values.tolist()
    assert np.concatenate(strand[size:]).tolist() == whole.labels.values.tolist()
    assert len(cut) % size == 0 and cut.sequences.lengths.min() >= 1
    assert cut.sequences.lengths.max() <= steps + 1


def test_too_few_tokens_for_the_strands_are_refused(dataset):
    with pytest.raises(ValueError, match=r"data.batch_size=10 strands; received 9 in the training"):
        windows(dataset, 2, 10)


def fixed_logits() -> keras.Model:
    """Says id 3 with e^2 times the odds of every other id."""
    tokens = keras.Input((None,), dtype="int32")
    logits = 2 * keras.ops.one_hot(keras.ops.full_like(tokens, 3), 5)
    return keras.Model(tokens, logits)


def test_scores_are_means_over_the_tokens_that_are_asked_for(dataset):
    task = LanguageModel()
    found = task.evaluate(fixed_logits(), dataset, "test", batch_size=2)
    norm = math.log(math.exp(2) + 4)
    loss = (6 * norm - 3 * 2) / 6  # of six tokens three are 3
    assert found.loss == pytest.approx(loss, rel=1e-6)
    assert found.scores["bits"] == pytest.approx(loss / math.log(2), rel=1e-6)
    assert found.scores["perplexity"] == pytest.approx(math.exp(loss), rel=1e-6)
    assert found.predictions["asked"].tolist() == [2, 0, 4]
    alone, asked = found.predictions["score"], found.predictions["asked"]
    assert alone[0] == pytest.approx(found.predictions["bits"][0] / 2) and alone[1] == 0
    assert np.average(alone, weights=asked) == pytest.approx(found.scores["bits"], rel=1e-6)
    tokens, labels = dataset.test.batch([0, 1, 2])
    assert float(task.loss()(labels, fixed_logits()(tokens))) == pytest.approx(loss, rel=1e-6)
    (metric,) = task.metrics()
    metric.update_state(labels, fixed_logits()(tokens))
    assert float(metric.result()) == pytest.approx(loss / math.log(2), rel=1e-6)


def test_the_baseline_is_the_frequency_of_tokens_and_an_unseen_one_is_possible(dataset):
    found = LanguageModel().baseline(dataset, "test")  # 3 three times, 4 three times, unknown never
    assert found.scores["bits"] == pytest.approx(math.log2(9 / 4))
    assert found.loss is None


@pytest.mark.parametrize("norm", ["none", "layer", "rms", "group", "batch", "dyt"])
def test_no_answer_knows_a_later_token_of_its_row(small, norm):
    dataset = long_rows(8)
    still = ("model.dropout=0", "model.embedding_dropout=0")
    model = build_model(small(*LM, *still, f"norm={norm}"), dataset)
    tokens = np.random.default_rng(1).integers(2, 9, (4, 6)).astype("int32")
    other = tokens.copy()
    other[0, 4:] = 3
    for training in (True, False):  # with the statistics of the batch, and with running ones
        before, after = (model(rows, training=training) for rows in (tokens, other))
        np.testing.assert_allclose(before[0, :4], after[0, :4], rtol=1e-5, atol=1e-6)
        assert np.abs(before[0, 4:] - after[0, 4:]).max() > 1e-4


@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
def test_a_carried_state_answers_as_one_long_row_would(small, norm):
    config = small(*LM, f"norm={norm}", "model.depth=2")
    whole, strands = long_rows(40), 3
    cut = windows(whole, 4, strands)
    model = build_model(config, whole)
    for weight in model.weights:
        weight.assign(np.random.default_rng(2).uniform(0.2, 0.8, weight.shape))
    task = LanguageModel(window=4, carry_state=True)
    found = costs_of(task, carrying(model, strands), cut.test, strands)
    long = windows(whole, 10_000, strands)
    expected = costs_of(LanguageModel(), model, long.test, strands)
    by_strand = found.reshape(-1, strands).sum(axis=0)
    np.testing.assert_allclose(by_strand, expected, rtol=1e-5)
    plain = costs_of(LanguageModel(), model, cut.test, strands).reshape(-1, strands).sum(axis=0)
    assert np.abs(plain - expected).max() > 1e-2  # without what came before


@pytest.mark.parametrize(
    ("overrides", "required"),
    [
        (["model.bidirectional=true"], "Add model.bidirectional=false"),
        (["task.carry_state=true"], "needs task.window"),
        (["task.carry_state=true", "task.window=4", "data.batch_tokens=9"], "Leave it out"),
        (["data=adding"], "received data=adding, which has rows of numbers"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_read(small, overrides, required):
    with pytest.raises(ConfigError, match=required):
        validate(small(*LM, *overrides))


@exhaustive
def test_a_run_that_carries_its_state_is_scored_saved_probed_and_answers(small):
    config = small(*LM, "task.window=6", "task.carry_state=true", "train.probe_every=3")
    result = run(config)
    folder = Path(config.runs_dir) / result.run
    assert result.test is not None and 1 < result.test["bits"] < result.baseline + 2
    with np.load(folder / "predictions.npz") as stored:
        asked, bits = stored["asked"], stored["bits"]
        assert len(asked) == len(stored["lengths"])
    assert bits.sum() / asked.sum() == pytest.approx(result.test["bits"], rel=1e-4)
    assert (folder / "probes.npz").is_file()
    trained = load(folder)
    (answer,) = trained.predict(["a good film"])
    assert answer["next"] in trained.vocabulary.words
    assert answer["probability"] == max(answer["probabilities"].values())
    # The saved network is that which was scored: from zero states it answers alike.
    rows = trained.encode(["a good film", "bad"]).padded([0, 1])
    twin = carrying(trained.model, 2)
    np.testing.assert_allclose(trained.model(rows), twin(rows), rtol=1e-5, atol=1e-6)


def test_the_floor_of_a_language_model_is_a_run(tmp_path):
    data = ["data=synthetic", "data.examples=300", "data.test_examples=50"]
    chosen = ["task=language_model", "model=ngram", "model.order=2"]
    config = compose([*chosen, *data, f"runs_dir={tmp_path}"])
    result = run(config)
    # Words of these texts hardly depend on those before them.
    assert result.test is not None and abs(result.test["bits"] - result.baseline) < 0.5
    assert result.cell == "ngram" and result.parameters > 0
    stored = json.loads((tmp_path / result.run / "result.json").read_text())
    assert stored["task"]["name"] == "language_model"


def test_a_model_that_counts_serves_its_own_task_only():
    with pytest.raises(
        ConfigError, match="model=bag_of_words can do task=classification or multilabel"
    ):
        validate(compose(["task=language_model", "model=bag_of_words", "data=synthetic"]))
