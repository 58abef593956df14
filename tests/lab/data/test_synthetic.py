from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seqnorm.lab import data
from seqnorm.lab.config.data import SyntheticConfig
from seqnorm.lab.data import synthetic
from seqnorm.lab.data.spec import UNKNOWN
from seqnorm.lab.models.bag_of_words import BagOfWords
from seqnorm.lab.tasks import Classification

CONFIG = SyntheticConfig(
    name="synthetic",
    num_words=1000,
    max_length=200,
    truncate="head",
    validation_fraction=0.15,
    examples=7000,
    test_examples=2000,
)
SMALL = replace(CONFIG, examples=300, test_examples=100)


@pytest.fixture(scope="module")
def full():
    return data.load(CONFIG, 0)


def verdict(text: str) -> int:
    words = synthetic.standard_lexicon()
    return int(synthetic.signed_sums(words, words.vocabulary.encode(text)[None])[0])


def by_hand(text: str) -> int:
    """The rule, one word after the other."""
    words = synthetic.standard_lexicon()
    sign, total = 1, 0
    for word in text.split():
        number = words.vocabulary.ids[word]
        if words.mark[number]:
            sign = 1
        elif words.negator[number]:
            sign = -1
        total += sign * int(words.valence[number])
    return total


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the film is good .", 1),
        ("the film is not good .", -1),
        ("the film is good , never bad .", 2),
        ("not the good warm film", -2),
        ("not the good warm film , a good one", -1),
        ("good not", 1),
        ("never not good but never not bad", 0),
        ("without a great story ; hardly a bad scene . lovely", 1),
        ("the film of it", 0),
    ],
)
def test_a_negator_turns_what_follows_up_to_the_next_mark(text, expected):
    assert verdict(text) == expected
    assert by_hand(text) == expected


def test_putting_a_negator_first_turns_a_clause_round(rng):
    words = synthetic.standard_lexicon()
    plain = [w for w in words.vocabulary.words[3:] if not words.mark[words.vocabulary.ids[w]]]
    plain = [word for word in plain if not words.negator[words.vocabulary.ids[word]]]
    for _ in range(20):
        clause = " ".join(rng.choice(plain, 15))
        assert verdict(f"not {clause}") == -verdict(clause)
        assert verdict(f"not the , {clause}") == verdict(clause)


def test_labels_are_the_sign_of_the_sum_found_word_by_word(full):
    for index in range(200):
        total = by_hand(full.vocabulary.decode(full.test.sequences[index]))
        assert abs(total) >= synthetic.MARGIN
        assert (total > 0) == full.test.labels[index]


def test_lengths_and_labels_are_like_a_corpus(full):
    for part in (full.train, full.validation, full.test):
        lengths = part.sequences.lengths
        assert lengths.min() >= 10 and lengths.max() <= 200
        assert 37 < lengths.mean() < 43
        assert 0.5 < np.log(lengths).std() < 0.62  # a little below SPREAD, as both ends are cut
        assert abs(part.labels.mean() - 0.5) < 0.04
        longer = lengths > np.median(lengths)
        assert abs(part.labels[longer].mean() - part.labels[~longer].mean()) < 0.08
    assert len(full.train) + len(full.validation) == 7000
    assert np.bincount(full.train.sequences.values)[:3].tolist() == [0, len(full.train), 0]


def test_words_follow_zipf_and_ids_follow_frequency(full):
    counts = np.bincount(full.train.sequences.values, minlength=full.vocabulary.size)[3:]
    assert counts.min() > 0
    assert counts[:10].sum() > 50 * counts[-10:].sum()
    assert np.corrcoef(np.arange(counts.size), -np.log(counts))[0, 1] > 0.85


def test_texts_read_like_text(full):
    words = synthetic.standard_lexicon()
    for index in range(100):
        text = full.vocabulary.decode(full.train.sequences[index])
        assert text.endswith(" .")
        ids = full.train.sequences[index][1:]
        assert not words.mark[ids[0]]
        assert not (words.mark[ids[1:]] & words.mark[ids[:-1]]).sum() > 1  # the final full stop
        np.testing.assert_array_equal(full.vocabulary.encode(text), ids)


def test_a_bag_of_words_stays_below_three_quarters(full):
    for weighting, strength in (("tfidf", 0.3), ("tfidf", 10.0), ("counts", 0.1), ("counts", 1.0)):
        model = BagOfWords(full.vocabulary.size, full.num_classes, weighting, strength)
        model.fit(full.train)
        probabilities = model.probabilities(full.test)
        found = Classification().evaluate_probabilities(full, "test", probabilities)
        assert 0.6 < found.scores["accuracy"] < 0.7


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_split():
    first = data.load(SMALL, 0)
    np.random.seed(1)
    again, other = data.load(SMALL, 0), data.load(SMALL, 1)
    for part in ("train", "validation", "test"):
        one, two = getattr(first, part), getattr(again, part)
        assert one.sequences.values.tobytes() == two.sequences.values.tobytes()
        assert one.labels.tobytes() == two.labels.tobytes()
    assert first.test.sequences.values.tobytes() == other.test.sequences.values.tobytes()
    assert first.train.sequences.values.tobytes() != other.train.sequences.values.tobytes()


def test_the_number_of_training_texts_leaves_the_test_texts_alone():
    few, many = data.load(SMALL, 0), data.load(replace(SMALL, examples=500), 0)
    assert few.test.sequences.values.tobytes() == many.test.sequences.values.tobytes()


def test_a_smaller_table_and_shorter_rows_are_respected():
    dataset = data.load(replace(SMALL, num_words=50, max_length=12), 0)
    assert dataset.vocabulary.size == 50
    assert dataset.train.sequences.values.max() == 49
    assert (dataset.train.sequences.values == UNKNOWN).any()
    assert dataset.train.sequences.lengths.max() == 12
    # The head is cut: every text still ends with its full stop.
    stop = dataset.vocabulary.ids["."]
    assert all(row[-1] == stop for row in dataset.train.sequences)
