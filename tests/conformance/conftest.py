"""Every property holds for the loop and for whatever `implementation="auto"` takes."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests import grid

FUSED = find_spec("numba") is not None


@pytest.fixture(autouse=True, params=["loop", "auto"] if FUSED else ["loop"])
def implementation(request, monkeypatch):
    monkeypatch.setitem(grid.DEFAULTS, "implementation", request.param)
    return request.param


@pytest.hookimpl(tryfirst=True)  # before the cases of the quick tier are chosen
def pytest_collection_modifyitems(config, items):
    """Leave out what would run the same loop twice."""
    twice = {item for item in items if _twice(getattr(item, "callspec", None))}
    if twice:
        config.hook.pytest_deselected(items=list(twice))
        items[:] = [item for item in items if item not in twice]


# Options that no kernel serves, and properties that run no layer over time.
LOOPLESS = {"joint", "unroll", "pure", "serialisation"}


def _twice(spec):
    if spec is None or spec.params.get("implementation") != "auto":
        return False
    norm, dtype = spec.params.get("norm"), spec.params.get("dtype", "float64")
    named = {value for value in spec.params.values() if isinstance(value, str)}
    return bool(named & LOOPLESS) or not grid.holds("fused", norm, dtype)
