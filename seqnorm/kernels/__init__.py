"""Fused CPU kernels: the whole time loop of a normalised recurrent cell, compiled once.

Importing this package costs nothing; numba and TensorFlow are imported on the first call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seqnorm.kernels.spec import NO_NUMBA, NOT_IN, OF_BATCH, SITES, Spec, not_here, why_not

if TYPE_CHECKING:
    from seqnorm.kernels.graph import Outputs
    from seqnorm.kernels.scan import Weights

__all__ = [
    "NOT_IN",
    "NO_NUMBA",
    "OF_BATCH",
    "SITES",
    "Outputs",
    "Spec",
    "Weights",
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
