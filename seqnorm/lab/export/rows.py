"""Rows that an exported file is tried with: some that are drawn, or the user's."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.data.spec import START, Sequences
from seqnorm.lab.errors import UserError
from seqnorm.lab.trained import Trained

LENGTHS = (1.0, 0.5, 0.0)  # of the longest row; the last is a single step
STEPS, STEPS_ANSWERED = 1000, 200  # at most; where each step is answered by all words of a model
HELD, HELD_ANSWERED = 32, 4
GIVEN = 100  # of the user's, at most


def drawn_rows(trained: Trained) -> NDArray:
    """Rows as they are given to an exported model, padded, as long as those of the test part.

    Some are noise, of different lengths. The others hold a value for a while and rest at the mean
    for a while, as images and signals do: there a network forgets rounding least.

    Returns:
        int32[rows, time] or float32[rows, time, features], as `Sequences.padded`.
    """
    rng, longest = np.random.default_rng(0), _longest(trained)
    count = HELD_ANSWERED if trained.task.every_step else HELD
    fixed = trained.steps is not None
    noise = [longest if fixed else max(round(share * longest), 1) for share in LENGTHS]
    held = [_held(longest, rng) for _ in range(count)]
    if trained.scale is not None:
        scale = trained.scale
        width = len(scale.features)
        rows = [rng.normal(size=(length, width)) for length in noise]
        for pieces in held:
            value = rng.normal(size=(longest, width))[pieces]
            rows.append(np.where(value > 0.4, value, 0.0))
        scaled = [np.array(scale.mean) + np.array(scale.spread) * row for row in rows]
        return Sequences.from_rows(scaled).padded(range(len(rows)))
    assert trained.vocabulary is not None
    size = trained.vocabulary.size
    ids = [rng.integers(START, size, length) for length in noise]
    ids += [rng.integers(START, size, longest)[pieces] for pieces in held]
    for row in ids:
        row[0] = START
    return Sequences.from_rows(ids).padded(range(len(ids)))


def given_rows(trained: Trained, rows: Iterable[Any]) -> NDArray:
    """The first `GIVEN` rows of a user's file that can be answered, as `drawn_rows`.

    Args:
        trained: the run.
        rows: of `seqnorm.lab.trained.given.rows_of`.

    Raises:
        UserError: if there are none.
    """
    found = list(islice((row for row in rows if not isinstance(row, ValueError)), GIVEN))
    if not found:
        raise UserError("a check needs rows; received a file without one. Name another.")
    read = trained.encode(found) if trained.scale is None else trained.unscaled(found)
    return read.padded(range(len(found)))


def _longest(trained: Trained) -> int:
    if trained.steps is not None:
        return trained.steps
    most = STEPS_ANSWERED if trained.task.every_step else STEPS
    return min(trained.longest or trained.config.data.max_length, most)


def _held(steps: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Which piece each step belongs to, int64[steps]: from two pieces to one every 13 steps."""
    cuts = rng.integers(0, steps, rng.integers(1, max(steps // 13, 2)))
    return np.searchsorted(np.sort(cuts), np.arange(steps), side="right")
