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


@dataclass(frozen=True)
class Scale:
    """x -> (x - mean) / spread for each feature.

    Attributes:
        features: their names, in the order of the last axis.
        mean, spread: one number for each; 0 and 1 leave a feature as it is.
    """

    features: tuple[str, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]

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
        exact = np.asarray(values, np.float64)
        mean, spread = np.nanmean(exact, axis=0), np.nanstd(exact, axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        return cls(tuple(features), (*map(float, mean),), (*map(float, spread),))

    def apply(self, values: NDArray) -> NDArray[np.float32]:
        """float[..., features] -> float32[..., features]; NaN stays NaN."""
        return ((values - np.array(self.mean)) / np.array(self.spread)).astype(np.float32)

    def save(self, path: Path) -> None:
        """Writes JSON that `load` reads."""
        content = {"features": self.features, "mean": self.mean, "spread": self.spread}
        write_text(path, json.dumps(content, indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> Scale:
        """Reads what `save` wrote."""
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(*(tuple(content[key]) for key in ("features", "mean", "spread")))
