"""Aligned buffers that are used again: a fresh large array costs a page fault for every 4 KiB."""

from __future__ import annotations

import math
import threading
import weakref
from bisect import bisect_left, insort
from collections import deque

import numpy as np

_ALIGN = 64  # bytes; TensorFlow takes an array without a copy from this alignment on
_SMALLEST = 1 << 12


class Pool:
    """Lends aligned arrays; safe for several threads.

    Args:
        slack: memory that is kept when a block comes back, lent and free together, as a multiple of
            the most that was ever lent at once.
    """

    def __init__(self, slack: float = 1.0) -> None:
        self._slack = slack
        self._lock = threading.Lock()
        # A finaliser runs between any two instructions, of this class too: it only leaves the block
        # here, which is atomic.
        self._returned: deque[np.ndarray] = deque()
        self._free: list[tuple[int, int, np.ndarray]] = []  # by size
        self._lent = self._peak = self._kept = 0

    def lend(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """An uninitialised array, returned to the pool when the array object is no longer used.

        Views keep it alive, since they refer to it as their base.
        """
        count = math.prod(shape)
        block = self._take(max(count * dtype.itemsize, 1))
        owner = np.frombuffer(block.data, dtype=dtype, count=count)
        weakref.finalize(owner, self._returned.append, block).atexit = False
        return owner.reshape(shape)

    def _take(self, size: int) -> np.ndarray:
        with self._lock:
            self._sort_in()
            at = bisect_left(self._free, (size,))
            if at < len(self._free) and self._free[at][0] <= max(2 * size, _SMALLEST):
                block = self._free.pop(at)[2]
                self._kept -= block.nbytes
            else:
                block = _aligned(max(size, _SMALLEST))
            self._lent += block.nbytes
            self._peak = max(self._peak, self._lent)
            return block

    def _sort_in(self) -> None:
        """Take in what came back; with the lock held."""
        while self._returned:
            block = self._returned.popleft()
            self._lent -= block.nbytes
            self._kept += block.nbytes
            insort(self._free, (block.nbytes, id(block), block))
            while self._kept + self._lent > self._slack * self._peak and len(self._free) > 1:
                self._kept -= self._free.pop(0)[0]

    @property
    def held(self) -> int:
        """Bytes lent and kept."""
        with self._lock:
            self._sort_in()
            return self._lent + self._kept


def _aligned(size: int) -> np.ndarray:
    size = -(-size // _ALIGN) * _ALIGN
    raw = np.empty(size + _ALIGN, np.uint8)
    start = -raw.ctypes.data % _ALIGN
    return raw[start : start + size]


POOL = Pool()
