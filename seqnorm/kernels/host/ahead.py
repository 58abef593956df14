"""The kernels made ready ahead of the first call, or on disk: python -m ... DTYPE PART."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from seqnorm.kernels.host.compile import BACKWARD, FORWARD, compile_here
from seqnorm.kernels.host.rows import rows_of
from seqnorm.kernels.host.scan import Record, States, Weights, scan_backward, scan_forward
from seqnorm.kernels.host.workers import Run
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


def _only_compile(function: Callable[[Any], None], calls: list[Any], waiting: bool) -> None:
    compile_here(function, (calls[0],), calls[0].x.dtype)


def _nothing(function: Callable[[Any], None], calls: list[Any], waiting: bool) -> None:
    pass


@cache
def forward_ready(dtype: str) -> None:
    """Loads or compiles what a forward call needs."""
    _forward(dtype, _only_compile)


@cache
def backward_ready(dtype: str) -> None:
    """Likewise what a backward call needs beside it."""
    x, weights, initial = _arrays(dtype)
    record = _forward(dtype, _nothing)  # whose numbers are any
    d_h = np.zeros_like(x)
    scan_backward(record, x, weights, initial, d_h, initial, instead=_only_compile)


def _forward(dtype: str, instead: Run) -> Record:
    x, weights, initial = _arrays(dtype)
    rows = rows_of(np.ones((1, 1), bool))
    return scan_forward(Spec("lstm", dtype=dtype), x, weights, rows, initial, instead=instead)


if __name__ == "__main__":
    {FORWARD: forward_ready, BACKWARD: backward_ready}[sys.argv[2]](sys.argv[1])
