"""Every property holds for the loop and for whatever `implementation="auto"` takes."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests import grid

FUSED = grid.BACKEND == "tensorflow" and find_spec("numba") is not None
NO_KERNEL = ("group", "dyt")


@pytest.fixture(autouse=True, params=["loop", "auto"] if FUSED else ["loop"])
def implementation(request, monkeypatch):
    monkeypatch.setitem(grid.DEFAULTS, "implementation", request.param)
    return request.param


def pytest_collection_modifyitems(config, items):
    """Leave out what would run the same loop twice."""
    twice = [
        item
        for item in items
        if (of := getattr(item, "callspec", None)) is not None
        and of.params.get("implementation") == "auto"
        and of.params.get("norm") in NO_KERNEL
    ]
    if twice:
        config.hook.pytest_deselected(items=twice)
        items[:] = [item for item in items if item not in set(twice)]
