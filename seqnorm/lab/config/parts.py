"""The arms of the comparison: one dataclass per cell and per normaliser."""

from __future__ import annotations

import math
from dataclasses import dataclass

from omegaconf import MISSING

from seqnorm.lab.config.keras_norms import KerasBatchNormConfig, KerasLayerNormConfig, NormConfig
from seqnorm.lab.config.ranges import (
    FINITE,
    POSITIVE,
    RATE,
    WEIGHT,
    Range,
    at_least,
    one_of,
    ranged,
)


@dataclass
class CellConfig:
    """What every choice of cell has: its registered name."""

    name: str = MISSING


@dataclass
class NoCellConfig(CellConfig):
    """No recurrence: the model has no steps."""


@dataclass
class RecurrentConfig(CellConfig):
    """What every recurrent cell takes.

    Attributes:
        units: width of the state, per direction.
        dropout: share of the layer's inputs dropped, one mask per row for all steps.
        recurrent_dropout: share of the state dropped on its way into the recurrent product.
        placement: "separate" normalises the products x W and h U each, "joint" their sum.
        sites: where normalisers stand, a subset of the cell's sites; None means all.
        zoneout: probability that a unit of the state keeps its value of the step before.
        init_state: the state before the first step: "rest" (zeros that pass no gradient on),
            "zeros" (with their exact gradient), "learned" or "noise".
        init_stddev: standard deviation of the noise, or of what is learned before it is trained.
    """

    units: int = ranged(64, at_least(1))
    dropout: float = ranged(0.0, RATE)
    recurrent_dropout: float = ranged(0.0, RATE)
    placement: str = ranged("separate", one_of("separate", "joint"))
    sites: list[str] | None = ranged(
        None, Range("must name one site or more (norm=none normalises none)", len)
    )
    zoneout: float = ranged(0.0, RATE)
    init_state: str = ranged("rest", one_of("rest", "zeros", "learned", "noise"))
    init_stddev: float = ranged(
        0.1, Range("must be at least 0 and finite", lambda value: 0 <= value < math.inf)
    )


@dataclass
class SimpleRNNConfig(RecurrentConfig):
    """The plain recurrent cell."""


@dataclass
class LSTMConfig(RecurrentConfig):
    """The LSTM.

    Attributes:
        unit_forget_bias: start the forget gate's bias at one.
        cell_norm: where c is normalised: "output" (only what the output gate sees), "carry" (also
            what the next step gets) or "none".
    """

    unit_forget_bias: bool = True
    cell_norm: str = ranged("output", one_of("output", "carry", "none"))


@dataclass
class GRUConfig(RecurrentConfig):
    """The gated recurrent unit in its reset-after form.

    Attributes:
        gate_norm: "split", one norm over both gates and one over the candidate, or "fused".
    """

    gate_norm: str = ranged("split", one_of("split", "fused"))


@dataclass
class NoneConfig(NormConfig):
    """The plain cell, through the same code."""


@dataclass
class AffineConfig(NormConfig):
    """What every choice with a gain and an offset has.

    Attributes:
        gamma: initial gain; `scale` says whether there is one.
        center: whether there is an offset; None leaves it to the cell.
    """

    gamma: float = ranged(MISSING, FINITE)
    scale: bool = True
    center: bool | None = None


@dataclass
class LayerNormConfig(AffineConfig):
    """Mean and variance over the features of one row.

    Attributes:
        epsilon: added to the variance.
    """

    epsilon: float = ranged(MISSING, POSITIVE)


@dataclass
class RMSNormConfig(AffineConfig):
    """Mean square over the features of one row.

    Attributes:
        epsilon: added to the mean square.
    """

    epsilon: float = ranged(MISSING, POSITIVE)


@dataclass
class GroupNormConfig(LayerNormConfig):
    """Mean and variance over groups of one row's features.

    Attributes:
        groups: number of groups; None for one per gate.
    """

    groups: int | None = ranged(None, at_least(1))


@dataclass
class DynamicTanhConfig(AffineConfig):
    """A learned squashing without statistics.

    Attributes:
        alpha: initial slope.
    """

    alpha: float = ranged(MISSING, FINITE)


@dataclass
class BatchNormConfig(LayerNormConfig):
    """Statistics over the rows of a batch, kept per time step.

    Attributes:
        momentum: weight of the old running statistics at an update.
        max_steps: rows of the table of running statistics; later steps reuse its last row.
        statistics: "per_step" or "shared" over time.
        input_statistics: "step", or "sequence" for the input product over all steps at once.
        small_batch: where few rows are alive: "naive", "running", "shrink" or "renorm".
        few: rows that count as few.
        min_count: rows a step must have seen for its running statistics to be used.
        synchronized: with `train.strategy`, normalise by the rows of all replicas.
    """

    momentum: float = ranged(MISSING, WEIGHT)
    max_steps: int = MISSING
    statistics: str = ranged(MISSING, one_of("per_step", "shared"))
    input_statistics: str = ranged(MISSING, one_of("step", "sequence"))
    small_batch: str = ranged(MISSING, one_of("naive", "running", "shrink", "renorm"))
    few: float = MISSING
    min_count: float = MISSING
    synchronized: bool = False


CELLS: dict[str, type] = {
    "none": NoCellConfig,
    "simple_rnn": SimpleRNNConfig,
    "lstm": LSTMConfig,
    "gru": GRUConfig,
}

# Where the norm can stand in each cell: known here too, so that a mistake costs no import of Keras.
SITES: dict[str, tuple[str, ...]] = {
    "simple_rnn": ("input", "recurrent"),
    "lstm": ("input", "recurrent", "state"),
    "gru": ("input", "recurrent"),
}

NORMS: dict[str, type] = {
    "none": NoneConfig,
    "layer": LayerNormConfig,
    "rms": RMSNormConfig,
    "group": GroupNormConfig,
    "dyt": DynamicTanhConfig,
    "batch": BatchNormConfig,
    "keras_layer": KerasLayerNormConfig,
    "keras_batch": KerasBatchNormConfig,
}
