"""What a Keras programmer expects: freezing, masks beside states, objects of one's own."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import seqnorm
from seqnorm.layers import LAYERS, MaskedPooling, NormLSTM
from tests import grid


def ids() -> np.ndarray:
    return np.array([[1, 2, 3, 0, 0], [4, 5, 0, 0, 0]])


def embedding() -> keras.layers.Embedding:
    return keras.layers.Embedding(10, 3, mask_zero=True)


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
        each.compile("sgd", "mse")
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


def test_too_many_states_are_one_message():
    with pytest.raises(ValueError, match=r"as in \[\[h, c\], \[h, c\]\]"):
        cells = [seqnorm.NormLSTMCell(4), seqnorm.NormLSTMCell(4)]
        layer = seqnorm.NormRNN(cells)
        layer(np.ones((2, 5, 3)), initial_state=[np.ones((2, 4))] * 4)


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
    addons = seqnorm.LayerNormLSTM(4, norm_gamma_initializer=halves)
    addons(np.ones((2, 3, 3)))
    assert float(addons.cell.normalizers["carry"].gamma[0]) == 0.5


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("LayerNormLSTM", {"cell_norm": "output"}),
        ("LayerNormLSTM", {"norm": "rms"}),
        ("LayerNormLSTM", {"variant": "contrib"}),
        ("LayerNormGRU", {"variant": "haste"}),
        ("LayerNormSimpleRNN", {"placement": "separate"}),
        ("BatchNormLSTM", {"norm": "rms"}),
        ("BatchNormGRU", {"variant": "haste"}),
    ],
)
def test_what_a_ready_made_cell_settles_is_refused(name, option):
    ((key, value),) = option.items()
    general = name.replace("LayerNorm", "Norm").replace("BatchNorm", "Norm")
    advice = f"Received: {key}={value!r}. Leave it out, or use {general}Cell"
    with pytest.raises(ValueError, match=advice):
        getattr(seqnorm, name)(4, **option)


def test_pooling_has_a_shape_for_time_distributed():
    words = keras.Input((3, 5, 4))
    assert keras.layers.TimeDistributed(MaskedPooling("mean"))(words).shape == (None, 3, 4)
