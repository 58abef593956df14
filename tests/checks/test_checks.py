"""Every check passes, and every check fails where the code is wrong in the way it is about."""

from __future__ import annotations

from dataclasses import replace

import pytest
from keras import ops

from seqnorm import checks
from seqnorm.cells import LayerNormLSTMCell
from seqnorm.cells.variants import VARIANTS
from seqnorm.checks import (
    flow_identity,
    flow_orthogonal,
    flow_separate,
    gradients,
    invariance,
    padding,
    padding_bias,
    parity,
    small_n,
    variance,
    zero_alive,
    zero_vector,
)
from seqnorm.layers.engines import fused
from seqnorm.layers.timeline import Timeline
from seqnorm.normalizers import BatchNorm, batch, layer
from seqnorm.normalizers.base import AffineNormalizer
from seqnorm.ops import scan
from seqnorm.ops.moments import Moments, feature_moments, masked_moments, normalize
from tests.conformance.conftest import FUSED
from tests.tiers import exhaustive


def failed(module):
    """Names of the rows that fail; a check that crashes proves nothing."""
    return {row.name for row in module.check() if not row.passed}


# Each takes a quarter of a minute; the conformance tests take the gradients of every part.
DEAR = ("gradients", "flow-orthogonal")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=exhaustive) if name in DEAR else name for name in checks.CHECKS],
)
def test_passes(name):
    rows = checks.run(name)
    assert [row for row in rows if not row.passed] == []
    assert len({row.name for row in rows}) == len(rows) > 4


# The faults. Each is put in place of the right function for one test.


def not_centred(x):
    """Layer norm that forgets to take the mean out."""
    found = feature_moments(x)
    return found._replace(mean=0 * found.mean, variance=found.variance + ops.square(found.mean))


def over_all_rows(x):
    """Layer norm over the whole batch."""
    mean = ops.mean(x)
    return Moments(mean, ops.mean(ops.square(x - mean)), 0)


def unmasked(x, valid=None, axis=-2):
    """Batch statistics that are not told of padding."""
    return masked_moments(x, None, axis)


def unbiased(x, valid=None, axis=-2):
    """The variance divided by n - 1."""
    found = masked_moments(x, valid, axis)
    return found._replace(variance=found.variance * found.count / ops.maximum(found.count - 1, 1))


def one_pass(x):
    """E[x²] - E[x]²."""
    mean = ops.mean(x, axis=-1, keepdims=True)
    return Moments(mean, ops.mean(ops.square(x), axis=-1, keepdims=True) - ops.square(mean), 0)


def epsilon_outside(x, mean, variance, epsilon):
    """(x - μ) / (σ + ε)."""
    return (x - mean) / (ops.sqrt(variance) + epsilon)


def constant_moments(x, mean, variance, epsilon):
    """Statistics that no gradient flows through."""
    return normalize(x, ops.stop_gradient(mean), ops.stop_gradient(variance), epsilon)


def average(self, moments, index):
    """A moving average that takes every step for full."""
    for variable, value in zip(self._table, moments, strict=True):
        variable.assign(self.momentum * variable + (1 - self.momentum) * value[:, 0])


def test_invariance_fails_without_centring(monkeypatch):
    monkeypatch.setattr(layer, "feature_moments", not_centred)
    assert failed(invariance) == {"layer: W re-centred, unchanged"}


def test_parity_fails_when_the_normalised_state_is_carried(monkeypatch):
    monkeypatch.setitem(VARIANTS["lstm"]["paper"], "cell_norm", "carry")
    assert failed(parity) == {"lstm paper, float64", "lstm paper, float32"}


def test_addons_example_fails_with_another_epsilon(monkeypatch):
    def other(units, norm_epsilon, **arguments):
        return LayerNormLSTMCell(units, norm_epsilon=1e-3, **arguments)

    monkeypatch.setattr(parity, "LayerNormLSTMCell", other)
    assert failed(parity) == {"lstm addons, its own example"}


