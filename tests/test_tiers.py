"""The quick tier leaves no value out, and every case is in one of the two tiers."""

from __future__ import annotations

from itertools import combinations, product
from types import SimpleNamespace
from typing import Any

import pytest

from tests import tiers


class Item:
    """As much of a parametrised test as tiers are assigned by."""

    def __init__(self, mark: pytest.MarkDecorator, params: dict[str, Any]) -> None:
        self.nodeid = f"test_it[{params}]"
        self.callspec = SimpleNamespace(params=params)
        self.marks = {mark.name: mark.mark}

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        return self.marks.get(name)

    def add_marker(self, mark: pytest.MarkDecorator) -> None:
        self.marks[mark.name] = mark.mark


@pytest.mark.parametrize(("mark", "size"), [(tiers.each_value, 1), (tiers.each_pair, 2)])
def test_every_value_or_pair_is_shown_by_a_few_of_the_cases(mark, size):
    axes = {"cell": ("lstm", "gru"), "norm": range(4), "masked": (True, False), "dtype": range(4)}
    items = [Item(mark, dict(zip(axes, values, strict=True))) for values in product(*axes.values())]
    tiers.assign(items)
    quick = [item for item in items if not item.get_closest_marker("exhaustive")]

    def shown(cases: list[Item]) -> set[tuple[Any, ...]]:
        return {each for item in cases for each in combinations(item.callspec.params.items(), size)}

    assert shown(quick) == shown(items)
    assert len(quick) < len(items) / 2
