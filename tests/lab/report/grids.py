"""Comparisons of several settings in results/: for tests that recompute what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seqnorm.lab.report.arms.arms import Arm
from seqnorm.lab.report.arms.floors import is_floor
from tests.lab.report.learning_rates import Curve, on_test
from tests.lab.report.published import published

READOUT, DEPTH = "compare_reuters_clean_readout", "compare_reuters_clean_depth"
GRIDS = {
    DEPTH: ("model.depth",),
    READOUT: ("model.bidirectional", "model.pooling"),
    "compare_imdb_readout": ("model.pooling",),
    "compare_imdb_length": ("data.max_length",),  # at one rate
}
RATE, GIVEN = "optim.learning_rate", 0.0  # the key where it was not varied
NORMS = ("none", "layer", "batch")
Curves = Mapping[str, Curve]  # by norm


def curves(name: str) -> dict[tuple[Any, ...], Curves]:
    """The arms by the choice of settings, norm and rate; each has three seeds."""
    found: dict[tuple[Any, ...], dict[str, dict[float, Arm]]] = {}
    for arm in published(name).arms:
        if is_floor(arm):
            continue
        settings = dict(arm.settings)
        choice = tuple(settings[key] for key in GRIDS[name])
        by_norm = found.setdefault(choice, {norm: {} for norm in NORMS})
        by_norm[arm.norm][settings.get(RATE, GIVEN)] = arm
        assert sorted(on_test(arm)) == [0, 1, 2]
    return {choice: found[choice] for choice in sorted(found)}
