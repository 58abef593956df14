"""Every property in every case: cells x normalisers x precisions x maskings.

The properties are those of `seqnorm.testing`, which anybody's cells and norms go through, and two
of our own. Each case is computed once, eagerly, on a small shape; a property compares that with
another way to compute the same. `tests.grid.EXEMPT` names the cases that are left out, and why.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import keras
import numpy as np

from seqnorm.checks.layers import numpy
from seqnorm.testing import PROPERTIES
from seqnorm.testing.agree import agree, agree_all
from seqnorm.testing.case import STEPS, Case
from seqnorm.testing.properties import Property, available
from tests import grid
from tests.case import case, oracle
from tests.tiers import each_pair

# Over more numbers in test_numerics; of one model of all cells and norms in test_models.
ELSEWHERE = ("finite", "fresh_process")


def keras_rnn(it: Case) -> None:
    """The layer gives what keras.layers.RNN gives around the same cell."""
    plain = keras.layers.RNN(
        it.cell, return_sequences=True, return_state=True, dtype=it.layer.dtype_policy
    )
    found = [numpy(y) for y in plain(it.x, mask=it.mask)]
    agree_all(it.names(" of keras.layers.RNN"), found, it.trained.outputs, it.dtype)


TABLE = {
    name: each for name, each in PROPERTIES.items() if name not in ELSEWHERE and available(name)
} | {"keras_rnn": Property("keras_rnn", keras_rnn)}


@each_pair
@grid.over_cases(*TABLE.values())
def test_property(name, cell, norm, dtype, masking, implementation):
    TABLE[name](case(cell, norm, dtype, masking, implementation))


@each_pair
@grid.over_cases(PROPERTIES["reference"], norms=("batch",))
def test_statistics_are_those_of_the_reference(name, cell, norm, dtype, masking, implementation):
    it = case(cell, norm, dtype, masking, implementation)
    for training in it.trainings:
        _, tables = oracle(cell, norm, masking, training)
        after = it.found(training).statistics
        found = dict(zip(map(id, it.layer.non_trainable_variables), after, strict=True))
        for site, want in tables.items():
            each = it.cell.normalizers[site]
            for variable, value in (
                (each.moving_mean, want.mean),
                (each.moving_variance, want.variance),
                (each.count, want.count[:, None]),
            ):
                np.testing.assert_allclose(
                    found[id(variable)], value, rtol=1e-6, atol=grid.TOLERANCE[dtype]
                )
        if not training:
            it.reset()
            assert all(np.array_equal(a, b) for a, b in zip(it.statistics(), after, strict=True))


@cache
def both_directions(cell: str, norm: str, dtype: str, implementation: str) -> Any:
    rng = np.random.default_rng(3)
    layer = grid.make(
        cell, norm, rng, dtype=dtype, implementation=implementation, return_state=False
    )
    wrapped = keras.layers.Bidirectional(layer, dtype=dtype)
    wrapped.build((3, STEPS, grid.FEATURES))
    grid.randomize(wrapped, rng)
    return wrapped


@cache
def row_by_row(cell: str, norm: str, masking: str) -> list[np.ndarray]:
    """What NumPy makes of each row without its padding, in both directions, in float64."""
    it = case(cell, norm, "float64", masking, "loop")
    wrapped = both_directions(cell, norm, "float64", "loop")
    expected = []
    for x, valid in zip(it.x, it.valid, strict=True):
        alone, found = x[None, valid], np.zeros((1, 0, 2 * grid.UNITS))
        if np.any(valid):
            ahead = grid.oracle(wrapped.forward_layer, alone, training=False).outputs
            back = grid.oracle(wrapped.backward_layer, alone[:, ::-1], training=False).outputs
            found = np.concatenate([ahead, back[:, ::-1]], -1)
        expected.append(found[0])
    return expected


@each_pair
@grid.over_cases(Property("bidirectional", keras_rnn))
def test_bidirectional_equals_two_unpadded_loops(name, cell, norm, dtype, masking, implementation):
    it = case(cell, norm, dtype, masking, implementation)
    outputs = numpy(both_directions(cell, norm, dtype, implementation)(it.x, mask=it.mask))
    expected = np.concatenate(row_by_row(cell, norm, masking))
    agree("outputs of both directions", outputs[it.valid], expected, dtype, 2)
