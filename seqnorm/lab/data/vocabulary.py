"""Words and their ids: which words get an id, and how they are kept."""

from __future__ import annotations

import itertools
import json
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqnorm.lab.data.tokenizer import Tokenizer
from seqnorm.lab.durable import write_text

PAD, START, UNKNOWN = 0, 1, 2
SPECIAL = ("<pad>", "<start>", "<unknown>")
_TEXTS = 2000  # that are cut at a time
_PIECE = 2**18  # numbers that are counted at a time: NumPy makes a copy of twice their bytes


class Vocabulary:
    """Words by id; ids 0, 1, 2 are padding, start and unknown.

    Args:
        words: all words, special ones included, in the order of their ids; no word twice.
        tokenizer: what cuts text into words.

    Raises:
        ValueError: if the special words are not first or a word stands twice.

    Examples:
        >>> vocabulary = Vocabulary([*SPECIAL, "good", "film"])
        >>> vocabulary.encode("Good<br />film, Bob").tolist()
        [3, 4, 2]
        >>> vocabulary.decode([1, 3, 4, 2, 0, 0])
        'good film <unknown>'
    """

    def __init__(self, words: Iterable[str], tokenizer: Tokenizer | None = None) -> None:
        self.words = tuple(words)
        self.tokenizer = tokenizer or Tokenizer()
        if self.words[: len(SPECIAL)] != SPECIAL or len(set(self.words)) != len(self.words):
            raise ValueError(
                f"Vocabulary needs distinct words that begin with {SPECIAL}, received "
                f"{len(self.words)} words ({len(set(self.words))} distinct) that begin with "
                f"words={self.words[: len(SPECIAL)]}. Put the special words first, each word once."
            )

    @property
    def size(self) -> int:
        """Number of ids, special ones included: the rows an embedding needs."""
        return len(self.words)

    def __len__(self) -> int:
        return self.size

    @cached_property
    def ids(self) -> dict[str, int]:
        """Id of each word."""
        return {word: number for number, word in enumerate(self.words)}

    def encode(self, text: str) -> NDArray[np.int32]:
        """int32[words], without START; a word that is not in the vocabulary becomes UNKNOWN."""
        words = self.tokenizer.split(text)
        return np.array([self.ids.get(word, UNKNOWN) for word in words], dtype=np.int32)

    def decode(self, ids: ArrayLike) -> str:
        """The words of ``ids`` with spaces between, characters without; no PAD and START.

        Raises:
            ValueError: if an id is not in the vocabulary.
        """
        numbers = np.asarray(ids, dtype=np.int64)
        if numbers.size and not 0 <= numbers.min() <= numbers.max() < self.size:
            raise ValueError(
                f"decode needs ids from 0 to {self.size - 1}, received ids from {numbers.min()} to "
                f"{numbers.max()}. Use the vocabulary that was saved with the run."
            )
        return self.tokenizer.between.join(
            self.words[number] for number in numbers if number not in (PAD, START)
        )

    def save(self, path: str | Path) -> None:
        """Writes a JSON file with the settings of the tokenizer and ``words``."""
        record = {**asdict(self.tokenizer), "words": self.words}
        write_text(Path(path), json.dumps(record, ensure_ascii=False))

    @classmethod
    def load(cls, path: str | Path) -> Vocabulary:
        """Reads what ``save`` wrote.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it is not a vocabulary, naming the file.
        """
        text = Path(path).read_text(encoding="utf-8")
        try:
            record = json.loads(text)
            words = record.pop("words")
            return cls(words, Tokenizer(record.pop("pattern"), **record))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                "A vocabulary is a JSON object with 'pattern' and 'words', received "
                f"path={str(path)!r}, which is not: {error}. Use the vocabulary.json of a run."
            ) from error


class WordCounter:
    """Cuts texts into words and numbers the words by first appearance.

    The numbers are provisional: ``vocabulary`` turns the counts of the training part into ids.
    Holding numbers instead of words keeps 12 million words of IMDB in 47 MB.

    Args:
        tokenizer: cuts the texts.
        words: those that have a number already, from 0 on.
    """

    def __init__(self, tokenizer: Tokenizer | None = None, words: Sequence[str] = ()) -> None:
        self.tokenizer = tokenizer or Tokenizer()
        self._numbers: defaultdict[str, int] = defaultdict(itertools.count(len(words)).__next__)
        self._numbers.update(zip(words, itertools.count(), strict=False))

    @property
    def words(self) -> list[str]:
        """All words, by number."""
        return list(self._numbers)

    def read(self, texts: Iterable[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Numbers of all words, int32[total], and the number of words of each text, int64[n]."""
        values, lengths = array("i"), array("q")
        texts = iter(texts)
        while piece := list(itertools.islice(texts, _TEXTS)):
            words, counts = self._words(piece)
            found = words.dictionary_encode()
            numbers = [self._numbers[word] for word in found.dictionary.to_pylist()]
            codes = np.array(numbers, np.int32)[found.indices.to_numpy()]
            values.frombytes(codes.data.cast("B"))
            lengths.extend(counts)
        return np.frombuffer(values, np.int32), np.frombuffer(lengths, np.int64)  # not copied

    def _words(self, texts: list[str]) -> tuple[Any, list[int]]:
        """The words of some texts, one after the other, and how many each has.

        As an array of Arrow's, which looks up the number of a word in a tenth of the time that a
        dict of Python's takes.
        """
        import pyarrow
        from pyarrow import compute

        if not self.tokenizer.is_spaceable:
            rows = [self.tokenizer.split(text) for text in texts]
            flat = list(itertools.chain.from_iterable(rows))
            return pyarrow.array(flat, pyarrow.string()), [len(row) for row in rows]
        spaced = [self.tokenizer.spaced(text).strip() for text in texts]
        split = compute.ascii_split_whitespace(pyarrow.array(spaced, pyarrow.string()))
        words, counts = split.flatten(), split.value_lengths().to_numpy().copy()
        empty = [number for number, text in enumerate(spaced) if not text]
        if empty:  # which Arrow splits into one empty word
            counts[empty] = 0
            words = words.filter(compute.not_equal(words, ""))
        return words, counts.tolist()

    def vocabulary(
        self, counted: NDArray[np.int32], num_words: int, min_count: int = 1
    ) -> tuple[Vocabulary, NDArray[np.int32]]:
        """Gives ids to the most frequent words.

        Args:
            counted: provisional numbers of all words that count, i.e. of the training part.
            num_words: largest number of ids, special ones included.
            min_count: words that count fewer times get no id.

        Returns:
            The vocabulary, by falling frequency and words of equal frequency in alphabetical
            order, and int32[words read]: the id of each provisional number. Words that do not
            occur in ``counted`` have UNKNOWN, wherever else they occur.
        """
        words = self.words
        counts = np.zeros(len(words), dtype=np.int64)
        for first in range(0, len(counted), _PIECE):
            counts += np.bincount(counted[first : first + _PIECE], minlength=len(words))
        seen = np.flatnonzero(counts >= max(min_count, 1)).tolist()
        ranked = sorted(seen, key=lambda number: (-counts[number], words[number]))
        kept = ranked[: num_words - len(SPECIAL)]
        ids = np.full(len(words), UNKNOWN, dtype=np.int32)
        ids[kept] = np.arange(len(SPECIAL), len(SPECIAL) + len(kept))
        return Vocabulary([*SPECIAL, *(words[number] for number in kept)], self.tokenizer), ids
