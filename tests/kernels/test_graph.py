"""The kernels inside TensorFlow: against Keras's LSTM, released memory, repeated gradients."""

from __future__ import annotations

import gc

import numpy as np
import pytest

pytest.importorskip("numba")
keras = pytest.importorskip("keras")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the kernels are bound to TensorFlow", allow_module_level=True)
tf = pytest.importorskip("tensorflow")

from seqnorm.kernels import SiteSpec, Spec, Weights, fused_scan  # noqa: E402  (after the skips)
from seqnorm.kernels.host import operation  # noqa: E402

BATCH, STEPS, INPUTS, UNITS = 6, 7, 5, 12
LENGTHS = [7, 3, 1, 5, 7, 2]
MASK = np.arange(STEPS) < np.array(LENGTHS)[:, None]


def _weights(kernel, recurrent, bias, columns=4 * UNITS):
    ones, zeros = tf.ones(columns), tf.zeros(columns)
    return Weights(kernel, recurrent, ones, ones, tf.ones(UNITS), bias, zeros, tf.zeros(UNITS))


@pytest.fixture
def layer():
    keras.utils.set_random_seed(7)
    layer = keras.layers.LSTM(UNITS, return_sequences=True, return_state=True)
    layer.build((BATCH, STEPS, INPUTS))
    return layer


@pytest.mark.parametrize("graph_mode", [True, False])
def test_plain_lstm_is_that_of_keras(layer, graph_mode, rng):
    x = tf.constant(rng.normal(size=(BATCH, STEPS, INPUTS)), tf.float32)
    values = [variable.value for variable in layer.trainable_variables]

    def theirs(x):
        return layer(x, mask=MASK)

    def ours(x):
        out = fused_scan(Spec("lstm"), x, _weights(*map(tf.convert_to_tensor, values)), MASK)
        return out.y, out.h, out.c

    def both(call):
        with tf.GradientTape() as tape:
            tape.watch(x)
            sequence, h, c = call(x)
            loss = tf.reduce_sum(tf.sin(sequence)) + tf.reduce_sum(h * c)
        return [sequence, h, c, *tape.gradient(loss, [x, *values])]

    run = tf.function(both) if graph_mode else both
    for expected, found in zip(run(theirs), run(ours), strict=True):
        np.testing.assert_allclose(found, expected, atol=2e-5)


def test_memory_comes_back_with_and_without_a_gradient(layer, rng):
    x = tf.constant(rng.normal(size=(BATCH, STEPS, INPUTS)), tf.float32)
    values = [tf.convert_to_tensor(variable.value) for variable in layer.trainable_variables]

    @tf.function
    def forward(x):
        return fused_scan(Spec("lstm"), x, _weights(*values)).h

    @tf.function
    def train(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(forward(x))
        return tape.gradient(loss, x)

    for _ in range(5):
        forward(x)
        train(x)
    gc.collect()
    forward(x)  # TensorFlow gives arrays back when it next enters Python
    assert len(operation._RECORDS) <= 2


def test_one_forward_pass_for_one_gradient(layer, rng, monkeypatch):
    x = tf.constant(rng.normal(size=(BATCH, STEPS, INPUTS)), tf.float32)
    values = [tf.convert_to_tensor(variable.value) for variable in layer.trainable_variables]
    calls = []
    original = operation.scan_forward
    monkeypatch.setattr(operation, "scan_forward", lambda *args: calls.append(1) or original(*args))

    def train(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(fused_scan(Spec("lstm"), x, _weights(*values)).y)
        return tape.gradient(loss, x)

    train(x)
    tf.function(train)(x)
    assert len(calls) == 2


def test_second_use_of_a_tape_gives_the_same(layer, rng):
    x = tf.constant(rng.normal(size=(BATCH, STEPS, INPUTS)), tf.float32)
    values = [tf.convert_to_tensor(variable.value) for variable in layer.trainable_variables]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        out = fused_scan(Spec("lstm"), x, _weights(*values), MASK).y
    first, second = tape.gradient(out, x), tape.gradient(out, x)
    assert (first.numpy() == second.numpy()).all()


@pytest.mark.parametrize("repeat", [True, False])
def test_outputs_after_the_end(layer, repeat, rng):
    x = tf.constant(rng.normal(size=(BATCH, STEPS, INPUTS)), tf.float32)
    values = [tf.convert_to_tensor(variable.value) for variable in layer.trainable_variables]
    out = fused_scan(Spec("lstm"), x, _weights(*values), MASK, repeat=repeat)
    for row, length in enumerate(LENGTHS):
        expected = out.h[row].numpy() if repeat else np.zeros(UNITS)
        for step in range(length, STEPS):
            np.testing.assert_array_equal(out.y[row, step], expected)


def test_batch_moments_come_out_of_the_graph(layer, rng):
    x = tf.constant(rng.normal(size=(BATCH, STEPS, INPUTS)), tf.float32)
    values = [tf.convert_to_tensor(variable.value) for variable in layer.trainable_variables]

    @tf.function
    def run(x):
        batch = SiteSpec("batch", 1e-5)
        out = fused_scan(Spec("lstm", batch, batch, batch), x, _weights(*values), MASK)
        return out.moments

    moments = run(x)
    expected = (x[:, 0] @ values[0]).numpy()
    np.testing.assert_allclose(moments["input"][0, 0], expected.mean(0), atol=1e-5)
    np.testing.assert_allclose(moments["input"][0, 1], expected.var(0), rtol=1e-3, atol=1e-5)
    assert moments["state"].shape == (7, 2, UNITS)


SHAPES = {
    "mask": {"mask": np.ones((BATCH, STEPS + 1), bool)},
    "mask of one row": {"mask": np.ones((1, STEPS), bool)},
    "initial h": {"initial": (tf.zeros((1, UNITS)), tf.zeros((BATCH, UNITS)))},
    "initial c": {"initial": (tf.zeros((BATCH, UNITS)), tf.zeros((BATCH, UNITS + 1)))},
}


@pytest.mark.parametrize("graph_mode", [True, False])
@pytest.mark.parametrize("case", SHAPES)
def test_arrays_that_do_not_fit_are_refused(layer, case, graph_mode, rng):
    """Compiled code would read and write beside them."""
    x = tf.constant(rng.normal(size=(BATCH, STEPS, INPUTS)), tf.float32)
    values = [tf.convert_to_tensor(variable.value) for variable in layer.trainable_variables]

    def run(x):
        return fused_scan(Spec("lstm"), x, _weights(*values), **SHAPES[case]).h

    name = case.removesuffix(" of one row")
    with pytest.raises(
        (ValueError, tf.errors.InvalidArgumentError), match=rf"need {name} of shape .*Received: "
    ):
        (tf.function(run) if graph_mode else run)(x)


@pytest.mark.parametrize("graph_mode", [True, False])
def test_a_sparse_gradient_from_above(layer, graph_mode, rng):
    x = tf.constant(rng.normal(size=(BATCH, STEPS, INPUTS)), tf.float32)
    values = [tf.convert_to_tensor(variable.value) for variable in layer.trainable_variables]

    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            out = fused_scan(Spec("lstm"), x, _weights(*values))
            loss = tf.reduce_sum(tf.gather(out.h, [0, 2])) + tf.reduce_sum(tf.gather(out.y, [1]))
        return tape.gradient(loss, x)

    found = (tf.function(run) if graph_mode else run)(x).numpy()
    assert [bool(np.any(found[row])) for row in range(BATCH)] == [True] * 3 + [False] * 3
