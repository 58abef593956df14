from __future__ import annotations

import warnings
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from seqnorm.lab.data.spec import Dataset, Sequences, Split
from seqnorm.lab.data.vocabulary import SPECIAL, Vocabulary
from seqnorm.lab.models import bag_of_words
from seqnorm.lab.models.bag_of_words import BagOfWords
from seqnorm.lab.tasks import Classification

VOCABULARY = Vocabulary([*SPECIAL, *"abcdefgh"])


def make_dataset(rule, classes: int, size: int = 600) -> Dataset:
    rng = np.random.default_rng(0)

    def split(rows: int) -> Split:
        texts = [[1, *rng.integers(3, 11, rng.integers(2, 9))] for _ in range(rows)]
        return Split(Sequences.from_rows(texts), np.array([rule(t) for t in texts], np.int32))

    names = tuple(f"class {number}" for number in range(classes))
    return Dataset("toy", split(size), split(5), split(200), names, VOCABULARY)


def test_counts_equal_scikit_learn():
    part = make_dataset(lambda text: 0, 1, size=20).train.sequences
    terms = bag_of_words.frequent_terms(part, VOCABULARY.size, min_texts=2)
    ours = bag_of_words.count(part, VOCABULARY.size, terms).toarray()
    vectorizer = CountVectorizer(
        analyzer="word", token_pattern=r"\S+", ngram_range=(1, 2), min_df=2
    )
    theirs: Any = vectorizer.fit_transform([VOCABULARY.decode(row) for row in part])
    theirs = theirs.toarray()
    assert ours.shape == theirs.shape
    assert sorted(map(tuple, ours.T)) == sorted(map(tuple, theirs.T))


def scores(dataset, weighting="tfidf"):
    model = BagOfWords(dataset.vocabulary.size, dataset.num_classes, weighting)
    model.fit(dataset.train)
    probabilities = model.probabilities(dataset.test)
    return Classification().evaluate_probabilities(dataset, "test", probabilities).scores


@pytest.mark.parametrize("weighting", ["tfidf", "counts"])
def test_it_learns_words_and_pairs(weighting):
    by_word = make_dataset(lambda text: int(3 in text), 2)
    assert scores(by_word, weighting)["accuracy"] > 0.97
    by_pair = make_dataset(lambda t: int((3, 4) in pairwise(t)), 2, size=3000)
    assert scores(by_pair, weighting)["accuracy"] > max(0.97, by_pair.majority_accuracy)


def test_it_takes_any_number_of_classes():
    dataset = make_dataset(lambda t: 2 * (3 in t) + (4 in t), 4)
    found = scores(dataset)
    assert found["accuracy"] > 0.9 and found["macro_f1"] > 0.9 > dataset.majority_accuracy


def test_a_class_that_training_has_none_of_has_no_probability():
    dataset = make_dataset(lambda text: 2 * (3 in text), 4)
    model = BagOfWords(VOCABULARY.size, dataset.num_classes)
    model.fit(dataset.train)
    probabilities = model.probabilities(dataset.test)
    assert probabilities.shape == (200, 4) and not probabilities[:, [1, 3]].any()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert model.parameters == len(model.terms) + 1


@pytest.mark.parametrize(
    "change", [{"weighting": "counts"}, {"inverse_regularisation": 0.1}, {"min_texts": 60}]
)
def test_every_setting_changes_the_model(change):
    dataset = make_dataset(lambda text: int(3 in text), 2)
    default, other = BagOfWords(VOCABULARY.size, 2), BagOfWords(VOCABULARY.size, 2, **change)
    for model in (default, other):
        model.fit(dataset.train)
    before, after = (model.probabilities(dataset.test) for model in (default, other))
    assert np.abs(before - after).max() > 1e-3


@pytest.mark.parametrize(("weighting", "several"), [("tfidf", False), ("counts", True)])
def test_probabilities_are_scikit_learns_and_stay_when_it_is_restored(weighting, several):
    dataset = make_dataset(lambda text: (3 in text) + (4 in text), 4)
    labels = dataset.train.labels
    if several:  # a class that every row has, one that none has
        labels = np.stack([labels > 0, labels > 1, labels >= 0, labels < 0], 1).astype(np.uint8)
    part = Split(dataset.train.sequences, labels)
    model, again = (BagOfWords(VOCABULARY.size, 4, weighting) for _ in range(2))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Label", UserWarning)
        model.fit(part)
        x = bag_of_words.count(part.sequences, VOCABULARY.size, model.terms)
        if weighting == "tfidf":
            x = TfidfTransformer(sublinear_tf=True).fit_transform(x)
        binary = LogisticRegression(C=10.0, solver="liblinear", tol=1e-2)
        theirs = OneVsRestClassifier(binary).fit(x, labels)
    ours = model.probabilities(part)
    np.testing.assert_allclose(ours[:, theirs.classes_], theirs.predict_proba(x), atol=1e-12)
    again.restore(model.arrays())
    assert np.array_equal(again.probabilities(part), ours)
    assert again.parameters == model.parameters
    outputs = again.outputs(part.sequences)
    likely = 1 / (1 + np.exp(-outputs)) if several else np.exp(outputs)
    np.testing.assert_allclose(likely, ours, atol=1e-12)


def test_a_pair_does_not_cross_from_one_text_to_the_next():
    rows, numbers = bag_of_words.ngrams(Sequences.from_rows([[1, 3], [1], [1, 4, 5]]), 11)
    pairs = numbers >= 11
    assert (rows[pairs].tolist(), numbers[pairs].tolist()) == ([2], [11 * 5 + 5])


def test_what_cannot_be_scored_is_refused():
    with pytest.raises(ValueError, match="weighting='binary'"):
        scores(make_dataset(lambda t: 0, 2), weighting="binary")
    with pytest.raises(ValueError, match=r"two classes, received 600 texts with labels \[0\]"):
        scores(make_dataset(lambda t: 0, 2))
