"""Shapes, masks and options at random: the layer equals the NumPy reference.

Where the kernels serve, they equal the layer's loop: outputs, states, gradients and statistics.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests import grid
from tests.conformance.conftest import FUSED
from tests.gradients import gradients_and_more, weighted_sum
from tests.random_cases import draw, zero_states
from tests.reference.np_batch_sites import is_right_padded
from tests.tiers import exhaustive

# JAX compiles every operation of a case anew, for its shapes.
CASES, PARTS = 200 if grid.BACKEND == "jax" else 600, 20
FIRST = 2  # parts of the quick tier


def reference(layer, x, mask, states, training):
    """What the layer puts out, and the last states."""
    found = grid.oracle(
        layer,
        x,
        mask,
        states,
        training=training,
        go_backwards=layer.go_backwards,
        zero_output_for_mask=layer.zero_output_for_mask,
    )
    last = found.last
    # The last step of a backward run is never a padded one where padding is on the right.
    ends_valid = layer.go_backwards and (mask is None or is_right_padded(mask))
    if layer.zero_output_for_mask and not ends_valid:
        last = found.outputs[:, -1]
    if layer.pooling != "last":
        turned = mask[:, ::-1] if mask is not None and layer.go_backwards else mask
        last = pooled(found.outputs, turned, OF_ROW[layer.pooling])
    return found.outputs if layer.return_sequences else last, found.states


OF_ROW = {"mean": np.mean, "max": np.max}


def pooled(outputs, mask, of_row):
    """That of the valid steps of each row; zeros where there is none."""
    valid = np.ones(outputs.shape[:2], bool) if mask is None else mask
    rows = zip(outputs, valid, strict=True)
    return np.stack([of_row(y[m], axis=0) if m.any() else 0 * y[0] for y, m in rows])


def results(layer, case, states):
    """Outputs, states, gradients and, of batch norm, what became of the statistics."""
    age = -1 if layer.time_aware else None

    def loss(x):
        found = layer(x, initial_state=states, mask=case.mask, training=case.training)
        return weighted_sum(found[:age]), list(found)

    slopes, found = gradients_and_more(loss, layer, case.x)
    tables = [w for w in layer.non_trainable_variables if "seed" not in w.path]
    return [*found, *slopes, *map(grid.numpy, tables)]


def check(case):
    """Whether the kernels served the case as well."""
    layer = case.layer()
    start = layer.get_weights()
    carried = case.states is not None
    states = case.states if carried else zero_states(case, layer)
    output, after = reference(layer, case.x, case.mask, states, case.training)
    given = case.states
    if carried and layer.time_aware:
        given = [*states, np.zeros((len(case.x), 1))]
    served = FUSED and layer.why_not_fused(carried, case.training) is None
    if served:
        by_loop = results(layer, case, given)
    else:
        call = {"initial_state": given, "mask": case.mask, "training": case.training}
        by_loop = layer(case.x, **call)
    grid.assert_close(by_loop[0], output)
    for a, b in zip(by_loop[1 : 1 + len(after)], after, strict=True):
        grid.assert_close(a, b)
    if served:
        layer.implementation = "fused"
        layer.set_weights(start)
        for a, b in zip(results(layer, case, given), by_loop, strict=True):
            scale = 1 + np.max(np.abs(b), initial=0)
            np.testing.assert_allclose(a / scale, b / scale, rtol=0, atol=1e-8)
    return served


@pytest.mark.parametrize("implementation", ["loop"], indirect=True)
@pytest.mark.parametrize(
    "part", [*range(FIRST), *(pytest.param(part, marks=exhaustive) for part in range(FIRST, PARTS))]
)
def test_layer_equals_the_reference_and_kernels_equal_the_layer(part):
    rng = np.random.default_rng([2026, part])
    fused = 0
    for _ in range(CASES // PARTS):
        case = draw(rng)
        try:
            fused += check(case)
        except Exception as error:
            error.add_note(f"in {case}")
            raise
    assert fused >= CASES // PARTS // 5 or not FUSED  # of ten two may be all, as they are drawn
