"""Words as a person reads them: the nearest that would be right, one and several, no colours."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # which Keras puts into messages, terminal or not


def did_you_mean(word: str, choices: Iterable[str], before: str = "") -> str:
    """`` Did you mean ...?`` for the nearest of the choices, or nothing if none is near.

    Args:
        word: what was written.
        choices: what would be right.
        before: what stands before each in full, as the package before its modules.
    """
    near = difflib.get_close_matches(word, list(choices), n=2)
    return f" Did you mean {' or '.join(before + each for each in near)}?" if near else ""


def one_of(word: object, choices: Iterable[str]) -> str:
    """``Choose one of: a, b. Did you mean a?``, the end of a message about an unknown word."""
    known = list(choices)
    return f"Choose one of: {', '.join(known)}.{did_you_mean(str(word), known)}"


def counted(number: int, noun: str) -> str:
    """A number of things: 1 run, 2,000 runs, 3 classes."""
    ending = "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{'' if number == 1 else ending}"


def uncoloured(text: str) -> str:
    """The text without a terminal's colours, for a file or one line among others."""
    return _COLOURS.sub("", text)
