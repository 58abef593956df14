"""Scores by the length of a text: functions on arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def length_bins(lengths: ArrayLike, most: int = 8) -> NDArray[np.int64]:
    """Edges that cut texts into bins of about equal number by length, both ends included.

    Bin i holds edges[i] <= length < edges[i + 1]; texts of one length share a bin, so that there
    can be fewer than `most`. (1, 2, 3, 4) in two bins: 1, 3, 5.
    """
    array = np.asarray(lengths)
    inner = np.quantile(array, np.linspace(0.0, 1.0, most + 1)[1:-1], method="higher")
    return np.unique([array.min(), *inner, array.max() + 1]).astype(np.int64)


def mean_by_bin(
    values: ArrayLike, lengths: ArrayLike, edges: ArrayLike, weights: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Mean of values in each bin of lengths: float64 [bins]; NaN in an empty one.

    Args:
        values: float or bool [n], as whether each text was answered rightly.
        lengths: int [n].
        edges: int [bins + 1], see `length_bins`.
        weights: float or int [n], what each value counts for, as the steps of a text; None: once.
    """
    limits = np.asarray(edges)
    inner = limits[1:-1]  # what is shorter or longer than all edges joins the outer bins
    places = np.searchsorted(inner, np.asarray(lengths), side="right")
    each = np.ones(places.size) if weights is None else np.asarray(weights, np.float64)
    counts, sums = (
        np.bincount(places, weights=amounts, minlength=limits.size - 1)
        for amounts in (each, each * np.asarray(values, np.float64))
    )
    return np.divide(sums, counts, out=np.full(limits.size - 1, np.nan), where=counts > 0)
