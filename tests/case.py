"""The cases of the grid: each layer and what comes out of it, computed once per process."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqnorm.testing.case import Case
from tests import grid
from tests.reference import np_statistics
from tests.reference.np_layers import LayerResult


@cache
def layer_of(
    cell: str, norm: str, dtype: str, implementation: str, masking: str
) -> tuple[Any, list[NDArray]]:
    """With the same random weights whatever the precision, direction and implementation."""
    options = grid.VARIATIONS[masking].options
    rng = np.random.default_rng(7)
    layer = grid.make(cell, norm, rng, dtype=dtype, implementation=implementation, **options)
    return layer, layer.get_weights()


@cache
def case(cell: str, norm: str, dtype: str, masking: str, implementation: str) -> Case:
    """The case of the grid. Masks without options share one layer."""
    variation = grid.VARIATIONS[masking]
    shared = masking if variation.options else "right"
    layer, start = layer_of(cell, norm, dtype, implementation, shared)
    itself = (dtype, implementation) == ("float64", "loop")
    return Case(
        layer,
        variation.masking,
        start=start,
        exact=None if itself else case(cell, norm, "float64", masking, "loop"),
        reference=partial(_reference, cell, norm, masking),
    )


@cache
def oracle(cell: str, norm: str, masking: str, training: bool) -> tuple[LayerResult, Any]:
    """What NumPy makes of the weights in float64, and the tables of statistics afterwards."""
    it = case(cell, norm, "float64", masking, "loop")
    it.reset()
    options = grid.VARIATIONS[masking].options
    found = grid.oracle(it.layer, it.x, it.mask, training=training, **options)
    tables = {}
    for name, each in it.cell.normalizers.items():
        if each.time_aware:
            tables[name] = grid.table(each)
            if training:
                site = {"output": "state"}.get(name, name)
                tables[name] = np_statistics.fold(
                    tables[name], found.statistics[site], each.momentum
                )
    return found, tables


def _reference(cell: str, norm: str, masking: str, it: Case, training: bool) -> list[NDArray]:
    found, _ = oracle(cell, norm, masking, training)
    return [found.outputs, *found.states]
