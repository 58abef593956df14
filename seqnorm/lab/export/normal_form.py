"""Unicode's composed form NFC in a graph: TensorFlow has no operation for it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

_FIRST = 0x300  # below it every text is composed
_SHIFT = 2**21  # above every character


class Composed(tf.Module):
    """string[n] -> string[n], as `unicodedata.normalize("NFC", ...)` of the Python that made it.

    The canonical composition of Unicode Standard Annex 15: letters are taken apart, marks of one
    letter are put into order, and what has a composed character is joined from left to right.
    """

    def __init__(self) -> None:
        super().__init__()
        every = [*map(chr, characters())]
        apart = {sign: unicodedata.normalize("NFD", sign) for sign in every}
        apart = {sign: parts for sign, parts in apart.items() if sign != parts}
        rank = {ord(sign): unicodedata.combining(sign) for sign in every}
        self.apart = _table(list(apart), list(apart.values()), tf.string, "")
        marks = {number: value for number, value in rank.items() if value}
        self.rank = _table(list(marks), list(marks.values()), tf.int32, 0)
        pairs = dict(_pairs(apart))
        self.joined = _table(list(pairs), list(pairs.values()), tf.int32, 0, tf.int64)

    def __call__(self, texts: Any) -> Any:
        """See the class."""
        special = tf.strings.regex_full_match(texts, rf"(?s).*[^\x{{0}}-\x{{{_FIRST - 1:x}}}].*")
        return tf.cond(tf.reduce_any(special), lambda: self._composed(texts), lambda: texts)

    def _composed(self, texts: Any) -> Any:
        signs = tf.strings.unicode_split(texts, "UTF-8")
        found = self.apart.lookup(signs.values)
        parts = signs.with_values(tf.where(found == "", signs.values, found))
        numbers = tf.strings.unicode_decode(tf.strings.reduce_join(parts, axis=-1), "UTF-8")
        rows, rank = numbers.value_rowids(), self.rank.lookup(numbers.values)
        letter = tf.cumsum(tf.cast((rank == 0) | _first(rows), tf.int32))
        order = tf.argsort(letter * 256 + rank, stable=True)
        state = (tf.gather(numbers.values, order), tf.gather(rank, order), rows, True)
        shapes = tuple(tf.TensorShape(shape) for shape in ([None], [None], [None], []))
        flat, _, rows, _ = tf.while_loop(lambda *state: state[-1], self._join, state, shapes)
        ragged = tf.RaggedTensor.from_value_rowids(flat, rows, numbers.nrows())
        return tf.strings.unicode_encode(ragged, "UTF-8")

    def _join(self, numbers: Any, rank: Any, rows: Any, again: Any) -> tuple[Any, ...]:
        """Joins the first mark of each letter that has a composed character with it."""
        places = tf.range(tf.size(numbers))
        starts = (rank == 0) | _first(rows)
        letter = tf.gather(tf.where(starts)[:, 0], tf.cumsum(tf.cast(starts, tf.int32)) - 1)
        before = tf.maximum(places - 1, 0)
        # A letter that follows a letter at once, as of Korean, may be joined to it like a mark.
        base = tf.where(rank == 0, before, tf.cast(letter, tf.int32))
        key = tf.cast(tf.gather(numbers, base), tf.int64) * _SHIFT + tf.cast(numbers, tf.int64)
        whole = self.joined.lookup(key)
        near = (before == base) | (tf.gather(rank, before) < rank)  # no equal mark stands between
        fits = (whole > 0) & near & ~_first(rows) & (tf.gather(rank, base) == 0)
        fits &= ~tf.gather(fits, base)
        counted = tf.cumsum(tf.cast(fits, tf.int32), exclusive=True)
        fits &= (rank == 0) | (counted == tf.gather(counted, base))  # the first of its letter
        chosen = tf.where(fits)
        target = tf.gather(base, chosen[:, 0])[:, None]
        numbers = tf.tensor_scatter_nd_update(numbers, target, tf.gather(whole, chosen[:, 0]))
        kept = [tf.boolean_mask(values, ~fits) for values in (numbers, rank, rows)]
        return (*kept, tf.reduce_any(fits))


def _first(rows: Any) -> Any:
    """bool[n]: which values begin a row."""
    return tf.concat([tf.ones_like(rows[:1], tf.bool), rows[1:] != rows[:-1]], axis=0)


def _pairs(apart: dict[str, str]) -> Iterator[tuple[int, int]]:
    """Two characters as one number, and the character that they make."""
    for sign in apart:
        if unicodedata.normalize("NFC", sign) != sign:
            continue
        said = unicodedata.decomposition(sign).split()
        parts = [chr(int(each, 16)) for each in said] or [*apart[sign]]  # of Korean nothing is said
        if len(parts) > 2:
            parts = [unicodedata.normalize("NFC", "".join(parts[:-1])), parts[-1]]
        yield ord(parts[0]) * _SHIFT + ord(parts[1]), ord(sign)


def _table(keys: list, values: list, kind: Any, default: Any, of: Any = None) -> Any:
    keys = tf.constant(keys, of)
    content = tf.lookup.KeyValueTensorInitializer(keys, tf.constant(values, kind))
    return tf.lookup.StaticHashTable(content, default)


def characters() -> Iterator[int]:
    """All that are anything to Unicode: no surrogates, which UTF-8 has not, no private ones."""
    yield from range(1, 0xD800)
    yield from range(0xE000, 0x40000)
    yield from range(0xE0000, 0xE0200)