def test_parity_fails_when_epsilon_stands_outside(monkeypatch):
    monkeypatch.setattr(layer, "normalize", epsilon_outside)
    names = failed(parity)
    assert {"lstm addons, float64", "gru paper, float64", "simple_rnn addons, float64"} <= names
    assert "lstm hou, float64" not in names  # of group norms, which the fault leaves alone


@pytest.mark.skipif(not FUSED, reason="the kernels need numba")
def test_parity_fails_when_the_kernels_carry_another_state(monkeypatch):
    right = fused.spec_of
    monkeypatch.setattr(
        fused,
        "spec_of",
        lambda cell, training: replace(right(cell, training), carry=cell.cell_norm == "output"),
    )
    monkeypatch.setattr(parity, "VARIANTS", {"lstm": VARIANTS["lstm"]})
    assert failed(parity) == {
        f"lstm {n}, float32" for n in ("paper", "haste", "addons", "fastrnns")
    }


@pytest.mark.parametrize(("module", "norm"), [(layer, "layer"), (batch, "batch")])
def test_gradients_fail_when_statistics_count_as_constants(module, norm, monkeypatch):
    monkeypatch.setattr(gradients, "CELLS", ("lstm",))
    monkeypatch.setattr(gradients, "NORMS", ("none", norm))
    monkeypatch.setattr(module, "normalize", constant_moments)
    assert failed(gradients) == {f"lstm {norm}, relative error"}


@pytest.mark.skipif(not FUSED, reason="the kernels need numba")
def test_gradients_fail_when_the_kernels_backward_pass_is_off(monkeypatch):
    from seqnorm.kernels.host import operation

    right = operation.scan_backward

    def off(*arguments):
        got = right(*arguments)
        return got._replace(x=1.001 * got.x)

    monkeypatch.setattr(gradients, "CELLS", ("lstm",))
    monkeypatch.setattr(operation, "scan_backward", off)
    assert failed(gradients) == {f"lstm {norm}, relative error" for norm in gradients.NORMS}


def test_gradients_fail_when_padding_is_read(monkeypatch):
    monkeypatch.setattr(gradients, "CELLS", ("simple_rnn",))
    monkeypatch.setattr(gradients, "NORMS", ("none", "batch"))
    monkeypatch.setattr(batch, "masked_moments", unmasked)
    monkeypatch.setattr(Timeline, "enter", lambda self, x: ops.swapaxes(x, 0, 1))
    assert failed(gradients) == {"all: largest gradient at a padded input"}


def test_gradients_fail_without_epsilon(monkeypatch):
    monkeypatch.setattr(gradients, "CELLS", ("lstm",))
    monkeypatch.setattr(gradients, "NORMS", ("none", "layer"))
    monkeypatch.setattr(layer, "normalize", lambda x, mean, v, epsilon: normalize(x, mean, v, 0.0))
    assert "all: entries not finite from h = 0, x = 0" in failed(gradients)


@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_padding_fails_when_rows_meet(norm, monkeypatch):
    monkeypatch.setattr(padding, "CELLS", ("lstm",))
    monkeypatch.setattr(padding, "NORMS", ("none", norm))
    if norm == "layer":
        monkeypatch.setattr(layer, "feature_moments", over_all_rows)
    else:
        right = BatchNorm.call
        monkeypatch.setattr(
            BatchNorm, "call", lambda self, x, c: right(self, x, c._replace(training=True))
        )
    names = failed(padding)
    assert {f"{norm} loop: other rows", f"{norm} loop: fewer rows"} <= names
    assert all(name.startswith(norm) for name in names)


def test_padding_fails_when_a_padded_step_moves_the_state(monkeypatch):
    monkeypatch.setattr(padding, "CELLS", ("lstm",))
    monkeypatch.setattr(padding, "NORMS", ("none", "batch"))
    monkeypatch.setattr(scan, "hold", lambda valid, new, old: ops.cast(new, old.dtype))
    rows = {"none loop: more padding", "none loop: padding on the left", "batch loop: more padding"}
    assert rows <= failed(padding)


NAN = float("nan")


