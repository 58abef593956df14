"""Cells x normalisers: the table that every property runs over, and what it needs to run.

A new cell joins by a line in `CELLS`, a new normaliser by a line in `NORMS` (and `ORACLE_NORMS`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest

from seqnorm.checks.layers import numpy, randomize
from seqnorm.layers import recurrent_layer
from seqnorm.normalizers import (
    BatchNorm,
    DynamicTanh,
    GroupNorm,
    LayerNorm,
    Normalizer,
    RMSNorm,
)
from tests.reference import np_cells, np_norms
from tests.reference.np_batch_sites import BatchNormSite
from tests.reference.np_layers import LayerResult, run_layer
from tests.reference.np_statistics import Moments
from tests.reference.np_weights import Weights

BATCH, STEPS, FEATURES, UNITS = 5, 6, 3, 4

# Arguments of `make` unless a test says otherwise.
DEFAULTS = {"return_sequences": True, "return_state": True, "implementation": "auto"}


class Cell(NamedTuple):
    keras_layer: type
    keras_cell: type
    step: Callable


CELLS = {
    "simple_rnn": Cell(
        keras.layers.SimpleRNN, keras.layers.SimpleRNNCell, np_cells.simple_rnn_step
    ),
    "lstm": Cell(keras.layers.LSTM, keras.layers.LSTMCell, np_cells.lstm_step),
    "gru": Cell(keras.layers.GRU, keras.layers.GRUCell, np_cells.gru_step),
}
NORMS = ("none", "layer", "rms", "batch", "group", "dyt")
STATELESS = tuple(norm for norm in NORMS if norm != "batch")

# Largest absolute difference between two ways to compute the same numbers of order one.
TOLERANCE = {"float64": 1e-10, "float32": 1e-5, "mixed_bfloat16": 6e-2, "mixed_float16": 1e-2}

over_grid = pytest.mark.parametrize(
    ("cell", "norm"), [(cell, norm) for cell in CELLS for norm in NORMS]
)
over_stateless = pytest.mark.parametrize(
    ("cell", "norm"), [(cell, norm) for cell in CELLS for norm in STATELESS]
)
# One normaliser without memory and the one with, for what does not depend on its formula.
over_pairs = pytest.mark.parametrize(
    ("cell", "norm"), [(cell, norm) for cell in CELLS for norm in ("layer", "batch")]
)

DTYPES = ("float32", "float64", "mixed_float16", "mixed_bfloat16")
HALF = ("mixed_float16", "mixed_bfloat16")

BACKEND = keras.backend.backend()
tensorflow_only = pytest.mark.skipif(
    BACKEND != "tensorflow", reason=f"is about TensorFlow's graphs; the backend is {BACKEND}"
)
compiled_only = pytest.mark.skipif(
    BACKEND == "torch", reason="Keras runs torch eagerly: nothing is compiled, one step at a time"
)


def right_padded(lengths: Any, steps: int = STEPS) -> np.ndarray:
    return np.arange(steps)[None] < np.asarray(lengths)[:, None]


# Rows of every kind: full, short, and nothing but padding.
LENGTHS = (6, 4, 5, 2, 0)
MASK = right_padded(LENGTHS)


# The masks of the full grid, small because every invariant runs over all of them.
SHORT = 3
MASKINGS = {
    "no mask": None,
    "right": right_padded((3, 1, 2), SHORT),
    "left": right_padded((3, 1, 2), SHORT)[:, ::-1],
    "empty row": right_padded((2, 0, 3), SHORT),
    "single row": right_padded((2,), SHORT),
}


class Exempt(NamedTuple):
    """Cases that an invariant does not hold for, or has no meaning for; () stands for all."""

    reason: str
    invariants: tuple[str, ...] = ()
    norms: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    maskings: tuple[str, ...] = ()

    def covers(self, invariant: str, norm: str, dtype: str, masking: str) -> bool:
        pairs = zip(self[1:], (invariant, norm, dtype, masking), strict=True)
        return all(not listed or value in listed for listed, value in pairs)


# Half precision is no exception: `TOLERANCE` says how close it comes.
EXEMPT = (
    Exempt(
        "statistics per step need every row to start at step 0; the mask is refused (test_time)",
        norms=("batch",),
        maskings=("left",),
    ),
    Exempt(
        "keras.layers.RNN tells its cell neither step nor mask; the cell refuses (test_keras)",
        invariants=("keras_rnn",),
        norms=("batch",),
    ),
    Exempt(
        "finer than the rounding of these; their gradient is compared with that of float64",
        invariants=("finite_differences",),
        dtypes=("float32", *HALF),
    ),
    Exempt(
        "one row has one order and no batch mates",
        invariants=("permuted", "mates"),
        maskings=("single row",),
    ),
    Exempt(
        "is about rows that are nothing but padding",
        invariants=("empty_row",),
        maskings=("no mask", "right", "left", "single row"),
    ),
    Exempt(
        "the others are compared with float64, and float64 with finite differences",
        invariants=("gradient",),
        dtypes=("float64",),
    ),
    Exempt(
        "in float64 graph and XLA are both compared with eager (test_compiled_equals_eager)",
        invariants=("graph",),
        dtypes=("float64",),
    ),
    Exempt(
        "tracing takes half a second, and one mask with all kinds of rows shows what it compiles",
        invariants=("graph",),
        maskings=("no mask", "right", "left", "single row"),
    ),
    Exempt(
        "has the operations of mixed_float16, with another cast",
        invariants=("graph",),
        dtypes=("mixed_bfloat16",),
    ),
    Exempt("no kernel for the normaliser", invariants=("fused",), norms=("dyt",)),
    Exempt("the kernels compute in float32 and float64", invariants=("fused",), dtypes=HALF),
)


def holds(invariant: str, norm: str, dtype: str = "float64", masking: str = "right") -> bool:
    """Whether the invariant must hold in the case."""
    return not any(exempt.covers(invariant, norm, dtype, masking) for exempt in EXEMPT)


def over_cases(invariant: str) -> Any:
    """Parametrise a test over the cases of the full grid that the invariant must hold in.

    What the invariants share is computed once per process, so `--dist loadgroup` keeps the cases of
    a cell and a normaliser together.
    """
    cases = [
        pytest.param(cell, norm, dtype, masking, marks=pytest.mark.xdist_group(f"{cell}-{norm}"))
        for cell, norm, dtype, masking in product(CELLS, NORMS, DTYPES, MASKINGS)
        if holds(invariant, norm, dtype, masking)
    ]
    return pytest.mark.parametrize(("cell", "norm", "dtype", "masking"), cases)


def make(
    cell: str, norm: Any, rng: np.random.Generator, dtype: str = "float64", **kwargs: Any
) -> Any:
    """A built layer with random weights; all outputs and states are returned unless told not to."""
    kwargs = {**DEFAULTS, **kwargs}
    layer = recurrent_layer(cell, units=UNITS, norm=norm, dtype=dtype, **kwargs)
    layer.build((BATCH, STEPS, FEATURES))
    randomize(layer, rng)
    return layer


def inputs(rng: np.random.Generator, batch: int = BATCH, steps: int = STEPS) -> np.ndarray:
    return rng.normal(size=(batch, steps, FEATURES))


def assert_close(actual: Any, expected: Any, dtype: str = "float64", factor: float = 1.0) -> None:
    np.testing.assert_allclose(
        numpy(actual), numpy(expected), rtol=0, atol=factor * TOLERANCE[dtype]
    )


def oracle(layer: Any, x: Any, mask: Any = None, states: Any = None, **kwargs: Any) -> LayerResult:
    """What the NumPy reference makes of the layer's weights."""
    cell = layer.cells[0]
    name = cell.NAME
    weights = Weights(numpy(cell.kernel), numpy(cell.recurrent_kernel), None)
    if cell.bias is not None:
        weights = weights._replace(bias=numpy(cell.bias))
    sites = {"output": "state", "carry": "state"}
    norms = {
        sites.get(site, site): ORACLE_NORMS[type(normalizer)](normalizer)
        for site, normalizer in cell.normalizers.items()
        if type(normalizer) in ORACLE_NORMS
    }
    if cell.offset() is not None and name != "gru":
        weights = weights._replace(bias=numpy(cell.offset()))
    options = {"placement": cell.placement}
    if name == "lstm":
        options["cell_norm"] = cell.cell_norm
    if name == "gru":
        options["form"] = cell.gate_norm
    step = partial(CELLS[name].step, weights=weights, **options)
    if states is None:
        states = [np.zeros((len(x), cell.units)) for _ in keras.tree.flatten(cell.state_size)]
    return run_layer(lambda x, s, n: step(x, s, n), x, tuple(states), norms, mask, **kwargs)


