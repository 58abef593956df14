"""Variants and drop-ins: the numbers, arguments and weight order of their sources."""

from __future__ import annotations

import inspect
from typing import ClassVar

import keras
import numpy as np
import pytest

import seqnorm
from seqnorm.cells import NormSimpleRNNCell
from seqnorm.cells.variants import VARIANTS
from seqnorm.checks.parity import weights_of
from seqnorm.layers import LAYERS
from tests import grid
from tests.gradients import gradients, weighted_sum
from tests.reference import np_variants
from tests.reference.np_gradients import numeric_gradient
from tests.reference.np_layers import run_layer

NAMED = [(cell, name) for cell, names in VARIANTS.items() for name in names]


def run_source(layer, cell, name, x, mask):
    step = np_variants.as_step(np_variants.VARIANTS[cell, name], weights_of(layer.cell))
    states = tuple(
        np.zeros((len(x), grid.UNITS)) for _ in grid.keras.tree.flatten(layer.cell.state_size)
    )
    return run_layer(step, x, states, mask=mask)


def make_variant(cell, name, rng, dtype="float64"):
    layer = LAYERS[cell](grid.UNITS, variant=name, return_sequences=True, dtype=dtype)
    layer.build((grid.BATCH, grid.STEPS, grid.FEATURES))
    grid.randomize(layer, rng)
    return layer


def test_every_variant_has_its_reference():
    assert set(NAMED) == set(np_variants.VARIANTS)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("cell", "name"), NAMED)
def test_variant_equals_its_source(cell, name, dtype, rng):
    layer = make_variant(cell, name, rng, dtype)
    x = grid.inputs(rng)
    expected = run_source(layer, cell, name, x, grid.MASK).outputs
    grid.assert_close(layer(x, mask=grid.MASK), expected, dtype)


@pytest.mark.parametrize(("cell", "name"), NAMED)
def test_variant_has_its_sources_gradient(cell, name, rng):
    layer = make_variant(cell, name, rng)
    x = grid.inputs(rng)[:, :3]
    weight = rng.normal(size=(grid.BATCH, 3, grid.UNITS))
    found = gradients(lambda x: keras.ops.sum(layer(x) * weight), layer, x)
    before = layer.get_weights()

    def along(move):
        def value(t):
            layer.set_weights(before)
            return float(
                np.sum(run_source(layer, cell, name, move(float(t[0])), None).outputs * weight)
            )

        return numeric_gradient(value, [0.0], 1e-5)[0]

    for variable, gradient in zip(layer.trainable_variables, found, strict=False):
        direction = rng.normal(size=gradient.shape)

        def move(t, variable=variable, direction=direction):
            variable.assign(variable + t * direction)
            return x

        np.testing.assert_allclose(np.sum(gradient * direction), along(move), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("cell", "name"), NAMED)
def test_variant_survives_its_config(cell, name, rng):
    layer = make_variant(cell, name, rng)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    copy.build((grid.BATCH, grid.STEPS, grid.FEATURES))
    copy.set_weights(layer.get_weights())
    x = grid.inputs(rng)
    np.testing.assert_array_equal(copy(x), layer(x))


def test_unknown_variant_lists_the_known_ones():
    with pytest.raises(ValueError, match="Choose one of: paper, addons"):
        seqnorm.NormSimpleRNN(3, variant="haste")


# What `get_weights` of the Addons cells returns: names and shapes, 3 inputs and 4 units.
ADDONS = {
    "LayerNormLSTMCell": (
        "lstm",
        ["kernel", "recurrent_kernel", "bias"]
        + [f"{n}_norm/{w}" for n in ("kernel", "recurrent", "state") for w in ("gamma", "beta")],
    ),
    "LayerNormSimpleRNNCell": (
        "simple_rnn",
        ["kernel", "recurrent_kernel", "bias", "joint_norm/gamma"],
    ),
}


@pytest.mark.parametrize("name", ADDONS)
def test_drop_in_has_addons_numbers_and_weight_order(name, rng):
    cell, names = ADDONS[name]
    own = getattr(seqnorm, name)(grid.UNITS, dtype="float64")
    layer = seqnorm.NormRNN(own, return_sequences=True)
    layer.build((grid.BATCH, grid.STEPS, grid.FEATURES))
    assert [w.path.split("_cell", 1)[1].split("/", 1)[1] for w in layer.weights] == names
    grid.randomize(layer, rng)
    x = grid.inputs(rng)
    grid.assert_close(
        layer(x, mask=grid.MASK), run_source(layer, cell, "addons", x, grid.MASK).outputs
    )


