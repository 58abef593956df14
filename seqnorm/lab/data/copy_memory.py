"""The copying problem: say again, after a long wait, what stood at the beginning.

A row is START, ten symbols of eight, blanks, a marker, and ten more blanks, at which the symbols
are asked for in their order (Hochreiter and Schmidhuber, 1997; Arjovsky et al., 2016):

    START 3 1 4 1 5 1 2 6 5 3 . . . . . . ! . . . . . . . . . .
                                            3 1 4 1 5 1 2 6 5 3

Only those ten steps are scored, so that guessing has an accuracy of 1/8 and a loss of log 8. Papers
that average over all steps, blanks as well, print ``10 / (delay + 20)`` of this loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seqnorm.lab.data.spec import IGNORED, START, Dataset, Sequences, Split
from seqnorm.lab.data.splits import divided
from seqnorm.lab.data.vocabulary import SPECIAL, Vocabulary

if TYPE_CHECKING:
    from seqnorm.lab.config.data import CopyMemoryConfig

CORPUS_SEED = 22  # see `seqnorm.lab.data.adding`
SYMBOLS, REMEMBERED = 8, 10
FIRST = len(SPECIAL)  # id of the first symbol
BLANK, MARKER = FIRST + SYMBOLS, FIRST + SYMBOLS + 1
NAMES = tuple(str(symbol) for symbol in range(1, SYMBOLS + 1))


def load(config: CopyMemoryConfig, seed: int) -> Dataset:
    """Draws rows; the seed decides only what is held out.

    Raises:
        ValueError: if `config.max_length` would cut the rows.
    """
    length = 1 + 2 * REMEMBERED + config.delay
    if config.max_length < length:
        raise ValueError(
            f"data=copy_memory needs data.max_length={length} or more for "
            f"data.delay={config.delay}; received data.max_length={config.max_length}. Set one of "
            "the two."
        )
    train, test = np.random.default_rng(CORPUS_SEED).spawn(2)
    everything = draw(config.examples, config.delay, train)
    tested = draw(config.test_examples, config.delay, test)
    vocabulary = Vocabulary([*SPECIAL, *NAMES, ".", "!"])
    return divided(config, seed, everything, tested, label_names=NAMES, vocabulary=vocabulary)


def draw(rows: int, delay: int, rng: np.random.Generator) -> Split:
    """Rows of ids, and a label for each of their steps; the marker ends the delay."""
    symbols = rng.integers(0, SYMBOLS, (rows, REMEMBERED))
    steps = 1 + 2 * REMEMBERED + delay
    tokens, labels = np.full((rows, steps), BLANK), np.full((rows, steps), IGNORED)
    tokens[:, 0] = START
    tokens[:, 1 : REMEMBERED + 1] = FIRST + symbols
    tokens[:, -REMEMBERED - 1] = MARKER
    labels[:, -REMEMBERED:] = symbols
    lengths = np.full(rows, steps)
    return Split(
        Sequences.from_lengths(tokens.ravel(), lengths),
        Sequences.from_lengths(labels.ravel(), lengths),
    )
