"""The adding problem: two numbers among many are marked, and their sum is asked for.

At each step stand a number, uniform in [0, 1), and a mark, 1 at one step of the first half and at
one of the second, else 0 (Hochreiter and Schmidhuber, 1997; in this form Arjovsky et al., 2016).
Always answering 1 has a mean squared error of 1/6, a root of .408; a network that beats it carries
a number over half the row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seqnorm.lab.data.spec import Dataset, Scale, Sequences, Split
from seqnorm.lab.data.splits import divided

if TYPE_CHECKING:
    from seqnorm.lab.config.data import AddingConfig

# The rows are as fixed as those of a published data set: runs differ in what they hold out.
CORPUS_SEED = 21
FEATURES = ("number", "mark")


def load(config: AddingConfig, seed: int) -> Dataset:
    """Draws rows of `config.max_length` steps; the seed decides only what is held out."""
    # One generator each, so that more training rows leave the test rows as they are.
    train, test = np.random.default_rng(CORPUS_SEED).spawn(2)
    everything = draw(config.examples, config.max_length, train)
    tested = draw(config.test_examples, config.max_length, test)
    return divided(config, seed, everything, tested, label_names=(), scale=Scale.none(FEATURES))


def draw(rows: int, steps: int, rng: np.random.Generator) -> Split:
    """Rows float32[steps, 2] and their sums float32[rows]; `steps` is at least 2."""
    series = np.zeros((rows, steps, 2), np.float32)
    series[..., 0] = rng.random((rows, steps), np.float32)
    half, row = steps // 2, np.arange(rows)
    first, second = rng.integers(0, half, rows), rng.integers(half, steps, rows)
    series[row, first, 1] = series[row, second, 1] = 1.0
    sums = series[row, first, 0] + series[row, second, 0]
    lengths = np.full(rows, steps)
    return Split(Sequences.from_lengths(series.reshape(-1, 2), lengths), sums)
