"""What a training step frees stays with the process, for the next step."""

from __future__ import annotations

import ctypes
import os
import platform

# Options of mallopt(3) with bytes. A heap of glibc's is no larger than this padding on 64 bits, so
# that none is given back; a padding fixes the size from which on an array is mapped by itself, and
# this is the largest that glibc would have come to.
_PADDING, _MAPPED = (-2, 64 * 2**20), (-3, 32 * 2**20)


def keep_freed_memory() -> None:
    """Has glibc's `malloc` keep what was freed; does nothing where there is no glibc.

    TensorFlow takes its tensors on a CPU from `malloc`, in threads that have heaps of their own. A
    heap with nothing left in it goes back to the system, and the next step asks for it again, page
    by page: more than a quarter of a step's time on IMDB (docs/performance.md). Who has set a
    padding in the environment (`MALLOC_TOP_PAD_`) keeps theirs, and other allocators, which take no
    advice from `mallopt`, are as they were.
    """
    if platform.libc_ver()[0] == "glibc" and "MALLOC_TOP_PAD_" not in os.environ:
        for option, size in (_PADDING, _MAPPED):
            ctypes.CDLL(None).mallopt(option, size)
