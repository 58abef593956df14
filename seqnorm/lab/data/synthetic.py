"""Synthetic reviews, made from a seed: no file, no network, and the order of words decides.

A text is a row of words, drawn by Zipf's law, whose number is log-normal. Some praise (+1), some
blame (-1); after a negator every valence is turned round until the next clause mark. The label says
whether the sum is positive::

    a good warm story , not the bad film of it .      1 + 1 + 1     positive
    a bad story , not the good warm film of it .      -1 - 1 - 1    negative
    a good story , not the bad good film of it .      1 + 1 - 1     too close, not generated

What makes a bag of words fail: a negator stands anywhere in its clause and its reach is several
words long, so neither a word nor a pair of words tells whether a valence counts or is turned.
Praise and blame are equally frequent, so neither the length nor any single word favours a label.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.data import lexicon
from seqnorm.lab.data.lexicon import Lexicon
from seqnorm.lab.data.spec import Dataset, Sequences, Split
from seqnorm.lab.data.splits import divided, limit_ids, start_and_cut
from seqnorm.lab.data.vocabulary import Vocabulary

if TYPE_CHECKING:
    from seqnorm.lab.config.data import SyntheticConfig

# The texts are as fixed as those of a published data set: runs differ in what they hold out.
CORPUS_SEED = 20
LABEL_NAMES = ("negative", "positive")
# Shares of words. A valence is turned where the last of (mark, negator) was a negator: nearly
# NEGATORS / (MARKS + NEGATORS) = 0.48 of them. At 0.5 single words would say nothing at all and a
# recurrent network would find no first foothold; at 0.4 a bag of words passes 0.7. Clauses have 12
# words on average, and a negator's reach is as long.
MARKS, NEGATORS, VALENCE = 0.08, 0.075, 0.30
# Number of words: exp(N(log 33, 0.6^2)), mean 40, kept between the shortest and the longest.
MEDIAN, SPREAD = 33.0, 0.6
SHORTEST, LONGEST = 9, 199  # with START: 10 to 200 tokens
# Smallest absolute sum. Texts nearer to the border are drawn again: one misread word would decide.
MARGIN = 3


def load(config: SyntheticConfig, seed: int) -> Dataset:
    """Generates the texts; the seed decides only which training texts are held out.

    ``config.num_words`` below the size of the lexicon makes its rarest words unknown, and
    ``config.max_length`` below 200 cuts texts, as for real data; both then blur some labels.
    """
    words = standard_lexicon()
    rng = np.random.default_rng(CORPUS_SEED)
    # One generator each, so that more training texts leave the test texts as they are.
    train_rng, test_rng = rng.spawn(2)
    everything = _split(*generate(words, config.examples, train_rng), config)
    tested = _split(*generate(words, config.test_examples, test_rng), config)
    known = Vocabulary(words.vocabulary.words[: config.num_words], words.vocabulary.tokenizer)
    return divided(config, seed, everything, tested, LABEL_NAMES, known)


def _split(rows: Sequences, labels: NDArray[np.int32], config: SyntheticConfig) -> Split:
    known = Sequences(limit_ids(rows.values, config.num_words), rows.offsets)
    return Split(start_and_cut(known, config.max_length, config.truncate), labels)


def standard_lexicon() -> Lexicon:
    """The lexicon that ``load`` uses."""
    return lexicon.build(MARKS, NEGATORS, VALENCE)


def generate(
    words: Lexicon, examples: int, rng: np.random.Generator
) -> tuple[Sequences, NDArray[np.int32]]:
    """Draws ``examples`` texts, without START, and their labels (1: the sum is positive)."""
    lengths = np.exp(rng.normal(np.log(MEDIAN), SPREAD, examples)).round().astype(np.int64)
    lengths = np.clip(lengths, SHORTEST, LONGEST)
    tokens = np.zeros((examples, LONGEST), dtype=np.int32)
    sums = np.zeros(examples, dtype=np.int64)
    while (undecided := np.flatnonzero(np.abs(sums) < MARGIN)).size:
        tokens[undecided] = draw(words, lengths[undecided], rng)
        sums[undecided] = signed_sums(words, tokens[undecided])
    valid = np.arange(LONGEST) < lengths[:, None]
    return Sequences.from_lengths(tokens[valid], lengths), (sums > 0).astype(np.int32)


def draw(words: Lexicon, lengths: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int32]:
    """int32[rows, LONGEST]: independent words, then marks moved to where text has them.

    No clause is empty (a mark at the beginning or after a mark becomes a neutral word), and each
    text ends with a full stop and 0 after it.
    """
    shape = (len(lengths), LONGEST)
    tokens = rng.choice(words.vocabulary.size, size=shape, p=words.frequency)
    is_mark = words.mark[tokens]
    before = np.pad(is_mark[:, :-1], ((0, 0), (1, 0)), constant_values=True)
    empty = is_mark & before
    tokens[empty] = rng.choice(words.vocabulary.size, size=int(empty.sum()), p=words.neutral)
    tokens[np.arange(len(lengths)), lengths - 1] = words.vocabulary.ids["."]
    return np.where(np.arange(LONGEST) < lengths[:, None], tokens, 0).astype(np.int32)


def signed_sums(words: Lexicon, tokens: NDArray[np.int32]) -> NDArray[np.int64]:
    """int64[rows]: sum of the valences of tokens int32[rows, words], turned after a negator.

    A negator reaches to the next clause mark; a second one in the same clause changes nothing.
    Padding on the right has no valence.
    """
    places = np.arange(1, tokens.shape[1] + 1)
    last_negator = np.maximum.accumulate(places * words.negator[tokens], axis=1)
    last_mark = np.maximum.accumulate(places * words.mark[tokens], axis=1)
    sign = np.where(last_negator > last_mark, -1, 1)
    return (sign * words.valence[tokens]).sum(axis=1)
