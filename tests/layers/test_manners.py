"""What a Keras programmer expects: freezing, masks beside states, objects of one's own."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest

import seqnorm
from seqnorm.layers import LAYERS, MaskedPooling, NormLSTM, recurrent_layer
from tests import grid
from tests.tiers import each_value


def ids() -> np.ndarray:
    return np.array([[1, 2, 3, 0, 0], [4, 5, 0, 0, 0]])


def embedding() -> keras.layers.Embedding:
    return keras.layers.Embedding(10, 3, mask_zero=True)


@each_value
@pytest.mark.parametrize("norm", ["layer", "batch"])
@pytest.mark.parametrize("how", ["constructed", "set"])
def test_a_frozen_layer_stays_frozen_in_copies(how, norm, tmp_path):
    layer = NormLSTM(4, norm, trainable=how != "constructed")
    if how == "set":
        layer.trainable = False
    model = keras.Sequential([keras.Input((5, 3)), layer, keras.layers.Dense(1)])
    model.save(tmp_path / "model.keras")
    x, y = np.ones((4, 5, 3)), np.zeros((4, 1))
    for each in (
        model,
        keras.models.clone_model(model),
        keras.models.load_model(tmp_path / "model.keras"),
    ):
        assert len(each.trainable_variables) == 2
        before = each.layers[0].get_weights()
        each.compile("sgd", "mse", jit_compile=False)
        each.fit(x, y, verbose=0)
        for old, new in zip(before, each.layers[0].get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)
        each.layers[0].trainable = True
        assert len(each.trainable_variables) > 5


@grid.over_pairs
def test_the_mask_of_the_inputs_counts_beside_given_states(cell, norm):
    layer = LAYERS[cell](4, norm, return_sequences=True, return_state=True)
    embed = embedding()
    short, padded = ids()[:, :3], ids()
    size = layer.state_size if isinstance(layer.state_size, list) else [layer.state_size]
    states = [np.full((2, units), 0.5, "float32") for units in size]
    if norm == "batch":
        states[-1][:] = 0.0
    first = layer(embed(short), initial_state=states)
    second = layer(embed(padded), initial_state=states)
    for a, b in zip(first[1:], second[1:], strict=True):
        grid.assert_close(a, b, "float32")
    explicit = layer(embed(padded), initial_state=states, mask=ids() > 0)
    for a, b in zip(second, explicit, strict=True):
        np.testing.assert_array_equal(grid.numpy(a), grid.numpy(b))
    source = keras.Input((None,), dtype="int32")
    model = keras.Model(source, layer(embed(source), initial_state=states))
    for a, b in zip(model(padded), second, strict=True):
        grid.assert_close(a, b, "float32")


def test_padding_beside_given_states_enters_no_statistic():
    layer = NormLSTM(4, {"name": "batch", "max_steps": 5, "momentum": 1.0})
    layer(embedding()(ids()), initial_state=[np.zeros((2, 4), "float32")] * 2, training=True)
    counts = grid.numpy(layer.cell.normalizers["recurrent"].count)[:, 0]
    assert counts.tolist() == [2, 2, 1, 0, 0]


def stack(**options):
    return seqnorm.NormRNN([seqnorm.NormLSTMCell(4), seqnorm.NormLSTMCell(4)], **options)


@pytest.mark.parametrize("implementation", ["auto", "loop"])
@pytest.mark.parametrize("count", [2, 4])
def test_flat_states_of_a_stack_are_refused(count, implementation):
    layer = stack(implementation=implementation)
    with pytest.raises(ValueError, match=r"as in \[\[h, c\], \[h, c\]\]"):
        layer(np.ones((2, 5, 3)), initial_state=[np.ones((2, 4))] * count)


@pytest.mark.parametrize("shape", [(1, 2, 4), (2, 3), (4,)])
def test_states_of_another_shape_are_refused(shape):
    layer = seqnorm.NormGRU(4)
    with pytest.raises(ValueError, match=r"of sizes \[4\]\. Received: 1 of shapes"):
        layer(np.ones((2, 5, 3)), initial_state=[np.ones(shape)])


@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_a_frozen_layer_around_a_cell_does_not_train(norm):
    layer = seqnorm.NormRNN(seqnorm.NormLSTMCell(4, norm), trainable=False)
    model = keras.Sequential([keras.Input((5, 3)), layer])
    before = model.get_weights()
    model(np.ones((2, 5, 3)), training=True)
    assert not model.trainable_variables
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    layer.trainable = True
    assert model.trainable_variables


class Silent(seqnorm.NormLSTMCell):
    def call(self, inputs, states, training=False):
        output, states = super().call(inputs, states, training)
        return 0 * output, states


class Skipping(keras.layers.StackedRNNCells):
    def call(self, inputs, states, training=False, **kwargs):
        output, states = super().call(inputs, states, training=training, **kwargs)
        return output + inputs, states


@pytest.mark.parametrize("make", [lambda: Silent(4), lambda: Skipping([seqnorm.NormLSTMCell(4)])])
def test_a_call_of_ones_own_is_refused_and_not_ignored(make):
    with pytest.raises(TypeError, match=r"with a `call` of its own\. Override `step`"):
        seqnorm.NormRNN(make())


def test_masks_of_dropout_do_not_outlive_a_call_that_failed():
    layer = NormLSTM(4, dropout=0.5, recurrent_dropout=0.5)

    def broken(*_):
        raise RuntimeError

    layer(np.ones((8, 5, 3)))
    step, layer.cell.step = layer.cell.step, broken
    with pytest.raises(RuntimeError):
        layer(np.ones((8, 5, 3)), training=True)
    layer.cell.step = step
    assert tuple(layer(np.ones((2, 5, 3)), training=True).shape) == (2, 4)


def test_a_regulariser_does_not_count_the_age():
    options = {"return_state": True, "activity_regularizer": keras.regularizers.L2(0.01)}
    with pytest.raises(ValueError, match=r"keras\.layers\.ActivityRegularization"):
        NormLSTM(4, "batch", **options)
    layer = NormLSTM(4, "layer", **options)
    states = [grid.numpy(y) for y in layer(np.ones((2, 5, 3)))]
    expected = 0.01 * sum(float(np.sum(y**2)) for y in states) / 2  # Keras divides by the batch
    assert float(sum(layer.losses)) == pytest.approx(expected, rel=1e-5)


def test_a_wide_mask_reaches_the_pooling_as_that_of_the_sequence():
    mask = np.array([[True, True, False]])
    x = np.array([[[1.0], [3.0], [9.0]]])
    assert float(MaskedPooling("mean")(x, mask=mask[..., None])[0, 0]) == 2.0

    layer = NormLSTM(4, return_sequences=True)
    assert tuple(layer.compute_mask(x, mask[..., None]).shape) == (1, 3)


def test_a_mean_of_half_precision_does_not_overflow():
    x = np.full((1, 1000, 1), 70.0, "float16")  # their sum would
    assert float(MaskedPooling("mean", dtype="float16")(x)[0, 0]) == 70.0


@pytest.mark.filterwarnings("ignore:Do not pass an `input_shape`")
def test_an_input_shape_builds_the_model_as_in_keras():
    for layer in (keras.layers.LSTM, NormLSTM):
        assert keras.Sequential([layer(4, input_shape=(5, 3))]).built


@pytest.mark.parametrize("implementation", ["auto", "loop"])
def test_one_cell_may_stand_twice_in_a_stack(implementation):
    cell = seqnorm.NormGRUCell(4)
    x = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")
    last = seqnorm.NormRNN([cell, cell], implementation=implementation)(x)
    expected = keras.layers.RNN([cell, cell])(x)
    grid.assert_close(last, expected, "float32")


def test_a_layer_needs_a_cell():
    with pytest.raises(ValueError, match=r"one cell or more. Received: cell=\[\]"):
        seqnorm.NormRNN([])


def test_a_stack_takes_no_perturbation():
    with pytest.raises(ValueError, match="a stack of 2 cells"), stack().observing(np.zeros(1)):
        pass


def test_modules_are_found_whatever_was_imported_before():
    code = "import seqnorm; seqnorm.layers.NormLSTM, seqnorm.cells.NormLSTMCell"
    subprocess.run([sys.executable, "-c", code], check=True)


@grid.over_pairs
def test_a_mask_may_have_an_axis_of_its_own(cell, norm, rng):
    layer = grid.make(cell, norm, rng)
    x = grid.inputs(rng)
    flat, wide = (layer(x, mask=mask) for mask in (grid.MASK, grid.MASK[..., None]))
    for a, b in zip(flat, wide, strict=True):
        np.testing.assert_array_equal(grid.numpy(a), grid.numpy(b))


class Half(keras.constraints.Constraint):
    """Not registered with Keras."""

    def __call__(self, w):
        return w / 2


def halves(shape, dtype=None):
    return keras.ops.full(shape, 0.5, dtype)


def penalty(w):
    return keras.ops.sum(w)


def test_objects_of_ones_own_need_no_registration():
    norm = seqnorm.normalizers.LayerNorm(
        gamma_initializer=halves, gamma_regularizer=penalty, gamma_constraint=Half()
    )
    layer = NormLSTM(4, norm)
    layer(np.ones((2, 3, 3)))
    inside = layer.cell.normalizers["input"]
    assert float(inside.gamma[0]) == 0.5 and inside.gamma.regularizer is penalty
    assert isinstance(inside.gamma.constraint, Half)
    assert float(sum(layer.losses)) == pytest.approx(0.5 * (16 + 16 + 4))
    tanh = NormLSTM(4, seqnorm.normalizers.DynamicTanh(alpha_initializer=halves))
    tanh(np.ones((2, 3, 3)))
    assert float(tanh.cell.normalizers["input"].alpha) == 0.5
    addons = seqnorm.LayerNormLSTMCell(4, norm_gamma_initializer=halves)
    seqnorm.NormRNN(addons)(np.ones((2, 3, 3)))
    assert float(addons.normalizers["carry"].gamma[0]) == 0.5


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("LayerNormLSTMCell", {"cell_norm": "output"}),
        ("LayerNormLSTMCell", {"norm": "rms"}),
        ("LayerNormLSTMCell", {"norm": None}),
        ("LayerNormLSTMCell", {"variant": "contrib"}),
        ("LayerNormSimpleRNNCell", {"placement": "separate"}),
    ],
)
def test_what_addons_cells_settle_is_refused(name, option):
    ((key, value),) = option.items()
    general = name.replace("LayerNorm", "Norm")
    advice = f"Received: {key}={value!r}. Leave it out, or use {general}"
    with pytest.raises(ValueError, match=advice):
        getattr(seqnorm, name)(4, **option)


@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru"])
def test_no_norm_may_be_written_as_none(cell):
    layer = recurrent_layer(cell, units=4, norm=None)
    assert isinstance(layer.cell.norm, seqnorm.normalizers.Identity)
    again = type(layer).from_config(layer.get_config())
    assert isinstance(again.cell.norm, seqnorm.normalizers.Identity)
    left_out = recurrent_layer(cell, units=4)
    assert isinstance(left_out.cell.norm, seqnorm.normalizers.LayerNorm)


def test_a_norm_that_is_written_out_replaces_that_of_a_variant():
    contrib, written, without = (
        seqnorm.NormLSTMCell(4, variant="contrib", **norm)
        for norm in ({}, {"norm": "layer"}, {"norm": None})
    )
    assert isinstance(contrib.norm, seqnorm.normalizers.GroupNorm)
    assert isinstance(written.norm, seqnorm.normalizers.LayerNorm)
    assert isinstance(without.norm, seqnorm.normalizers.Identity)


def test_an_option_that_is_none_is_left_to_addons_cell():
    cell = seqnorm.LayerNormLSTMCell(4, variant=None)
    assert isinstance(cell.norm, seqnorm.normalizers.LayerNorm)
    assert seqnorm.LayerNormLSTMCell(4, cell_norm=None).cell_norm == "carry"


def test_pooling_has_a_shape_for_time_distributed():
    words = keras.Input((3, 5, 4))
    assert keras.layers.TimeDistributed(MaskedPooling("mean"))(words).shape == (None, 3, 4)
