"""Compiler options shared by the kernel functions."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from warnings import warn

import numpy as np
from numba import njit

from seqnorm.kernels import spec
from seqnorm.machine import tile_rows, vector_bytes

# Sums may be reordered so that they vectorise, and products fused. NaN and infinity keep their
# meaning: nnan and ninf would let the compiler drop them, and with them the sign of a diverging
# run.
_COMMON: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    # Nothing is allocated, so nothing needs counting: reference counts are atomic, and threads that
    # share arrays would fight for their cache lines.
    "_nrt": False,
    "fastmath": {"contract", "reassoc", "nsz"},
}


def _keeps_on_disk() -> bool:
    """Whether numba finds a folder that it can keep compiled code in."""
    try:
        njit(cache=True)(_keeps_on_disk)
    except RuntimeError:
        warn(
            "numba finds no folder to keep compiled kernels in, so every process compiles them "
            "anew. Set NUMBA_CACHE_DIR to a folder that can be written to.",
            RuntimeWarning,
            stacklevel=2,
        )
        return False
    return True


# Functions that Python calls: compiled once and kept on disk, with everything they call.
ENTRY: dict[str, Any] = _COMMON | {"cache": _keeps_on_disk()}

# Functions that only compiled code calls: no wrapper for Python, which would take most of the
# compiler's time because of the many arguments. All are inlined into their entry function: of one
# that stays a function, the process that compiles also holds a copy that was optimised by itself,
# and calls that; its sums are in another order than those of the copy that the disk keeps.
JIT: dict[str, Any] = _COMMON | {
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "forceinline": True,
}

# Parts of the time loop that take the whole call: copying it for each block of rows would cost more
# than their arithmetic.
PART: dict[str, Any] = JIT | {"inline": "always"}


# For calls of compiled functions: numba compiles a function anew for each number that is written
# into a call, and once for these (findings/numba_compiles_a_function_for_each_constant.sh).
ZERO, ONE = np.int64(0), np.int64(1)


def _source_stamp() -> int:
    """A number that changes with what compiled code is made from.

    That is the source files, and the machine's sizes that they hold as constants: numba's own key
    leaves them out where NUMBA_CPU_NAME names another processor than this one.
    """
    digest = hashlib.sha256(repr((tile_rows(), vector_bytes())).encode())
    for path in [*sorted(Path(__file__).parent.glob("*.py")), Path(spec.__file__)]:
        digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()[:6], "big") | 1


# numba looks only at the file of the function it loads from disk, not at those of the functions it
# calls. Entry functions close over this number, which numba makes part of the key.
SOURCE: int = _source_stamp()
