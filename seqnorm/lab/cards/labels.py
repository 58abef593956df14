"""The labels of a data set in numbers, whichever kind they are of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.data.spec import IGNORED, Dataset, Sequences, Split
from seqnorm.lab.tasks.regression import Regression

BINS = 30  # of the distribution of numbers


def of_all(dataset: Dataset) -> dict[str, Any]:
    """What a card says of the labels of all parts: classes, and the answer that needs no model."""
    if not dataset.num_classes:
        return {"classes": 0, "labels": [], "mean_answer": dict(_mean_answer(dataset))}
    train, test = (np.array(of_part(part, dataset)["class_counts"]) for part in _ends(dataset))
    return {
        "classes": dataset.num_classes,
        "labels": list(dataset.label_names),
        "labelled": "steps" if isinstance(dataset.train.labels, Sequences) else "rows",
        "majority_accuracy": float(test[train.argmax()] / test.sum()),
    }


def of_part(split: Split, dataset: Dataset) -> dict[str, Any]:
    """How often each class occurs in a part; of numbers how they are spread."""
    if dataset.num_classes:
        counts = np.bincount(_asked(split), minlength=dataset.num_classes)
        return {"class_counts": counts.tolist()}
    labels = split.labels.astype(np.float64)
    low, high = dataset.train.labels.min(), dataset.train.labels.max()
    share, edges = np.histogram(labels, BINS, (float(low), float(max(high, low + 1e-9))))
    return {
        "label_percentiles": np.percentile(labels, range(101)).tolist(),
        "label_mean": float(labels.mean()),
        "label_spread": float(labels.std()),
        "label_shares": (share / len(labels)).tolist(),
        "label_edges": edges.tolist(),
    }


def _asked(split: Split) -> NDArray[np.int32]:
    """The classes of rows, or of the steps that have one."""
    if not isinstance(split.labels, Sequences):
        return split.labels
    labels = split.labels.values
    return labels[labels != IGNORED]


def _ends(dataset: Dataset) -> tuple[Split, Split]:
    return dataset.train, dataset.test


def _mean_answer(dataset: Dataset) -> dict[str, float]:
    return {**Regression().baseline(dataset, "test").scores}
