"""The layer computes what the NumPy reference, written from the papers, computes."""

from __future__ import annotations

import pytest

from seqnorm.testing import PROPERTIES
from seqnorm.testing.case import Case
from tests import grid
from tests.tiers import each_pair

OF_ANY = [{"placement": "joint"}, {"sites": ("recurrent",)}, {"sites": ("input",)}]
OF_CELL = {
    "simple_rnn": [],
    "lstm": [{"cell_norm": "carry"}, {"cell_norm": "none"}, {"forget_bias": 1.0}],
    "gru": [{"gate_norm": "fused"}],
}
CASES = [
    (cell, norm, options)
    for cell in grid.CELLS
    for norm in ("layer", "batch")
    for options in OF_ANY + OF_CELL[cell]
]


def by_oracle(it, training):
    found = grid.oracle(it.layer, it.x, it.mask, training=training)
    return [found.outputs, *found.states]


@each_pair
@pytest.mark.parametrize(("cell", "norm", "options"), CASES)
def test_values_and_gradients_with_other_options(cell, norm, options, rng):
    """In training and at inference; the grid does so with the defaults."""
    it = Case(grid.make(cell, norm, rng, **options), "empty row", reference=by_oracle)
    PROPERTIES["reference"](it)
    PROPERTIES["gradient"](it)


# The reference takes sequence statistics as they are.
POLICIES = [("step", policy) for policy in ("naive", "running", "shrink", "renorm")]
POLICIES += [("sequence", "naive")]


@pytest.mark.parametrize(("input_statistics", "small_batch"), POLICIES)
def test_batch_norm_policies(small_batch, input_statistics, rng):
    norm = {"name": "batch", "small_batch": small_batch, "few": 4, "max_steps": 4}
    norm["input_statistics"] = input_statistics
    layer = grid.make("lstm", norm, rng)
    x = grid.inputs(rng)
    expected = grid.oracle(layer, x, grid.MASK, training=True)
    outputs, *_ = layer(x, mask=grid.MASK, training=True)
    grid.assert_close(outputs, expected.outputs)
