"""What is said to someone who writes as in Keras or Addons, and only where it helps."""

from __future__ import annotations

import inspect
from importlib.util import find_spec

import keras
import pytest

import seqnorm
from seqnorm import MaskedPooling, NormLSTM, normalizers
from seqnorm.cells import CELLS
from seqnorm.layers import LAYERS
from tests import grid, processes

with_kernels = pytest.mark.skipif(
    grid.BACKEND != "tensorflow" or find_spec("numba") is None, reason="needs the kernels"
)


@pytest.mark.parametrize("layer", LAYERS.values())
@pytest.mark.parametrize("activation", ["tanh", keras.activations.relu])
def test_an_activation_as_second_argument(layer, activation):
    name = getattr(activation, "__name__", activation)
    said = rf"here the second argument is the norm\. Write activation='{name}'"
    with pytest.raises((TypeError, ValueError), match=said):
        layer(64, activation)


def test_what_is_no_activation_gets_no_such_advice():
    with pytest.raises(ValueError, match=r"name='linear ones'\. Choose one of: .*dyt\.$"):
        NormLSTM(64, "linear ones")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: NormLSTM(4, activaton="relu"),
            "NormLSTM takes .* 'activaton'. Did you mean act",
        ),
        (lambda: NormLSTM(4, return_sequence=True), "NormLSTM takes .* Did you mean return_sequen"),
        (
            lambda: NormLSTM(4, cells=3),
            r"takes no .* 'cells'\. The arguments are: units, norm",
        ),
        (lambda: NormLSTM(4, use_cudnn=True), "leave it out. implementation="),
        (lambda: seqnorm.NormGRUCell(4, nrom="layer"), "NormGRUCell takes .* Did you mean norm"),
        (lambda: seqnorm.LayerNormLSTMCell(4, epsilom=1), "Did you mean norm_epsilon"),
        (lambda: seqnorm.NormRNN(seqnorm.NormGRUCell(4), unrol=True), "Did you mean unroll"),
        (lambda: seqnorm.normalizers.BatchNorm(momentun=0.9), "Did you mean momentum"),
        (lambda: NormLSTM(4, {"name": "layer", "epsilom": 1}), "LayerNorm .* Did you mean epsilon"),
        (lambda: NormLSTM(4, {"type": "layer"}), r"dict needs a name, .* norm=\{'type': 'layer'\}"),
        (lambda: NormLSTM(4, "laeyr"), "Did you mean layer"),
    ],
)
def test_a_misspelt_argument_is_told_the_nearest(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_a_subclass_that_takes_less_may_give_what_its_base_takes():
    class Small(NormLSTM):
        def __init__(self, name=None):
            super().__init__(2, "layer", dropout=0.1, forget_bias=1.0, name=name)

    assert Small().cell.dropout == 0.1


@pytest.mark.parametrize("cell", CELLS)
def test_signatures_name_what_the_cell_and_the_layer_take(cell):
    of_layer = inspect.signature(LAYERS[cell]).parameters
    of_cell = inspect.signature(CELLS[cell]).parameters
    assert [*of_layer][:2] == [*of_cell][:2] == ["units", "norm"]
    of_keras = inspect.signature(grid.CELLS[cell].keras_cell).parameters
    assert {*of_keras} - {"kwargs"} <= {*of_cell} <= {*of_layer}
    own = {*inspect.signature(seqnorm.NormRNN).parameters} - {"cell", "kwargs"}
    assert own | {"name", "dtype", "variant", "zoneout"} <= {*of_layer}
    assert "kwargs" not in of_layer and of_layer["dropout"].default == 0.0


@pytest.mark.parametrize("name", [name for name in seqnorm.__all__ if "Norm" in name])
def test_every_argument_of_a_signature_can_be_given(name):
    if name == "NormRNN":
        pytest.skip("takes a cell")
    thing = getattr(seqnorm, name)
    parameters = inspect.signature(thing).parameters.values()
    assert "settled" not in inspect.signature(thing).parameters
    thing(4, **{one.name: one.default for one in parameters if one.default is not one.empty})


def test_a_subclass_shows_what_its_own_constructor_takes():
    class Small(NormLSTM):
        def __init__(self, name=None):
            super().__init__(2, name=name)

    assert [*inspect.signature(Small).parameters] == ["name"]
    assert [*inspect.signature(Small()).parameters] == ["args", "kwargs"]  # of a call


@grid.tensorflow_only
@pytest.mark.parametrize(
    "wrap", [lambda x: x, keras.layers.Bidirectional, lambda _: MaskedPooling("mean")]
)
def test_ragged_input_is_told_how_to_become_padded(wrap):
    import tensorflow as tf

    x = tf.ragged.constant([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0]]], ragged_rank=1)
    layer = wrap(NormLSTM(4))
    with pytest.raises(TypeError, match=r"x\.to_tensor\(\), mask=tf\.sequence_mask") as raised:
        layer(x)
    assert "Received: RaggedTensor" in str(raised.value)
    y = layer(x.to_tensor(), mask=tf.sequence_mask(x.row_lengths()))
    alone = layer(x[1:].to_tensor())
    grid.assert_close(y[1:], alone, "float32")


