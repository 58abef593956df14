"""The floor under every recurrent model: a linear classifier that ignores the order of words."""

from __future__ import annotations

from collections.abc import Mapping
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
        self.idf = np.empty(0)
        if self.weighting == "tfidf":
            self.idf = TfidfTransformer(sublinear_tf=True).fit(counts).idf_
        # One binary problem per class: for 46 topics many times faster than one joint problem, and
        # for two classes the same.
        binary = LogisticRegression(C=self.inverse_regularisation, solver="liblinear", tol=1e-2)
        classifier = OneVsRestClassifier(binary).fit(self._weighted(counts), split.labels)
        self.classes, self.several = classifier.classes_, classifier.multilabel_
        problems = [_weights(each, len(self.terms)) for each in classifier.estimators_]
        self.coefficients = np.array([weights for weights, _ in problems])
        self.intercepts = np.array([intercept for _, intercept in problems])
        self._count_parameters()

    def _count_parameters(self) -> None:
        learnt = int(np.isfinite(self.intercepts).sum())
        self.parameters = learnt * (len(self.terms) + 1)

    def probabilities(self, split: Split) -> NDArray[np.float64]:
        """float64[rows, classes]; 0 for a class that training had none of.

        They sum to 1, unless a row may have several classes.
        """
        from scipy.special import expit

        likely = expit(self._logits(split.sequences))
        if not self.several:
            if likely.shape[1] == 1:
                likely = np.hstack([1 - likely, likely])
            total = likely.sum(axis=1, keepdims=True)
            likely /= np.where(total > 0, total, 1)
        result = np.zeros((len(split), self.num_classes))
        result[:, self.classes] = likely
        return result

    def _logits(self, sequences: Sequences) -> NDArray[np.float64]:
        """float64[rows, problems]: one for each class, or one for two classes."""
        weighted = self._weighted(count(sequences, self.size, self.terms))
        return weighted @ self.coefficients.T + self.intercepts

    def _weighted(self, counts: Any) -> Any:
        from sklearn.feature_extraction.text import TfidfTransformer

        if not self.idf.size:
            return counts
        transformer = TfidfTransformer(sublinear_tf=True)
        transformer.idf_ = self.idf
        return transformer.transform(counts)

    def outputs(self, sequences: Sequences) -> NDArray[np.float64]:
        """float64[rows, classes]: logits, from which the task makes its answer to each row."""
        from seqnorm.lab.data.spec import Split

        likely = self.probabilities(Split(sequences, np.zeros(len(sequences))))
        with np.errstate(divide="ignore"):  # -inf for what cannot be
            return np.log(likely) - (np.log1p(-likely) if self.several else 0.0)

    def arrays(self) -> dict[str, NDArray]:
        """What `fit` has learnt, by name."""
        return {
            "terms": self.terms,
            "idf": self.idf,
            "coefficients": self.coefficients,
            "intercepts": self.intercepts,
            "classes": self.classes,
            "several": np.array(self.several),
        }

    def restore(self, arrays: Mapping[str, NDArray]) -> None:
        """Takes what `arrays` gave in the place of `fit`."""
        self.terms, self.idf = arrays["terms"], arrays["idf"]
        self.coefficients, self.intercepts = arrays["coefficients"], arrays["intercepts"]
        self.classes, self.several = arrays["classes"], bool(arrays["several"])
        self._count_parameters()


def _weights(problem: Any, terms: int) -> tuple[NDArray[np.float64], float]:
    """Coefficients and intercept of one class; one that all rows have, or none, has no weights."""
    if hasattr(problem, "coef_"):
        return problem.coef_[0], float(problem.intercept_[0])
    certain = bool(problem.y_[0])
    return np.zeros(terms), np.inf if certain else -np.inf


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
