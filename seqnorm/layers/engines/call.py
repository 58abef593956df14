"""What one call of a recurrent layer asks for, as the engines see it."""

from __future__ import annotations

from typing import Any, NamedTuple

from seqnorm.cells import NormCell
from seqnorm.ops.moments import Moments


class Call(NamedTuple):
    """One call of a recurrent layer."""

    cells: tuple[NormCell, ...]  # bottom first
    training: bool
    carried: bool  # rows start from given states
    zero_output_for_mask: bool
    unroll: bool
    all_states: bool  # the states after every step are wanted
    seen: list[dict[str, Moments]] | None  # gains what reaches the normalisers of each cell
    perturbation: Any  # float[time, batch, units], added to h_t

    @property
    def time_aware(self) -> bool:
        """Whether some normaliser depends on the step."""
        return any(cell.time_aware for cell in self.cells)


class Unrolled(NamedTuple):
    """What a cell gave over all steps."""

    last: Any  # float[batch, units]
    outputs: Any  # what was asked for: of every step, laid out as the next cell takes it, or pooled
    states: list[Any]  # float[batch, units] each
    moments: dict[str, Moments]  # [time, 1, features] of the batch, for running ones to take in
    kept: dict[str, Moments]  # [rows, features], running ones that have taken the batch in already
    every: list[Any] | None = None  # the states after all steps, [time, batch, units]; if wanted
