"""Shapes, masks and options at random: the layer equals a plain loop over the cell.

For normalisers without memory the loop calls the cell step by step and holds masked rows in NumPy;
for BatchNorm, whose statistics need the mask, it is the NumPy reference. Where the kernels serve,
they equal the layer's loop: outputs, states, gradients and statistics.
"""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqnorm.cells import SiteNorms
from seqnorm.normalizers import Context
from tests import grid
from tests.conformance.conftest import FUSED
from tests.gradients import gradients_and_more, weighted_sum
from tests.random_cases import draw, zero_states

CASES, PARTS = 600, 20


def plain_loop(layer, x, mask, states, training):
    """Outputs of all steps, the last one, and the last states, one cell step after the other."""
    cell = layer.cell
    norm = SiteNorms(cell.normalizers, Context(training=training))
    mask = np.ones(x.shape[:2], bool) if mask is None else mask
    order = range(x.shape[1])
    output, outputs = np.zeros((len(x), cell.units)), []
    for t in reversed(order) if layer.go_backwards else order:
        tensors = [keras.ops.convert_to_tensor(s, "float64") for s in states]
        here = np.where(mask[:, t, None], x[:, t], 0.0)
        a_t = cell.project(keras.ops.convert_to_tensor(here, "float64"), norm)
        new, after = cell.advance(a_t, tensors, norm)
        valid = mask[:, t, None]
        held = np.zeros_like(output) if layer.zero_output_for_mask else output
        output = np.where(valid, grid.numpy(new), held)
        states = [np.where(valid, grid.numpy(n), s) for n, s in zip(after, states, strict=True)]
        outputs.append(output)
    return np.stack(outputs, 1), output, states


def reference(layer, x, mask, states, training):
    """The same from the NumPy reference, as the layer lays it out."""
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
    if layer.zero_output_for_mask and not layer.go_backwards:
        last = found.outputs[:, -1]
    return found.outputs, last, found.states


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
    loop = reference if layer.time_aware else plain_loop
    outputs, last, after = loop(layer, case.x, case.mask, states, case.training)
    given = case.states
    if carried and layer.time_aware:
        given = [*states, np.zeros((len(case.x), 1))]
    served = FUSED and layer.why_not_fused(carried, case.training) is None
    if served:
        by_loop = results(layer, case, given)
    else:
        call = {"initial_state": given, "mask": case.mask, "training": case.training}
        by_loop = layer(case.x, **call)
    grid.assert_close(by_loop[0], outputs if layer.return_sequences else last)
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
@pytest.mark.parametrize("part", range(PARTS))
def test_layer_equals_a_plain_loop_and_kernels_equal_the_layer(part):
    rng = np.random.default_rng([2026, part])
    fused = 0
    for _ in range(CASES // PARTS):
        case = draw(rng)
        try:
            fused += check(case)
        except Exception as error:
            error.add_note(f"in {case}")
            raise
    assert fused > CASES // PARTS // 4 or not FUSED