def test_drop_in_signatures_are_addons():
    lstm = list(inspect.signature(seqnorm.LayerNormLSTMCell.__init__).parameters)
    keras_lstm = list(inspect.signature(keras.layers.LSTMCell.__init__).parameters)
    assert lstm[1:17] == keras_lstm[1:17]
    assert lstm[17:20] == ["norm_gamma_initializer", "norm_beta_initializer", "norm_epsilon"]
    simple = inspect.signature(seqnorm.LayerNormSimpleRNNCell.__init__).parameters
    assert list(simple)[1:6] == [
        "units",
        "activation",
        "use_bias",
        "layernorm_epsilon",
        "kernel_initializer",
    ]
    assert simple["layernorm_epsilon"].default == 1e-5
    assert (
        inspect.signature(seqnorm.LayerNormLSTMCell.__init__).parameters["norm_epsilon"].default
        == 1e-3
    )


@pytest.mark.parametrize("name", ADDONS)
def test_drop_ins_survive_their_config(name):
    given = {
        "dropout": 0.1, "recurrent_dropout": 0.2, "name": "mine", "activation": None,
        "zoneout": 0.3, "sites": ["input", "recurrent"],
    }  # fmt: skip
    made = getattr(seqnorm, name)(5, **given)
    config = keras.saving.serialize_keras_object(made)
    copy = keras.saving.deserialize_keras_object(config)
    assert keras.saving.serialize_keras_object(copy) == config
    assert not set(copy.SETTLED) & set(config["config"])
    assert set(copy.zoneout) == {0.3} and copy.sites == ("input", "recurrent")
    assert copy.activation is keras.activations.linear
    assert copy.recurrent_dropout == 0.2


def test_options_of_a_cell_reach_both_directions():
    both = keras.layers.Bidirectional(seqnorm.NormLSTM(4, "batch", cell_norm="none", zoneout=0.3))
    for layer in (both.forward_layer, both.backward_layer):
        assert layer.cell.cell_norm == "none" and layer.cell.zoneout == (0.3, 0.3)


def test_the_gru_has_the_reset_after_form_only():
    with pytest.raises(ValueError, match="reset-after form only"):
        seqnorm.NormGRUCell(4, reset_after=False)


def test_sites_are_a_list_of_names():
    assert seqnorm.NormLSTMCell(4, sites=[]).normalized_sites() == set()
    for wrong in ("input", ["inputs"]):
        with pytest.raises(ValueError, match=r"list of names out of .*Received: sites="):
            seqnorm.NormLSTMCell(4, sites=wrong)


@pytest.mark.parametrize("name", ADDONS)
def test_drop_ins_run_in_keras_layers(name, rng):
    layer = keras.layers.RNN(getattr(seqnorm, name)(grid.UNITS), return_sequences=True)
    assert keras.layers.Bidirectional(layer)(grid.inputs(rng)).shape[-1] == 2 * grid.UNITS


@pytest.mark.parametrize("name", ADDONS)
def test_gradient_reaches_every_weight_of_a_drop_in(name, rng):
    layer = seqnorm.NormRNN(getattr(seqnorm, name)(grid.UNITS))
    layer.build((grid.BATCH, grid.STEPS, grid.FEATURES))
    grid.randomize(layer, rng)
    x = grid.inputs(rng)
    found = gradients(lambda x: weighted_sum(layer(x, training=True)), layer, x)
    assert all(np.abs(g).max() > 0 for g in found)


def test_moments_of_a_whole_sequence_are_had_at_the_input_only():
    cell = seqnorm.NormLSTMCell(
        4, seqnorm.normalizers.BatchNorm(statistics="sequence"), sites=["input"], cell_norm="none"
    )
    assert cell.normalized_sites() == {"input"}
    whole = {"name": "batch", "statistics": "sequence"}
    with pytest.raises(ValueError, match=r"input product only\. Received: statistics='sequence'"):
        seqnorm.NormLSTMCell(4, whole)
    input_only = {"name": "batch", "input_statistics": "sequence"}
    with pytest.raises(ValueError, match="at the site 'joint'"):
        seqnorm.NormLSTMCell(4, input_only, placement="joint")


def test_a_norm_from_a_config_is_a_norm():
    config = seqnorm.NormLSTM(4, norm={"name": "layer", "epsilon": 0.5}).get_config()
    assert seqnorm.NormLSTM(**config).cell.norm.epsilon == 0.5


class OneGate(NormSimpleRNNCell):
    SITES: ClassVar = {
        name: site for name, site in NormSimpleRNNCell.SITES.items() if name != "joint"
    }


def test_a_cell_whose_sites_lack_the_joint_one_is_told_so():
    with pytest.raises(ValueError, match=r"'joint', which `SITES` must hold.*SITES=\['input', 're"):
        OneGate(4)(np.ones((2, 3)), [np.zeros((2, 4))])
