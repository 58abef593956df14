"""Every data set as published: the same seed, another seed, what is in train and test."""

from __future__ import annotations

import pytest

from seqnorm.lab import data
from seqnorm.lab.cards.measure import repeated
from seqnorm.lab.config.compose import compose
from seqnorm.lab.data.spec import UNKNOWN
from tests.tiers import exhaustive

# name -> test texts that also stand in train or validation, uncut, as published
LEAKS = {
    "imdb_ids": 123,
    "reuters": 237,
    "reuters_r8": 1,
    "reuters_r52": 1,
    "reuters_clean": 0,
}
WHOLE = ["data.num_words=100000", "data.max_length=3000"]


def load(name, folder, seed, *overrides):
    config = compose([f"data={name}", f"data.dir={folder}", *overrides])
    return data.load(config.data, seed)


def content(dataset) -> list[bytes]:
    parts = (dataset.train, dataset.validation, dataset.test)
    return [array.tobytes() for p in parts for array in (p.sequences.values, p.labels)]


# Of IMDB, test_imdb_ids looks at what is published.
SETS = [
    pytest.param("imdb_ids", marks=exhaustive),
    "reuters",
    "reuters_clean",
    pytest.param("reuters_r8", marks=exhaustive),
    pytest.param("reuters_r52", marks=exhaustive),
]


@pytest.fixture(scope="module", params=SETS)
def whole(request, real_data):
    """Name of a data set, and its texts uncut."""
    return request.param, load(request.param, real_data, 0, *WHOLE)


def test_same_seed_same_bytes_another_seed_another_split(whole, real_data):
    name, first = whole
    again, other = load(name, real_data, 0, *WHOLE), load(name, real_data, 1, *WHOLE)
    assert content(first) == content(again)
    assert first.vocabulary.words == again.vocabulary.words
    assert sorted(first.train.sequences.lengths) != sorted(other.train.sequences.lengths)
    assert first.test.labels.tobytes() == other.test.labels.tobytes()
    assert (first.test.sequences.lengths == other.test.sequences.lengths).all()


def test_test_texts_in_train_are_those_of_the_publication(whole):
    name, dataset = whole
    numbers = repeated(dataset)
    assert numbers["test_in_training"] == LEAKS[name]
    if name == "reuters_clean":
        assert numbers["several_labels"] == 0


def test_decode_gives_words_that_encode_to_the_same_ids(whole):
    _, dataset = whole
    for part in (dataset.train, dataset.validation, dataset.test):
        for row in list(part.sequences)[:200]:
            words = dataset.decode(row)
            assert len(words.split(" ")) == len(row) - 1
            if (row != UNKNOWN).all():
                assert dataset.vocabulary.encode(words).tolist() == row[1:].tolist()
