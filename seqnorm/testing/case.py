"""One case: a layer with its inputs, and what comes out of it, computed once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from seqnorm.cells import NormCell
from seqnorm.checks.autodiff import gradients_and_more
from seqnorm.checks.layers import numpy
from seqnorm.layers import NormRNN
from seqnorm.normalizers import Normalizer

STEPS, FEATURES = 3, 3
# Short rows, small because every property runs over all of them.
MASKINGS: dict[str, Any] = {
    "no mask": None,
    "right": np.arange(STEPS) < np.array([[3], [1], [2]]),
    "left": np.arange(STEPS)[::-1] < np.array([[3], [1], [2]]),
    "empty row": np.arange(STEPS) < np.array([[2], [0], [3]]),
    "single row": np.arange(STEPS) < np.array([[2]]),
}
EMPTY = 1  # the row of "empty row" that is nothing but padding

# Largest absolute difference between two ways to compute the same numbers of order one.
TOLERANCE = {"float64": 1e-10, "float32": 1e-5, "mixed_bfloat16": 6e-2, "mixed_float16": 1e-2}
DTYPES = tuple(TOLERANCE)
HALF = ("mixed_bfloat16", "mixed_float16")


class Found(NamedTuple):
    """What one training call gave."""

    outputs: list[NDArray]  # and the states
    statistics: list[NDArray]  # afterwards
    gradient: list[NDArray]  # by the weights, then by the inputs


class Case:
    """A layer that returns all outputs and states, its weights, inputs and a mask.

    Args:
        layer: built, with weights without symmetry.
        masking: one of `MASKINGS`.
        features: width of the inputs.
        start: the weights that every call begins from, where cases share a layer, since a call may
            move its statistics; None for those that it has now.
        exact: the same case in float64; None where it is this one.
        reference: `reference(case, training)`, outputs and states as NumPy makes them, or None.
        originals: the cell or norm that its author gave, whose configuration must keep everything.
    """

    def __init__(
        self,
        layer: NormRNN,
        masking: str,
        *,
        features: int = FEATURES,
        start: list[NDArray] | None = None,
        exact: Case | None = None,
        reference: Callable[[Case, bool], list[NDArray]] | None = None,
        originals: tuple[NormCell | Normalizer, ...] = (),
    ):
        self.layer, self.masking, self.exact = layer, masking, exact
        self.reference, self.originals = reference, originals
        self.dtype: str = layer.dtype_policy.name
        self.mask: NDArray[np.bool_] | None = MASKINGS[masking]
        rows = 3 if self.mask is None else len(self.mask)
        self.x = np.random.default_rng(8).normal(size=(rows, STEPS, features))
        self.start = layer.get_weights() if start is None else start

    def __str__(self) -> str:
        cell = self.cell
        norm = type(cell.norm).__name__
        masking = self.masking if self.mask is None else f"mask {self.masking!r}"
        return f"{type(cell).__name__} with {norm} ({self.dtype}, {masking})"

    @property
    def cell(self) -> NormCell:
        """The one cell of the layer."""
        return self.layer.cells[0]

    @property
    def valid(self) -> NDArray[np.bool_]:
        """bool[batch, time], all of them where there is no mask."""
        return np.ones(self.x.shape[:2], bool) if self.mask is None else self.mask

    @property
    def states(self) -> int:
        """How many states the cell has; the layer's may end with the age."""
        return len(keras.tree.flatten(self.cell.state_size))

    def names(self, when: str = "") -> list[str]:
        """What `run` returns, in words."""
        states = [f"state {i}" for i in range(self.states)] + ["age"] * self.layer.time_aware
        return [f"{name}{when}" for name in ("outputs", *states)]

    def weights(self) -> list[str]:
        """What `gradient` is by, in words."""
        return [*(v.path for v in self.layer.trainable_variables), "the inputs"]

    @property
    def mixes_rows(self) -> bool:
        """Whether some norm declares that rows share statistics in training."""
        return any(norm.mixes_rows for norm in self.cell.normalizers.values())

    @property
    def whole_sequence(self) -> bool:
        """Whether some norm declares that it takes all steps at once."""
        return any(norm.whole_sequence for norm in self.cell.normalizers.values())

    @property
    def trainings(self) -> tuple[bool, ...]:
        """The ways to call the layer that may differ: only statistics depend on `training`."""
        return (True, False) if self._keeps_statistics else (True,)

    @cached_property
    def trained(self) -> Found:
        """One training call."""
        return self.train()

    @cached_property
    def inferred(self) -> Found:
        """One call of inference, with its gradient."""
        return self.train(training=False)

    def found(self, training: bool) -> Found:
        """What the case as it is gives; without statistics inference gives what training does."""
        return self.inferred if self._keeps_statistics and not training else self.trained

    @property
    def _keeps_statistics(self) -> bool:
        return self.mixes_rows or self.layer.time_aware

    def run(self, training: bool, x: Any = None, mask: Any = None, **kwargs: Any) -> list[NDArray]:
        """Outputs and states, from the starting weights on."""
        self.reset()
        x, mask = (self.x, self.mask) if x is None else (x, mask)
        return [numpy(y) for y in self.layer(x, mask=mask, training=training, **kwargs)]

    def reset(self) -> None:
        """Start anew; without weights of its own to move no call changes anything."""
        if self.layer.non_trainable_variables:
            self.layer.set_weights(self.start)

    def statistics(self) -> list[NDArray]:
        """What a call may have moved."""
        return [numpy(v) for v in self.layer.non_trainable_variables]

    def train(
        self,
        x: Any = None,
        mask: Any = None,
        window: slice = slice(None),
        training: bool = True,
    ) -> Found:
        """One call, and the gradient of `scalar`."""
        self.reset()
        x, mask = (self.x, self.mask) if x is None else (x, mask)
        gradient, outputs = gradients_and_more(
            lambda x: self.scalar(x, mask, window, training), self.layer, x
        )
        return Found(outputs, self.statistics(), gradient)

    def scalar(
        self, x: Any, mask: Any, window: slice = slice(None), training: bool = True
    ) -> tuple[Any, list[Any]]:
        """A weighted sum of last states and outputs (valid, in the window); and all of them."""
        found = list(self.layer(x, mask=mask, training=training))
        rng = np.random.default_rng(1)
        of_outputs = np.zeros(tuple(found[0].shape))
        of_outputs[:, window] = rng.normal(size=(len(x), STEPS, of_outputs.shape[-1]))
        if mask is not None:
            valid = np.asarray(mask)[..., None]
            of_outputs *= valid[:, ::-1] if self.layer.go_backwards else valid
        states = found[1 : 1 + self.states]
        weights = [of_outputs, *(rng.normal(size=tuple(state.shape)) for state in states)]
        terms = [
            keras.ops.sum(keras.ops.multiply(keras.ops.cast(y, "float64"), weight))
            for y, weight in zip(found, weights, strict=False)
        ]
        return sum(terms), found
