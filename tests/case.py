"""One case of the full grid: a layer with its inputs, and what comes out of it, computed once."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import keras
import numpy as np

from tests import grid
from tests.gradients import gradients_and_more


class Found(NamedTuple):
    """What one training call gave."""

    outputs: list[np.ndarray]  # and the states
    statistics: list[np.ndarray]  # afterwards
    gradient: list[np.ndarray]  # by the weights, then by the inputs


class Case(NamedTuple):
    """A layer with its inputs, and the weights to start from."""

    layer: Any
    x: np.ndarray
    mask: np.ndarray | None
    start: list[np.ndarray]

    def run(self, training: bool, x: Any = None, mask: Any = None, **kwargs: Any) -> Any:
        """Outputs and states, and the statistics afterwards, from the starting weights on."""
        self.reset()
        x, mask = (self.x, self.mask) if x is None else (x, mask)
        found = [grid.numpy(y) for y in self.layer(x, mask=mask, training=training, **kwargs)]
        return found, self.statistics()

    def reset(self) -> None:
        """Start anew; without running statistics no call changes anything."""
        if self.layer.time_aware:
            self.layer.set_weights(self.start)

    def statistics(self) -> list[np.ndarray]:
        return [grid.numpy(v) for v in self.layer.non_trainable_variables]

    def train(self, x: Any = None, mask: Any = None, window: slice = slice(None)) -> Found:
        """A training call, and the gradient of `scalar`."""
        self.reset()
        x, mask = (self.x, self.mask) if x is None else (x, mask)
        gradient, outputs = gradients_and_more(
            lambda x: self.scalar(x, mask, window), self.layer, x
        )
        return Found(outputs, self.statistics(), gradient)

    def scalar(self, x: Any, mask: Any, window: slice = slice(None)) -> tuple[Any, list[Any]]:
        """Of the outputs at valid steps inside the window and of the last states; and these."""
        found = self.layer(x, mask=mask, training=True)
        rng = np.random.default_rng(1)
        of_outputs = np.zeros((*x.shape[:2], grid.UNITS))
        of_outputs[:, window] = rng.normal(size=(len(x), grid.SHORT, grid.UNITS))
        if mask is not None:
            of_outputs *= mask[..., None]
        states = 2 if self.layer.cell.NAME == "lstm" else 1
        weights = [of_outputs, *rng.normal(size=(states, len(x), grid.UNITS))]
        terms = [
            keras.ops.sum(keras.ops.multiply(keras.ops.cast(y, "float64"), weight))
            for y, weight in zip(found, weights, strict=False)
        ]
        return sum(terms), list(found)


@cache
def layer_of(cell: str, norm: str, dtype: str, implementation: str) -> tuple[Any, Any]:
    rng = np.random.default_rng(7)
    layer = grid.make(cell, norm, rng, dtype=dtype, implementation=implementation)
    return layer, layer.get_weights()


@cache
def case(cell: str, norm: str, dtype: str, masking: str, implementation: str) -> Case:
    layer, start = layer_of(cell, norm, dtype, implementation)
    mask = grid.MASKINGS[masking]
    x = grid.inputs(np.random.default_rng(8), 3 if mask is None else len(mask), grid.SHORT)
    return Case(layer, x, mask, start)


@cache
def trained(*key: str) -> Found:
    return case(*key).train()


@cache
def inferred(*key: str) -> Any:
    return case(*key).run(False)
