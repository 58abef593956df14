"""The kernels in graphs that the user takes himself: saved, differentiated in other ways."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

pytest.importorskip("numba")
keras = pytest.importorskip("keras")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the kernels are bound to TensorFlow", allow_module_level=True)
tf = pytest.importorskip("tensorflow")

from seqnorm import NormLSTM, NormSimpleRNN  # noqa: E402  (after the skips)
from seqnorm.kernels.host import embedded, operation  # noqa: E402
from tests.tiers import exhaustive  # noqa: E402

X = np.random.default_rng(5).normal(size=(4, 5, 2)).astype("float32")


def layer_of(implementation, norm="layer", **options):
    keras.utils.set_random_seed(3)
    layer = NormLSTM(2, norm, implementation=implementation, **options)
    layer.build(X.shape)
    return layer


def test_a_concrete_function_with_the_kernels_is_not_saved(tmp_path):
    module = tf.Module()
    module.layer = layer = layer_of("auto")
    traced = tf.function(lambda x: layer(x)).get_concrete_function(tf.TensorSpec(X.shape))
    with pytest.raises(ValueError, match=r"cannot be saved with it\. Use"):
        tf.saved_model.save(module, tmp_path / "model", signatures=traced)


def test_a_graph_of_another_process_gets_no_number_of_ours(monkeypatch):
    function = tf.function(layer_of("auto"))
    function(X)
    monkeypatch.setattr(embedded, "_KEY", embedded._KEY + 1)
    with pytest.raises(tf.errors.UnknownError, match="run in the process that traced"):
        function(X)


@pytest.mark.parametrize("norm", ["layer", pytest.param("batch", marks=exhaustive)])
def test_tf_gradients_of_inputs_that_no_tape_watches(norm, monkeypatch):
    """The tape's backward pass leaves dL/dx out; who asks for it gets it from a second one."""
    passes, original = [], operation.scan_backward
    monkeypatch.setattr(operation, "scan_backward", lambda *a: passes.append(a[-1]) or original(*a))
    found = {}
    for implementation in ("loop", "auto"):
        layer = layer_of(implementation, norm, return_sequences=True)
        weights = [v.value for v in layer.trainable_variables]

        @tf.function
        def run(x, asked, layer=layer, weights=weights):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.sin(layer(x) + x))
            slopes = tape.gradient(loss, weights)
            return [tf.gradients(loss, x)[0]] if asked else slopes

        run(X, False)
        assert not any(passes)
        found[implementation] = run(X, True)[0].numpy()
    assert np.abs(found["loop"]).max() > 0.1
    np.testing.assert_allclose(found["auto"], found["loop"], atol=1e-5)


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=exhaustive)])
def test_forward_derivatives_take_the_loop(compiled):
    found = []
    for implementation in ("loop", "auto"):
        layer = layer_of(implementation)
        call = tf.function(lambda x, layer=layer: layer(x)) if compiled else layer
        x = tf.constant(X)
        with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as forward:
            y = call(x)
        found.append(forward.jvp(y).numpy())
    assert np.abs(found[0]).max() > 0
    np.testing.assert_allclose(found[1], found[0], atol=1e-5)


@pytest.mark.parametrize(
    ("norm", "masked"),
    [
        ("none", True),
        *(
            pytest.param(*each, marks=exhaustive)
            for each in (("none", False), *product(("group", "batch"), (False, True)))
        ),
    ],
)
def test_a_batch_jacobian_in_a_function_through_the_loop(norm, masked):
    layer = layer_of("loop", norm, zero_output_for_mask=masked)
    mask = np.arange(5) < np.array([5, 3, 1, 4])[:, None] if masked else None

    def jacobian(x, vectorised):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = layer(x, mask=mask)
        return tape.batch_jacobian(y, x, experimental_use_pfor=vectorised)

    expected = jacobian(tf.constant(X), False)
    found = tf.function(jacobian)(tf.constant(X), True)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("norm", "masked"),
    [
        ("group", False),
        *(pytest.param(*each, marks=exhaustive) for each in (("group", True), ("batch", True))),
    ],
)
def test_a_vectorised_map_gives_the_gradients_of_each_row(norm, masked):
    layer = NormSimpleRNN(4, {"name": norm, "epsilon": 0.1}, seed=3)
    layer.build(X.shape)
    weights = layer.trainable_variables
    masks = tf.constant(np.arange(5) < np.array([5, 3, 1, 4])[:, None])

    def gradients(row):
        x, mask = row
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x[None], mask=mask[None] if masked else None) ** 2)
        return tape.gradient(loss, weights)

    rows = [gradients(row) for row in zip(tf.constant(X), masks, strict=True)]
    found = tf.vectorized_map(gradients, (tf.constant(X), masks))
    for each, expected in zip(found, zip(*rows, strict=True), strict=True):
        np.testing.assert_allclose(each, tf.stack(expected), rtol=1e-4, atol=1e-5)
