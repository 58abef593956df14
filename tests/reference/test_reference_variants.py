"""The named variants against the cells with the settings that should make them the same."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pytest

from tests.reference import np_cells
from tests.reference.np_layers import run_layer
from tests.reference.np_variants import VARIANTS, as_step
from tests.reference.np_weights import random_weights
from tests.reference.reference_cases import (
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

JOINT_GATES = [(f"joint_{g}", 1) for g in "ifco"]
SPLIT_GATES = [(f"{side}_{g}", 1) for side in ("input", "recurrent") for g in "ifco"]
LSTM, GRU = SITES["lstm"], SITES["gru"]
FUSED = [("input", 3), ("recurrent", 3)]
# variant -> gains at, offsets at, bias, epsilon, options of the step in np_cells
SETTINGS = {
    ("simple_rnn", "paper"): ([("joint", 1)],) * 2 + (False, 1e-5, {"placement": "joint"}),
    ("simple_rnn", "addons"): ([("joint", 1)], [], True, 1e-5, {"placement": "joint"}),
    ("lstm", "paper"): (LSTM, LSTM, True, 1e-5, {"cell_norm": "output"}),
    ("lstm", "addons"): (LSTM, LSTM, True, 1e-3, {"cell_norm": "carry"}),
    ("lstm", "contrib"): ([*JOINT_GATES, ("state", 1)],) * 2
    + (False, 1e-12, {"placement": "joint", "cell_norm": "carry"}),
    ("lstm", "fastrnns"): (LSTM, LSTM, False, 1e-5, {"cell_norm": "carry"}),
    ("lstm", "haste"): (LSTM, LSTM[2:], True, 1e-5, {"cell_norm": "output"}),
    ("lstm", "hou"): (SPLIT_GATES, SPLIT_GATES, True, 1e-5, {"cell_norm": "none"}),
    ("lstm", "sonnet1"): ([("joint", 4)],) * 2
    + (True, 1e-5, {"placement": "joint", "cell_norm": "none"}),
    ("gru", "paper"): (GRU, GRU, False, 1e-5, {"form": "split"}),
    ("gru", "haste"): (FUSED, [], True, 1e-5, {"form": "fused"}),
}


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def per_gate(norms: Mapping[str, np_cells.Norm], site: str) -> np_cells.Norm:
    def apply(z: np.ndarray) -> np.ndarray:
        parts = zip("ifco", np.split(z, 4, axis=1), strict=True)
        return np.concatenate([norms[f"{site}_{g}"](part) for g, part in parts], axis=1)

    return apply


@pytest.mark.parametrize("key", sorted(VARIANTS), ids="-".join)
@pytest.mark.parametrize("go_backwards", [False, True])
def test_every_variant_is_a_setting_of_the_cell(rng, key, go_backwards):
    cell, name = key
    gammas, betas, use_bias, epsilon, options = SETTINGS[key]
    w = random_weights(cell, E, H, rng, gammas=gammas, betas=betas, use_bias=use_bias)
    x, states = rng.normal(size=(B, T, E)), initial(cell, rng)
    run = partial(run_layer, mask=MASK, go_backwards=go_backwards)
    actual = run(as_step(VARIANTS[key], w), x, states)
    norms = layer_norms(w, epsilon)
    in_cell = w
    if name == "contrib":  # its forget bias of 1 is a bias after the norm
        in_cell = w._replace(bias=np.repeat([0.0, 1.0, 0.0, 0.0], H))
        norms["joint"] = per_gate(norms, "joint")
    if name == "sonnet1":
        in_cell = w._replace(bias=w.bias + np.repeat([0.0, 1.0, 0.0, 0.0], H))
    if name == "hou":
        norms.update({side: per_gate(norms, side) for side in ("input", "recurrent")})
    expected = run(partial(STEPS[cell], weights=in_cell, **options), x, states, norms)
    assert_same(actual, expected)


def test_haste_is_paper_without_gate_betas_and_addons_carries_another_state(rng):
    w = random_weights("lstm", E, H, rng, gammas=LSTM, betas=LSTM[2:])
    x, states = rng.normal(size=(B, T, E)), initial("lstm", rng)
    runs = {
        name: run_layer(as_step(VARIANTS["lstm", name], w, epsilon=1e-5), x, states)
        for name in ("paper", "haste", "addons")
    }
    assert_same(runs["paper"], runs["haste"])
    assert_close(
        runs["paper"].outputs[:, 0], runs["addons"].outputs[:, 0]
    )  # the first output does not know yet what is carried
    assert np.abs(runs["paper"].outputs - runs["addons"].outputs).max() > 0.05


def test_hou_starts_from_a_gain_of_a_tenth(rng):
    w = random_weights("lstm", E, H, rng)
    tenth = w._replace(gammas={site: np.full(H, 0.1) for site, _ in SPLIT_GATES})
    x, states = rng.normal(size=(B, T, E)), initial("lstm", rng)
    hou = VARIANTS["lstm", "hou"]
    assert_same(run_layer(as_step(hou, w), x, states), run_layer(as_step(hou, tenth), x, states))