def with_nan_in(module, name, spoil):
    """A module's function whose result is spoilt at every call but the first."""
    right, calls = getattr(module, name), []

    def spoilt(*arguments):
        calls.append(arguments)
        found = right(*arguments)
        return found if len(calls) == 1 else spoil(found)

    return spoilt


@pytest.mark.parametrize(
    ("module", "name", "spoil", "rows"),  # rows: beginnings of those that stay right
    [
        pytest.param(
            padding,
            "distances",
            lambda d: d._replace(padding=NAN, left=NAN, mates=NAN, fewer=NAN),
            (),
            marks=exhaustive,
        ),
        (parity, "_alone", lambda outputs: outputs * NAN, ("lstm addons, its own example",)),
        pytest.param(
            gradients,
            "_measure",
            lambda found: (NAN, NAN, 0),
            ("all: entries not finite",),
            marks=exhaustive,
        ),
        (invariance, "_deviations", lambda found: dict.fromkeys(found, NAN), ()),
        (
            variance,
            "two_pass",
            lambda found: (found[0], found[1] * NAN),
            ("mean 0:", *(f"mean {mean}: one pass" for mean in variance.MEANS)),
        ),
    ],
)
def test_nan_is_never_lost_among_numbers(module, name, spoil, rows, monkeypatch):
    monkeypatch.setattr(module, "IMPLEMENTATIONS", ("loop", "loop"), raising=False)
    monkeypatch.setattr(module, name, with_nan_in(module, name, spoil))
    passed = [row.name for row in module.check() if row.passed]
    assert [name for name in passed if not name.startswith(rows)] == []


def test_padding_bias_fails_when_the_mask_is_ignored(monkeypatch):
    monkeypatch.setattr(batch, "masked_moments", unmasked)
    assert failed(padding_bias) == {
        "seqnorm with mask: mean",
        "seqnorm with mask: variance",
        "90 % padding, with mask: size at inference",
    }


def test_zero_alive_fails_when_an_empty_step_counts(monkeypatch):
    monkeypatch.setattr(BatchNorm, "fold", average)
    assert failed(zero_alive) == {"seqnorm, 200 empty steps: table moved by"}


def test_zero_alive_fails_once_keras_is_mended(monkeypatch):
    monkeypatch.setattr(zero_alive, "kerases", lambda: [1.0] * 4)
    assert len(failed(zero_alive)) == 4


def test_small_n_fails_when_the_variance_is_unbiased(monkeypatch):
    monkeypatch.setattr(small_n, "masked_moments", unbiased)
    monkeypatch.setattr(batch, "masked_moments", unbiased)
    names = failed(small_n)
    assert {"n = 2: mean of 1/σ", "n = 4: mean of 1/σ", "n = 8: mean of 1/σ"} <= names
    assert {f"n = {n}: largest |x̂|" for n in (2, 4, 8, 16, 64)} <= names


def test_variance_fails_in_one_pass(monkeypatch):
    monkeypatch.setattr(variance, "feature_moments", one_pass)
    assert failed(variance) >= {
        "mean 100: two passes, largest error",
        "mean 1000: two passes, largest error",
        "mean 4000: two passes, largest error",
    }


def test_zero_vector_fails_when_epsilon_stands_outside(monkeypatch):
    monkeypatch.setattr(layer, "normalize", epsilon_outside)
    names = failed(zero_vector)
    assert {"layer at 0, ε = 1e-05", "layer at 1, ε = 1e-05"} <= names
    assert not any(name.startswith("rms") for name in names)


@pytest.mark.parametrize(("module", "norm"), [(layer, "layer"), (batch, "batch")])
@pytest.mark.parametrize("check", [flow_identity, flow_orthogonal, flow_separate])
def test_flow_fails_when_the_gain_is_lost(check, module, norm, monkeypatch):
    monkeypatch.setattr(check, "NORMS", (norm,))
    monkeypatch.setattr(check, "GAINS", (0.5, 1.0))
    monkeypatch.setattr(AffineNormalizer, "affine", lambda self, x, dtype: ops.cast(x, dtype))
    assert {name.split(":")[0] for name in failed(check)} == {f"{norm}, γ = 0.5"}
