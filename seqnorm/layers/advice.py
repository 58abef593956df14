"""Advice, given once per process, where a cell runs slower than it need."""

from __future__ import annotations

from warnings import warn

from seqnorm.cells import NormCell
from seqnorm.cells.base import watchers
from seqnorm.layers.engines.why_not import replaceable

KERASS_LOOP = "keras.layers.RNN runs"  # how the warning begins


def on_kerass_loop(cell: NormCell) -> None:
    """Say that the layer around the cell cannot reach the kernels, where they could serve it."""
    if not replaceable(cell):
        return
    watchers.remove(on_kerass_loop)  # once is enough, whatever the cell
    name = type(cell).__name__
    warn(
        f"{KERASS_LOOP} {name} step by step. seqnorm.NormRNN(cell) takes the same arguments and "
        "weights, gives the same numbers, and needs a fraction of the time on a CPU. Write "
        f"seqnorm.NormRNN({name}(...)).",
        RuntimeWarning,
        stacklevel=2,
    )


watchers.append(on_kerass_loop)