@pytest.mark.skipif(grid.BACKEND != "torch", reason="torch has nested tensors")
def test_nested_input_is_told_how_to_become_padded():
    import torch

    rows = [torch.ones(2, 3), torch.ones(1, 3)]
    with pytest.raises(TypeError, match="to_padded_tensor"):
        NormLSTM(4)(torch.nested.nested_tensor(rows))


SCRIPT = """
import warnings
import keras, numpy as np
from seqnorm import LayerNormLSTMCell, LayerNormSimpleRNNCell, NormGRUCell, NormLSTM, NormRNN
x = np.ones((2, 3, 4), "float32")

def heard(function):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function()
    return [str(w.message) for w in caught]

print(heard(lambda: NormRNN(LayerNormLSTMCell(4))(x)))
print(heard(lambda: keras.layers.RNN(keras.layers.LSTMCell(4))(x)))
print(heard(lambda: keras.layers.RNN(LayerNormSimpleRNNCell(4))(x)))  # its norm has no kernel
print(heard(lambda: LayerNormLSTMCell(4)(x[:, 0], [x[:, 0], x[:, 0]])))
print(heard(lambda: keras.layers.Bidirectional(keras.layers.RNN(LayerNormLSTMCell(4)))(x)))
print(heard(lambda: keras.layers.RNN([NormGRUCell(4)])(x)))
print(heard(lambda: [NormLSTM(4, dtype="mixed_bfloat16")(x) for _ in range(2)]))
print(heard(lambda: NormLSTM(4, dtype="mixed_bfloat16", implementation="loop")(x)))
"""


@with_kernels
def test_a_slow_way_is_said_once_and_only_where_there_is_a_fast_one():
    done = processes.script(SCRIPT)
    assert done.returncode == 0, done.stderr[-2000:]
    *before, slow, again, half, meant = done.stdout.splitlines()
    assert before == ["[]"] * 4 and again == meant == "[]"
    assert slow.count("Write seqnorm.NormRNN(LayerNormLSTMCell(...)).") == 1
    assert half.count("in float32 or float64, not bfloat16") == 1


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [
        ({"variant": "hast"}, r"Did you mean haste\?$"),
        ({"placement": "join"}, r"Did you mean joint\?$"),
        ({"sites": ["input", "recurent"]}, r"Did you mean recurrent\? Leave it out"),
        ({"init_state": "noisy"}, r"Did you mean noise\?$"),
        ({"norm": {"name": "batch", "small_batch": "shrnk"}}, r"Did you mean shrink\?$"),
        ({"norm": normalizers.LayerNorm}, r"Pass an instance: norm=LayerNorm\(\)\.$"),
    ],
)
def test_an_unknown_word_is_answered_with_the_nearest(arguments, nearest):
    with pytest.raises((TypeError, ValueError), match=nearest):
        NormLSTM(4, **arguments)
