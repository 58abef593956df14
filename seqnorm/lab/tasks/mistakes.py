"""The test texts that a model is most sure about and wrong: what a person should read first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from seqnorm.lab.data.spec import Dataset

COLUMNS = ("text", "label", "predicted", "probability", "tokens")
MOST = 100


def mistakes(
    dataset: Dataset, predicted: ArrayLike, probability: ArrayLike, most: int = MOST
) -> list[tuple[Any, ...]]:
    """Rows of `COLUMNS`, the most confident mistake first.

    Args:
        dataset: Whose test part was answered.
        predicted: int [n], the answers.
        probability: float [n], what the model gave them.
        most: Number of rows at most.

    Returns:
        The text as the model read it (cut, rare words unknown), the names of the right class and
        of the answer, the probability of the answer, and the number of tokens.
    """
    test, names = dataset.test, dataset.label_names
    answers, sure = np.asarray(predicted), np.asarray(probability, dtype=np.float64)
    wrong = np.flatnonzero(answers != test.labels)
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][:most]
    return [
        (
            dataset.decode(test.sequences[row]),
            names[test.labels[row]],
            names[answers[row]],
            round(float(sure[row]), 4),
            len(test.sequences[row]),
        )
        for row in worst.tolist()
    ]
