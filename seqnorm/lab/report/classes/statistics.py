"""What arms answer on the test texts, compared text by text: functions on arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats


@dataclass(frozen=True)
class McNemar:
    """McNemar's exact test of two classifiers on the same texts.

    Attributes:
        only_first: Texts that only the first gets right.
        only_second: Texts that only the second gets right.
        p_value: Two-sided; 1 if they never disagree.
    """

    only_first: int
    only_second: int
    p_value: float


def mcnemar(first_right: ArrayLike, second_right: ArrayLike) -> McNemar:
    """McNemar's test in its exact form: the texts on which only one is right, as coin tosses.

        p = 2 P(X <= min(b, c)),   X ~ Binomial(b + c, 1/2),   at most 1

    If the first alone is right on 1 text and the second alone on 5: p = 2 (1 + 6) / 64 = 0.21875.

    Args:
        first_right: bool [n], whether the first answered each text rightly.
        second_right: bool [n], the same of the second.
    """
    first, second = np.asarray(first_right, bool), np.asarray(second_right, bool)
    b, c = int(np.sum(first & ~second)), int(np.sum(second & ~first))
    p_value = float(stats.binomtest(min(b, c), b + c).pvalue) if b + c else 1.0
    return McNemar(b, c, p_value)


def pooled(predicted: ArrayLike, probability: ArrayLike, classes: int) -> NDArray[np.int64]:
    """The answer of several runs together: the class with the most probability behind it.

    Each run gives the probability of its answer to that class; a tie goes to the lower class.
    Answers 1, 1, 0 with probabilities 0.4, 0.4, 0.7 pool to class 1.

    Args:
        predicted: int [runs, n], the answers.
        probability: float [runs, n], the probability of each.
        classes: Number of classes.

    Returns:
        int64 [n].
    """
    answers, weights = np.asarray(predicted), np.asarray(probability, dtype=np.float64)
    votes = np.zeros((answers.shape[1], classes))
    texts = np.arange(answers.shape[1])
    for answer, weight in zip(answers, weights, strict=True):
        votes[texts, answer] += weight
    return votes.argmax(axis=1)


def class_f1(labels: ArrayLike, predicted: ArrayLike, classes: int) -> NDArray[np.float64]:
    """F1 of every class: float64 [classes]; 0 for one never answered, NaN for one with no text.

    F1 = 2 TP / (2 TP + FP + FN)
    """
    truth, answers = np.asarray(labels), np.asarray(predicted)
    support = np.bincount(truth, minlength=classes)
    answered = np.bincount(answers, minlength=classes)
    right = np.bincount(truth[truth == answers], minlength=classes)
    score = np.full(classes, np.nan)
    # TP + FN is the support and TP + FP the number of answers.
    return np.divide(2.0 * right, support + answered, out=score, where=support > 0)
