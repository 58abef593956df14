"""Layers: the time loop around the cells, and masked pooling."""

from __future__ import annotations

from typing import Any

from seqnorm.layers.convenience import NormLSTM
from seqnorm.layers.pooling import MaskedPooling
from seqnorm.layers.recurrent import NormRNN

LAYERS: dict[str, type[NormRNN]] = {"lstm": NormLSTM}


def recurrent_layer(cell: str, /, **kwargs: Any) -> NormRNN:
    """The layer of the cell called `cell`, with its arguments.

    Raises:
        ValueError: for an unknown name.
    """
    if cell not in LAYERS:
        raise ValueError(
            f"Unknown cell. Received: cell={cell!r}. Choose one of: {', '.join(LAYERS)}."
        )
    return LAYERS[cell](**kwargs)


__all__ = ["LAYERS", "MaskedPooling", "NormLSTM", "NormRNN", "recurrent_layer"]
