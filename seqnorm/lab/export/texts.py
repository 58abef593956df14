"""Texts to ids in a graph of TensorFlow, as the tokenizer and the vocabulary of a run do it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import tensorflow as tf

from seqnorm.lab.data.tokenizer import PATTERNS
from seqnorm.lab.data.vocabulary import PAD, START, UNKNOWN, Vocabulary
from seqnorm.lab.export.normal_form import Composed, characters

# Sets of Python's expressions which mean ASCII only in TensorFlow's (RE2).
_SPACE = r"\s"
_SETS = (r"[^\W_]", r"\d", _SPACE)
_BETWEEN_SPACES = r"\S+"  # as generated texts are cut


class Encoder(tf.Module):
    """string[n] -> int32[n, time], padded on the right; each row begins with START.

    Args:
        vocabulary: words and tokenizer; see `obstacle`.
        max_length: steps of the longest row.
        truncate: what longer rows lose, "head" or "tail".
    """

    def __init__(self, vocabulary: Vocabulary, max_length: int, truncate: str) -> None:
        super().__init__()
        self.max_words, self.truncate = max_length - 1, truncate
        tokenizer = vocabulary.tokenizer
        # A word stays and gets a space, any other sign becomes one.
        self.words = f"(?s)({_re2(tokenizer.pattern)})|."
        self.by_sign = tokenizer.between == ""
        made: dict[str, Any] = {"NFC": Composed, "lower": _Lower}
        self.steps = [
            made[step]() if isinstance(step, str) else _Replace(*step) for step in tokenizer.steps
        ]
        numbers = tf.range(vocabulary.size, dtype=tf.int32)
        content = tf.lookup.KeyValueTensorInitializer(tf.constant(vocabulary.words), numbers)
        self.ids = tf.lookup.StaticHashTable(content, UNKNOWN)

    def __call__(self, texts: Any) -> Any:
        """See the class."""
        for step in self.steps:
            texts = step(texts)
        words = self._split(texts)
        ids = words.with_values(self.ids.lookup(words.values))
        kept = ids[:, -self.max_words :] if self.truncate == "head" else ids[:, : self.max_words]
        starts = tf.fill([tf.size(texts), 1], START)
        return tf.concat([starts, kept.to_tensor(PAD)], axis=1)

    def _split(self, texts: Any) -> Any:
        if self.by_sign:
            return tf.strings.unicode_split(texts, "UTF-8")
        spaced = tf.strings.split(tf.strings.regex_replace(texts, self.words, r"\1 "), " ")
        return tf.ragged.boolean_mask(spaced, spaced != "")


def obstacle(vocabulary: Vocabulary) -> str | None:
    """Why `Encoder` cannot do what the tokenizer of a vocabulary does; None if it can."""
    known = {pattern() for pattern in PATTERNS.values()} | {_BETWEEN_SPACES}
    if vocabulary.tokenizer.pattern in known:
        return None
    return f"its tokenizer is none of {', '.join(PATTERNS)}, and expressions differ in TensorFlow"


class _Replace:
    """What stands for the matches of an expression."""

    def __init__(self, pattern: str, by: str) -> None:
        self.pattern, self.by = _re2(pattern), by

    def __call__(self, texts: Any) -> Any:
        return tf.strings.regex_replace(texts, self.pattern, self.by)


class _Lower:
    """As `str.lower`: TensorFlow's letters are of an older Unicode than Python's.

    A capital sigma beside one of the newer letters is the only one that may come out in the other
    of its two forms.
    """

    def __init__(self) -> None:
        every = [chr(number) for number in characters()]
        lower = [sign.lower() for sign in every]
        found = tf.strings.lower(tf.constant(every), encoding="utf-8")
        places = tf.where(found != tf.constant(lower))[:, 0].numpy().tolist()
        self.newer = {every[place]: lower[place] for place in places}

    def __call__(self, texts: Any) -> Any:
        texts = tf.strings.lower(texts, encoding="utf-8")
        if not self.newer:
            return texts
        some = tf.strings.regex_full_match(texts, f"(?s).*[{''.join(self.newer)}].*")
        return tf.cond(tf.reduce_any(some), lambda: self._newer(texts), lambda: texts)

    def _newer(self, texts: Any) -> Any:
        for sign, lower in self.newer.items():
            texts = tf.strings.regex_replace(texts, sign, lower)
        return texts


def _re2(pattern: str) -> str:
    """An expression of `PATTERNS` or `Tokenizer.steps` with the same matches in RE2."""
    for each in _SETS:
        if each in pattern:
            pattern = pattern.replace(each, f"[{_spelt_out(each)}]")
    return pattern.replace(r"\S", f"[^{_spelt_out(_SPACE)}]") if r"\S" in pattern else pattern


@cache
def _spelt_out(kind: str) -> str:
    """The characters that match, as ranges of a set."""
    matches = re.compile(kind).match
    return "".join(_ranges(lambda number: bool(matches(chr(number)))))


def _ranges(test: Callable[[int], bool]) -> Iterator[str]:
    first = last = None
    for number in filter(test, characters()):
        if last is not None and number != last + 1:
            yield rf"\x{{{first:x}}}-\x{{{last:x}}}"
            first = None
        first, last = number if first is None else first, number
    yield rf"\x{{{first:x}}}-\x{{{last:x}}}"
