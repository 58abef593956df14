"""The kernels on JAX: what transformations, and XLA's freedom to drop and repeat, make of them."""

from __future__ import annotations

import gc
from functools import partial

import numpy as np
import pytest

pytest.importorskip("numba")
keras = pytest.importorskip("keras")
if keras.backend.backend() != "jax":
    pytest.skip("is about the kernels on JAX", allow_module_level=True)
jax = pytest.importorskip("jax")
from jax import numpy as jnp  # noqa: E402  (after the skips)

from seqnorm import NormLSTM  # noqa: E402
from seqnorm.kernels import SiteSpec, Spec, Weights, fused_scan  # noqa: E402
from seqnorm.kernels.host import jax as binding  # noqa: E402
from seqnorm.kernels.host import operation  # noqa: E402
from tests import processes  # noqa: E402
from tests.tiers import exhaustive  # noqa: E402

BATCH, STEPS, INPUTS, UNITS = 4, 5, 3, 6
RNG = np.random.default_rng(5)
X = jnp.asarray(RNG.normal(size=(BATCH, STEPS, INPUTS)), "float32")
W = [jnp.asarray(RNG.normal(size=(n, 4 * UNITS)) / 2, "float32") for n in (INPUTS, UNITS)]
ONE = jnp.ones((), "float32")
LAYER = SiteSpec("layer", 1e-3)
SPEC = Spec("lstm", LAYER, LAYER, LAYER)


def run(x, w, spec=SPEC, **options):
    ones, zeros = jnp.ones(4 * UNITS), jnp.zeros(4 * UNITS)
    weights = Weights(*w, ones, ones, jnp.ones(UNITS), zeros, zeros, jnp.zeros(UNITS))
    return fused_scan(spec, x, weights, **options)


def loss(w, x):
    return jnp.sum(jnp.sin(run(x, w).y))


gradient = jax.grad(loss, argnums=(0, 1))


def layer_of(implementation="fused", norm="layer"):
    keras.utils.set_random_seed(3)
    layer = NormLSTM(UNITS, norm, implementation=implementation)
    layer.build(X.shape)
    return layer


def assert_same(found, expected):
    pairs = zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True)
    for a, b in pairs:
        assert np.abs(b).max() > 0
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.fixture
def forwards(monkeypatch):
    """One entry for each forward pass of the kernels."""
    calls, original = [], operation.scan_forward
    monkeypatch.setattr(operation, "scan_forward", lambda *a: calls.append(1) or original(*a))
    return calls


@pytest.fixture
def backwards(monkeypatch):
    """Of each backward pass of the kernels, whether it gave dL/dx."""
    asked, original = [], operation.scan_backward
    monkeypatch.setattr(operation, "scan_backward", lambda *a: asked.append(a[-1]) or original(*a))
    return asked


def test_compiled_equals_eager_and_finite_differences():
    expected = gradient(W, X)
    assert_same(jax.jit(gradient)(W, X), expected)
    with jax.enable_x64(True):
        w, x = [each.astype("float64") for each in W], X.astype("float64")
        direction, step = jnp.asarray(RNG.normal(size=x.shape)), 1e-6
        double = partial(loss_in, "float64", w)
        slope = (double(x + step * direction) - double(x - step * direction)) / (2 * step)
        found = jnp.sum(jax.grad(double)(x) * direction)
    np.testing.assert_allclose(found, slope, rtol=1e-7)


def loss_in(dtype, w, x):
    spec = Spec("lstm", LAYER, LAYER, LAYER, dtype=dtype)
    return jnp.sum(jnp.sin(run(x, w, spec).y))


def test_float64_is_float32_where_jax_says_so():
    with jax.enable_x64(False):
        found = run(X, W, Spec("lstm", LAYER, LAYER, LAYER, dtype="float64"))
    assert found.h.dtype == "float32"
    assert_same(found.h, run(X, W).h)


def test_one_forward_pass_for_one_gradient(forwards):
    jax.block_until_ready(jax.jit(gradient)(W, X))
    assert len(forwards) == 1


def test_gradients_of_inputs_only_where_they_are_wanted(backwards):
    jax.block_until_ready(jax.jit(jax.grad(loss))(W, X))
    jax.block_until_ready(jax.jit(gradient)(W, X))
    assert backwards == [False, True]


def test_two_gradients_of_one_call_are_the_same(forwards):
    """The second finds the record gone, and computes it again."""

    @jax.jit
    def both(w, x):
        _, pull = jax.vjp(loss, w, x)
        return pull(ONE), pull(2 * ONE)

    first, second = both(W, X)
    assert_same(second, jax.tree.map(lambda each: 2 * each, first))
    assert len(forwards) == 2


def test_records_that_no_backward_pass_fetches_are_bounded():
    pulls = []
    for _ in range(40):
        pulls.append(jax.vjp(loss, W, X)[1])
    jax.block_until_ready(pulls[-1](ONE))
    assert len(operation._RECORDS) <= binding._TICKETS.maxlen
    expected = gradient(W, X)
    assert_same(pulls[0](ONE), expected)  # long forgotten
    for _ in range(binding._TICKETS.maxlen):  # those whose record was fetched push out the others
        jax.block_until_ready(gradient(W, X))
    gc.collect()
    assert len(operation._RECORDS) == 0


