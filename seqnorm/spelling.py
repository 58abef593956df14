"""The nearest of the words that would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """`` Did you mean ...?`` for the nearest of the choices, or nothing if none is near."""
    near = difflib.get_close_matches(word, list(choices), n=2)
    return f" Did you mean {' or '.join(near)}?" if near else ""
