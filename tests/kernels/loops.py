"""The recurrent cells as plain NumPy loops in float64, and random cases for them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seqnorm.kernels.host.arrays import States, Weights
from seqnorm.kernels.spec import CELLS, SiteSpec, Spec


class Case(NamedTuple):
    """One random call, in float64."""

    spec: Spec
    x: np.ndarray
    weights: Weights
    lengths: np.ndarray
    initial: States


def spec(
    cell: str, norm: str, carry: bool = False, split: bool = True, dtype: str = "float64"
) -> Spec:
    """The same norm at every site; "group": one group for each gate; `split` is of the GRU."""
    kind, gates = "layer" if norm == "group" else norm, CELLS[cell].gates
    norms = (2, 1) if cell == "gru" and split else (gates,)
    parts = tuple((own, own if norm == "group" else 1) for own in norms)
    state = SiteSpec(kind, 1e-2) if cell == "lstm" else SiteSpec()
    return Spec(cell, SiteSpec(kind, 1e-3, parts), SiteSpec(kind, 1e-4, parts), state, carry, dtype)


def case(
    spec: Spec, rng: np.random.Generator, lengths: list[int], steps: int, inputs: int, units: int
) -> Case:
    columns, batch = spec.gates * units, len(lengths)
    normal = rng.normal
    weights = Weights(
        kernel=normal(size=(inputs, columns)) / np.sqrt(inputs),
        recurrent_kernel=normal(size=(units, columns)) / np.sqrt(units),
        gain_in=1 + 0.3 * normal(size=columns),
        gain_rec=0.5 + 0.3 * normal(size=columns),
        gain_state=1 + 0.3 * normal(size=units),
        offset_in=0.3 * normal(size=columns),
        offset_rec=0.3 * normal(size=columns),
        offset_state=0.3 * normal(size=units),
    )
    initial = States(0.5 * normal(size=(batch, units)), 0.5 * normal(size=(batch, units)))
    return Case(spec, normal(size=(batch, steps, inputs)), weights, np.array(lengths), initial)


def cast(case: Case, dtype: str) -> Case:
    """The same call with arrays of another type."""

    def to(value: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(value, dtype)

    return Case(
        case.spec,
        to(case.x),
        Weights(*map(to, case.weights)),
        case.lengths,
        States(*map(to, case.initial)),
    )


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _normalise(
    site: SiteSpec, gates: int, u: np.ndarray, gain: np.ndarray, alive: np.ndarray
) -> np.ndarray:
    if site.kind == "none":
        return u
    parts, start = [], 0
    for own, groups in site.parts or ((gates, 1),):
        width = own * u.shape[1] // gates
        for part in np.split(u[:, start : start + width], groups, axis=1):
            axis, over = (0, part[alive]) if site.kind == "batch" else (1, part)
            mean = over.mean(axis, keepdims=True) if site.kind != "rms" else 0.0
            square = ((over - mean) ** 2).mean(axis, keepdims=True)
            parts.append((part - mean) / np.sqrt(square + site.epsilon))
        start += width
    return np.concatenate(parts, 1) * gain


def _step(
    case: Case, x: np.ndarray, h: np.ndarray, c: np.ndarray, alive: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    spec, w, units = case.spec, case.weights, h.shape[1]
    a = _normalise(spec.input, spec.gates, x @ w.kernel, w.gain_in, alive) + w.offset_in
    u = _normalise(spec.recurrent, spec.gates, h @ w.recurrent_kernel, w.gain_rec, alive)
    if spec.cell == "simple_rnn":
        return np.tanh(a + u), c
    if spec.cell == "gru":
        u = u + w.offset_rec
        z, r = _sigmoid((a + u)[:, :units]), _sigmoid((a + u)[:, units : 2 * units])
        candidate = np.tanh(a[:, 2 * units :] + r * u[:, 2 * units :])
        return z * h + (1 - z) * candidate, c
    i, f, g, o = np.split(a + u, 4, axis=1)
    c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
    y = _normalise(spec.state, 1, c, w.gain_state, alive) + w.offset_state
    return _sigmoid(o) * np.tanh(y), y if spec.carry else c


def run(case: Case) -> tuple[np.ndarray, States]:
    """(h[B, T, H], zero where a row has ended; last states)."""
    h, c = case.initial
    sequence = np.zeros((*case.x.shape[:2], h.shape[1]))
    for step in range(case.x.shape[1]):
        alive = case.lengths > step
        if not alive.any():
            break
        h_new, c_new = _step(case, case.x[:, step], h, c, alive)
        h, c = (np.where(alive[:, None], new, old) for new, old in ((h_new, h), (c_new, c)))
        sequence[:, step] = np.where(alive[:, None], h, 0)
    return sequence, States(h, c)
