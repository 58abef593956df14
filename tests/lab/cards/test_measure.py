from __future__ import annotations

import numpy as np
import pytest

from seqnorm.lab import data
from seqnorm.lab.cards.figures import draw_batches, smoothed
from seqnorm.lab.cards.measure import alive, batch_numbers, measure, repeated
from seqnorm.lab.config.data import DataConfig, SyntheticConfig
from seqnorm.lab.data.batching import Batches
from seqnorm.lab.data.spec import Dataset, Sequences, Split
from seqnorm.lab.data.vocabulary import SPECIAL, Vocabulary


def split(rows, labels=None) -> Split:
    return Split(Sequences.from_rows(rows), np.array(labels or np.zeros(len(rows)), dtype=np.int32))


def test_a_comb_becomes_its_envelope():
    comb = np.where(np.arange(240) % 2, 64.0, 3.0)
    assert (smoothed(comb, np.min) == 3).all() and (smoothed(comb, np.max) == 64).all()
    rising = np.arange(240.0)
    np.testing.assert_array_equal(smoothed(rising, np.median)[4:-4], rising[4:-4])
    few = np.array([1.0, 5.0, 1.0])
    np.testing.assert_array_equal(smoothed(few, np.max), few)


def test_batch_numbers_by_hand():
    rows = np.array([[3, 3, 1, 1], [2, 1, 0, 0]])  # 8 tokens in 12 cells, 3 in 4
    numbers = batch_numbers(rows)
    assert numbers["batches"] == 2
    assert numbers["padding_share"] == pytest.approx(5 / 16)
    assert numbers["few_share"] == {
        "1": pytest.approx(3 / 6),
        "2": pytest.approx(4 / 6),
        "8": pytest.approx(1.0),
    }
    assert numbers["alive"]["batches"] == [2, 2, 1, 1]
    assert numbers["alive"]["median"] == [2.5, 2.0, 1.0, 1.0]


@pytest.mark.parametrize("bucket", [0, 4])
def test_alive_rows_are_those_of_the_batches_that_are_trained_on(rng, bucket):
    some = split([[1, *rng.integers(3, 9, rng.integers(0, 30))] for _ in range(101)])
    batches = Batches(some, 8, seed=3, bucket=bucket)
    rows = alive(batches)
    padding = cells = 0
    for index in range(len(batches)):
        tokens, _ = batches[index]
        counts = (tokens != 0).sum(axis=0)
        np.testing.assert_array_equal(rows[index][: tokens.shape[1]], counts)
        assert (rows[index][tokens.shape[1] :] == 0).all()
        padding += int((tokens == 0).sum())
        cells += tokens.size
    assert batch_numbers(rows)["padding_share"] == pytest.approx(padding / cells)


def test_repeated_texts_by_hand():
    dataset = Dataset(
        "d",
        train=split([[1, 3], [1, 4], [1, 4]], [0, 1, 0]),
        validation=split([[1, 5], [1, 4]], [1, 1]),
        test=split([[1, 3], [1, 5], [1, 5], [1, 6]], [1, 1, 1, 0]),
        label_names=("a", "b"),
        vocabulary=Vocabulary([*SPECIAL, "a", "b", "c", "d"]),
    )
    # [3] stands under both labels (two examples), so does [4] (three); [3], [5] and [5] leak.
    assert repeated(dataset) == {
        "test_in_training": 3,
        "validation_in_training": 1,
        "several_labels": 5,
    }


def test_numbers_of_the_parts():
    config = SyntheticConfig(name="synthetic", examples=300, test_examples=100, num_words=60)
    dataset = data.load(config, 0)
    card = measure(dataset, config, 0)
    train = card["parts"]["train"]
    assert train["examples"] == len(dataset.train) == sum(train["class_counts"])
    lengths = dataset.train.sequences.lengths
    assert train["tokens"] == lengths.sum()
    assert [train["length_percentiles"][p] for p in (0, 100)] == [lengths.min(), lengths.max()]
    assert np.mean(lengths <= train["length_percentiles"][50]) >= 0.5
    words = [word for row in dataset.train.sequences for word in dataset.decode(row).split()]
    assert train["unknown_rate"] == pytest.approx(words.count("<unknown>") / len(words))
    assert card["majority_accuracy"] == dataset.majority_accuracy


def test_bucketing_is_measured_as_configured():
    config = SyntheticConfig(name="synthetic", examples=900, bucket=20, batch_size=16)
    card = measure(data.load(config, 0), config, 0)
    kinds = card["batches"]
    assert kinds["bucketed"]["padding_share"] < 0.5 * kinds["shuffled"]["padding_share"]
    same = measure(data.load(config, 0), DataConfig(name="synthetic", bucket=0, batch_size=16), 0)
    assert same["batches"] == {"shuffled": kinds["shuffled"]}


@pytest.mark.parametrize("cut", [{"batch_tokens": 500}, {"even_batches": False, "batch_size": 40}])
def test_a_card_describes_the_batches_that_training_takes(cut):
    config = SyntheticConfig(name="synthetic", examples=300, test_examples=50, bucket=4, **cut)
    dataset = data.load(config, 2)
    batches = Batches.configured(dataset.train, config, 2)
    card = measure(dataset, config, 2)
    assert card["batches"]["bucketed"]["batches"] == len(batches)
    padding = 1 - batches.tokens / sum(batches[index][0].size for index in range(len(batches)))
    assert card["batches"]["bucketed"]["padding_share"] == pytest.approx(padding)
    assert card["settings"].items() >= {"seed": 2, "bucket": 4, **cut}.items()


def test_no_padding_is_drawn_as_none():
    rows = np.full((3, 5), 4)
    figure = draw_batches({"batches": {"shuffled": batch_numbers(rows)}})
    low, high = figure.axes[1].get_xlim()
    assert low == 0 and high >= 1
