"""Why a run diverged, where that can be told: inputs that begin with zeros."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from seqnorm.lab.models.classifier import recurrent_layers


def leading_zeros(model: keras.Model, tokens: Any) -> int:
    """How many steps, all of them zero, a row may begin with at the first recurrent layer.

    Args:
        model: the classifier as it is before training: afterwards its numbers may be none.
        tokens: int32[batch, time].

    Returns:
        The number in the row that has most; 0 where no layer suffers from them (see
        `seqnorm.cells.first_state`).
    """
    exposed = [
        layer
        for layer in recurrent_layers(model)
        if any(cell.init_state == "zeros" and _amplifies(cell) for cell in layer.cells)
    ]
    if not exposed:
        return 0
    inputs = model.get_layer(_name_in(model, exposed[0])).input
    x = np.array(keras.Model(model.input, _first(inputs))(tokens))
    still = np.logical_and.accumulate(np.all(x == 0, axis=-1), axis=1)
    return int(still.sum(axis=1).max(initial=0))


def advice(zeros: int) -> str:
    """What to say of a run that diverged, whose inputs begin with so many zeros; "" for none."""
    if not zeros:
        return ""
    return (
        f" Rows begin with up to {zeros} steps of zeros, each of which multiplies the gradient "
        "where cell.init_state=zeros: cell.init_state=rest or learned ends that."
    )


def _amplifies(cell: Any) -> bool:
    return any(norm.scale_free for norm in cell.normalizers.values())


def _name_in(model: keras.Model, layer: Any) -> str:
    """The name under which the model holds a recurrent layer, perhaps in both directions."""
    for each in model.layers:
        if each is layer or layer in (
            getattr(each, "forward_layer", None),
            getattr(each, "backward_layer", None),
        ):
            return each.name
    raise ValueError(f"The model has no layer that holds {layer.name}.")


def _first(inputs: Any) -> Any:
    """The sequence, without the mask beside it."""
    return inputs[0] if isinstance(inputs, (list, tuple)) else inputs
