"""Fused CPU kernels: the whole time loop of a normalised recurrent cell, compiled once.

Importing this package costs nothing; numba and TensorFlow are imported on the first call.

    what it is to a kernel       contract   a cell's and a normaliser's `to_kernel`
    what is computed             spec       kinds of cells and norms; why_not
    what the machine has         machine
    a call                       graph -> scan -> plan, rows, buffers, pool, workers
      in TensorFlow              graph      gradients, tickets; scan is NumPy alone
      divided among threads      plan       which rows or units, and where tokens lie
    compiled                     arguments  `Call`, all that one thread gets, and its three `Site`s
      the loop over steps        forward, backward; a block of rows: step
      a cell                     cells -> simple_rnn, lstm, gru
      a norm                     moments, sites
      products                   products -> tile
      rows of flat arrays        flat, window, activations; a barrier: sync

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
    OF_BATCH,
    SITES,
    SiteSpec,
    Spec,
    not_here,
    why_not,
)

if TYPE_CHECKING:
    from seqnorm.kernels.graph import Outputs
    from seqnorm.kernels.scan import Weights

__all__ = [
    "CELLS",
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
    """See `seqnorm.kernels.graph.fused_scan`."""
    from seqnorm.kernels import graph

    return graph.fused_scan(*args, **kwargs)


def __getattr__(name: str) -> Any:
    if name == "Weights":
        from seqnorm.kernels.scan import Weights

        return Weights
    if name == "Outputs":
        from seqnorm.kernels.graph import Outputs

        return Outputs
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
