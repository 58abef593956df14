"""The words of the synthetic data set and how often each occurs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.data.tokenizer import Tokenizer
from seqnorm.lab.data.vocabulary import SPECIAL, Vocabulary


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


MARKS = (",", ".", "but", ";")
NEGATORS = ("not", "never", "hardly", "without")
# Pairs of equal frequency, so that no class has the more frequent words.
POSITIVE = _words(
    """
    good great funny clever warm brilliant lovely honest charming superb fresh elegant
    gripping moving witty tender graceful vivid bold delightful
    """
)
NEGATIVE = _words(
    """
    bad awful boring stupid cold clumsy ugly fake annoying terrible stale crude tedious
    lifeless silly brutal awkward gloomy shallow dreary
    """
)
COMMON = _words(
    """
    the a and of to is it in this that was as for with movie film on he his she her they at
    by an who from one all have story which there some character about scene when just time
    what
    """
)
# Rare neutral words are made of syllables: pronounceable, and as many as a Zipf tail needs.
ONSETS = ("b", "d", "gl", "k", "l", "m", "pr", "s", "t", "v")
VOWELS = ("a", "e", "i", "o", "u")
RARE = tuple(
    first + one + second + two
    for first in ONSETS
    for one in VOWELS
    for second in ("n", "r", "l", "m")
    for two in ("a", "o", "is")
)


@dataclass(frozen=True)
class Lexicon:
    """Words by id with what each does to the verdict.

    Attributes:
        vocabulary: special words, then all words by falling frequency.
        frequency: float64[size], the probability of each id; 0 for special ones.
        valence: int64[size], 1 or -1 for words that praise or blame, else 0.
        negator: bool[size], words that turn what follows into its opposite.
        mark: bool[size], words that end a clause, and with it the reach of a negator.
    """

    vocabulary: Vocabulary
    frequency: NDArray[np.float64]
    valence: NDArray[np.int64]
    negator: NDArray[np.bool_]
    mark: NDArray[np.bool_]

    @property
    def neutral(self) -> NDArray[np.float64]:
        """float64[size]: the frequencies of words that do nothing to the verdict, sum 1."""
        idle = self.frequency * ((self.valence == 0) & ~self.negator & ~self.mark)
        return idle / idle.sum()


def zipf(size: int) -> NDArray[np.float64]:
    """float64[size], proportional to 1 / (rank + 2), sum 1; the offset flattens the first ranks."""
    weights = 1.0 / (np.arange(size) + 3.0)
    return weights / weights.sum()


def build(marks: float, negators: float, valence: float) -> Lexicon:
    """Makes the lexicon.

    Args:
        marks: share of clause marks among all words.
        negators: share of negators.
        valence: share of words with a valence, half of each kind; the rest is neutral.

    Returns:
        A lexicon in which the frequencies within each kind follow Zipf's law.
    """
    kinds = {
        MARKS: marks,
        NEGATORS: negators,
        POSITIVE: valence / 2,
        NEGATIVE: valence / 2,
        COMMON + RARE: 1.0 - marks - negators - valence,
    }
    words = np.concatenate([np.array(kind) for kind in kinds])
    frequency = np.concatenate([share * zipf(len(kind)) for kind, share in kinds.items()])
    order = np.lexsort((words, -frequency))
    ranked = [*SPECIAL, *words[order].tolist()]
    return Lexicon(
        vocabulary=Vocabulary(ranked, Tokenizer(r"\S+")),
        frequency=np.concatenate([np.zeros(len(SPECIAL)), frequency[order]]),
        valence=np.isin(ranked, POSITIVE).astype(int) - np.isin(ranked, NEGATIVE).astype(int),
        negator=np.isin(ranked, NEGATORS),
        mark=np.isin(ranked, MARKS),
    )
