"""Standardisation of rows of numbers, learnt on the training part and kept with the run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.durable import write_text

FILE = "scale.json"
PIECE = 2**16  # steps that are worked on at a time, in float64


@dataclass(frozen=True)
class Scale:
    """x -> (x - mean) / spread for each feature.

    Attributes:
        features: their names, in the order of the last axis.
        mean, spread: one number for each; 0 and 1 leave a feature as it is.
        order: which step of a row as it is given stands at each step of the network's; empty where
            rows stay as they are.
    """

    features: tuple[str, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    order: tuple[int, ...] = ()

    @classmethod
    def none(cls, features: Sequence[str]) -> Scale:
        """The scale that leaves everything as it is."""
        return cls(tuple(features), (0.0,) * len(features), (1.0,) * len(features))

    @classmethod
    def learnt(cls, values: NDArray, features: Sequence[str]) -> Scale:
        """Mean and standard deviation of each feature; a constant one keeps its unit.

        Args:
            values: float[steps, features]; NaN is left out.
            features: their names.
        """
        pieces = [values[at : at + PIECE] for at in range(0, len(values), PIECE)]
        count = sum((~np.isnan(piece)).sum(axis=0) for piece in pieces)
        mean = sum(np.nansum(piece, axis=0, dtype=np.float64) for piece in pieces) / count
        squares = sum(np.nansum((piece - mean) ** 2, axis=0) for piece in pieces)
        spread = np.sqrt(squares / count)
        spread = np.where(spread > 0, spread, 1.0)
        return cls(tuple(features), (*map(float, mean),), (*map(float, spread),))

    def apply(self, values: NDArray, out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """float[..., features] -> float32[..., features]; NaN stays NaN.

        Args:
            values: what is scaled, step by step as many as `learnt` takes at a time.
            out: where the result is written, possibly `values` itself; None for a new array.
        """
        scaled = np.empty(values.shape, np.float32) if out is None else out
        mean, spread = np.array(self.mean), np.array(self.spread)
        for at in range(0, len(values), PIECE):
            scaled[at : at + PIECE] = (values[at : at + PIECE] - mean) / spread
        return scaled

    def in_order(self, row: NDArray) -> NDArray:
        """A row [time, ...] as it is given, with its steps as the network takes them.

        Raises:
            ValueError: if it has more or fewer steps than there are places.
        """
        if not self.order:
            return row
        if len(row) != len(self.order):
            raise ValueError(
                f"rows need {len(self.order)} steps, which are put into the run's own order; "
                f"received {len(row)}. Give a whole row, in its natural order."
            )
        return row[np.array(self.order)]

    def save(self, path: Path) -> None:
        """Writes JSON that `load` reads."""
        content = {"features": self.features, "mean": self.mean, "spread": self.spread}
        if self.order:
            content["order"] = self.order
        write_text(path, json.dumps(content, indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> Scale:
        """Reads what `save` wrote."""
        content = json.loads(path.read_text(encoding="utf-8"))
        features, mean, spread = (tuple(content[key]) for key in ("features", "mean", "spread"))
        return cls(features, mean, spread, tuple(content.get("order", ())))
