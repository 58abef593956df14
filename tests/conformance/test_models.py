"""The whole grid inside one model: half precision in `fit`, files, seeds."""

from __future__ import annotations

from itertools import cycle, product

import keras
import numpy as np
import pytest

from seqnorm.layers import recurrent_layer
from seqnorm.testing.files import loaded
from tests import grid
from tests.conformance.test_execution import text_model
from tests.tiers import exhaustive

PAIRS = tuple(product(grid.CELLS, grid.NORMS))


def branches(cases, **options):
    """A model with an output for every case: a cell, a normaliser and a precision."""
    source = keras.Input((None, grid.FEATURES), dtype="float64")
    mask = keras.Input((None,), dtype="bool")
    outputs = [
        recurrent_layer(cell, units=grid.UNITS, norm=norm, dtype=dtype, **options)(
            source, mask=mask
        )
        for cell, norm, dtype in cases
    ]
    return keras.Model([source, mask], outputs)


@pytest.fixture
def implementation():
    """Half precision has the loop only, and files do not know how they are run."""
    return "auto"


@pytest.fixture
def half(request):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(before)


SOME = (("simple_rnn", "batch"), ("lstm", "layer"), ("gru", "layer"))
WHOLE = tuple(product(grid.CELLS, ("layer", "batch")))


@pytest.mark.parametrize(
    ("half", "pairs"),
    [
        ("mixed_float16", SOME),
        pytest.param("mixed_float16", WHOLE, marks=exhaustive),
        pytest.param("mixed_bfloat16", WHOLE, marks=exhaustive),
    ],
    indirect=["half"],
    ids=["mixed_float16", "mixed_float16, whole", "mixed_bfloat16, whole"],
)
def test_half_precision_trains_every_weight(half, pairs, rng):
    """By the loop, in float32 variables; for float16 Keras finds a loss scale in some ten steps."""
    model = branches((cell, norm, half) for cell, norm in pairs)
    head = keras.layers.Dense(1, dtype="float32")
    joined = keras.layers.Concatenate(dtype="float32")(model.outputs)
    model = keras.Model(model.inputs, head(joined))
    model.compile(keras.optimizers.Adam(0.02), "mse", jit_compile=grid.BACKEND == "jax")
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer) == (
        half == "mixed_float16"
    )
    grid.build_optimizer(model)
    x, mask = grid.inputs(rng), grid.MASK
    before = [grid.numpy(v) for v in model.trainable_variables]
    history = model.fit([x, mask], np.ones((grid.BATCH, 1)), epochs=16, verbose=0)
    losses = history.history["loss"]
    assert np.all(np.isfinite(losses)) and losses[-1] < losses[0]
    for variable, old in zip(model.trainable_variables, before, strict=True):
        assert keras.backend.standardize_dtype(variable.dtype) == "float32"
        assert np.any(grid.numpy(variable) != old), variable.path


@exhaustive
def test_saves_and_loads_in_a_fresh_process(rng):
    """Every kind of layer and every precision in one model, and models of many layers.

    Keras keeps the precision, whatever the layer: each stands beside some cells and norms.
    """
    tokens = rng.integers(1, 20, (4, 7))
    tokens[1, 3:] = 0
    each = [(*pair, dtype) for pair, dtype in zip(PAIRS, cycle(grid.DTYPES), strict=False)]
    models = {"grid": (branches(each), [grid.inputs(rng), grid.MASK])}
    for cell, norm in zip(grid.CELLS, ("layer", "batch", "layer"), strict=True):
        models[f"{cell} {norm}"] = (text_model(cell, norm), [tokens])
    expected = {}
    for name, (model, inputs) in models.items():
        grid.randomize(model, rng)
        outputs = model(inputs[0] if len(inputs) == 1 else inputs)
        expected[name] = [grid.numpy(y) for y in keras.tree.flatten(outputs)]
    # The modules: float64 as in the process that saved, and a user who names no class.
    found = loaded(models, ["tests.conftest", "seqnorm"])
    for name, arrays in expected.items():
        for a, b in zip(found[name], arrays, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=0 if name == "grid" else 1e-6)


def test_same_seed_same_bytes():
    """With everything that draws: weights, both dropouts and zoneout."""
    runs = []
    for seed in (3, 3, 4):
        keras.utils.set_random_seed(seed)
        draws = {"dropout": 0.3, "recurrent_dropout": 0.3, "zoneout": 0.2}
        x, outputs = grid.inputs(np.random.default_rng(0)), []
        for (cell, norm), dtype in zip(PAIRS, cycle(("float32", "mixed_bfloat16")), strict=False):
            layer = recurrent_layer(cell, units=grid.UNITS, norm=norm, dtype=dtype, **draws)
            outputs.append(grid.numpy(layer(x, mask=grid.MASK, training=True)).tobytes())
        runs.append(outputs)
    assert runs[0] == runs[1]
    assert all(a != b for a, b in zip(runs[0], runs[2], strict=True))
