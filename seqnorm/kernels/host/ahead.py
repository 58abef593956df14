"""The kernels made ready ahead of the first call, or on disk: python -m ... DTYPE."""

from __future__ import annotations

import sys
from functools import cache

import numpy as np

from seqnorm.kernels.host.rows import rows_of
from seqnorm.kernels.host.scan import Record, States, Weights, scan_backward, scan_forward
from seqnorm.kernels.spec import Spec

_UNITS = 2  # with one, a matrix is laid out both ways at once, which none of a layer is


def _arrays(dtype: str) -> tuple[np.ndarray, Weights, States]:
    """A batch of one step; every cell and norm is served by the same compiled code."""

    def zeros(*shape: int) -> np.ndarray:
        return np.zeros(shape, dtype)

    columns = Spec("lstm").gates * _UNITS
    kernels, vectors = (zeros(_UNITS, columns) for _ in range(2)), [zeros(columns)] * 2
    gains = [*vectors, zeros(_UNITS)]
    return zeros(1, 1, _UNITS), Weights(*kernels, *gains, *gains), States(*zeros(2, 1, _UNITS))


@cache
def forward_ready(dtype: str) -> None:
    """Loads or compiles what a forward call needs."""
    _forward(dtype)


@cache
def backward_ready(dtype: str) -> None:
    """Likewise a backward call."""
    x, weights, initial = _arrays(dtype)
    scan_backward(_forward(dtype), x, weights, initial, np.zeros_like(x), initial)


def _forward(dtype: str) -> Record:
    x, weights, initial = _arrays(dtype)
    return scan_forward(
        Spec("lstm", dtype=dtype), x, weights, rows_of(np.ones((1, 1), bool)), initial
    )


if __name__ == "__main__":
    backward_ready(sys.argv[1])
