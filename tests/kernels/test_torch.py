"""The kernels on torch: what autograd, hooks, compilers, workers and devices make of them."""

from __future__ import annotations

import copy
import gc
import multiprocessing
import threading
import warnings

import numpy as np
import pytest

pytest.importorskip("numba")
keras = pytest.importorskip("keras")
if keras.backend.backend() != "torch":
    pytest.skip("is about the kernels on torch", allow_module_level=True)
torch = pytest.importorskip("torch")

from seqnorm import NormLSTM  # noqa: E402  (after the skips)
from seqnorm.kernels import SiteSpec, Spec, Weights, fused_scan  # noqa: E402
from seqnorm.kernels.host import operation  # noqa: E402
from tests.tiers import exhaustive  # noqa: E402

BATCH, STEPS, INPUTS, UNITS = 4, 5, 3, 6
X = np.random.default_rng(5).normal(size=(BATCH, STEPS, INPUTS)).astype("float32")


def layer_of(implementation="fused", norm="layer", **options):
    keras.utils.set_random_seed(3)
    layer = NormLSTM(UNITS, norm, implementation=implementation, **options)
    layer.build(X.shape)
    return layer


def weights_of(layer):
    return [variable.value for variable in layer.trainable_variables]


def slopes(layer, x, **call):
    """Gradients of x and of the weights."""
    x = x.detach().requires_grad_()
    loss = torch.sin(layer(x, **call)).sum()
    return torch.autograd.grad(loss, [x, *weights_of(layer)])


def assert_same(found, expected, atol=1e-5):
    for a, b in zip(found, expected, strict=True):
        assert b.abs().max() > 0
        np.testing.assert_allclose(a.detach(), b.detach(), rtol=1e-5, atol=atol)


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


def test_gradients_of_inputs_only_where_they_are_wanted(backwards):
    layer = layer_of()
    layer(torch.from_numpy(X)).sum().backward()
    slopes(layer, torch.from_numpy(X))
    assert backwards == [False, True]


def test_a_second_backward_pass_gives_the_same(forwards):
    layer = layer_of(return_sequences=True)
    loss = torch.sin(layer(torch.from_numpy(X))).sum()
    first = torch.autograd.grad(loss, weights_of(layer), retain_graph=True)
    assert len(forwards) == 1
    second = torch.autograd.grad(loss, weights_of(layer))
    assert len(forwards) == 2  # the memory of the first was used up
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


def test_a_second_derivative_is_refused():
    x = torch.from_numpy(X).requires_grad_()
    layer = layer_of()
    (first,) = torch.autograd.grad(layer(x).sum(), x, create_graph=True)
    with pytest.raises(LookupError, match=r"first derivatives only.*implementation='loop'"):
        torch.autograd.grad((first**2).sum(), x)


def test_a_second_derivative_through_a_frozen_layer_is_refused_too():
    """A penalty on dy/dx depends on the head through the gradient that comes down to the layer."""
    layer, head = layer_of(), torch.nn.Linear(UNITS, 1)
    layer.trainable = False
    x = torch.from_numpy(X).requires_grad_()
    (first,) = torch.autograd.grad(head(layer(x)).sum(), x, create_graph=True)
    with pytest.raises(LookupError, match="first derivatives only"):
        (first**2).sum().backward()


def test_memory_comes_back_with_and_without_a_gradient():
    layer = layer_of()
    gc.collect()
    before = len(operation._RECORDS)
    y = layer(torch.from_numpy(X))
    assert len(operation._RECORDS) == before + 1
    del y
    gc.collect()
    assert len(operation._RECORDS) == before
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            y = layer(torch.from_numpy(X))
        assert len(operation._RECORDS) == before
    y = layer(torch.from_numpy(X))
    y.sum().backward()
    assert len(operation._RECORDS) == before


