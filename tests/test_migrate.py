"""Converters: the source's own step on the source's own arrays equals our layer after conversion.

The steps are in tests/reference/np_sources.py and share nothing with the converters.
"""

from __future__ import annotations

import ast
import inspect

import keras
import numpy as np
import pytest

from seqnorm import NormLSTM, migrate
from seqnorm.layers import recurrent_layer
from tests import grid
from tests.reference.np_sources import SOURCES, E, H, haste_lstm, torch_lstm, torch_shapes

B, STEPS = 5, 6
over_sources = pytest.mark.parametrize("name", SOURCES)


def random_weights(shapes, rng, prefix=""):
    return {prefix + name: rng.normal(0, 0.7, shape) for name, shape in shapes.items()}


def run(step, weights, x, **options):
    h = c = np.zeros((len(x), H))
    outputs = []
    for t in range(x.shape[1]):
        h, c = step(weights, x[:, t], h, c, **options)
        outputs.append(h)
    return np.stack(outputs, axis=1), c


def built(source, **kwargs):
    kwargs |= {"return_sequences": True, "return_state": True, "dtype": "float64"}
    layer = recurrent_layer(source.cell, units=H, **source.arguments, **kwargs)
    layer.build((None, None, E))
    return layer


def assert_same(layer, x, expected):
    outputs, *states = layer(x)
    grid.assert_close(outputs, expected[0])
    if len(states) == 2:
        grid.assert_close(states[1], expected[1])


def test_every_converter_is_tested():
    public = {
        name
        for name, value in vars(migrate).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }
    assert public == set(SOURCES)


@over_sources
def test_converted_layer_computes_what_the_source_computes(name, rng):
    source = SOURCES[name]
    weights = random_weights(source.shapes, rng)
    layer = built(source)
    layer.set_weights(getattr(migrate, name)(weights))
    x = rng.normal(size=(B, STEPS, E))
    assert_same(layer, x, run(source.step, weights, x))


@over_sources
def test_names_may_carry_a_prefix_and_neighbours(name, rng):
    source = SOURCES[name]
    plain = random_weights(source.shapes, rng)
    others = random_weights(source.shapes, rng, "decoder/")
    weights = {**others, **{"encoder/" + key: value for key, value in plain.items()}}
    convert = getattr(migrate, name)
    found, expected = convert(weights, prefix="encoder/"), convert(plain)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["contrib_lstm", "sonnet1_lstm"])
def test_the_constant_forget_bias_is_an_argument(name, rng):
    source = SOURCES[name]
    weights = random_weights(source.shapes, rng)
    layer = built(source, forget_bias=0.3)
    layer.set_weights(getattr(migrate, name)(weights))
    x = rng.normal(size=(B, STEPS, E))
    assert_same(layer, x, run(source.step, weights, x, forget_bias=0.3))


def test_hastes_zoneout_is_ours_on_h_alone(rng):
    """At inference: the expectation, of h and not of c."""
    source = SOURCES["haste_lstm"]
    weights = random_weights(source.shapes, rng)

    def step(w, x, h, c):
        new, c = haste_lstm(w, x, h, c)
        return 0.2 * h + 0.8 * new, c

    layer = built(source, zoneout=[0.2, 0.0])
    layer.set_weights(migrate.haste_lstm(weights))
    x = rng.normal(size=(B, STEPS, E))
    assert_same(layer, x, run(step, weights, x))


@pytest.mark.parametrize(
    ("convert", "keras_layer", "gates"),
    [(migrate.torch_lstm, keras.layers.LSTM, 4), (migrate.torch_gru, keras.layers.GRU, 3)],
)
def test_pytorchs_layers_fit_keras_too(convert, keras_layer, gates, rng):
    name = convert.__name__
    weights = random_weights(torch_shapes(gates), rng)
    x = rng.normal(size=(B, STEPS, E))
    expected, _ = run(SOURCES[name].step, weights, x)
    layer = keras_layer(H, return_sequences=True, dtype="float64")
    layer.build((None, None, E))
    layer.set_weights(convert(weights))
    grid.assert_close(layer(x), expected)
    bare = {key: value for key, value in weights.items() if key.startswith("weight")}
    assert len(convert(bare)) == 2


