"""Texts that stand in a data set more than once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.data.spec import Dataset, Sequences


def repeated(dataset: Dataset) -> dict[str, int]:
    """Examples that a model sees more than once; equal rows of ids are one text.

    Returns:
        ``test_in_training``: test examples whose text stands in train or validation;
        ``validation_in_training``: validation examples whose text stands in train;
        ``several_labels``: examples whose text stands somewhere with another label.
    """
    parts = (dataset.train, dataset.validation, dataset.test)
    train, validation, test = (_hashes(part.sequences) for part in parts)
    _, texts = np.unique(np.concatenate([train, validation, test]), return_inverse=True)
    labels = np.concatenate([_numbered(part.labels) for part in parts])
    lowest = np.full(texts.max() + 1, labels.max())
    highest = np.full_like(lowest, labels.min())
    np.minimum.at(lowest, texts, labels)
    np.maximum.at(highest, texts, labels)
    return {
        "test_in_training": int(np.isin(test, np.concatenate([train, validation])).sum()),
        "validation_in_training": int(np.isin(validation, train).sum()),
        "several_labels": int((lowest != highest)[texts].sum()),
    }


def _numbered(labels: NDArray | Sequences) -> NDArray[np.int64]:
    """A number for each row, equal for equal labels."""
    if isinstance(labels, Sequences):
        return _hashes(labels)
    return labels if labels.ndim == 1 else _hashes(labels)


def _hashes(rows: Sequences | NDArray) -> NDArray[np.int64]:
    """A number of 64 bits for each row: among a million, two share one in 1 of 10**7 cases."""
    return np.fromiter((hash(row.tobytes()) for row in rows), np.int64, len(rows))