def _affine(normalizer: Any) -> dict[str, Any]:
    return {
        "gamma": None if normalizer.gamma is None else numpy(normalizer.gamma),
        "beta": None if normalizer.beta is None else numpy(normalizer.beta),
        "epsilon": getattr(normalizer, "epsilon", None),
    }


def table(normalizer: BatchNorm) -> Moments:
    """The running statistics of a BatchNorm as the reference holds them."""
    return Moments(
        numpy(normalizer.moving_mean),
        numpy(normalizer.moving_variance),
        numpy(normalizer.count[:, 0]),
    )


def _batch_site(normalizer: BatchNorm) -> BatchNormSite:
    running = table(normalizer)
    return BatchNormSite(
        **_affine(normalizer),
        table=running,
        statistics="sequence" if normalizer.statistics == "sequence" else "step",
        small_batch=normalizer.small_batch,
        min_count=normalizer.few,
        kappa=normalizer.few,
        inference_min_count=min(normalizer.min_count, running.count.max()),
    )


def _dyt(normalizer: DynamicTanh) -> Callable:
    affine = {name: value for name, value in _affine(normalizer).items() if name != "epsilon"}
    return partial(np_norms.dyt, alpha=float(numpy(normalizer.alpha)), **affine)


ORACLE_NORMS: dict[type[Normalizer], Callable] = {
    LayerNorm: lambda norm: partial(np_norms.layer_norm, **_affine(norm)),
    RMSNorm: lambda norm: partial(np_norms.rms_norm, **_affine(norm)),
    GroupNorm: lambda norm: partial(np_norms.group_norm, groups=norm.groups, **_affine(norm)),
    DynamicTanh: _dyt,
    BatchNorm: _batch_site,
}
