"""Which way a layer runs, and that it says why."""

from __future__ import annotations

from importlib.util import find_spec

import keras
import numpy as np
import pytest

from seqnorm import NormLSTM, NormLSTMCell, NormRNN, NormSimpleRNNCell
from seqnorm.cells import NormCell
from seqnorm.normalizers import LayerNorm, Normalizer
from tests import grid, processes

pytestmark = [
    grid.tensorflow_only,
    pytest.mark.skipif(find_spec("numba") is None, reason="needs the kernels"),
]

OBSTACLES = {
    "unroll": ({"unroll": True}, "unroll"),
    "activation": ({"activation": "relu"}, "tanh and sigmoid"),
    "dropout": ({"dropout": 0.1}, "dropout"),
    "recurrent_dropout": ({"recurrent_dropout": 0.1}, "dropout"),
    "zoneout": ({"zoneout": 0.1}, "zoneout"),
    "placement": ({"placement": "joint"}, "joint"),
    "dyt": ({"norm": "dyt"}, "no kernel for DynamicTanh"),
    "sequence": ({"norm": {"name": "batch", "input_statistics": "sequence"}}, "statistics"),
    "half": ({"dtype": "mixed_bfloat16"}, "bfloat16"),
}


@pytest.mark.parametrize("name", OBSTACLES)
def test_the_loop_runs_where_the_kernels_cannot(name):
    options, reason = OBSTACLES[name]
    layer = NormLSTM(4, **options)
    assert reason in layer.why_not_fused()
    x = np.ones((2, 3, 4), "float32")
    assert np.all(np.isfinite(grid.numpy(layer(x, training=True))))
    with pytest.raises(ValueError, match=f"implementation='fused'.*{reason}"):
        NormLSTM(4, **options, implementation="fused")(x, training=True)


def test_inference_with_dropout_takes_the_kernels(rng):
    options = {"dropout": 0.5, "recurrent_dropout": 0.5}
    layer = grid.make("lstm", "layer", rng, implementation="fused", **options)
    assert "dropout" in layer.why_not_fused() and layer.why_not_fused(training=False) is None
    x = grid.inputs(rng)
    expected = grid.oracle(layer, x, grid.MASK, training=False).outputs
    grid.assert_close(layer(x, mask=grid.MASK)[0], expected)
    with pytest.raises(ValueError, match="dropout inside the cell"):
        layer(x, mask=grid.MASK, training=True)


def test_a_gru_with_one_of_two_norms_frozen(rng):
    """The kernels take both as one; the loop freezes one and moves the other."""
    layer = grid.make("gru", "batch", rng)
    assert layer.why_not_fused() is None
    layer.cell.recurrent_gates_norm.trainable = False
    assert "side by side is frozen" in layer.why_not_fused()
    norms = [norm for norm in layer.cell.normalizers.values() if hasattr(norm, "moving_mean")]
    before = [grid.numpy(norm.moving_mean) for norm in norms]
    layer(grid.inputs(rng), training=True)
    moved = {
        norm.name: bool(np.any(old != grid.numpy(norm.moving_mean)))
        for norm, old in zip(norms, before, strict=True)
    }
    assert moved.pop("recurrent_gates_norm") is False and len(moved) == 3 and all(moved.values())


def test_unknown_implementation():
    with pytest.raises(ValueError, match=r"implementation=2\. Choose one of: auto, loop, fused"):
        NormLSTM(4, implementation=2)


def test_a_cell_with_its_own_step_is_not_replaced():
    class Halved(NormLSTMCell):
        def step(self, a_t, states, norm):
            h, states = super().step(a_t, states, norm)
            return h / 2, states

    layer = NormRNN(Halved(4))
    assert "Halved has a step of its own" in layer.why_not_fused()
    plain = NormRNN(NormLSTMCell(4))
    x = np.ones((2, 1, 3), "float32")
    layer.build(x.shape), plain.build(x.shape)
    plain.set_weights(layer.get_weights())
    grid.assert_close(2 * grid.numpy(layer(x)), plain(x), "float32")


def test_a_cell_that_says_nothing_of_a_kernel_takes_the_loop():
    class Plain(NormCell, keras.layers.SimpleRNNCell):
        NAME = "plain"
        SITES = NormSimpleRNNCell.SITES
        step = NormSimpleRNNCell.step

    layer, plain = NormRNN(Plain(4)), NormRNN(NormSimpleRNNCell(4))
    assert layer.why_not_fused() == "there is no kernel for Plain"
    x = np.ones((2, 3, 3), "float32")
    layer.build(x.shape), plain.build(x.shape)
    plain.set_weights(layer.get_weights())
    grid.assert_close(layer(x), plain(x), "float32")


def test_a_norm_that_says_nothing_of_a_kernel_takes_the_loop():
    class Halving(Normalizer):
        def call(self, x, context):
            return x / 2, None

    assert NormLSTM(4, Halving()).why_not_fused() == "there is no kernel for Halving"


class Centred(LayerNorm):
    """Layer norm without the division."""

    def call(self, x, context):
        return self.affine(x - keras.ops.mean(x, axis=-1, keepdims=True), x.dtype), None


