"""Inputs that begin with zeros: what they do to a run, before it and after one that diverged."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np

from seqnorm.lab.models.classifier import recurrent_layers
from seqnorm.spelling import counted


class Silence(NamedTuple):
    """The steps at the start of a batch that are nothing but zeros to a layer that suffers."""

    steps: int = 0
    of_batch: bool = False  # in every row, which a norm over the batch suffers from


def leading_zeros(model: keras.Model, tokens: Any) -> Silence:
    """How many steps, all of them zero, a batch begins with at the first recurrent layer.

    A norm over features suffers from those of a row, and a norm over the batch from those that all
    rows have in common: there the rows are the same, with the slope 1 / sqrt(ε) as well, and stay
    the same once they have left zero (see `seqnorm.cells.first_state`).

    Args:
        model: the classifier as it is before training: afterwards its numbers may be none.
        tokens: int32[batch, time] or float32[batch, time, features].

    Returns:
        The number in the row that has most, or in all of them; 0 where no layer suffers from them.
    """
    of_rows = _exposed(model, of_batch=False)
    of_batch = _exposed(model, of_batch=True)
    if not (of_rows or of_batch):
        return Silence()
    inputs = model.get_layer(_name_in(model, (of_rows or of_batch)[0])).input
    x = np.array(keras.Model(model.input, _first(inputs))(tokens))
    still = np.logical_and.accumulate(np.all(x == 0, axis=-1), axis=1).sum(axis=1)
    return Silence(int(still.max(initial=0) if of_rows else still.min()), not of_rows)


def advice(silence: Silence) -> str:
    """What to say of a run that diverged, whose inputs begin with such zeros; "" for none."""
    if not silence.steps:
        return ""
    if silence.of_batch:
        return (
            f" All rows of a batch begin with {silence.steps} steps of zeros, each of which "
            "multiplies the gradient where the norm is over the batch: cell.init_state=noise ends "
            "that."
        )
    return (
        f" Rows begin with up to {silence.steps} steps of zeros, each of which multiplies the "
        "gradient where cell.init_state=zeros: cell.init_state=rest or learned ends that."
    )


def warning(silence: Silence) -> str:
    """What to say before training where all rows of a batch begin with zeros; "" for nothing.

    While they are silent their states are alike, and the variance over the batch is one that no
    average over batches stands for (docs/leading_zeros.md).
    """
    if not (silence.steps and silence.of_batch):
        return ""
    steps = counted(silence.steps, "step")
    return (
        f"all rows of a batch begin with {steps} of zeros, where batch norm sees other statistics "
        "in training than in the test: cell.init_state=noise is advised"
    )


def _exposed(model: keras.Model, *, of_batch: bool) -> list[Any]:
    """The recurrent layers of the model that suffer from zeros of a row, or of the batch."""
    harmless = ("noise",) if of_batch else ("rest", "learned", "noise")
    return [
        layer
        for layer in recurrent_layers(model)
        if any(
            cell.init_state not in harmless
            and any(n.scale_free and n.mixes_rows is of_batch for n in cell.normalizers.values())
            for cell in layer.cells
        )
    ]


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
