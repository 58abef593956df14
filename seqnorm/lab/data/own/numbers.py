"""Numbers as people write them in files."""

from __future__ import annotations

import math
import re
from typing import Any

# Python reads 1_0 as 10, and the digits of every script.
_WRITTEN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_WORDS = frozenset(("nan", "inf", "infinity"))


def is_number(text: str) -> bool:
    """Whether a text is a number, nan and inf among them; spaces around it do not count."""
    text = text.strip()
    return bool(_WRITTEN.fullmatch(text)) or text.lstrip("+-").lower() in _WORDS


def number(value: Any) -> float:
    """A number, or a text that is one, as float; NaN for anything else, and inf if too large."""
    if isinstance(value, str):
        return float(value) if is_number(value) else math.nan
    if value is None or isinstance(value, bool | list):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        return math.nan
