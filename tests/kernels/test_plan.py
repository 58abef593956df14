"""Which rows a thread has, and where outputs stand."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from seqnorm.kernels import SiteSpec, Spec
from seqnorm.kernels.host.plan import plan
from seqnorm.kernels.host.rows import rows_of

LAYER = SiteSpec("layer")


def _rows(lengths, steps):
    return rows_of(np.arange(steps) < np.array(lengths)[:, None])


def _work(share):
    """Tokens, and steps: each reads U, which takes as long as one row more."""
    return share.tokens + len(share.layout.alive)


@pytest.mark.parametrize("threads", [2, 3])
def test_one_long_row_leaves_the_others_to_other_threads(threads):
    lengths = [100, *[20] * 12]
    shares = plan(Spec("lstm", LAYER, LAYER), _rows(lengths, 100), 8, 16, threads)
    work = [_work(share) for share in shares]
    assert max(work) - min(work) <= 2 * 20 * threads
    dealt = np.concatenate([share.layout.rows for share in shares])
    assert sorted(dealt.tolist()) == list(range(len(lengths)))
    assert all((np.diff(share.layout.lengths) <= 0).all() for share in shares)


@pytest.mark.parametrize("lengths", [[5, 5, 5, 5], [0, 0, 0, 0], [5, 0, 0, 0]])
def test_every_thread_has_rows(lengths):
    shares = plan(Spec("gru"), _rows(lengths, 5), 8, 16, 4)
    assert [len(share.layout.rows) for share in shares] == [1, 1, 1, 1]


@pytest.mark.parametrize("backwards", [False, True])
def test_rows_without_holes_stand_where_their_outputs_belong(backwards):
    mask = np.array([[0, 1, 1, 0, 0], [1, 1, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]], bool)
    rows = rows_of(mask, backwards)
    assert not rows.holes
    assert rows.begins.tolist() == ([2, 3, 0, 5] if backwards else [1, 0, 4, 5])
    mask[0, 4] = True
    holed = rows_of(mask, backwards)
    assert holed.holes and not holed.begins.any()


def test_threads_that_meet_have_as_many_rows_at_each_step():
    batch = SiteSpec("batch")
    lengths = [100, *[20] * 12, 0]
    shares = plan(Spec("lstm", batch, batch), _rows(lengths, 100), 8, 16, 3)
    alive = np.array([share.layout.alive for share in shares])
    assert alive.shape == (3, 100)  # they meet to the last step, with a row or without
    assert (np.ptp(alive, axis=0) <= 1).all() and alive[:, :20].sum(axis=0).tolist() == [13] * 20
    for index, share in enumerate(shares):
        assert (share.sizes.share, share.sizes.shares) == (index, 3)
        assert share.layout.together.tolist() == alive.reshape(-1).tolist()


def test_groups_are_parts_of_the_gates_that_a_norm_covers():
    site = SiteSpec("layer", parts=((2, 4), (1, 1)))
    (share,) = plan(Spec("gru", site, LAYER), _rows([3], 3), 8, 16, 1)
    first, second, _ = (pieces.tolist() for pieces in share.pieces)
    assert first == [[0, 8], [8, 8], [16, 8], [24, 8], [32, 16]]
    assert second == [[0, 48]]
