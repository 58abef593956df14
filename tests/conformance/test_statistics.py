"""Running statistics of BatchNorm: counted once, weighted by rows, frozen at inference."""

from __future__ import annotations

import numpy as np
import pytest

from tests import grid
from tests.reference import np_statistics
from tests.tiers import each_value

NORM = {"name": "batch", "max_steps": 4, "momentum": 0.8}


def tables(layer):
    return {
        {"output": "state"}.get(site, site): grid.table(norm)
        for site, norm in layer.cell.normalizers.items()
        if norm.time_aware
    }


@each_value
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize(
    "options",
    [{}, {"statistics": "shared"}, {"input_statistics": "sequence", "small_batch": "naive"}],
    ids=str,
)
@pytest.mark.parametrize("cell", grid.CELLS)
def test_running_average_after_several_batches(cell, options, go_backwards, rng):
    """Against a NumPy average; six steps on a table of four rows, so the last row gets three."""
    layer = grid.make(cell, NORM | options, rng, go_backwards=go_backwards)
    expected = tables(layer)
    for batch in range(3):
        x, mask = grid.inputs(rng), grid.right_padded(rng.integers(0, grid.STEPS + 1, grid.BATCH))
        mask[batch] = False
        found = grid.oracle(layer, x, mask, training=True, go_backwards=go_backwards).statistics
        layer(x, mask=mask, training=True)
        for site in expected:
            expected[site] = np_statistics.fold(expected[site], found[site], NORM["momentum"])
            for a, b in zip(_parts(tables(layer)[site]), _parts(expected[site]), strict=True):
                np.testing.assert_allclose(a, b, atol=1e-10)


def _parts(moments):
    return moments.mean, moments.variance, moments.count


@pytest.mark.parametrize(
    "compiled", [False, pytest.param(True, marks=grid.tensorflow_only)], ids=["eager", "graph"]
)
def test_every_step_counts_once(compiled, rng):
    layer = grid.make("lstm", {"name": "batch", "momentum": 1.0}, rng)
    layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
    call = layer
    if compiled:
        import tensorflow as tf

        call = tf.function(layer)
    x = grid.inputs(rng)
    for _ in range(2):
        call(x, mask=grid.MASK, training=True)
    for norm in tables(layer).values():
        np.testing.assert_array_equal(norm.count[: grid.STEPS + 1], [8, 8, 6, 6, 4, 2, 0])


def test_a_step_without_valid_rows_changes_nothing(rng):
    layer = grid.make("lstm", "batch", rng)
    before = tables(layer)
    layer(grid.inputs(rng), mask=grid.MASK, training=True)
    for site, after in tables(layer).items():
        for a, b in zip(_parts(before[site]), _parts(after), strict=True):
            np.testing.assert_array_equal(a[grid.STEPS :], b[grid.STEPS :])
            assert np.abs(a[: grid.STEPS] - b[: grid.STEPS]).max() > 1e-3


@pytest.mark.parametrize("frozen", [False, True])
def test_untouched_at_inference_and_when_frozen(frozen, rng):
    layer = grid.make("lstm", "batch", rng)
    layer.trainable = not frozen
    before = layer.get_weights()
    x = grid.inputs(rng)
    outputs = layer(x, mask=grid.MASK, training=frozen)
    for a, b in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(outputs, layer(x, mask=grid.MASK), strict=True):
        grid.assert_close(a, b)


def test_steps_beyond_the_seen_ones_use_the_last_trusted_row(rng):
    """Cooijmans et al., section 3: later steps take the statistics of the last training step."""
    layer = grid.make("lstm", {"name": "batch", "max_steps": 8, "min_count": 10}, rng)
    for norm in layer.cell.normalizers.values():
        if norm.time_aware:
            norm.count.assign(np.array([40, 30, 20, 9, 5, 0, 0, 0])[:, None])
    x = grid.inputs(rng, steps=30)
    outputs = layer(x)[0]
    assert np.all(np.isfinite(grid.numpy(outputs)))
    before = {site: grid.table(n) for site, n in layer.cell.normalizers.items() if n.time_aware}
    for site, norm in layer.cell.normalizers.items():
        if norm.time_aware:
            mean, variance = before[site].mean.copy(), before[site].variance.copy()
            mean[3:], variance[3:] = 1e3, 1e-3  # never read
            norm.moving_mean.assign(mean)
            norm.moving_variance.assign(variance)
    grid.assert_close(layer(x)[0], outputs)


def test_one_valid_row_naive_is_erased_and_shrink_is_not(rng):
    x, mask = grid.inputs(rng, batch=2), grid.right_padded([6, 3])
    outputs = {}
    for policy in ("naive", "shrink"):
        layer = grid.make(
            "lstm", {"name": "batch", "small_batch": policy}, np.random.default_rng(0)
        )
        outputs[policy] = grid.numpy(layer(x, mask=mask, training=True)[0])
        other = x.copy()
        other[0, 5] += 1.0
        layer = grid.make(
            "lstm", {"name": "batch", "small_batch": policy}, np.random.default_rng(0)
        )
        moved = grid.numpy(layer(other, mask=mask, training=True)[0])
        change = np.abs(moved - outputs[policy])[0, 5].max()
        assert (change < 1e-12) == (policy == "naive")


@pytest.mark.parametrize("cell", grid.CELLS)
def test_batch_mates_matter_to_batch_norm_in_training(cell, rng):
    """And to nothing else, which the grid tests."""
    layer = grid.make(cell, "batch", rng, return_state=False)
    x = grid.inputs(rng)
    other = np.concatenate([x[:1], grid.inputs(rng)[1:]])
    start = layer.get_weights()
    a = grid.numpy(layer(x, mask=grid.MASK, training=True))[0]
    layer.set_weights(start)
    b = grid.numpy(layer(other, mask=grid.MASK, training=True))[0]
    assert np.abs(a - b).max() > 1e-3
