"""The kernels made ready ahead of the first call, or on disk: python -m ... PART DTYPE COUPLED."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from seqnorm.kernels.host.arrays import States, Weights
from seqnorm.kernels.host.compile import BACKWARD, FORWARD, Code
from seqnorm.kernels.host.rows import rows_of
from seqnorm.kernels.host.scan import scan_forward
from seqnorm.kernels.host.scan_back import scan_backward
from seqnorm.kernels.host.tables import Table, folded
from seqnorm.kernels.host.workers import ready
from seqnorm.kernels.spec import SiteSpec, Spec

_UNITS = 2  # with one, a matrix is laid out both ways at once, which none of a layer is


def forward_ready(spec: Spec) -> None:
    """Loads or compiles what a forward call needs."""
    make_ready(Code(FORWARD, spec.dtype, spec.couples_rows))


def backward_ready(spec: Spec) -> None:
    """Likewise what a backward call needs beside it."""
    make_ready(Code(BACKWARD, spec.dtype, spec.couples_rows))


@cache
def make_ready(code: Code) -> None:
    """Makes a call of one step, of any cell and norm: all are served by the same compiled code."""
    norm = SiteSpec("batch" if code.coupled else "none")
    spec = Spec("lstm", norm, norm, norm, dtype=code.dtype)
    x, weights, initial = _arrays(spec)
    rows = rows_of(np.ones((1, 1), bool))
    instead = ready if code.part == FORWARD else _nothing
    record = scan_forward(spec, x, weights, rows, initial, instead=instead)
    if code.coupled and code.part == FORWARD:
        one = np.ones((1, 1), code.dtype)
        folded(Table(one, one, one), np.ones((1, 2, 1), code.dtype), np.ones(1), momentum=1.0)
    if code.part == BACKWARD:  # of what the forward pass has left, whatever that is
        scan_backward(record, x, weights, initial, np.zeros_like(x), initial, instead=ready)


def _arrays(spec: Spec) -> tuple[np.ndarray, Weights, States]:
    def zeros(*shape: int) -> np.ndarray:
        return np.zeros(shape, spec.dtype)

    columns = spec.gates * _UNITS
    kernels, vectors = (zeros(_UNITS, columns) for _ in range(2)), [zeros(columns)] * 2
    gains = [*vectors, zeros(_UNITS)]
    return zeros(1, 1, _UNITS), Weights(*kernels, *gains, *gains), States(*zeros(2, 1, _UNITS))


def _nothing(function: Callable[[Any], None], calls: list[Any], waiting: bool) -> None:
    pass


if __name__ == "__main__":
    make_ready(Code(sys.argv[1], sys.argv[2], sys.argv[3] == str(True)))