@pytest.mark.parametrize("convert", [migrate.torch_lstm, migrate.torch_gru])
def test_pytorchs_names_of_layer_and_direction(convert, rng):
    shapes = torch_shapes(4 if convert is migrate.torch_lstm else 3)
    plain = random_weights(shapes, rng)
    for arguments, end in (
        ({"layer": None}, ""),
        ({"layer": 2}, "_l2"),
        ({"layer": 1, "reverse": True}, "_l1_reverse"),
    ):
        renamed = {key.replace("_l0", end): value for key, value in plain.items()}
        for a, b in zip(convert(renamed, **arguments), convert(plain), strict=True):
            np.testing.assert_array_equal(a, b)


def test_bidirectional_pytorch_layer(rng):
    forward, backward = (random_weights(torch_shapes(4), rng) for _ in range(2))
    state = forward | {key + "_reverse": value for key, value in backward.items()}
    layer = keras.layers.Bidirectional(
        NormLSTM(H, norm="none", return_sequences=True, dtype="float64"), dtype="float64"
    )
    layer.build((None, None, E))
    layer.set_weights(migrate.torch_lstm(state) + migrate.torch_lstm(state, reverse=True))
    x = rng.normal(size=(B, STEPS, E))
    ahead, _ = run(torch_lstm, forward, x)
    back, _ = run(torch_lstm, backward, x[:, ::-1])
    grid.assert_close(layer(x), np.concatenate([ahead, back[:, ::-1]], axis=-1))


@over_sources
def test_a_missing_name_is_named(name, rng):
    source = SOURCES[name]
    for missing in source.shapes:
        weights = random_weights(source.shapes, rng)
        del weights[missing]
        if missing == "bias_ih_l0":
            continue  # a PyTorch layer without bias
        with pytest.raises(ValueError, match=r"Received: weights=.*`prefix`") as caught:
            getattr(migrate, name)(weights)
        assert repr(missing) in str(caught.value)


@over_sources
def test_a_wrong_shape_is_refused(name, rng):
    source = SOURCES[name]
    for key, shape in source.shapes.items():
        for axis in range(len(shape)):
            weights = random_weights(source.shapes, rng)
            if (key, axis) == source.inputs:
                continue
            weights[key] = np.concatenate([weights[key], weights[key].take([0], axis)], axis)
            with pytest.raises(ValueError, match=r"must have .*Received: shape=\(.*Pass the w"):
                getattr(migrate, name)(weights)


@pytest.mark.parametrize(
    ("name", "extra", "reason"),
    [
        ("contrib_lstm", "bias", "docs/migration.md names its equivalent"),
        ("sonnet1_lstm", "w_f_diag", "no peepholes"),
        ("torch_lstm", "weight_hr_l0", "no projection"),
    ],
)
def test_options_that_ours_do_not_have_are_refused(name, extra, reason, rng):
    weights = random_weights(SOURCES[name].shapes, rng)
    weights[extra] = np.zeros(H)
    with pytest.raises(ValueError, match=f"Received: weights with {extra}.*{reason}"):
        getattr(migrate, name)(weights)


@pytest.mark.parametrize("name", ["contrib_lstm", "sonnet1_lstm"])
def test_a_joined_kernel_without_inputs_is_refused(name, rng):
    weights = random_weights(SOURCES[name].shapes, rng)
    key = "kernel" if name == "contrib_lstm" else "w_gates"
    weights[key] = weights[key][:H]
    with pytest.raises(ValueError, match=f"more than {H} rows.*Received: shape="):
        getattr(migrate, name)(weights)


def test_numpy_is_all_that_is_imported():
    imports = [
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.parse(inspect.getsource(migrate)).body
        if isinstance(node, (ast.Import, ast.ImportFrom))
    ]
    assert set(imports) == {"__future__", "collections.abc", "typing", "numpy"}
