"""The oracles of the cells and the time loop against properties they must have."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from tests.reference import np_statistics
from tests.reference.np_batch_sites import BatchNormSite
from tests.reference.np_layers import run_layer
from tests.reference.np_weights import Weights, random_weights
from tests.reference.reference_cases import (
    LENGTHS,
    MASK,
    SITES,
    STEPS,
    B,
    E,
    H,
    T,
    assert_close,
    assert_same,
    initial,
    layer_norms,
)

CELLS = sorted(STEPS)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def batch_norms(w: Weights, **options) -> dict[str, BatchNormSite]:
    return {s: BatchNormSite(w.gammas[s], w.betas.get(s), **options) for s in w.gammas}


def setup(cell: str, rng: np.random.Generator, **options):
    w = random_weights(cell, E, H, rng, gammas=SITES[cell], betas=SITES[cell])
    step = partial(STEPS[cell], weights=w, **options)
    return w, step, rng.normal(size=(B, T, E)), initial(cell, rng)


@pytest.mark.parametrize("cell", CELLS)
def test_placements_agree_without_norms(rng, cell):
    w, step, x, states = setup(cell, rng)
    joint = partial(STEPS[cell], weights=w, placement="joint")
    assert_same(run_layer(step, x, states), run_layer(joint, x, states))


@pytest.mark.parametrize("cell", CELLS)
def test_a_norm_is_applied_at_every_site(rng, cell):
    w, step, x, states = setup(cell, rng)
    norms = layer_norms(w)
    full = run_layer(step, x, states, norms)
    assert set(full.observed) == {site for site, _ in SITES[cell]}
    for site in norms:
        rest = {s: n for s, n in norms.items() if s != site}
        assert np.abs(run_layer(step, x, states, rest).outputs - full.outputs).max() > 1e-3


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_layer_norm_on_a_padded_batch_is_each_row_alone(rng, cell, go_backwards):
    w, step, x, states = setup(cell, rng)
    x[~MASK] = np.nan
    norms = layer_norms(w)
    whole = run_layer(step, x, states, norms, MASK, go_backwards=go_backwards)
    zeroed = run_layer(
        step, x, states, norms, MASK, go_backwards=go_backwards, zero_output_for_mask=True
    )
    for b, length in enumerate(LENGTHS):
        own = tuple(s[b : b + 1] for s in states)
        if length == 0:
            np.testing.assert_array_equal(whole.outputs[b], 0.0)
            for kept, given in zip(whole.states, own, strict=True):
                np.testing.assert_array_equal(kept[b], given[0])
            continue
        order = slice(None, None, -1) if go_backwards else slice(None)
        alone = run_layer(step, x[b : b + 1, :length][:, order], own, norms)
        start = T - length if go_backwards else 0
        valid = slice(start, start + length)
        assert_close(whole.outputs[b, valid], alone.outputs[0])
        np.testing.assert_array_equal(zeroed.outputs[b, valid], whole.outputs[b, valid])
        np.testing.assert_array_equal(np.delete(zeroed.outputs[b], np.r_[valid], 0), 0.0)
        held = 0.0 if go_backwards else whole.last[b]
        np.testing.assert_array_equal(
            np.delete(whole.outputs[b], np.r_[valid], 0), np.broadcast_to(held, (T - length, H))
        )
        assert_close(whole.last[b], alone.outputs[0, -1])
        for kept, own_state in zip(whole.states, alone.states, strict=True):
            assert_close(kept[b], own_state[0])


@pytest.mark.parametrize("statistics", ["step", "sequence"])
@pytest.mark.parametrize("cell", CELLS)
def test_batch_norm_does_not_see_padding_order_or_copies(rng, cell, statistics):
    w, step, x, states = setup(cell, rng)
    norms = batch_norms(w)
    for site in norms:
        if site.startswith("input"):
            norms[site] = BatchNormSite(w.gammas[site], statistics=statistics)
    base = run_layer(step, x, states, norms, MASK)

    padded = np.concatenate([x, np.full((B, 3, E), np.nan)], axis=1)
    longer = run_layer(step, padded, states, norms, np.pad(MASK, ((0, 0), (0, 3))))
    assert_same(base, longer._replace(outputs=longer.outputs[:, :T]))
    for site, moments in longer.statistics.items():
        steps = len(base.statistics[site].count)
        assert_close(moments.mean[:steps], base.statistics[site].mean)
        np.testing.assert_array_equal(moments.count[steps:], 0.0)

    order = rng.permutation(B)
    moved = run_layer(step, x[order], tuple(s[order] for s in states), norms, MASK[order])
    assert_close(moved.outputs, base.outputs[order])
    twice = tuple(np.concatenate([s, s]) for s in states)
    both = run_layer(step, np.concatenate([x, x]), twice, norms, np.concatenate([MASK, MASK]))
    assert_close(both.outputs[:B], base.outputs)


def test_batch_norm_statistics_are_those_of_the_pre_activations(rng):
    w, step, x, states = setup("lstm", rng)
    norms = batch_norms(w)
    for back in (False, True):
        result = run_layer(step, x, states, norms, MASK, go_backwards=back)
        per_step = result.statistics["input"]
        np.testing.assert_array_equal(per_step.count, MASK.sum(0))
        for t in range(T):
            # Backwards, step t is token t counted from each row's last valid one.
            alive = [(b, n - 1 - t if back else t) for b, n in enumerate(LENGTHS) if t < n]
            rows = np.stack([x[b, position] for b, position in alive]) @ w.kernel
            assert_close(per_step.mean[t], rows.mean(0))
            assert_close(per_step.variance[t], rows.var(0))
    norms["input"] = BatchNormSite(w.gammas["input"], statistics="sequence")
    whole = run_layer(step, x, states, norms, MASK, go_backwards=True).statistics["input"]
    rows = x[MASK] @ w.kernel
    np.testing.assert_array_equal(whole.count, [MASK.sum()])
    assert_close(whole.mean[0], rows.mean(0))
    assert_close(whole.variance[0], rows.var(0))


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_inference_on_the_only_batch_seen_is_training(rng, cell, go_backwards):
    w, step, x, states = setup(cell, rng)
    run = partial(run_layer, step, mask=MASK, go_backwards=go_backwards)
    # A large epsilon: where one row is left the variance is 0, and 1 / sqrt(1e-5) per site and step
    # would blow up rounding that depends on the batch size.
    norms = batch_norms(w, epsilon=0.1)
    trained = run(x, states, norms)
    tables = {
        site: np_statistics.fold(np_statistics.empty_table(T, m.mean.shape[1]), m, 0.9)
        for site, m in trained.statistics.items()
    }
    frozen = {s: replace(norm, table=tables[s]) for s, norm in norms.items()}
    result = run(x, states, frozen, training=False)
    assert_same(trained, result)
    assert not result.statistics
    first = tuple(s[:1] for s in states)
    alone = run(x[:1], first, frozen, mask=MASK[:1], training=False)
    assert_close(alone.outputs[0], result.outputs[0])


def test_sequence_statistics_count_tokens_and_read_row_zero(rng):
    """With shrink, the input site is normalised by all valid tokens mixed with the one row."""
    w, step, x, states = setup("lstm", rng)
    product = x @ w.kernel
    seen = np_statistics.masked_moments(rng.normal(1.0, 2.0, (40, 4 * H)))
    imagined = replace(seen, count=np.asarray(8.0))
    mixture = np_statistics.pool([np_statistics.masked_moments(product[MASK]), imagined])
    site = BatchNormSite(
        statistics="sequence", small_batch="shrink", table=np_statistics.stack([seen])
    )
    by_table = BatchNormSite(table=np_statistics.stack([mixture]))
    trained = run_layer(step, x, states, {"input": site}, MASK)
    expected = run_layer(step, x, states, {"input": by_table}, MASK, training=False)
    assert_same(trained, expected)


def test_per_step_batch_norm_refuses_padding_on_the_left(rng):
    w, step, x, states = setup("lstm", rng)
    with pytest.raises(ValueError, match="right-padded"):
        run_layer(step, x, states, batch_norms(w), MASK[:, ::-1])
