"""Texts that stand in a data set more than once."""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.data.spec import Dataset, Sequences


def repeated(dataset: Dataset) -> dict[str, int]:
    """Examples that a model sees more than once; equal rows, of ids or numbers, are one text.

    Returns:
        ``test_in_training``: test examples whose text stands in train or validation;
        ``validation_in_training``: validation examples whose text stands in train;
        ``several_labels``: examples whose text stands somewhere with another label.
    """
    parts = (dataset.train, dataset.validation, dataset.test)
    train, validation, test = (_hashes(part.sequences) for part in parts)
    _, texts = np.unique(np.concatenate([train, validation, test]), return_inverse=True)
    labels = np.concatenate([_numbered(part.labels) for part in parts])
    _, labels = np.unique(labels, return_inverse=True)
    lowest = np.full(texts.max() + 1, labels.max())
    highest = np.zeros_like(lowest)
    np.minimum.at(lowest, texts, labels)
    np.maximum.at(highest, texts, labels)
    return {
        "test_in_training": int(np.isin(test, np.concatenate([train, validation])).sum()),
        "validation_in_training": int(np.isin(validation, train).sum()),
        "several_labels": int((lowest != highest)[texts].sum()),
    }


def say_repeats(dataset: Dataset, rows: str) -> None:
    """Says on standard error how many rows stand in two parts, if any do.

    Args:
        dataset: what was loaded.
        rows: what they are, such as "texts".
    """
    numbers = repeated(dataset)
    test, validation = numbers["test_in_training"], numbers["validation_in_training"]
    if test or validation:
        print(
            f"data={dataset.name}: {test:,} of {len(dataset.test):,} test {rows} also stand in "
            f"train or validation, {validation:,} of {len(dataset.validation):,} validation {rows} "
            "in train; they are left in",
            file=sys.stderr,
        )


def _numbered(labels: NDArray | Sequences) -> NDArray:
    """A number for each row, the same for equal labels."""
    if isinstance(labels, Sequences) or labels.ndim > 1:
        return _hashes(labels)
    return labels


def _hashes(rows: Sequences | NDArray) -> NDArray[np.int64]:
    """A number of 64 bits for each row: among a million, two share one in 1 of 10**7 cases."""
    return np.fromiter((hash(row.tobytes()) for row in rows), np.int64, len(rows))
