"""Fused CPU kernels: the whole time loop of a normalised recurrent cell, compiled once.

Importing this package costs nothing; numba and the backend are imported on the first call.

    contract   what a cell and a normaliser are to a kernel: their `to_kernel`
    spec       what is computed: kinds of cells and norms; why_not
    surroundings   why a backend has no use for the kernels here and now
    host/      a call: tensorflow, torch, jax (gradients) -> operation (arrays in, arrays out, what
               is kept between) -> scan
      tables               running statistics of batches
      plan, rows           which rows or units a thread has, and where their tokens lie
      buffers, pool        memory
      workers              threads
      compile, ahead       compilation before any of them starts; before a graph runs
    compiled/  arguments: `Call`, all that one thread gets, with its three `Site`s
      forward, backward    the loop over steps; a block of rows: step
      cells                which cell: simple_rnn, lstm, gru
      moments, sites       norms
      alone, or together   those of batches: coupling, meeting, together_back, columns, panel
      products, tile       matrix products
      flat, window, reference, activations, sync, options

A norm more: its kind in `spec`, its numbers in `moments` and `sites`; nothing but its `to_kernel`
if it is a known kind over other parts of a row. A cell more: its file, its lines in `cells` and
`spec`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from seqnorm.kernels.contract import KernelCell, KernelNorm, KernelTable, Mixing, changed
from seqnorm.kernels.spec import (
    CELLS,
    NO_NUMBA,
    NOT_IN,
    OF_BATCH,
    SITES,
    STEPS,
    SiteSpec,
    Spec,
    not_here,
    why_not,
)
from seqnorm.kernels.surroundings import called_by, is_exporting, obstacle

if TYPE_CHECKING:
    from seqnorm.kernels.host.arrays import Outputs, Weights

__all__ = [
    "CELLS",
    "NOT_IN",
    "NO_NUMBA",
    "OF_BATCH",
    "SITES",
    "STEPS",
    "KernelCell",
    "KernelNorm",
    "KernelTable",
    "Mixing",
    "Outputs",
    "SiteSpec",
    "Spec",
    "Weights",
    "called_by",
    "changed",
    "fused_scan",
    "is_exporting",
    "not_here",
    "obstacle",
    "why_not",
]


def fused_scan(
    spec: Spec,
    x: Any,
    weights: Weights,
    mask: Any = None,
    initial: tuple[Any, Any] | None = None,
    given: Mapping[str, Any] | None = None,
    tables: Mapping[str, Sequence[KernelTable]] | None = None,
    *,
    counted: Any = None,
    backwards: bool = False,
    repeat: bool = True,
    outputs: str | None = "steps",
) -> Outputs:
    """Runs a recurrent cell over a batch; differentiable once in x, weights and initial.

    Args:
        spec: cell, norms and dtype.
        x: [B, T, E] of the spec's dtype, a tensor of Keras's backend: TensorFlow, torch or JAX.
        weights: tensors of the spec's dtype; see `Weights` for shapes and unused entries.
        mask: bool[B, T], the alive steps, or None: all.
        initial: (h, c), each [B, H], or None: zeros.
        given: for sites ("input", "recurrent", "state") of kind "fixed" mean and
            1 / sqrt(variance + epsilon), [T, 2, columns].
        tables: for sites of kind "batch" and "renorm" the running statistics of each of the norms
            side by side, which the moments of the batch are mixed with and folded into (none: those
            of the batch normalise as they are). Row t is step t's; later ones share the last.
        counted: bool[], whether the batch is folded into the tables; None: it is.
        backwards: run from the last token to the first.
        repeat: the output of a masked step repeats the one before it; otherwise it is zero.
        outputs: what is wanted beside the last states: "steps", the outputs of all steps; "mean" or
            "max", that of each row's alive ones (zeros where there is none); None, nothing.

    Returns:
        Outputs; `moments` has an entry for each site of kind "batch" or "renorm", `tables` the next
        values of what was given.

    Raises:
        LookupError: if a second derivative is asked for.
        ValueError: for a mask, states or weights of another shape; torch: for tensors that are not
            on the CPU.
        TypeError: JAX: under `jax.jvp`.
    """
    import keras

    from seqnorm.kernels.host.arrays import Inputs
    from seqnorm.kernels.host.operation import Scan

    binding = import_module(f"seqnorm.kernels.host.{keras.backend.backend()}")
    by_site = [(tables or {}).get(site, ()) for site in SITES]
    mixings = tuple(tuple(table.mixing for table in each) for each in by_site)
    scan = Scan(spec, backwards, repeat, outputs, mixings)
    found = tuple((given or {}).get(site) for site in SITES)
    flat = tuple(value for each in by_site for table in each for value in table[:3])
    counted = True if counted is None else counted
    inputs = Inputs(x, mask, *(initial or (None, None)), weights, found, counted, flat)
    return binding.run(scan, inputs)


def __getattr__(name: str) -> Any:
    if name in ("Outputs", "Weights"):
        from seqnorm.kernels.host import arrays

        return getattr(arrays, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
