"""The pool under finalisers that run at any moment."""

from __future__ import annotations

import gc

import numpy as np

from seqnorm.kernels.host import pool
from seqnorm.kernels.host.pool import Pool


def test_a_block_that_comes_back_in_the_middle_of_a_loan(monkeypatch):
    """A finaliser may run between looking for a block and taking it."""
    lender = Pool()
    small, large = (lender.lend((size,), np.dtype(np.uint8)) for size in (5000, 9000))
    del large
    held = [small]
    del small
    search = pool.bisect_left

    def searching(free, key):
        at = search(free, key)
        held.clear()  # the smaller block comes back and would be sorted in before the place found
        gc.collect()
        return at

    monkeypatch.setattr(pool, "bisect_left", searching)
    got = lender.lend((9000,), np.dtype(np.uint8))
    assert got.nbytes == 9000
    assert lender.held == 9024 + 5056  # multiples of the alignment
    del got
    assert lender.held == 9024 + 5056


def test_what_is_lent_comes_back():
    lender = Pool()
    array = lender.lend((3, 100), np.dtype(np.float32))
    address = array.ctypes.data
    assert address % 64 == 0
    view = array[1:]
    del array
    other = lender.lend((3, 100), np.dtype(np.float32))
    assert other.ctypes.data != address  # the view keeps the first alive
    del view, other
    assert lender.lend((3, 100), np.dtype(np.float32)).ctypes.data % 64 == 0
