"""Two tiers: `make test` runs the quick one, `make test-exhaustive` all other tests.

A test belongs to the exhaustive tier

- by `@exhaustive`, or as a parameter with `marks=exhaustive`;
- under `@each_value` or `@each_pair`, where the quick tier has seen every value of every parameter,
  or every pair of values of two parameters, without it. So a product of axes that hardly interact
  is not tested whole each time: of 5 x 5 x 5 cases every pair takes some 35.
"""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import combinations
from typing import Any

import pytest

exhaustive = pytest.mark.exhaustive
each_value = pytest.mark.quick_tier(1)
each_pair = pytest.mark.quick_tier(2)

# Values that take TensorFlow or XLA seconds to trace: other cases are preferred.
DEAR = {"loop", "batch", "lstm", "gru", "{'jit_compile': True}"}


def assign(items: list[pytest.Item]) -> None:
    """Marks as exhaustive what the marks of parametrised tests leave to that tier."""
    cases = defaultdict(list)
    for item in items:
        if item.get_closest_marker("quick_tier"):
            cases[item.nodeid.partition("[")[0]].append(item)
    for of_one_test in cases.values():
        # In the order of the product the first values would stand beside everything.
        random.Random(0).shuffle(of_one_test)
        of_one_test.sort(key=lambda item: sum(map(DEAR.__contains__, _values(item))))
        seen = set()
        for item in of_one_test:
            new = _combinations(item) - seen
            seen |= new
            if not new:
                item.add_marker(exhaustive)


def _combinations(item: pytest.Item) -> set[tuple[Any, ...]]:
    """The values of a case, or the pairs of them."""
    (size,) = item.get_closest_marker("quick_tier").args
    values = list(zip(item.callspec.params, _values(item), strict=True))
    return set(combinations(values, min(size, len(values))))


def _values(item: pytest.Item) -> list[str]:
    return [str(value) for value in item.callspec.params.values()]
