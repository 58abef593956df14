"""Layers: the time loop around the cells, masked pooling, running statistics taken anew."""

from __future__ import annotations

from typing import Any

from seqnorm.layers import advice  # noqa: F401 - speaks up where cells are run elsewhere
from seqnorm.layers.convenience import NormGRU, NormLSTM, NormSimpleRNN
from seqnorm.layers.pooling import MaskedPooling
from seqnorm.layers.recurrent import NormRNN
from seqnorm.layers.statistics import reestimate

LAYERS: dict[str, type[NormRNN]] = {
    layer.CELL.NAME: layer for layer in (NormSimpleRNN, NormLSTM, NormGRU)
}


def recurrent_layer(cell: str, /, **kwargs: Any) -> NormRNN:
    """The layer of the cell called `cell`, with its arguments.

    Args:
        cell: "simple_rnn", "lstm" or "gru".
        **kwargs: the arguments of the layer, such as `units` and `norm`.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> from seqnorm.layers import recurrent_layer
        >>> recurrent_layer("gru", units=8, norm="rms").units
        8
    """
    if cell not in LAYERS:
        raise ValueError(
            f"Unknown cell. Received: cell={cell!r}. Choose one of: {', '.join(LAYERS)}."
        )
    return LAYERS[cell](**kwargs)


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