@pytest.mark.parametrize("changed", ["x", "y"])
def test_what_the_gradient_needs_may_not_be_changed_in_place(changed):
    x = torch.from_numpy(X.copy())
    y = layer_of(return_sequences=True)(x)
    loss = y.sum()
    {"x": x, "y": y.detach()}[changed].mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_inputs_that_are_not_contiguous():
    turned = torch.from_numpy(np.ascontiguousarray(X.swapaxes(0, 1))).transpose(0, 1)
    assert not turned.is_contiguous()
    layer = layer_of()
    assert_same(slopes(layer, turned), slopes(layer, torch.from_numpy(X)))


def test_a_gradient_from_above_that_is_not_contiguous():
    """That of a mean has the same memory for every step."""
    found = []
    for implementation in ("loop", "fused"):
        layer = layer_of(implementation, return_sequences=True)
        loss = layer(torch.from_numpy(X)).mean(1).sum()
        found.append(torch.autograd.grad(loss, weights_of(layer)))
    assert_same(*reversed(found))


def test_recomputation_keeps_no_record_of_the_first_pass(forwards):
    layer, before = layer_of(), len(operation._RECORDS)
    expected = slopes(layer, torch.from_numpy(X))
    x = torch.from_numpy(X).requires_grad_()
    y = torch.utils.checkpoint.checkpoint(layer, x, use_reentrant=False)
    assert len(operation._RECORDS) == before
    assert_same(torch.autograd.grad(torch.sin(y).sum(), [x, *weights_of(layer)]), expected)
    assert len(forwards) == 3


def test_saved_tensors_that_hooks_have_copied():
    layer = layer_of()
    expected = slopes(layer, torch.from_numpy(X))
    with torch.autograd.graph.save_on_cpu():
        found = slopes(layer, torch.from_numpy(X))
    assert_same(found, expected)


def test_a_backward_pass_in_another_thread():
    layer, found = layer_of(), []
    expected = slopes(layer, torch.from_numpy(X))
    x = torch.from_numpy(X).requires_grad_()
    loss = torch.sin(layer(x)).sum()
    sources = [x, *weights_of(layer)]
    thread = threading.Thread(target=lambda: found.extend(torch.autograd.grad(loss, sources)))
    thread.start()
    thread.join()
    assert_same(found, expected)


def test_several_threads_at_once():
    layers = [layer_of(norm=norm) for norm in ("layer", "batch")] * 3
    expected = [slopes(layer, torch.from_numpy(X)) for layer in layers]
    found: list = [None] * len(layers)

    def work(index):
        for _ in range(5):
            found[index] = slopes(layers[index], torch.from_numpy(X))

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(layers))]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    for a, b in zip(found, expected, strict=True):
        assert_same(a, b)


def _in_a_worker(queue):
    queue.put(layer_of()(torch.from_numpy(X)).detach().numpy())


@pytest.mark.parametrize("way", ["fork", pytest.param("spawn", marks=exhaustive)])
def test_a_worker_process(way):
    """As a data loader starts them; its threads are its own."""
    expected = layer_of()(torch.from_numpy(X)).detach().numpy()
    context = multiprocessing.get_context(way)
    queue = context.Queue()
    with warnings.catch_warnings():  # Python warns of a fork beside threads, which is the point
        warnings.simplefilter("ignore", DeprecationWarning)
        process = context.Process(target=_in_a_worker, args=(queue,))
        process.start()
    try:
        np.testing.assert_array_equal(queue.get(timeout=120), expected)
    finally:
        process.join(10)
        process.kill()


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # torch.func uses it
def test_torch_func_and_forward_derivatives_take_the_loop():
    from torch.autograd import forward_ad

    layer, loop = layer_of("auto"), layer_of("loop")
    x = torch.from_numpy(X)
    for transform in (
        lambda layer: torch.func.grad(lambda x: layer(x).sum())(x),
        lambda layer: torch.func.vmap(lambda row: layer(row[None])[0])(x),
        lambda layer: torch.func.jvp(layer, (x,), (torch.ones_like(x),))[1],
    ):
        assert_same([transform(layer)], [transform(loop)])
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, torch.ones_like(x))
        found, expected = (forward_ad.unpack_dual(each(dual)).tangent for each in (layer, loop))
        assert "forward-mode" in layer.why_not_fused()
    assert_same([found], [expected])
    with pytest.raises(ValueError, match=r"implementation='fused'.*torch\.func"):
        torch.func.grad(lambda x: layer_of("fused")(x).sum())(x)
    assert layer.why_not_fused() is None


