"""The kernels against plain NumPy loops: values, gradients, padding, NaN, threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("numba")

from seqnorm.kernels.host import plan
from seqnorm.kernels.host.arrays import States
from seqnorm.kernels.host.rows import rows_of
from seqnorm.kernels.host.scan import last_states, moments, scan_forward
from seqnorm.kernels.host.scan_back import scan_backward
from seqnorm.kernels.spec import SiteSpec, Spec
from tests.kernels import loops

CELLS = [
    (cell, norm, carry)
    for cell in ("simple_rnn", "lstm", "gru")
    for norm in ("none", "layer", "group", "rms", "batch")
    for carry in (False, True)
    if not carry or (cell == "lstm" and norm != "none")
]
LENGTHS = [6, 0, 3, 4, 6, 2, 5]
# float32: rounding grows where the moments come from two or three rows.
TOLERANCE = {"float64": 1e-12, "float32": 2e-5}


def _case(cell, norm, carry, rng, dtype="float64", lengths=LENGTHS, units=19):
    spec = loops.spec(cell, norm, carry, dtype=dtype)
    return loops.case(spec, rng, lengths, steps=6, inputs=5, units=units)


def _alive(case):
    return np.arange(case.x.shape[1]) < case.lengths[:, None]


def _forward(case, spec=None, given=(None, None, None)):
    rows = rows_of(_alive(case))
    return scan_forward(spec or case.spec, case.x, case.weights, rows, case.initial, given)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("cell", "norm", "carry"), CELLS)
def test_values_match_the_loop(cell, norm, carry, dtype, rng):
    case = _case(cell, norm, carry, rng, dtype)
    sequence, last = loops.run(case)
    record = _forward(loops.cast(case, dtype))
    found = last_states(record, loops.cast(case, dtype).initial)
    alive = _alive(case)
    np.testing.assert_allclose(record.h[alive], sequence[alive], atol=TOLERANCE[dtype], rtol=0)
    np.testing.assert_allclose(found.h, last.h, atol=TOLERANCE[dtype], rtol=0)
    if cell == "lstm":
        np.testing.assert_allclose(found.c, last.c, atol=TOLERANCE[dtype], rtol=0)


def _gradients(case, d_h, d_last):
    got = scan_backward(_forward(case), case.x, case.weights, case.initial, d_h, d_last)
    return {"x": got.x, "h0": got.initial.h, "c0": got.initial.c, **got.weights._asdict()}


def _loss(case, d_h, d_last):
    sequence, last = loops.run(case)
    total = (sequence * d_h).sum() + (last.h * d_last.h).sum()
    return total + (last.c * d_last.c).sum() if case.spec.cell == "lstm" else total


def _moved(case, name, by):
    if name == "x":
        return case._replace(x=case.x + by)
    if name in ("h0", "c0"):
        key = name[0]
        return case._replace(
            initial=case.initial._replace(**{key: getattr(case.initial, key) + by})
        )
    return case._replace(weights=case.weights._replace(**{name: getattr(case.weights, name) + by}))


def _used(spec):
    names = ["x", "h0", "kernel", "recurrent_kernel", "offset_in"]
    names += ["gain_in", "gain_rec"] if spec.recurrent.kind != "none" else []
    names += ["offset_rec"] if spec.cell == "gru" else []
    names += ["c0", "offset_state"] if spec.cell == "lstm" else []
    return names + (["gain_state"] if spec.state.kind != "none" else [])


@pytest.mark.parametrize(("cell", "norm", "carry"), CELLS)
def test_gradients_match_finite_differences(cell, norm, carry, rng):
    case = _case(cell, norm, carry, rng)
    d_h = rng.normal(size=(*case.x.shape[:2], 19))
    d_last = States(*rng.normal(size=(2, len(LENGTHS), 19)))
    if cell != "lstm":
        d_last = d_last._replace(c=np.zeros_like(d_last.c))
    found = _gradients(case, d_h, d_last)
    for name in _used(case.spec):
        direction = rng.normal(size=found[name].shape)
        step = 1e-5
        ends = [_loss(_moved(case, name, sign * step * direction), d_h, d_last) for sign in (1, -1)]
        numeric = (ends[0] - ends[1]) / (2 * step)
        assert (found[name] * direction).sum() == pytest.approx(numeric, rel=2e-5, abs=1e-6), name


@pytest.mark.parametrize("norm", ["layer", "group"])
@pytest.mark.parametrize("split", [True, False])
def test_gru_norms_together_or_apart(split, norm, rng):
    spec = loops.spec("gru", norm, split=split)
    case = loops.case(spec, rng, [4, 2], 4, 3, 8)
    np.testing.assert_allclose(_forward(case).h[0], loops.run(case)[0][0], atol=1e-12)


@pytest.mark.parametrize("groups", [2, 6, 24])
def test_any_number_of_groups(groups, rng):
    site = SiteSpec("layer", 1e-3, ((4, groups),))
    spec = Spec("lstm", site, site, SiteSpec("layer", 1e-2, ((1, 3),)), dtype="float64")
    case = loops.case(spec, rng, LENGTHS, steps=6, inputs=5, units=12)
    alive = _alive(case)
    np.testing.assert_allclose(_forward(case).h[alive], loops.run(case)[0][alive], atol=1e-12)


@pytest.mark.parametrize("units", [1, 16, 32, 33, 70])
@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_any_width(units, norm, rng):
    case = _case("lstm", norm, False, rng, units=units)
    alive = _alive(case)
    np.testing.assert_allclose(_forward(case).h[alive], loops.run(case)[0][alive], atol=1e-12)


@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
def test_padding_is_not_read_and_has_no_gradient(norm, rng):
    case = _case("lstm", norm, False, rng)
    ended = ~_alive(case)
    dirty = case._replace(x=np.where(ended[..., None], np.nan, case.x))
    zeros = States(np.zeros((7, 19)), np.zeros((7, 19)))
    d_h = np.where(ended[..., None], np.nan, rng.normal(size=(7, 6, 19)))
    found = _gradients(dirty, d_h, zeros)
    assert all(np.isfinite(value).all() for value in found.values())
    assert (found["x"][ended] == 0).all()


@pytest.mark.parametrize("norm", ["none", "layer", "rms"])
def test_a_row_does_not_depend_on_its_batch(norm, rng):
    case = loops.cast(_case("lstm", norm, False, rng, "float32"), "float32")
    whole = _forward(case).h
    for row, length in enumerate(LENGTHS):
        one = slice(row, row + 1)
        alone = case._replace(
            x=case.x[one].copy(),
            lengths=case.lengths[one],
            initial=States(*(s[one].copy() for s in case.initial)),
        )
        assert (_forward(alone).h[0, :length] == whole[row, :length]).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize(
    ("cell", "norm"), [("lstm", "none"), ("lstm", "layer"), ("gru", "rms"), ("simple_rnn", "layer")]
)
def test_what_is_not_a_number_is_seen(value, cell, norm, rng):
    case = loops.cast(_case(cell, norm, False, rng, "float32"), "float32")
    case.x[0, 2] = value
    case.weights.kernel[:] = abs(case.weights.kernel)
    h = _forward(case).h
    assert np.isfinite(h[0, :2]).all() and np.isfinite(h[4]).all()
    if np.isnan(value) or norm != "none":
        assert np.isnan(h[0, 2:]).all()


def test_moments_are_those_of_the_rows_alive(rng):
    case = _case("simple_rnn", "batch", False, rng)
    found, _, state = moments(_forward(case))
    for step in range(6):
        u = case.x[case.lengths > step, step] @ case.weights.kernel
        np.testing.assert_allclose(found[step], [u.mean(0), u.var(0)], atol=1e-12)
    assert state is None


def test_fixed_moments_are_an_affine_map(rng):
    case = _case("lstm", "batch", False, rng)
    given = moments(_forward(case))
    for seen, site in zip(given, case.spec.sites, strict=True):
        seen[:, 1] = 1 / np.sqrt(seen[:, 1] + site.epsilon)
    spec = loops.spec("lstm", "fixed")
    alive = _alive(case)
    found = _forward(case, spec, given).h[alive]
    np.testing.assert_allclose(found, loops.run(case)[0][alive], atol=1e-12)


@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_same_bytes_every_time_and_for_many_callers(norm, rng):
    case = loops.cast(_case("lstm", norm, False, rng, "float32", units=64), "float32")
    d_h = rng.normal(size=(7, 6, 64)).astype("float32")
    zeros = States(*np.zeros((2, 7, 64), "float32"))

    def once(_):
        return b"".join(value.tobytes() for value in _gradients(case, d_h, zeros).values())

    first = once(0)
    with ThreadPoolExecutor(4) as callers:
        assert all(result == first for result in callers.map(once, range(16)))


@pytest.mark.parametrize("threads", ["1", "2", "3", "4", "7"])
@pytest.mark.parametrize("norm", ["layer", "batch"])
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_any_number_of_threads(cell, norm, threads, rng, monkeypatch):
    """Also of some whose rows have all ended, or never began."""
    case = _case(cell, norm, False, rng, units=64)
    d_h, d_last = rng.normal(size=(7, 6, 64)), States(*rng.normal(size=(2, 7, 64)))
    monkeypatch.setenv("SEQNORM_THREADS", "1")
    alone = _gradients(case, d_h, d_last)
    monkeypatch.setenv("SEQNORM_THREADS", threads)
    alive = _alive(case)
    np.testing.assert_allclose(_forward(case).h[alive], loops.run(case)[0][alive], atol=1e-12)
    for name, value in _gradients(case, d_h, d_last).items():
        np.testing.assert_allclose(value, alone[name], atol=1e-11, err_msg=name)


@pytest.mark.parametrize("threads", ["1", "3"])
@pytest.mark.parametrize(("cell", "norm", "carry"), CELLS)
def test_what_is_computed_again_is_what_was_kept(cell, norm, carry, threads, rng, monkeypatch):
    """Over several chunks, with threads that share them; to the last bit."""
    monkeypatch.setenv("SEQNORM_THREADS", threads)
    lengths = rng.integers(0, 21, size=40).tolist()
    case = loops.case(loops.spec(cell, norm, carry), rng, lengths, steps=20, inputs=30, units=64)
    d_h, d_last = rng.normal(size=(40, 20, 64)), States(*rng.normal(size=(2, 40, 64)))
    found = []
    for keeps in (True, False):
        monkeypatch.setattr(plan, "_AGAIN", np.inf if keeps else 0)
        plan.plan.cache_clear()
        shares = _forward(case).shares
        assert {share.keeps for share in shares} == {keeps or case.spec.joined}
        assert all(len(share.layout.chunks) > 2 for share in shares)
        found.append(_gradients(case, d_h, d_last))
    plan.plan.cache_clear()
    kept, again = found
    for name, value in kept.items():
        assert (again[name] == value).all(), name