def test_without_a_gradient_nothing_is_kept():
    before = len(binding._TICKETS), len(operation._RECORDS)
    jax.block_until_ready(jax.jit(run)(X, W).h)
    assert (len(binding._TICKETS), len(operation._RECORDS)) == before


def test_a_loop_over_chunks():
    def in_one(w, x):
        return loss(w, jnp.concatenate([x, 2 * x]))

    def in_a_scan(w, x):
        chunks = jnp.stack([x, 2 * x])
        return jax.lax.scan(lambda total, x: (total + loss(w, x), None), 0.0, chunks)[0]

    expected = jax.grad(in_one, argnums=(0, 1))(W, X)
    assert_same(jax.jit(jax.grad(in_a_scan, argnums=(0, 1)))(W, X), expected)


def test_vmap_calls_one_after_the_other(forwards):
    many = jnp.stack([X, 2 * X, X + 1])
    found = jax.vmap(gradient, in_axes=(None, 0))(W, many)
    assert len(forwards) == 3
    expected = [gradient(W, x) for x in many]
    assert_same(found, jax.tree.map(lambda *each: jnp.stack(each), *expected))


def test_recomputation():
    expected = gradient(W, X)
    again = jax.jit(jax.grad(jax.checkpoint(loss), argnums=(0, 1)))
    for _ in range(3):
        assert_same(again(W, X), expected)
    assert len(operation._RECORDS) <= binding._TICKETS.maxlen


def test_a_branch():
    @jax.jit
    def run(w, x, there):
        value = jax.lax.cond(there, loss, lambda w, x: 3.0 * loss(w, x), w, x)
        return value

    slope = jax.grad(run)
    assert_same(slope(W, X, False), [3 * each for each in slope(W, X, True)])


def test_donated_buffers():
    expected = gradient(W, X)
    step = jax.jit(gradient, donate_argnums=(0, 1))
    given = [jnp.array(each) for each in W], jnp.array(X)
    assert_same(step(*given), expected)
    assert given[1].is_deleted()


def test_second_derivatives_are_refused():
    with pytest.raises(LookupError, match=r"first derivatives only.*implementation='loop'"):
        jax.grad(lambda x: jnp.sum(gradient(W, x)[1] ** 2))(X)
    with pytest.raises(LookupError, match="first derivatives only"):
        jax.jit(jax.hessian(lambda x: loss(W, x)))(X)


@pytest.mark.parametrize("way", ["eager", "compiled"])
def test_forward_derivatives_are_refused(way):
    layer = layer_of()
    call = jax.jit(layer) if way == "compiled" else layer
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(call, (X,), (X,))
    with pytest.raises(TypeError, match=r"jax\.jvp.*implementation='loop'"):
        jax.jvp(layer, (X,), (X,))
    assert np.isfinite(jax.jvp(layer_of("loop"), (X,), (X,))[1]).all()


def test_moments_of_steps_that_no_row_reaches_count_nothing():
    mask = np.arange(STEPS) < np.array([3, 1, 2, 3])[:, None]
    batch = SiteSpec("batch", 1e-3)
    found = run(X, W, Spec("lstm", batch, batch, batch), mask=jnp.asarray(mask))
    assert found.moments["input"].shape == (STEPS, 2, 4 * UNITS)
    assert (found.moments["input"][3:] == 0).all()
    weights = []
    for way in ("loop", "fused"):
        layer = layer_of(way, {"name": "batch", "max_steps": STEPS})
        layer(X, mask=mask, training=True)
        weights.append(layer.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_arrays_that_do_not_fit_are_refused():
    """Compiled code would read and write beside them."""
    with pytest.raises(ValueError, match=r"need mask of shape .*Received: mask\.shape=\(1, 5\)"):
        run(X, W, mask=jnp.ones((1, STEPS), bool))


def test_equal_calls_are_compiled_once():
    jax.block_until_ready(run(X, W).h)
    found = binding._run_forward.cache_info().misses
    for _ in range(3):
        jax.block_until_ready(run(X, W).h)
    assert binding._run_forward.cache_info().misses == found


DEVICES = """
import jax
from seqnorm import NormLSTM
print(jax.device_count(), NormLSTM(2).why_not_fused())
"""


def test_several_devices_take_the_loop(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=2")
    done = processes.script(DEVICES)
    assert done.stdout.strip() == "2 the kernels run on one device, and JAX sees 2", done.stderr


def test_another_platform_takes_the_loop(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert layer_of("auto").why_not_fused().endswith("JAX's default device is a gpu")


@exhaustive
def test_an_exported_function_holds_the_loop():
    layer = layer_of("auto")
    exported = jax.export.export(jax.jit(lambda x: layer(x)))(
        jax.ShapeDtypeStruct(X.shape, X.dtype)
    )
    assert "callback" not in exported.mlir_module()
    assert_same(exported.call(X), layer(X))
