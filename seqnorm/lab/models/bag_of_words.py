"""The floor under every recurrent model: a linear classifier that ignores the order of words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.data.vocabulary import START

if TYPE_CHECKING:
    from seqnorm.lab.data.spec import Sequences, Split

# By default, n-grams in fewer training texts are dropped: they cannot generalise, and are most.
MIN_TEXTS = 3
WEIGHTINGS = ("tfidf", "counts")


class BagOfWords:
    """Logistic regression on single words and pairs of neighbours.

        tf = 1 + ln n_term,  idf = 1 + ln((1 + N) / (1 + N_term)),  x = tf idf / ‖tf idf‖

    Words are the data set's own ids, cut and limited as the recurrent models get them; padding and
    the start token are left out.

    Args:
        size: number of ids.
        num_classes: number of classes, whether or not each occurs in training.
        weighting: "tfidf" (the formula) or "counts" (x = n).
        inverse_regularisation: C of the logistic regression.
        min_texts: terms in fewer training texts are left out.

    Raises:
        ValueError: if ``weighting`` is unknown.
    """

    def __init__(
        self,
        size: int,
        num_classes: int,
        weighting: str = "tfidf",
        inverse_regularisation: float = 10.0,
        min_texts: int = MIN_TEXTS,
    ) -> None:
        if weighting not in WEIGHTINGS:
            raise ValueError(
                f"BagOfWords needs weighting to be one of {WEIGHTINGS}, received "
                f"weighting={weighting!r}. Choose one of them."
            )
        self.size, self.num_classes = size, num_classes
        self.weighting, self.min_texts = weighting, min_texts
        self.inverse_regularisation = inverse_regularisation
        self.parameters = 0

    def fit(self, split: Split) -> None:
        """Trains on a split, whose labels are int[n], or uint8[n, classes] of which 1 are true.

        Raises:
            ValueError: if the split has fewer than two classes, or no term is frequent enough.
        """
        from sklearn.feature_extraction.text import TfidfTransformer
        from sklearn.linear_model import LogisticRegression
        from sklearn.multiclass import OneVsRestClassifier

        self.terms = frequent_terms(split.sequences, self.size, self.min_texts)
        if not self.terms.size or np.unique(split.labels).size < 2:
            raise ValueError(
                f"BagOfWords needs words in at least {self.min_texts} training texts and two "
                f"classes, received {len(split)} texts with labels "
                f"{np.unique(split.labels).tolist()}. Use a larger training part."
            )
        counts = count(split.sequences, self.size, self.terms)
        self.weights = None
        if self.weighting == "tfidf":
            self.weights = TfidfTransformer(sublinear_tf=True).fit(counts)
        # One binary problem per class: for 46 topics many times faster than one joint problem, and
        # for two classes the same.
        binary = LogisticRegression(C=self.inverse_regularisation, solver="liblinear", tol=1e-2)
        self.classifier = OneVsRestClassifier(binary).fit(self._weighted(counts), split.labels)
        # A class that all rows have, or none, is answered without weights.
        self.parameters = sum(
            model.coef_.size + model.intercept_.size
            for model in self.classifier.estimators_
            if hasattr(model, "coef_")
        )

    def probabilities(self, split: Split) -> NDArray[np.float64]:
        """float64[rows, classes]; 0 for a class that training had none of.

        They sum to 1, unless a row may have several classes.
        """
        counts = count(split.sequences, self.size, self.terms)
        result = np.zeros((len(split), self.num_classes))
        result[:, self.classifier.classes_] = self.classifier.predict_proba(self._weighted(counts))
        return result

    def _weighted(self, counts: Any) -> Any:
        return counts if self.weights is None else self.weights.transform(counts)


def ngrams(sequences: Sequences, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The row and the number of each word (its id) and each pair (``size * (a + 1) + b``)."""
    is_word = sequences.values > START
    words = sequences.values[is_word].astype(np.int64)
    rows = np.repeat(np.arange(len(sequences)), sequences.lengths)[is_word]
    same_row = rows[:-1] == rows[1:]
    pairs = (size * (words[:-1] + 1) + words[1:])[same_row]
    return np.concatenate([rows, rows[:-1][same_row]]), np.concatenate([words, pairs])


def frequent_terms(sequences: Sequences, size: int, min_texts: int) -> NDArray[np.int64]:
    """Rising numbers of the words and pairs that occur in at least ``min_texts`` rows."""
    rows, numbers = ngrams(sequences, size)
    terms, columns = np.unique(numbers, return_inverse=True)
    # One key per (term, row), so that a term counts once per row.
    occurrences = np.unique(columns * len(sequences) + rows)
    in_rows = np.bincount(occurrences // len(sequences), minlength=len(terms))
    return terms[in_rows >= min_texts]


def count(sequences: Sequences, size: int, terms: NDArray[np.int64]) -> Any:
    """Sparse float64[rows, terms]: how often each of ``terms`` occurs; others are ignored."""
    from scipy.sparse import csr_matrix

    rows, numbers = ngrams(sequences, size)
    columns = np.minimum(np.searchsorted(terms, numbers), len(terms) - 1)
    known = terms[columns] == numbers
    ones = np.ones(int(known.sum()))
    shape = (len(sequences), len(terms))
    return csr_matrix((ones, (rows[known], columns[known])), shape=shape)
