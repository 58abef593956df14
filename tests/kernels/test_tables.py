"""Running statistics inside the operation, against those that a layer keeps around its loop."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from keras import ops

from seqnorm import NormRNN
from seqnorm.cells import NormLSTMCell
from seqnorm.kernels.compiled.merge import merge
from seqnorm.normalizers import BatchNorm
from seqnorm.ops import moments
from seqnorm.ops.moments import Moments
from tests import grid
from tests.gradients import gradients, weighted_sum

STEPS = grid.STEPS
OPTIONS = [
    {"small_batch": policy, "max_steps": rows}
    for policy in ("naive", "running", "shrink", "renorm")
    for rows in (1, STEPS - 2, STEPS, STEPS + 2)
] + [{"statistics": "shared"}, {"momentum": 0.0}, {"momentum": 1.0}]


def pair(cell, options, rng, **more):
    """A layer on the kernels, and one on the loop with the same weights."""
    norm = {"name": "batch", "few": 3, **options}
    layers = [
        grid.make(cell, norm, rng, implementation=way, dtype="float32", **more)
        for way in ("fused", "loop")
    ]
    layers[1].set_weights(layers[0].get_weights())
    return layers


def assert_same(layers, atol=1e-5):
    for one, other in zip(*(layer.get_weights() for layer in layers), strict=True):
        np.testing.assert_allclose(one, other, atol=atol, rtol=1e-5)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("cell", grid.CELLS)
def test_three_batches_leave_what_the_loop_leaves(cell, options, rng):
    layers = pair(cell, options, rng)
    for _ in range(3):
        x = grid.inputs(rng).astype("float32")
        found = [grid.numpy(layer(x, mask=grid.MASK, training=True)[0]) for layer in layers]
        np.testing.assert_allclose(*found, atol=1e-5)
        assert_same(layers)


@pytest.mark.parametrize("go_backwards", [False, True])
def test_in_a_stack_of_cells(go_backwards, rng):
    """Whose upper one gets its inputs in running order, with padding first."""
    layers = [
        NormRNN(
            [NormLSTMCell(3, norm="batch"), NormLSTMCell(4, norm="batch")],
            go_backwards=go_backwards,
            implementation=way,
        )
        for way in ("fused", "loop")
    ]
    for layer in layers:
        layer.build((None, None, grid.FEATURES))
    layers[1].set_weights(layers[0].get_weights())
    before, x = layers[0].get_weights(), grid.inputs(rng).astype("float32")
    for layer in layers:
        layer(x, mask=grid.MASK, training=True)
    assert_same(layers)
    moved = [np.abs(a - b).max() > 0 for a, b in zip(layers[0].get_weights(), before, strict=True)]
    assert sum(moved) == 2 * 3 * 3  # cells, sites, and mean, variance, count of each


@pytest.mark.skipif(grid.BACKEND == "jax", reason="a gradient of JAX's is a call of its own")
def test_a_second_gradient_uses_the_table_of_its_own_call(rng):
    """The first one uses the record up, and the variables have other values by then."""
    layer, loop = pair("lstm", {"small_batch": "shrink"}, rng)
    x = grid.inputs(rng).astype("float32")
    layer(x, training=True)
    loop.set_weights(layer.get_weights())
    expected = gradients(lambda x: weighted_sum(loop(x, training=True)), loop, x)
    for found in _twice(layer, x):
        for one, other in zip(found, expected, strict=False):
            np.testing.assert_allclose(one, other, atol=1e-4)


def _twice(layer, x):
    weights = layer.trainable_variables
    if grid.BACKEND == "torch":
        import torch

        loss = weighted_sum(layer(torch.from_numpy(x), training=True))
        values = [weight.value for weight in weights]
        found = [torch.autograd.grad(loss, values, retain_graph=True) for _ in range(2)]
    else:
        import tensorflow as tf

        with tf.GradientTape(persistent=True) as tape:
            loss = weighted_sum(layer(x, training=True))
        found = [tape.gradient(loss, [weight.value for weight in weights]) for _ in range(2)]
    return [[grid.numpy(each) for each in one] for one in found]


def test_a_stateless_call_leaves_all_as_it_was_and_returns_the_table(rng):
    layer, other = pair("lstm", {}, rng, return_state=False, return_sequences=False)
    x = grid.inputs(rng).astype("float32")
    trained, kept = (
        [ops.copy(variable.value) for variable in variables]
        for variables in (layer.trainable_variables, layer.non_trainable_variables)
    )
    before = [grid.numpy(value).copy() for value in kept]
    outputs, new = layer.stateless_call(trained, kept, x, training=True)
    for variables in (kept, [variable.value for variable in layer.non_trainable_variables]):
        for value, old in zip(variables, before, strict=True):
            np.testing.assert_array_equal(grid.numpy(value), old)
    np.testing.assert_allclose(grid.numpy(outputs), grid.numpy(other(x, training=True)), atol=1e-5)
    for value, variable in zip(new, other.non_trainable_variables, strict=True):
        if "seed" in variable.path:
            continue
        np.testing.assert_allclose(grid.numpy(value), grid.numpy(variable), atol=1e-5)


class Forgetful(BatchNorm):
    def fold(self, moments, index):
        pass


class Saying(Forgetful):
    def to_kernel(self, training):
        return super().to_kernel(training)


@pytest.mark.parametrize("norm", [Forgetful, Saying, BatchNorm])
def test_a_fold_of_ones_own_is_called(norm, rng):
    """Also where it is put on the object."""
    layer = grid.make("lstm", norm(), rng, implementation="fused")
    if norm is BatchNorm:
        for each in layer.cell.normalizers.values():
            object.__setattr__(each, "fold", lambda moments, index: None)
    before = layer.get_weights()
    layer(grid.inputs(rng), training=True)
    for one, other in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


class Scheduled(BatchNorm):
    """Its momentum is a variable, which may change from step to step."""

    def build(self, input_shape):
        self.schedule = self.add_weight(shape=(), initializer="zeros", trainable=False)
        super().build(input_shape)

    @property
    def momentum(self):
        return self.schedule if self.built else 0.0

    @momentum.setter
    def momentum(self, value):
        pass


def test_a_momentum_that_is_a_variable_takes_the_loop(rng):
    layer = grid.make("simple_rnn", Scheduled(), rng, implementation="auto")
    assert "a momentum that is no number" in layer.why_not_fused()
    norms = [norm for norm in layer.cell.normalizers.values() if norm.time_aware]
    before = [grid.numpy(norm.count).copy() for norm in norms]
    layer(grid.inputs(rng), training=True)
    for old, norm in zip(before, norms, strict=True):
        expected = old * float(grid.numpy(norm.schedule)) + grid.BATCH
        np.testing.assert_allclose(grid.numpy(norm.count)[:STEPS], expected[:STEPS], rtol=1e-5)


@pytest.mark.skipif(grid.BACKEND != "torch", reason="traces of torch's")
def test_a_trace_holds_the_statistics_updates(rng):
    import torch

    layer = grid.make("lstm", "batch", rng, implementation="loop", dtype="float32")

    class Module(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, x):
            return self.layer(x, training=True)[0]

    x = torch.from_numpy(grid.inputs(rng).astype("float32"))
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trace = torch.jit.trace(Module(), x, check_trace=False)
        before = [each.copy() for each in layer.get_weights()]
        trace(3 * x)
    moved = sum((a != b).any() for a, b in zip(before, layer.get_weights(), strict=True))
    assert moved == 3 * 3  # mean, variance and count of three sites


def test_merging_gives_the_bytes_of_the_operations(rng):
    """Published numbers of batch norm were made by them, and training carries the last bit on."""
    rows, columns = 50, 7
    known, batch = (
        Moments(
            1e3 + rng.normal(size=(rows, columns)).astype("float32"),
            rng.uniform(0.5, 2, (rows, columns)).astype("float32"),
            rng.uniform(1, 64, (rows, 1)).astype("float32"),
        )
        for _ in range(2)
    )
    expected = moments.merge(*(Moments(*map(ops.convert_to_tensor, m)) for m in (known, batch)))
    mean, variance = np.empty_like(known.mean), np.empty_like(known.mean)
    share = batch.count / (known.count + batch.count)
    both = np.stack([batch.mean, batch.variance], axis=1)
    flat = [each.reshape(-1) for each in (*known[:2], both, share, mean, variance)]
    merge(*flat)
    np.testing.assert_array_equal(mean, grid.numpy(expected.mean))
    # TensorFlow's x**2 is a power here, which rounds; in the graph of a training step it is x x.
    last_bit = 3e-7 if grid.BACKEND == "tensorflow" else 0
    np.testing.assert_allclose(variance, grid.numpy(expected.variance), rtol=last_bit)
