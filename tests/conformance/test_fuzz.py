"""Shapes, masks and options at random: the layer equals a plain loop over the cell.

For normalisers without memory the loop calls the cell step by step and holds masked rows in NumPy;
for BatchNorm, whose statistics need the mask, it is the NumPy reference.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqnorm.cells import SiteNorms
from seqnorm.layers import recurrent_layer
from seqnorm.normalizers import Context
from tests import grid

EXAMPLES = 100  # of each of the six tests below
fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,  # the same examples for everyone
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
small = st.integers(1, 4)
flag = st.booleans()

OF_CELL = {
    "simple_rnn": {},
    "lstm": {
        "cell_norm": st.sampled_from(["output", "carry", "none"]),
        "forget_bias": st.sampled_from([0.0, 1.0]),
        "unit_forget_bias": flag,
    },
    "gru": {"gate_norm": st.sampled_from(["split", "fused"])},
}
OF_LAYER = {"return_sequences": flag, "go_backwards": flag, "zero_output_for_mask": flag}
AFFINE = {"center": st.none() | flag, "scale": flag, "epsilon": st.sampled_from([1e-5, 1e-3, 0.1])}
STATELESS = st.one_of(
    st.just({"name": "none"}),
    st.fixed_dictionaries({"name": st.just("layer"), **AFFINE}),
    st.fixed_dictionaries({"name": st.just("rms"), **AFFINE}),
    st.fixed_dictionaries({"name": st.just("group"), **AFFINE}),
    st.fixed_dictionaries({"name": st.just("dyt"), "scale": flag}),
)
BATCH = st.fixed_dictionaries(
    {
        "name": st.just("batch"),
        **AFFINE,
        "max_steps": st.integers(1, 6),
        "statistics": st.sampled_from(["per_step", "shared"]),
        "small_batch": st.sampled_from(["naive", "running", "shrink", "renorm"]),
        "few": st.integers(0, 5),
        "min_count": st.sampled_from([0, 16, 35]),
    }
)


@st.composite
def cases(draw: Any, cell: str, norms: Any) -> dict[str, Any]:
    """What `build` makes a layer, inputs, a mask and states from."""
    placement = draw(st.sampled_from(["separate", "joint"]))
    of_sites = {"input", "recurrent"} | ({"state"} if cell == "lstm" else set())
    if placement == "separate":
        of_sites = draw(st.sets(st.sampled_from(sorted(of_sites)), min_size=1))
    norm, (batch, steps, features) = draw(norms), draw(st.tuples(small, st.integers(1, 6), small))
    options = {**OF_CELL[cell], **OF_LAYER, "use_bias": flag, "unroll": flag, "units": small}
    return {
        "options": draw(st.fixed_dictionaries(options))
        | {"norm": norm, "placement": placement, "sites": sorted(of_sites)},
        "cell": cell,
        "shape": (batch, steps, features),
        "seed": draw(st.integers(0, 2**32)),
        "mask": draw(masks(batch, steps, right_padded=norm["name"] == "batch")),
        "carried": draw(flag),
        "training": draw(flag),
    }


def build(case: dict[str, Any]) -> tuple[Any, Any, Any, Any, bool]:
    """A layer with random weights, inputs, the mask, states or None, and whether it trains."""
    own = {"implementation": grid.DEFAULTS["implementation"]} | case["options"]
    layer = recurrent_layer(case["cell"], **own, return_state=True, dtype="float64")
    rng, shape = np.random.default_rng(case["seed"]), case["shape"]
    layer.build(shape)
    grid.randomize(layer, rng)
    count = len(keras.tree.flatten(layer.cell.state_size))
    states = [rng.normal(size=(shape[0], layer.cell.units)) for _ in range(count)]
    x = rng.normal(size=shape)
    return layer, x, case["mask"], states if case["carried"] else None, case["training"]


def masks(batch: int, steps: int, right_padded: bool) -> Any:
    """None, or any mask that the normaliser takes."""
    if right_padded:
        lengths = st.lists(st.integers(0, steps), min_size=batch, max_size=batch)
        return st.none() | lengths.map(lambda rows: grid.right_padded(rows, steps))
    row = st.lists(st.booleans(), min_size=steps, max_size=steps)
    return st.none() | st.lists(row, min_size=batch, max_size=batch).map(np.array)


def plain_loop(layer, x, mask, states, training):
    """Outputs of all steps, the last one, and the last states, one cell step after the other."""
    cell = layer.cell
    norm = SiteNorms(cell.normalizers, Context(training=training))
    if states is None:
        states = [np.zeros((len(x), cell.units)) for _ in keras.tree.flatten(cell.state_size)]
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


def check(loop, case):
    layer, x, mask, states, training = build(case)
    by_loop = layer.implementation == "loop" or layer.why_not_fused(states is not None, training)
    if by_loop and grid.DEFAULTS["implementation"] == "auto":
        return  # the same case has been computed by the loop
    outputs, last, after = loop(layer, x, mask, states, training)
    if states is not None and layer.time_aware:
        states = [*states, np.zeros((len(x), 1))]
    found, *carried = layer(x, initial_state=states, mask=mask, training=training)
    grid.assert_close(found, outputs if layer.return_sequences else last)
    assert len(carried) == len(after) + layer.time_aware
    for a, b in zip(carried, after, strict=False):
        grid.assert_close(a, b)


@pytest.mark.parametrize("cell", grid.CELLS)
def test_layer_equals_a_loop_over_the_cell(cell):
    fuzzed(given(cases(cell, STATELESS))(lambda case: check(plain_loop, case)))()


@pytest.mark.parametrize("cell", grid.CELLS)
def test_layer_with_batch_norm_equals_the_reference(cell):
    fuzzed(given(cases(cell, BATCH))(lambda case: check(reference, case)))()
