"""Fused CPU kernels: the whole time loop of a normalised recurrent cell, compiled once.

Importing this package costs nothing; numba and TensorFlow are imported on the first call.

    contract   what a cell and a normaliser are to a kernel: their `to_kernel`
    spec       what is computed: kinds of cells and norms; why_not
    machine    what the processor offers
    host/      a call: tensorflow (gradients, tickets) -> scan (NumPy alone)
      plan, rows           which rows or units a thread has, and where their tokens lie
      buffers, pool        memory
      workers              threads
      compile, ahead       compilation before any of them starts; before a graph runs
    compiled/  arguments: `Call`, all that one thread gets, with its three `Site`s
      forward, backward    the loop over steps; a block of rows: step
      cells                which cell: simple_rnn, lstm, gru
      moments, sites       norms
      products, tile       matrix products
      flat, window, activations, sync, options

A norm more: its kind in `spec`, its numbers in `moments` and `sites`; nothing but its `to_kernel`
if it is a known kind over other parts of a row. A cell more: its file, its lines in `cells` and
`spec`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seqnorm.kernels.contract import KernelCell, KernelNorm, changed
from seqnorm.kernels.spec import (
    CELLS,
    NO_NUMBA,
    NOT_IN,
    OF_BATCH,
    SITES,
    SiteSpec,
    Spec,
    not_here,
    why_not,
)

if TYPE_CHECKING:
    from seqnorm.kernels.host.scan import Weights
    from seqnorm.kernels.host.tensorflow import Outputs

__all__ = [
    "CELLS",
    "NOT_IN",
    "NO_NUMBA",
    "OF_BATCH",
    "SITES",
    "KernelCell",
    "KernelNorm",
    "Outputs",
    "SiteSpec",
    "Spec",
    "Weights",
    "changed",
    "fused_scan",
    "not_here",
    "why_not",
]


def fused_scan(*args: Any, **kwargs: Any) -> Outputs:
    """See `seqnorm.kernels.host.tensorflow.fused_scan`."""
    from seqnorm.kernels.host import tensorflow

    return tensorflow.fused_scan(*args, **kwargs)


def __getattr__(name: str) -> Any:
    if name == "Weights":
        from seqnorm.kernels.host.scan import Weights

        return Weights
    if name == "Outputs":
        from seqnorm.kernels.host.tensorflow import Outputs

        return Outputs
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
