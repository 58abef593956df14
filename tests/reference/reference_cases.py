"""Shapes, sites and helpers that the tests of the oracles share."""

from __future__ import annotations

from functools import partial

import numpy as np

from tests.reference import np_cells, np_norms
from tests.reference.np_layers import LayerResult
from tests.reference.np_weights import Weights

assert_close = partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-11)
B, T, E, H = 5, 7, 3, 4
LENGTHS = np.array([7, 4, 0, 1, 6])
MASK = np.arange(T) < LENGTHS[:, None]
SITES = {
    "simple_rnn": [("input", 1), ("recurrent", 1)],
    "lstm": [("input", 4), ("recurrent", 4), ("state", 1)],
    "gru": [
        ("input_gates", 2),
        ("input_candidate", 1),
        ("recurrent_gates", 2),
        ("recurrent_candidate", 1),
    ],
}
STEPS = {
    "simple_rnn": np_cells.simple_rnn_step,
    "lstm": np_cells.lstm_step,
    "gru": np_cells.gru_step,
}


def initial(cell: str, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    return tuple(rng.normal(0.0, 0.5, (B, H)) for _ in range(2 if cell == "lstm" else 1))


def layer_norms(w: Weights, epsilon: float = 1e-5) -> dict[str, np_cells.Norm]:
    sites = set(w.gammas) | set(w.betas)
    return {
        s: partial(np_norms.layer_norm, gamma=w.gammas.get(s), beta=w.betas.get(s), epsilon=epsilon)
        for s in sites
    }


def assert_same(a: LayerResult, b: LayerResult) -> None:
    for x, y in zip((a.outputs, a.last, *a.states), (b.outputs, b.last, *b.states), strict=True):
        assert_close(x, y)
