"""Layers that make their own cell: `NormLSTM(8)` for `NormRNN(NormLSTMCell(8))`."""

from __future__ import annotations

from typing import Any, ClassVar

import keras

from seqnorm.cells import NormCell, NormLSTMCell
from seqnorm.layers.recurrent import NormRNN

# What belongs to the layer and not to its cell.
_LAYER_ARGUMENTS = ("activity_regularizer", "name", "trainable", "dtype")


class CellLayer(NormRNN):
    """A `NormRNN` that makes one cell of its class and takes the arguments of both.

    Args:
        units: width of the state.
        norm: see `seqnorm.normalizers.get`.
        return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask: see
            `NormRNN`.
        **kwargs: every argument of the cell, and the Keras layer's `name`, `dtype`, `trainable`,
            `activity_regularizer`.
    """

    CELL: ClassVar[type[NormCell]]

    def __init__(
        self,
        units: int,
        norm: Any = "layer",
        *,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ):
        own = {name: kwargs.pop(name) for name in _LAYER_ARGUMENTS if name in kwargs}
        shared = {name: own[name] for name in ("dtype", "trainable") if name in own}
        super().__init__(
            self.CELL(units, norm, **shared, **kwargs),
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            zero_output_for_mask=zero_output_for_mask,
            **own,
        )

    @property
    def units(self) -> int:
        """Width of the state."""
        return self.cell.units

    def get_config(self) -> dict[str, Any]:
        """The cell's arguments and the layer's own."""
        config = super().get_config()
        del config["cell"]
        return {**self.cell.get_config(), **config}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The layer that `get_config` described."""
        config = dict(config)
        config["norm"] = keras.saving.deserialize_keras_object(config["norm"], custom_objects)
        return cls(**config)


@keras.saving.register_keras_serializable(package="seqnorm")
class NormLSTM(CellLayer):
    """LSTM layer with a normaliser inside each step; see `NormLSTMCell` and `NormRNN`.

    Example:
        >>> import keras
        >>> from seqnorm import NormLSTM
        >>> model = keras.Sequential([
        ...     keras.layers.Embedding(1000, 16, mask_zero=True),
        ...     keras.layers.Bidirectional(NormLSTM(8, norm="batch")),
        ...     keras.layers.Dense(1),
        ... ])
        >>> tuple(model(keras.ops.ones((2, 7), "int32")).shape)
        (2, 1)
    """

    CELL = NormLSTMCell
