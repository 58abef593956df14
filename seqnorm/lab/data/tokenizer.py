"""How text is cut into words."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Words are runs of letters and digits, with inner apostrophes ("don't"). A mark out of ten ("7/10")
# stays whole, and "!" and "?" are words: reviewers grade and shout, while full stops and commas
# would only use up the steps that `max_length` allows.
WORDS = r"\d+/\d+|[^\W_]+(?:'[^\W_]+)*|[!?]"
# How the publishers of Keras's ids cut text: between these signs, spaces, tabs and newlines.
KERAS_WORDS = r"""[^ \t\n!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~]+"""

# name in a configuration -> regular expression whose matches are the words
PATTERNS = {"words": WORDS, "keras": KERAS_WORDS}


@dataclass(frozen=True)
class Tokenizer:
    """Cuts text into words; saved with the vocabulary, so that a run can read new text.

    Attributes:
        pattern: regular expression whose matches are the words.
        lowercase: whether "Good" and "good" are one word.
        strip_breaks: whether HTML line breaks, which the IMDB reviews have, are spaces. If not,
            the default pattern finds a word "br" in each of them, as Keras's ids have it.

    Example:
        >>> Tokenizer().split("Don't <br />STOP!")
        ["don't", 'stop', '!']
        >>> Tokenizer(KERAS_WORDS, lowercase=False, strip_breaks=False).split("Don't <br />STOP!")
        ["Don't", 'br', 'STOP']
    """

    pattern: str = WORDS
    lowercase: bool = True
    strip_breaks: bool = True

    def split(self, text: str) -> list[str]:
        """The words of a text, in order."""
        if self.lowercase:
            text = text.lower()
        if self.strip_breaks:
            text = text.replace("<br />", " ").replace("<BR />", " ")
        return re.findall(self.pattern, text)
