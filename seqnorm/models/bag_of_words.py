"""The floor under every recurrent model: a linear classifier that ignores the order of words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.data.vocabulary import START

if TYPE_CHECKING:
    from seqnorm.data.spec import Dataset, Sequences

# n-grams in fewer training texts than this are dropped: they cannot generalise, and they are most.
MIN_TEXTS = 3


def bag_of_words_accuracy(
    dataset: Dataset, weighting: str = "tfidf", inverse_regularisation: float = 10.0
) -> dict[str, float]:
    """Trains logistic regression on single words and pairs of neighbours; scores the test part.

    Words are the data set's own ids, cut and limited as the recurrent models get them; padding and
    the start token are left out. It is trained on the training part without validation.

    Args:
        dataset: any data set.
        weighting: "tfidf" (sublinear counts times inverse document frequency, rows of unit length)
            or "counts".
        inverse_regularisation: C of the logistic regression.

    Returns:
        ``accuracy`` and ``macro_f1`` on the test part, and ``majority_accuracy``: the accuracy of
        the most frequent training class.

    Raises:
        ValueError: if ``weighting`` is unknown, or the training part is too small.
    """
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score, f1_score
    from sklearn.multiclass import OneVsRestClassifier

    if weighting not in ("tfidf", "counts"):
        raise ValueError(
            "bag_of_words_accuracy needs weighting 'tfidf' or 'counts', received "
            f"weighting={weighting!r}. Choose one of them."
        )
    size = dataset.vocabulary.size
    terms = frequent_terms(dataset.train.sequences, size)
    if not terms.size or np.unique(dataset.train.labels).size < 2:
        raise ValueError(
            f"bag_of_words_accuracy needs words in at least {MIN_TEXTS} training texts and two "
            f"classes, received {len(dataset.train)} texts with labels "
            f"{np.unique(dataset.train.labels).tolist()}. Use a larger training part."
        )
    train, test = (count(part.sequences, size, terms) for part in (dataset.train, dataset.test))
    if weighting == "tfidf":
        transformer = TfidfTransformer(sublinear_tf=True).fit(train)
        train, test = transformer.transform(train), transformer.transform(test)
    # One binary problem per class: for 46 topics many times faster than one joint problem, and for
    # two classes the same.
    binary = LogisticRegression(C=inverse_regularisation, solver="liblinear", tol=1e-2)
    predicted = OneVsRestClassifier(binary).fit(train, dataset.train.labels).predict(test)
    return {
        "accuracy": float(accuracy_score(dataset.test.labels, predicted)),
        "macro_f1": float(f1_score(dataset.test.labels, predicted, average="macro")),
        "majority_accuracy": dataset.majority_accuracy,
    }


def ngrams(sequences: Sequences, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The row and the number of each word (its id) and each pair (``size * (a + 1) + b``)."""
    is_word = sequences.values > START
    words = sequences.values[is_word].astype(np.int64)
    rows = np.repeat(np.arange(len(sequences)), sequences.lengths)[is_word]
    same_row = rows[:-1] == rows[1:]
    pairs = (size * (words[:-1] + 1) + words[1:])[same_row]
    return np.concatenate([rows, rows[:-1][same_row]]), np.concatenate([words, pairs])


def frequent_terms(sequences: Sequences, size: int) -> NDArray[np.int64]:
    """Rising numbers of the words and pairs that occur in at least MIN_TEXTS rows."""
    rows, numbers = ngrams(sequences, size)
    terms, columns = np.unique(numbers, return_inverse=True)
    # One key per (term, row), so that a term counts once per row.
    occurrences = np.unique(columns * len(sequences) + rows)
    in_rows = np.bincount(occurrences // len(sequences), minlength=len(terms))
    return terms[in_rows >= MIN_TEXTS]


def count(sequences: Sequences, size: int, terms: NDArray[np.int64]) -> Any:
    """Sparse float64[rows, terms]: how often each of ``terms`` occurs; others are ignored."""
    from scipy.sparse import csr_matrix

    rows, numbers = ngrams(sequences, size)
    columns = np.minimum(np.searchsorted(terms, numbers), len(terms) - 1)
    known = terms[columns] == numbers
    ones = np.ones(int(known.sum()))
    shape = (len(sequences), len(terms))
    return csr_matrix((ones, (rows[known], columns[known])), shape=shape)
