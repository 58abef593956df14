"""Layers that make their own cell: `NormLSTM(8)` for `NormRNN(NormLSTMCell(8))`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import keras

from seqnorm.cells import NormCell, NormGRUCell, NormLSTMCell, NormSimpleRNNCell
from seqnorm.cells.base import LAYER
from seqnorm.layers.recurrent import NormRNN
from seqnorm.signatures import NamedArguments, constructors, refuse_unknown

# What belongs to the layer; everything else is the cell's. The two last ones belong to both.
_SHARED = ("dtype", "trainable")
_LAYER = (
    *(set(inspect.signature(NormRNN.__init__).parameters) - {"self", "cell", "kwargs"}),
    "activity_regularizer",
    "autocast",
    "input_dim",
    "input_shape",
    "name",
    *_SHARED,
)


def _constructors(layer: type[CellLayer]) -> list[Callable[..., None]]:
    """Those of the layer, of its cell, of `NormRNN`."""
    every, of_any_layer = constructors(layer), constructors(NormRNN)
    own = every[: len(every) - len(of_any_layer)]
    return [*own, *constructors(layer.CELL), *of_any_layer]


def divided(arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arguments of a layer that makes its own cell: the cell's, and those of `NormRNN`."""
    own = {name: value for name, value in arguments.items() if name in _LAYER}
    cells = {k: v for k, v in arguments.items() if k not in own or k in _SHARED}
    return cells, own


class CellLayer(NormRNN):
    """A `NormRNN` that makes one cell of its class and takes the arguments of both.

    Args:
        units: width of the state.
        norm: the normaliser, as the cell takes it.
        **kwargs: every argument of the cell; `return_sequences`, `return_state`, `go_backwards`,
            `stateful`, `unroll`, `zero_output_for_mask` of `NormRNN`; `name`, `dtype`, `trainable`,
            `activity_regularizer` of the Keras layer.
    """

    CELL: ClassVar[type[NormCell]]

    __signature__ = NamedArguments(
        _constructors, lambda layer: ("cell", "settled", *layer.CELL.SETTLED)
    )

    def __init__(self, units: int, norm: Any = LAYER, **kwargs: Any):
        refuse_unknown(type(self), kwargs, _constructors(type(self)))
        of_cell, own = divided(kwargs)
        super().__init__(self.CELL(units, norm, **of_cell), **own)

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
        if "norm" in config:
            config["norm"] = keras.saving.deserialize_keras_object(config["norm"], custom_objects)
        return cls(**config)


@keras.saving.register_keras_serializable(package="seqnorm")
class NormSimpleRNN(CellLayer):
    """Simple recurrent layer with a normaliser inside each step.

    The equations are those of `NormSimpleRNNCell`.

    Args:
        units: width of the state.
        norm: a normaliser's name, dict or object; default "layer"; None is "none".
        **kwargs: the arguments of `NormSimpleRNNCell` and of `NormRNN`.

    Call arguments, what is returned and what is raised: as of `NormRNN` and `NormSimpleRNNCell`;
    with norm="batch" the states end with the age.

    Masking:
        As in `NormRNN`: a masked step keeps output and states and enters no statistic.

    Examples:
        >>> import numpy as np
        >>> from seqnorm import NormSimpleRNN
        >>> tuple(NormSimpleRNN(8, "layer", placement="joint")(np.ones((2, 5, 3))).shape)
        (2, 8)
    """

    CELL = NormSimpleRNNCell


@keras.saving.register_keras_serializable(package="seqnorm")
class NormLSTM(CellLayer):
    """LSTM layer with a normaliser inside each step.

    The equations are those of `NormLSTMCell`.

    Args:
        units: width of the state.
        norm: a normaliser's name, dict or object; default "layer"; None is "none".
        **kwargs: the arguments of `NormLSTMCell` and of `NormRNN`.

    Call arguments, what is returned and what is raised: as of `NormRNN` and `NormLSTMCell`;
    with norm="batch" the states end with the age.

    Masking:
        As in `NormRNN`: a masked step keeps output and states and enters no statistic.

    Examples:
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


@keras.saving.register_keras_serializable(package="seqnorm")
class NormGRU(CellLayer):
    """GRU layer (reset-after form) with a normaliser inside each step.

    The equations are those of `NormGRUCell`.

    Args:
        units: width of the state.
        norm: a normaliser's name, dict or object; default "layer"; None is "none".
        **kwargs: the arguments of `NormGRUCell` and of `NormRNN`.

    Call arguments, what is returned and what is raised: as of `NormRNN` and `NormGRUCell`;
    with norm="batch" the states end with the age.

    Masking:
        As in `NormRNN`: a masked step keeps output and states and enters no statistic.

    Examples:
        >>> import numpy as np
        >>> from seqnorm import NormGRU
        >>> tuple(NormGRU(8, "rms", return_sequences=True)(np.ones((2, 5, 3))).shape)
        (2, 5, 8)
    """

    CELL = NormGRUCell
