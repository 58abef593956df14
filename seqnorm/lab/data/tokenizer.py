"""How text is cut into words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby

# Words are runs of letters and digits, with inner apostrophes ("don't"). A mark out of ten ("7/10")
# stays whole, and "!" and "?" are words: reviewers grade and shout, while full stops and commas
# would only use up the steps that `max_length` allows.
WORDS = r"\d+/\d+|[^\W_]+(?:'[^\W_]+)*|[!?]"
# How the publishers of Keras's ids cut text: between these signs, spaces, tabs and newlines.
KERAS_WORDS = r"""[^ \t\n!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~]+"""
CHARACTERS = r"(?s:.)"
BREAKS = re.compile(r"<br\s*/?>", re.IGNORECASE)

# Where ASCII text may hold a mark out of ten. Everywhere else in it the patterns "unicode" and
# "words" find the same: letters and digits with inner apostrophes, "!" and "?".
_MARK = re.compile(r"/(?<=[0-9]/)[0-9]")
_KEPT = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'!?"
_SPACED = bytes(code if code in _KEPT else ord(" ") for code in range(256))

# Signs that are typed for an apostrophe, and the soft hyphen, which nobody sees.
_APOSTROPHES = "\u2018\u2019\u02bc\uff07\u00b4`"
_ONE_SPELLING = str.maketrans({**dict.fromkeys(_APOSTROPHES, "'"), "\xad": None})
# Invisible joiners within words, as of Persian and Hindi; no marks by Unicode's categories.
_JOINERS = "\u200c\u200d"


@cache
def unicode_words() -> str:
    """As `WORDS`, with what Python's letters leave out: the marks that belong to a letter.

    Vowel signs of Hindi and Thai and accents that are characters of their own are parts of words,
    and so is the decimal of a mark ("8.5/10").
    """
    marks = "".join(_ranges()) + _JOINERS
    letters = rf"[^\W_]+(?:[{marks}]+[^\W_]*)*"
    return rf"\d+(?:[.,]\d+)?/\d+|{letters}(?:'{letters})*|[!?]"


# name in a configuration -> regular expression whose matches are the words
PATTERNS: dict[str, Callable[[], str]] = {
    "unicode": unicode_words,
    "words": lambda: WORDS,  # of the published results
    "keras": lambda: KERAS_WORDS,
    "characters": lambda: CHARACTERS,
}


def _ranges() -> Iterator[str]:
    """The combining marks, as ranges of a set of characters."""
    first = None
    for number in (*range(0x20000), *range(0xE0000, 0xE0200)):  # the planes that have any
        is_mark = unicodedata.category(chr(number))[0] == "M"
        if is_mark and first is None:
            first = number
        elif not is_mark and first is not None:
            yield chr(first) if first == number - 1 else f"{chr(first)}-{chr(number - 1)}"
            first = None


@dataclass(frozen=True)
class Tokenizer:
    """Cuts text into words; saved with the vocabulary, so that a run can read new text.

    Attributes:
        pattern: regular expression whose matches are the words.
        lowercase: whether "Good" and "good" are one word.
        strip_breaks: whether HTML line breaks, which the IMDB reviews have, are spaces. If not,
            the default pattern finds a word "br" in each of them, as Keras's ids have it.
        one_spelling: whether what looks alike is alike: composed and decomposed letters, straight
            and typographic apostrophes, ``<br />`` and ``<br/>``.

    Examples:
        >>> Tokenizer().split("Don't <br />STOP!")
        ["don't", 'stop', '!']
        >>> Tokenizer(KERAS_WORDS, lowercase=False, strip_breaks=False).split("Don't <br />STOP!")
        ["Don't", 'br', 'STOP']
        >>> Tokenizer.named("unicode").split("Don\u2019t<br>: 8.5/10")
        ["don't", '8.5/10']
    """

    pattern: str = WORDS
    lowercase: bool = True
    strip_breaks: bool = True
    one_spelling: bool = False

    @classmethod
    def named(cls, name: str, lowercase: bool = True, strip_breaks: bool = True) -> Tokenizer:
        """The tokenizer of a name in a configuration, a key of `PATTERNS`."""
        return cls(PATTERNS[name](), lowercase, strip_breaks, one_spelling=name == "unicode")

    @property
    def between(self) -> str:
        """What stands between two words when they are a text again."""
        return "" if self.pattern == CHARACTERS else " "

    @property
    def is_spaceable(self) -> bool:
        """Whether no word can have a space in it, so that `spaced` may stand for the words."""
        return self.pattern in (WORDS, unicode_words())

    @property
    def steps(self) -> tuple[str | tuple[str, str], ...]:
        """What is done to a text before `pattern` finds its words, to be repeated elsewhere.

        "NFC" (composed letters), "lower", or a regular expression and what replaces its matches.
        """
        spelling = [(f"[{_APOSTROPHES}]", "'"), ("\xad", "")]
        breaks = (f"(?i){BREAKS.pattern}" if self.one_spelling else "<br />|<BR />", " ")
        return (
            *(("NFC", *spelling) if self.one_spelling else ()),
            *(("lower",) if self.lowercase else ()),
            *((("i\u0307", "i"),) if self.one_spelling and self.lowercase else ()),
            *((breaks,) if self.strip_breaks else ()),
        )

    def split(self, text: str) -> list[str]:
        """The words of a text, in order."""
        if self.is_spaceable:
            return self.spaced(text).split()
        if self.pattern == CHARACTERS:
            return list(self._prepared(text))
        return re.findall(self.pattern, self._prepared(text))

    def spaced(self, text: str) -> str:
        """The words of a text with spaces between, in half the time that the expression takes.

        Only the pieces between spaces which ask for the expression are given to it.
        """
        text = self._prepared(text)
        if _is_plain(text):
            return _plain_words(text)
        return " ".join(
            _plain_words(part) if plain else " ".join(re.findall(self.pattern, part))
            for plain, pieces in groupby(text.split(), _is_plain)
            for part in (" ".join(pieces),)
        )

    def _prepared(self, text: str) -> str:
        if self.one_spelling:
            text = unicodedata.normalize("NFC", text).translate(_ONE_SPELLING)
        if self.lowercase:
            text = text.lower()
        if self.one_spelling and self.lowercase:
            text = text.replace("i\u0307", "i")  # what İ becomes; it is İstanbul's only i
        if self.strip_breaks and self.one_spelling:
            text = BREAKS.sub(" ", text)
        elif self.strip_breaks:
            text = text.replace("<br />", " ").replace("<BR />", " ")
        return text


def _is_plain(text: str) -> bool:
    return text.isascii() and not _MARK.search(text)


def _plain_words(text: str) -> str:
    code = text.encode("ascii").translate(_SPACED)  # as bytes: in an eighth of the time
    text = code.replace(b"!", b" ! ").replace(b"?", b" ? ").decode("ascii")
    if "'" in text:  # only those between two letters or digits are of a word
        text = f" {text} ".replace("''", "  ").replace(" '", " ").replace("' ", " ")
    return text
