"""The labels of a data set in numbers, whichever kind they are of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.data.spec import IGNORED, Dataset, Sequences, Split
from seqnorm.lab.tasks.regression import Regression

BINS = 30  # of the distribution of numbers


def of_all(dataset: Dataset) -> dict[str, Any]:
    """What a card says of the labels of all parts: classes, and the answer that needs no model.

    ``labelled`` says what has them: "rows" or "steps" one class each, rows "several" or "numbers",
    or "nothing".
    """
    labelled = _labelled(dataset.train)
    if labelled == "numbers":
        answer = dict(Regression().baseline(dataset, "test").scores)
        return {"classes": 0, "labels": [], "labelled": labelled, "mean_answer": answer}
    names = list(dataset.label_names)
    found = {"classes": len(names), "labels": names, "labelled": labelled}
    if labelled in ("rows", "steps"):
        train, test = (
            np.array(of_part(part, dataset)["class_counts"])
            for part in (dataset.train, dataset.test)
        )
        found["majority_accuracy"] = float(test[train.argmax()] / test.sum())
    return found


def _labelled(split: Split) -> str:
    labels = split.labels
    if isinstance(labels, Sequences):
        return "steps"
    if labels.ndim == 2:
        return "several" if labels.shape[1] else "nothing"
    return "rows" if labels.dtype.kind in "iu" else "numbers"


def of_part(split: Split, dataset: Dataset) -> dict[str, Any]:
    """How often each class occurs in a part; of numbers how they are spread."""
    labelled = _labelled(split)
    if labelled == "nothing":
        return {}
    if labelled == "several":
        counts = split.labels.sum(axis=0, dtype=np.int64)
        of_rows = np.bincount(split.labels.sum(axis=1)).tolist()
        return {"class_counts": counts.tolist(), "rows_by_labels": of_rows}
    if labelled != "numbers":
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
