"""Words as a person writes them: the nearest that would be right, one and several of a thing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, choices: Iterable[str], before: str = "") -> str:
    """`` Did you mean ...?`` for the nearest of the choices, or nothing if none is near.

    Args:
        word: what was written.
        choices: what would be right.
        before: what stands before each in full, as the package before its modules.
    """
    near = difflib.get_close_matches(word, list(choices), n=2)
    return f" Did you mean {' or '.join(before + each for each in near)}?" if near else ""


def counted(number: int, noun: str) -> str:
    """A number of things: 1 run, 2,000 runs, 3 classes."""
    ending = "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{'' if number == 1 else ending}"
