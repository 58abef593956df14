"""Ranges and choices of a configuration's values, written beside the field that they are for.

In a dataclass of the user's or of ours:

    @dataclass
    class L2Config(NormConfig):
        power: float = ranged(2.0, POSITIVE)
        side: str = ranged("left", one_of("left", "right"))

so that ``seqnorm-train norm=l2 norm.power=-1`` is refused with

    norm.power must be a positive number; received norm.power=-1.0.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from omegaconf import MISSING

_KEY = "range"


class Range(NamedTuple):
    """What a value must be.

    Attributes:
        required: in words, after the name of the key.
        holds: whether a value is so; None, which stands for "not set", is never asked about.
    """

    required: str
    holds: Callable[[Any], Any]


def _are_names(values: Any) -> bool:
    return (
        isinstance(values, list)
        and bool(values)
        and all(isinstance(value, str) and value.strip() for value in values)
    )


def at_least(low: int) -> Range:
    """That number, or a larger one."""
    return Range(f"must be at least {low}", lambda value: value >= low)


def one_of(*choices: str) -> Range:
    """One of some words."""
    return Range(f"must be one of {', '.join(choices)}", lambda value: value in choices)


POSITIVE = Range("must be a positive number", lambda value: value > 0 and math.isfinite(value))
POSITIVE_OR_OFF = POSITIVE._replace(required=f"{POSITIVE.required}, or null for none")
FINITE = Range("must be finite", math.isfinite)
RATE = Range("is a share and must be at least 0 and below 1", lambda value: 0 <= value < 1)
SHARE = Range("is a share and must be above 0 and below 1", lambda value: 0 < value < 1)
WEIGHT = Range("is a weight and must be from 0 to 1", lambda value: 0 <= value <= 1)
NAME = Range("must be a name (an empty one is often a variable that is not set)", str.strip)
NAMES = Range(
    "must be names, each once, as in '[a,b]'",
    lambda values: _are_names(values) and len({*values}) == len(values),
)
SIGN = Range("must be one character", lambda value: len(value) == 1)
BUILDER = Range("must name a data set of TensorFlow Datasets, such as ag_news_subset", str.strip)
FILES, SERIES_FILES = (
    Range(
        f"must name a file, several as in '[a.{end},b.{end}]', or a pattern such as 'part-*.{end}'",
        lambda value: _are_names([value] if isinstance(value, str) else value),
    )
    for end in ("csv", "npz")
)
# What NumPy and Keras take as a seed.
SEED = Range("must be at least 0 and below 2**32", lambda value: 0 <= value < 2**32)
FOLDER = Range("must name a folder (an empty name is often a variable that is not set)", len)


def ranged(default: Any, allowed: Range) -> Any:
    """A field of a dataclass with a default, `list` for an empty list, and a range."""
    metadata = {_KEY: allowed}
    if default is list:
        return dataclasses.field(default_factory=list, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def out_of_range(config: Any, prefix: str = "") -> Iterator[str]:
    """A sentence for each value of a dataclass, and of those in it, that is out of its range.

    Args:
        config: an instance; what is None or missing in it is not set.
        prefix: of the keys, such as "data.".
    """
    for entry in dataclasses.fields(config):
        value, key = getattr(config, entry.name), f"{prefix}{entry.name}"
        if dataclasses.is_dataclass(value):
            yield from out_of_range(value, f"{key}.")
            continue
        allowed = entry.metadata.get(_KEY)
        if allowed is None or value is None or value == MISSING or allowed.holds(value):
            continue
        shown = "''" if value == "" else value
        yield f"{key} {allowed.required}; received {key}={shown}."