def test_a_jacobian_is_taken_row_by_row():
    layer, x = layer_of(), torch.from_numpy(X)
    jacobian = torch.autograd.functional.jacobian
    assert_same([jacobian(layer, x)], [jacobian(layer_of("loop"), x)])
    with pytest.raises(NotImplementedError, match="one gradient at a time"):
        jacobian(layer, x, vectorize=True)


def test_a_trace_holds_the_loop():
    """The kernels' results would stand in it as constants."""
    layer = layer_of("auto")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(layer, torch.zeros(X.shape), check_trace=False)
    assert_same([traced(torch.from_numpy(X))], [layer(torch.from_numpy(X))])


@exhaustive
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # of dynamo, on its own way
def test_torch_compile_runs_the_kernels_between_its_graphs(forwards):
    layer = layer_of("fused")
    expected = slopes(layer, torch.from_numpy(X))
    forwards.clear()
    compiled = torch.compile(lambda x: layer(x * 1.0), backend="aot_eager")
    x = torch.from_numpy(X).requires_grad_()
    found = torch.autograd.grad(torch.sin(compiled(x)).sum(), [x, *weights_of(layer)])
    assert forwards
    assert_same(found, expected)


@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_shapes_on_the_device_meta(norm):
    layer = layer_of(norm=norm, return_sequences=True, return_state=True)
    with keras.device("meta"):
        found = layer(torch.empty(X.shape, device="meta"), training=True)
    expected = layer(torch.from_numpy(X), training=True)
    assert [y.shape for y in found] == [y.shape for y in expected]
    assert all(y.is_meta for y in found)


def test_tensors_on_another_device_are_refused():
    site, ones = SiteSpec(), torch.ones(4 * UNITS)
    kernels = [torch.ones(size, 4 * UNITS) for size in (INPUTS, UNITS)]
    weights = Weights(*kernels, ones, ones, torch.ones(UNITS), ones, ones, torch.ones(UNITS))
    elsewhere = type("Elsewhere", (torch.Tensor,), {"device": torch.device("cuda", 0)})
    x = torch.from_numpy(X).as_subclass(elsewhere)
    with pytest.raises(ValueError, match=r"on the CPU\. Received: tensors on .*cuda:0"):
        fused_scan(Spec("lstm", site, site, site), x, weights, torch.ones(BATCH, STEPS).bool(),
                   (torch.zeros(BATCH, UNITS),) * 2)  # fmt: skip


def test_a_device_of_kerass_that_is_not_the_cpu(monkeypatch):
    monkeypatch.setattr(keras.ops, "zeros", lambda _: torch.zeros((), device="meta"))
    layer = layer_of("auto")
    assert layer.why_not_fused() is None  # on it Keras asks for shapes
    device = type("Tensor", (), {"device": torch.device("cuda")})
    monkeypatch.setattr(keras.ops, "zeros", lambda _: device)
    assert layer.why_not_fused() == "the kernels run on the CPU, and Keras's device is cuda"


def test_half_precision_takes_the_loop():
    layer = layer_of("auto", dtype="mixed_bfloat16")
    assert "float32 or float64, not bfloat16" in layer.why_not_fused()


def test_a_copied_layer_and_the_same_layer_twice_in_one_graph():
    layer = layer_of(return_sequences=True)
    twin = copy.deepcopy(layer)
    x = torch.from_numpy(X)
    wide = torch.cat([x, x], dim=-1)[..., :INPUTS]
    both = torch.autograd.grad(
        torch.sin(layer(x)).sum() + torch.sin(layer(wide)).sum(), weights_of(layer)
    )
    one = torch.autograd.grad(torch.sin(twin(x)).sum(), weights_of(twin))
    assert_same(both, [2 * each for each in one])
