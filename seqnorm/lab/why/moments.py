"""The moments that both norms take of a batch of sequences, and how far they are from the truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ALL_ROWS, ALIVE, PER_SAMPLE = "batch, padding counted", "batch, rows alive", "each sample"
WAYS = (ALL_ROWS, ALIVE, PER_SAMPLE)
MEAN, SPREAD = "mean", "spread"
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
MIN_ROWS = 200  # fewer rows alive in all batches together are no reference for one of them


class Moments(NamedTuple):
    """Moments of one batch at each step, and the number of rows alive there.

    Attributes:
        mean, spread: float[steps, values]: one value per feature, or per row (NaN once it ended).
        alive: int[steps].
    """

    mean: NDArray
    spread: NDArray
    alive: NDArray


class Curve(NamedTuple):
    """Quantiles of one moment in one way, against the number of rows alive.

    Attributes:
        alive: int[n], rising.
        values: int[n], values behind each row of `quantiles`.
        quantiles: float[n, 5], at `LEVELS`.
    """

    alive: NDArray
    values: NDArray
    quantiles: NDArray


def batch_moments(z: NDArray, valid: NDArray, counted: NDArray) -> Moments:
    """Moments over the rows of a batch.

    Args:
        z: float[rows, steps, features].
        valid: bool[rows, steps], False on padding.
        counted: bool[rows, steps], the rows that enter.
    """
    weight = counted[..., None] / np.maximum(counted.sum(axis=0), 1)[:, None]
    mean = (weight * z).sum(axis=0)
    variance = (weight * (z - mean) ** 2).sum(axis=0)
    return Moments(mean, np.sqrt(variance), valid.sum(axis=0))


def sample_moments(z: NDArray, valid: NDArray) -> Moments:
    """Moments over the features of each row, as values per row."""
    mean, spread = (
        np.where(valid, moment, np.nan).T for moment in (z.mean(axis=-1), z.std(axis=-1))
    )
    return Moments(mean, spread, valid.sum(axis=0))


def pooled(parts: Sequence[Moments]) -> Moments:
    """Moments over the rows of all batches together, which may differ in their number of steps."""
    steps = max(len(part.alive) for part in parts)
    count = np.zeros(steps, int)
    first = np.zeros((steps, parts[0].mean.shape[1]))
    second = np.zeros_like(first)
    for part in parts:
        here = slice(len(part.alive))
        rows = part.alive[:, None]
        count[here] += part.alive
        first[here] += rows * part.mean
        second[here] += rows * (part.spread.astype(float) ** 2 + part.mean**2)
    rows = np.maximum(count, 1)[:, None]
    variance = np.maximum(second / rows - (first / rows) ** 2, 0.0)
    return Moments(first / rows, np.sqrt(variance), count)


def averaged(parts: Sequence[Moments]) -> Moments:
    """Mean and spread of a row, averaged over all rows alive in all batches."""
    steps = max(len(part.alive) for part in parts)
    count, mean, spread = np.zeros(steps, int), np.zeros(steps), np.zeros(steps)
    for part in parts:
        here = slice(len(part.alive))
        count[here] += part.alive
        mean[here] += np.nansum(part.mean, axis=1)
        spread[here] += np.nansum(part.spread, axis=1)
    rows = np.maximum(count, 1)
    return Moments((mean / rows)[:, None], (spread / rows)[:, None], count)


def relate(parts: Sequence[Moments], truth: Moments) -> dict[str, Curve]:
    """How the batches' moments lie about the true ones, by the number of rows alive.

    The mean is given as its distance from the true mean in units of the true spread, the spread as
    a multiple of the true one. Steps at which fewer than `MIN_ROWS` rows are alive in all batches
    together are left out, and features without any spread (the first step, where all rows begin
    with the same token).
    """
    found: dict[str, defaultdict[int, list[NDArray]]] = {
        MEAN: defaultdict(list),
        SPREAD: defaultdict(list),
    }
    for part in parts:
        for step in np.flatnonzero((truth.alive[: len(part.alive)] >= MIN_ROWS) & (part.alive > 0)):
            centre, scale = np.broadcast_arrays(truth.mean[step], truth.spread[step])
            known = (scale > 1e-9) & np.isfinite(part.mean[step])
            centre, scale = (
                np.broadcast_to(value, known.shape)[known] for value in (centre, scale)
            )
            alive = int(part.alive[step])
            found[MEAN][alive].append((part.mean[step][known] - centre) / scale)
            found[SPREAD][alive].append(part.spread[step][known] / scale)
    return {moment: _curve(values) for moment, values in found.items()}


def _curve(values: dict[int, list[NDArray]]) -> Curve:
    joined = {alive: np.concatenate(arrays) for alive, arrays in sorted(values.items())}
    joined = {alive: array for alive, array in joined.items() if array.size}
    return Curve(
        np.array(list(joined)),
        np.array([array.size for array in joined.values()]),
        np.array([np.quantile(array, LEVELS) for array in joined.values()]),
    )
