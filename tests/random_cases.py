"""Random cases: a layer with any of its options, inputs, a mask, states.

The one generator of them: `tests/conformance/test_fuzz.py` compares each with the NumPy reference,
and the kernels with the loop where they serve.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from seqnorm.layers import recurrent_layer
from tests import grid

NORMS = ("none", "layer", "rms", "batch", "batch", "layer", "group", "dyt")


class RandomCase(NamedTuple):
    """What a layer is made from, and what it is called with."""

    cell: str
    options: dict[str, Any]
    x: NDArray[np.float64]
    mask: NDArray[np.bool_] | None
    states: list[NDArray[np.float64]] | None
    training: bool
    weights: int  # their seed

    def layer(self, dtype: str = "float64") -> Any:
        """By the loop, returning states, with random weights."""
        options = {"return_state": True, "dtype": dtype, "implementation": "loop"}
        layer = recurrent_layer(self.cell, **options, **self.options)
        layer.build(self.x.shape)
        grid.randomize(layer, np.random.default_rng(self.weights))
        return layer


def draw(rng: np.random.Generator) -> RandomCase:
    """Any case that the layers take."""
    cell = str(rng.choice(list(grid.CELLS)))
    batch, steps, features, units = (int(n) for n in rng.integers(1, (7, 7, 20, 40)))
    norm = _norm(rng, units)
    options = _layer_options(rng) | _cell_options(rng, cell) | {"norm": norm, "units": units}
    states = None
    if rng.random() < 0.4:
        states = [rng.normal(size=(batch, units)) for _ in range(2 if cell == "lstm" else 1)]
    return RandomCase(
        cell,
        options,
        rng.normal(size=(batch, steps, features)),
        _mask(rng, batch, steps, right_padded=norm["name"] == "batch"),
        states,
        _flag(rng),
        int(rng.integers(2**32)),
    )


def _flag(rng: np.random.Generator) -> bool:
    return bool(rng.integers(2))


def _one(rng: np.random.Generator, *values: Any) -> Any:
    return values[rng.integers(len(values))]


def _norm(rng: np.random.Generator, units: int) -> dict[str, Any]:
    name = _one(rng, *NORMS)
    options: dict[str, Any] = {"name": name}
    if name == "none":
        return options
    options["scale"] = _flag(rng)
    if name == "dyt":
        return options
    options |= {"center": _one(rng, None, False, True), "epsilon": _one(rng, 1e-5, 1e-3, 0.1)}
    if name == "group":  # of the state too
        options["groups"] = _one(rng, None, *(n for n in (1, 2, 3, 4) if units % n == 0))
    if name == "batch":
        options |= {
            "max_steps": int(rng.integers(1, 8)),
            "statistics": _one(rng, "per_step", "shared"),
            "small_batch": _one(rng, "naive", "running", "shrink", "renorm"),
            "few": int(rng.integers(6)),
            "min_count": _one(rng, 0, 16, 35),
        }
    return options


def _layer_options(rng: np.random.Generator) -> dict[str, Any]:
    flags = ("return_sequences", "go_backwards", "zero_output_for_mask", "use_bias")
    options: dict[str, Any] = {name: _flag(rng) for name in flags}
    if not options["return_sequences"]:
        options["pooling"] = _one(rng, "last", "mean", "max")
    return options | {"unroll": rng.random() < 0.15}


def _cell_options(rng: np.random.Generator, cell: str) -> dict[str, Any]:
    sites = ["input", "recurrent"] + (["state"] if cell == "lstm" else [])
    options: dict[str, Any] = {"placement": "joint" if rng.random() < 0.2 else "separate"}
    if options["placement"] == "separate":
        sites = [site for site in sites if rng.random() < 0.8] or sites
    options["sites"] = sites
    if cell == "lstm":
        options |= {
            "cell_norm": _one(rng, "output", "carry", "none"),
            "forget_bias": _one(rng, 0.0, 0.5, 1.0),
            "unit_forget_bias": _flag(rng),
        }
    if cell == "gru":
        options["gate_norm"] = _one(rng, "split", "fused")
    return options


def _mask(rng: np.random.Generator, batch: int, steps: int, right_padded: bool) -> Any:
    """None, or any mask that the normaliser takes."""
    kind = rng.integers(3)
    if kind == 0:
        return None
    if kind == 1 or right_padded:
        return grid.right_padded(rng.integers(0, steps + 1, batch), steps)
    return rng.random((batch, steps)) < 0.6


def zero_states(case: RandomCase, layer: Any) -> list[NDArray[np.float64]]:
    """What a call without states begins with."""
    sizes = keras.tree.flatten(layer.cell.state_size)
    return [np.zeros((len(case.x), size)) for size in sizes]
