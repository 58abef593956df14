"""The floor under every language model: how often tokens followed the few before them.

Interpolated Kneser-Ney (Kneser and Ney, 1995; Chen and Goodman, 1999, section 2.7), with h the
tokens before w and h' the same without the oldest::

    p(w | h) = max(c(h w) - D, 0) / c(h) + D N(h) / c(h) p(w | h')

N(h) is how many different tokens followed h. At the longest context c counts tokens; below, in how
many different contexts one longer they were seen, because "Francisco" is frequent and yet follows
one word only; but where h begins a text, nothing is longer and tokens count. Each length has its
D = n1 / (n1 + 2 n2), of how many were counted once and twice. Below the empty h stands 1 / V.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.data.spec import IGNORED, UNKNOWN, Sequences, Split

NEVER = -1  # the number of a context or a gram that training has not seen


class _Counts(NamedTuple):
    """What was counted of the contexts of one length; a gram is a context and a token after it."""

    grams: NDArray[np.int64]  # rising: size * number of the context + token
    counts: NDArray[np.int64]  # c(h w)
    totals: NDArray[np.float64]  # c(h), by number of the context
    kinds: NDArray[np.int64]  # N(h)
    discount: float

    @classmethod
    def of(cls, grams: NDArray[np.int64], counts: NDArray[np.int64], size: int) -> _Counts:
        contexts = grams // size
        once, twice = (int(np.count_nonzero(counts == number)) for number in (1, 2))
        discount = once / (once + 2 * twice) if once else 0.5
        kinds = np.bincount(contexts)
        totals = np.bincount(contexts, counts).astype(np.float64)
        return cls(grams, counts, totals, kinds, discount)


class NGram:
    """Interpolated Kneser-Ney over ids.

    Args:
        size: number of ids.
        num_classes: as many; every id is a class.
        order: tokens of the longest gram, the one that is asked for included.

    Attributes:
        parameters: how many different grams were counted.
    """

    def __init__(self, size: int, num_classes: int, order: int = 7) -> None:
        self.size, self.order = size, order
        self.parameters = 0

    def fit(self, split: Split) -> None:
        """Counts the rows of a split whose labels are the next tokens."""
        labels = split.labels.values
        asked = np.flatnonzero(labels != IGNORED)
        starts = np.repeat(split.sequences.offsets[:-1], split.sequences.lengths)
        place = (np.arange(len(labels)) - starts)[asked]
        self._keys: list[NDArray[np.int64]] = []
        self._counts: list[_Counts] = []
        shorter: list[NDArray] = []
        for length, numbers in enumerate(self._contexts(split.sequences, learn=True)):
            long = np.flatnonzero(numbers[asked] != NEVER)
            keys = numbers[asked][long] * self.size + labels[asked][long]
            grams, first, found, counts = np.unique(
                keys, return_index=True, return_inverse=True, return_counts=True
            )
            if shorter:
                below, tokens, number, begins = shorter
                contexts = np.bincount(number[long[first]], minlength=len(below))
                counted = np.where(begins, tokens, contexts)
                self._counts.append(_Counts.of(below, counted, self.size))
            number = np.full(len(asked), NEVER)
            number[long] = found
            begins = place[long[first]] == length - 1
            shorter = [grams, counts, number, begins]
        self._counts.append(_Counts.of(shorter[0], shorter[1], self.size))
        self._count_parameters()

    def _count_parameters(self) -> None:
        self.parameters = sum(len(counts.grams) for counts in self._counts)

    def arrays(self) -> dict[str, NDArray]:
        """What `fit` has counted, by name: contexts, and grams with their counts."""
        contexts = {f"contexts_{n}": keys for n, keys in enumerate(self._keys, start=1)}
        grams = {f"grams_{n}": each.grams for n, each in enumerate(self._counts, start=1)}
        counts = {f"counts_{n}": each.counts for n, each in enumerate(self._counts, start=1)}
        return {**contexts, **grams, **counts}

    def restore(self, arrays: Mapping[str, NDArray]) -> None:
        """Takes what `arrays` gave in the place of `fit`."""
        self._keys = [arrays[f"contexts_{n}"] for n in range(1, self.order)]
        pairs = [(arrays[f"grams_{n}"], arrays[f"counts_{n}"]) for n in range(1, self.order + 1)]
        self._counts = [_Counts.of(grams, counts, self.size) for grams, counts in pairs]
        self._count_parameters()

    def outputs(self, sequences: Sequences) -> Iterator[NDArray[np.float64]]:
        """float64[1, ids] for each row: logarithms of what the token after it has."""
        last = sequences.offsets[1:] - 1
        contexts = [numbers[last] for numbers in self._contexts(sequences)]
        for row in range(len(sequences)):
            yield self._after([int(numbers[row]) for numbers in contexts])[None]

    def _after(self, contexts: list[int]) -> NDArray[np.float64]:
        likely = np.full(self.size, 1.0 / (self.size - UNKNOWN))
        likely[:UNKNOWN] = 0.0
        for counted, number in zip(self._counts, contexts, strict=True):
            if not 0 <= number < len(counted.totals) or not counted.totals[number]:
                continue
            bounds = number * self.size, (number + 1) * self.size
            found = slice(*np.searchsorted(counted.grams, bounds))
            kept = np.maximum(counted.counts[found] - counted.discount, 0.0)
            likely *= counted.discount * counted.kinds[number] / counted.totals[number]
            likely[counted.grams[found] - bounds[0]] += kept / counted.totals[number]
        with np.errstate(divide="ignore"):  # -inf for what never comes next
            return np.log(likely)

    def _contexts(self, rows: Sequences, learn: bool = False) -> Iterator[NDArray[np.int64]]:
        """The number of the context that ends at each token, for each length from 0."""
        numbers = np.zeros(len(rows.values), np.int64)
        yield numbers
        for length in range(1, self.order):
            before = np.append(NEVER, numbers[:-1])
            before[rows.offsets[:-1]] = 0 if length == 1 else NEVER
            keys = np.where(before == NEVER, NEVER, before * self.size + rows.values)
            if learn:
                self._keys.append(np.unique(keys[keys != NEVER]))
            numbers = _find(self._keys[length - 1], keys)
            yield numbers

    def log_probabilities(self, split: Split) -> NDArray[np.float64]:
        """float64[steps], natural logarithms of what the next tokens had; 0 where none is asked."""
        labels = split.labels.values
        asked = labels != IGNORED
        likely = np.full(len(labels), 1.0 / (self.size - UNKNOWN))
        for counted, numbers in zip(self._counts, self._contexts(split.sequences), strict=True):
            known = asked & (numbers != NEVER) & (numbers < len(counted.totals))
            known[known] = counted.totals[numbers[known]] > 0
            context = numbers[known]
            gram = _find(counted.grams, context * self.size + labels[known])
            count = np.where(gram == NEVER, 0.0, counted.counts[gram])
            kept = np.maximum(count - counted.discount, 0.0)
            given = counted.discount * counted.kinds[context] * likely[known]
            likely[known] = (kept + given) / counted.totals[context]
        return np.where(asked, np.log(likely), 0.0)


def _find(known: NDArray[np.int64], keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """The place of each key among those that are known, rising, or NEVER."""
    if not len(known):
        return np.full(len(keys), NEVER)
    places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[places] == keys, places, NEVER)
