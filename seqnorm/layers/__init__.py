"""Layers: the time loop around the cells, masked pooling, running statistics taken anew."""

from __future__ import annotations

from typing import Any

from seqnorm.cells import CELLS
from seqnorm.layers import advice  # noqa: F401 - speaks up where cells are run elsewhere
from seqnorm.layers.convenience import NormGRU, NormLSTM, NormSimpleRNN, divided
from seqnorm.layers.pooling import MaskedPooling
from seqnorm.layers.recurrent import NormRNN
from seqnorm.layers.statistics import reestimate
from seqnorm.spelling import one_of

LAYERS: dict[str, type[NormRNN]] = {
    layer.CELL.NAME: layer for layer in (NormSimpleRNN, NormLSTM, NormGRU)
}


def recurrent_layer(cell: str, /, **kwargs: Any) -> NormRNN:
    """The layer of the cell called `cell`, with its arguments.

    Args:
        cell: "simple_rnn", "lstm" or "gru", or another name in `seqnorm.cells.CELLS`.
        **kwargs: the arguments of the layer, such as `units` and `norm`.

    Raises:
        ValueError: for an unknown name.

    Examples:
        >>> from seqnorm.layers import recurrent_layer
        >>> recurrent_layer("gru", units=8, norm="rms").units
        8
    """
    if cell not in CELLS:
        raise ValueError(f"Unknown cell. Received: cell={cell!r}. {one_of(cell, CELLS)}")
    if cell in LAYERS:
        return LAYERS[cell](**kwargs)
    of_cell, own = divided(kwargs)
    return NormRNN(CELLS[cell](**of_cell), **own)


__all__ = [
    "LAYERS",
    "MaskedPooling",
    "NormGRU",
    "NormLSTM",
    "NormRNN",
    "NormSimpleRNN",
    "recurrent_layer",
    "reestimate",
]
