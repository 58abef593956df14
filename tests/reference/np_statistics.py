"""Masked moments of one time step, and the running statistics kept from them.

Everything is float64. A `Moments` holds either one step (mean [F], variance [F], count scalar) or a
stack of steps or table rows (mean [T, F], variance [T, F], count [T]). Variances are biased
(divided by n) everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Mean, biased variance and number of rows they were taken over."""

    mean: Array
    variance: Array
    count: Array


def masked_moments(x: ArrayLike, valid: ArrayLike | None = None) -> Moments:
    """Two-pass moments over the rows that are valid.

    n = sum_b m_b;  mu = sum_b m_b x_b / n;  v = sum_b m_b (x_b - mu)^2 / n.

    Args:
        x: [B, F]. Values in rows that are not valid are never read, so they may be NaN.
        valid: bool [B]; None means that all rows are valid.

    Returns:
        Moments of shape [F], [F] and scalar. Without a valid row all three are zero.

    Source: Cooijmans et al. 2016 (arXiv 1603.09025), eq. for BN, with the mask outside the square
    as its first author gives it in issue 2 of the paper's repository.
    """
    x = np.asarray(x, np.float64)
    valid = np.ones(len(x), bool) if valid is None else np.asarray(valid, bool)
    features = x.shape[1]
    count = 0
    total = np.zeros(features)
    for b in range(len(x)):
        if valid[b]:
            count += 1
            total += x[b]
    mean = total / max(count, 1)
    squares = np.zeros(features)
    for b in range(len(x)):
        if valid[b]:
            squares += (x[b] - mean) ** 2
    return Moments(mean, squares / max(count, 1), np.asarray(float(count)))


def stack(steps: Sequence[Moments]) -> Moments:
    """Put the moments of T steps into one Moments of shape [T, F], [T, F], [T]."""
    return Moments(
        np.stack([m.mean for m in steps]),
        np.stack([m.variance for m in steps]),
        np.stack([np.asarray(m.count, np.float64) for m in steps]),
    )


def row_of(table: Moments, index: int) -> Moments:
    """One row of a stacked Moments."""
    return Moments(table.mean[index], table.variance[index], table.count[index])


def pool(parts: Sequence[Moments]) -> Moments:
    """Moments of the union of disjoint sets of rows, from the moments of each set (exact).

    n = sum n_i;  mu = sum n_i mu_i / n;  v = sum n_i (v_i + (mu_i - mu)^2) / n.
    """
    count = float(sum(float(p.count) for p in parts))
    mean = np.zeros_like(np.asarray(parts[0].mean, np.float64))
    variance = np.zeros_like(mean)
    if count > 0:
        for p in parts:
            mean = mean + p.count * p.mean / count
        for p in parts:
            variance = variance + p.count * (p.variance + (p.mean - mean) ** 2) / count
    return Moments(mean, variance, np.asarray(count))


def merge(running: Moments, batch: Moments, decay: float) -> Moments:
    """Fold one batch into running statistics, old ones decayed, each weighted by its count.

    N' = rho N;  M2' = rho N v;  d = mu_B - mu;  N = N' + n;
    mu <- mu + d n / N;  M2 = M2' + n v_B + d^2 N' n / N;  v = M2 / N.

    A batch without rows (n = 0) changes nothing, not even by decay. With rho = 1 the result is the
    exact moments of all rows seen (Chan, Golub, LeVeque 1983).

    Args:
        running: one row: mean [F], variance [F], count scalar N (decayed number of rows).
        batch: moments of one batch, of the same shape.
        decay: rho in (0, 1].
    """
    n = float(batch.count)
    if n == 0:
        return running
    old = decay * float(running.count)
    new = old + n
    shift = batch.mean - running.mean
    mean = running.mean + shift * n / new
    m2 = old * running.variance + n * batch.variance + shift**2 * old * n / new
    return Moments(mean, m2 / new, np.asarray(new))


def empty_table(rows: int, features: int) -> Moments:
    """The table before any batch: mean 0, variance 1, count 0."""
    return Moments(np.zeros((rows, features)), np.ones((rows, features)), np.zeros(rows))


def training_row(step: int, rows: int) -> int:
    """The row of a table of `rows` rows that step `step` is folded into."""
    return min(step, rows - 1)


def inference_row(step: int, counts: ArrayLike, min_count: float = 1.0) -> int:
    """The row that step `step` reads at inference: min(step, last row with count >= min_count).

    If no row has that many, the last of those with the largest count stands in for it.
    """
    counts = [float(count) for count in np.asarray(counts)]
    needed = min(min_count, max(counts))
    return min(step, max(row for row, count in enumerate(counts) if count >= needed))


def fold(table: Moments, steps: Moments, decay: float) -> Moments:
    """Fold the steps of one batch into a table; every row is decayed at most once.

    Steps that fall on one row (a table of one row shared by all steps, or steps beyond the last
    row) are pooled exactly first and then merged in one go.

    Args:
        table: [R, F], [R, F], [R].
        steps: [T, F], [T, F], [T]; step t belongs to row min(t, R - 1).
        decay: rho in (0, 1].

    Returns:
        The new table; the old one is not changed.
    """
    rows = len(table.count)
    result = []
    for row in range(rows):
        here = [row_of(steps, t) for t in range(len(steps.count)) if training_row(t, rows) == row]
        old = row_of(table, row)
        result.append(merge(old, pool(here), decay) if here else old)
    return stack(result)
