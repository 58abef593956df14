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
from seqnorm.testing.case import DTYPES as DTYPES
from seqnorm.testing.case import HALF, MASKINGS, TOLERANCE
from seqnorm.testing.properties import Property
from tests import tiers
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

over_grid = pytest.mark.parametrize(
    ("cell", "norm"), [(cell, norm) for cell in CELLS for norm in NORMS]
)
over_stateless = pytest.mark.parametrize(
    ("cell", "norm"), [(cell, norm) for cell in CELLS for norm in STATELESS]
)
# Nothing depends on `training` but batch statistics: there is no dropout here.
over_trainings = pytest.mark.parametrize(
    ("cell", "norm", "training"),
    [(cell, norm, True) for cell in CELLS for norm in NORMS]
    + [(cell, "batch", False) for cell in CELLS],
)


def over_pairs(test: Callable) -> Callable:
    """One normaliser without memory and the one with, for what does not depend on its formula."""
    pairs = [(cell, norm) for cell in CELLS for norm in ("layer", "batch")]
    return tiers.each_value(pytest.mark.parametrize(("cell", "norm"), pairs)(test))


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


class Variation(NamedTuple):
    """A mask of the grid, and options of the layer that it is run with."""

    masking: str
    options: dict[str, Any]


BACKWARDS, ZEROS = {"go_backwards": True}, {"zero_output_for_mask": True}
VARIATIONS = {masking: Variation(masking, {}) for masking in MASKINGS} | {
    "backwards": Variation("empty row", BACKWARDS),
    "zeros": Variation("empty row", ZEROS),
    "backwards, zeros": Variation("empty row", BACKWARDS | ZEROS),
}
# In float64, beside the masks.
FURTHER = {
    "reference": ("backwards", "zeros", "backwards, zeros"),
    "gradient": ("backwards",),
    "padding": ("backwards",),
    "empty_row": ("backwards",),
}


class Exempt(NamedTuple):
    """Cases that a property does not hold for; () stands for all."""

    reason: str
    properties: tuple[str, ...] = ()
    norms: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    maskings: tuple[str, ...] = ()

    def covers(self, name: str, norm: str, dtype: str, masking: str) -> bool:
        pairs = zip(self[1:], (name, norm, dtype, masking), strict=True)
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
        properties=("keras_rnn",),
        norms=("batch",),
    ),
    Exempt("no kernel for the normaliser", properties=("fused",), norms=("dyt",)),
    Exempt("the kernels compute in float32 and float64", properties=("fused",), dtypes=HALF),
)


def holds(name: str, norm: str, dtype: str = "float64", masking: str = "right") -> bool:
    """Whether the property must hold in the case."""
    return not any(exempt.covers(name, norm, dtype, masking) for exempt in EXEMPT)


def over_cases(*properties: Property, norms: tuple[str, ...] = NORMS) -> Any:
    """Parametrise a test over all cases of the grid that each property must hold in.

    What the properties share is computed once per process: `--dist loadfile` keeps them together.
    """
    cases = [
        (each.name, cell, norm, dtype, masking)
        for each in properties
        for cell, norm in product(CELLS, norms)
        for dtype, masking in [
            *each.cases(),
            *(("float64", further) for further in FURTHER.get(each.name, ())),
        ]
        if holds(each.name, norm, dtype, masking)
    ]
    return pytest.mark.parametrize(("name", "cell", "norm", "dtype", "masking"), cases)


def make(
    cell: str, norm: Any, rng: np.random.Generator, dtype: str = "float64", **kwargs: Any
) -> Any:
    """A built layer with random weights; all outputs and states are returned unless told not to."""
    kwargs = {**DEFAULTS, **kwargs}
    layer = recurrent_layer(cell, units=UNITS, norm=norm, dtype=dtype, **kwargs)
    layer.build((BATCH, STEPS, FEATURES))
    randomize(layer, rng)
    return layer


def build_optimizer(model: keras.Model) -> None:
    """Before `fit`: TensorFlow traces a step that creates variables a second time."""
    model.optimizer.build(model.trainable_variables)


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
