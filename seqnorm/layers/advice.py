"""Advice, given once per process: on a slower way, and on what an export cannot refuse."""

from __future__ import annotations

from functools import cache
from typing import Any
from warnings import warn

from seqnorm import kernels
from seqnorm.cells import NormCell
from seqnorm.cells.base import watchers
from seqnorm.layers.engines.why_not import replaceable

KERASS_LOOP = "keras.layers.RNN runs"  # how the warning begins


def on_padding_of_an_export(time_aware: bool, mask: Any) -> None:
    """Say what a graph cannot refuse, where batch statistics are exported with a mask."""
    if time_aware and mask is not None and kernels.is_exporting():
        _say_what_no_graph_refuses()


@cache
def _say_what_no_graph_refuses() -> None:
    warn(
        "An exported model cannot refuse padding that is not on the right. With batch statistics, "
        "which are of each step, it answers such rows with NaN. Pad them on the right.",
        RuntimeWarning,
        stacklevel=3,
    )


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