class Patient(LayerNorm):
    """Layer norm with another default."""

    def __init__(self, epsilon=0.5, **kwargs):
        super().__init__(epsilon, **kwargs)


class Tied(NormLSTMCell):
    """An LSTM that tells the kernels what it is, and computes as one."""

    def step(self, a_t, states, norm):
        return super().step(a_t, states, norm)

    def to_kernel(self):
        return super().to_kernel()


def test_a_subclass_has_the_kernel_unless_it_computes_something_else(rng):
    assert NormLSTM(4, Centred()).why_not_fused() == "Centred has a call of its own"
    assert NormRNN(Tied(4)).why_not_fused() is None
    layer = grid.make("lstm", Patient(), rng, implementation="fused")
    x = grid.inputs(rng)
    expected = grid.make("lstm", LayerNorm(0.5), rng, implementation="loop")
    expected.set_weights(layer.get_weights())
    for found, wanted in zip(layer(x), expected(x), strict=True):
        grid.assert_close(found, wanted)


@pytest.mark.parametrize("groups", [None, 1, 2, 4])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_any_number_of_groups_takes_the_kernels(cell, groups, rng):
    norm = {"name": "group", "groups": groups}
    layer = grid.make(cell, norm, rng, sites=["input", "recurrent"], implementation="fused")
    assert layer.why_not_fused() is None
    x = grid.inputs(rng)
    found = layer(x, mask=grid.MASK)
    layer.implementation = "loop"
    for a, b in zip(found, layer(x, mask=grid.MASK), strict=True):
        grid.assert_close(a, b)


def test_states_and_steps():
    layer = NormLSTM(4, "batch")
    assert layer.why_not_fused() is None
    assert "start at different steps" in layer.why_not_fused(carried=True)
    assert NormLSTM(4, "layer").why_not_fused(carried=True) is None


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        ("sys.modules['numba'] = None", "numba cannot be imported. Install it with pip install"),
        (
            "os.environ['NUMBA_DISABLE_JIT'] = '1'",
            "NUMBA_DISABLE_JIT switches numba's compiler off. Pass implementation='loop' if",
        ),
        (
            "from seqnorm import machine; from seqnorm.kernels import spec; "
            "spec.platform.machine = lambda: 'x86_64'; "
            "machine.features = lambda: {'avx'}",
            "the processor has no fused multiply-add. Pass implementation='loop' if",
        ),
    ],
)
def test_one_warning_where_no_kernel_runs(lacking, said):
    script = f"""
import os, sys, warnings
{lacking}
import numpy as np
from seqnorm import NormLSTM
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for _ in range(3):
        NormLSTM(4)(np.ones((2, 3, 4), "float32"))
print([str(w.message) for w in caught if "portable loop" in str(w.message)])
"""
    done = processes.script(script)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert line.count("portable loop") == 1 and said in line


def test_exported_models_run_without_this_package(tmp_path, rng):
    x, expected = rng.normal(size=(2, 6, 3)).astype("float32"), {}
    np.save(tmp_path / "x.npy", x)
    for norm in ("layer", "batch"):
        layer = NormLSTM(4, norm)
        model = keras.Sequential([keras.Input((6, 3)), layer])
        expected[norm] = grid.numpy(model(x))
        assert layer.why_not_fused() is None
        model.export(tmp_path / norm, verbose=False)
    script = """
import sys, numpy as np, tensorflow as tf
for norm in ("layer", "batch"):
    model = tf.saved_model.load(norm)
    np.save(f"{norm}.npy", model.serve(np.load("x.npy")))
assert not any(name.startswith("seqnorm") for name in sys.modules)
"""
    done = processes.script(script, tmp_path)
    assert done.returncode == 0, done.stderr
    for norm, y in expected.items():
        grid.assert_close(np.load(tmp_path / f"{norm}.npy"), y, "float32")


def test_second_derivative_through_a_frozen_layer_is_refused_too(rng):
    """A penalty on dy/dx depends on the head through the gradient that comes down to the layer."""
    import tensorflow as tf

    layer, head = NormLSTM(4), keras.layers.Dense(1)
    layer.trainable = False
    x = tf.constant(rng.normal(size=(2, 3, 4)), tf.float32)
    head(layer(x))
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = head(layer(x))
        penalty = tf.reduce_sum(inner.gradient(y, x) ** 2)
    with pytest.raises(LookupError, match="first derivatives only"):
        outer.gradient(penalty, head.kernel.value)


def test_second_derivative_is_refused_by_the_kernels(rng):
    import tensorflow as tf

    x = tf.constant(rng.normal(size=(2, 3, 4)), tf.float32)
    for implementation in ("loop", "fused"):
        layer = NormLSTM(4, implementation=implementation)
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = tf.reduce_sum(layer(x))
            first = tf.reduce_sum(tf.square(inner.gradient(y, x)))
        if implementation == "loop":
            assert np.all(np.isfinite(outer.gradient(first, x)))
        else:
            with pytest.raises(LookupError, match="implementation='loop'"):
                outer.gradient(first, x)
