"""A cell that somebody wrote, as cases."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from seqnorm.cells import NormCell
from seqnorm.checks.layers import numpy
from seqnorm.layers import NormRNN
from seqnorm.normalizers import Normalizer
from seqnorm.testing.case import MASKINGS, STEPS, Case

# What draws would differ from call to call.
UNDRAWN = {"dropout": 0.0, "recurrent_dropout": 0.0, "zoneout": 0.0}


class Subject:
    """Layers around copies of a cell, all with the same random weights, and their cases.

    Args:
        cell: as its author made it; it is left alone.
        features: width of the inputs.
        reference: see `Case`.
        originals: what has a configuration of its own to be kept.
    """

    def __init__(
        self,
        cell: NormCell,
        features: int,
        reference: Callable[[Case, bool], list[NDArray]] | None = None,
        originals: tuple[NormCell | Normalizer, ...] = (),
    ):
        self.cell, self.features, self.reference = cell, features, reference
        self.originals = originals
        self.case = lru_cache(maxsize=None)(self._case)
        self.layer = lru_cache(maxsize=None)(self._layer)

    def __str__(self) -> str:
        return f"{type(self.cell).__name__} with {type(self.cell.norm).__name__}"

    def _case(self, dtype: str, masking: str) -> Case:
        exact = None if dtype == "float64" else self.case("float64", masking)
        layer, start = self.layer(dtype)
        return Case(
            layer,
            masking,
            features=self.features,
            start=start,
            exact=exact,
            reference=self.reference,
            originals=self.originals,
        )

    def _layer(self, dtype: str) -> tuple[NormRNN, list[NDArray]]:
        config = self.cell.get_config()
        changes = {key: value for key, value in UNDRAWN.items() if key in config}
        # What no file can hold is found by the properties of files.
        own = {type(part).__name__: type(part) for part in (self.cell, self.cell.norm)}
        with keras.saving.custom_object_scope(own), _same_draws():
            copy = type(self.cell).from_config({**config, **changes, "dtype": dtype})
            layer = NormRNN(copy, return_sequences=True, return_state=True)
            layer.build((None, None, self.features))
        if dtype == "float64":
            _settle(layer, self.features)
        else:
            layer.set_weights(self.layer("float64")[1])
        return layer, layer.get_weights()


@contextmanager
def _same_draws() -> Iterator[None]:
    """Initialisers without a seed take one from `random`, which is put back afterwards.

    So a part either passes every time or never.
    """
    before = random.getstate()
    random.seed(7)
    try:
        yield
    finally:
        random.setstate(before)


def _settle(layer: NormRNN, features: int) -> None:
    """Give weights values without symmetry, near their first ones, and statistics some rows."""
    rng = np.random.default_rng(7)
    for weight in layer.trainable_variables:
        shape = tuple(weight.shape)
        value = numpy(weight) * rng.uniform(0.5, 1.5, shape) + rng.normal(0, 0.3, shape)
        weight.assign(value if weight.constraint is None else weight.constraint(value))
    for _ in range(2):
        layer(rng.normal(size=(3, STEPS, features)), mask=MASKINGS["right"], training=True)


def of_step(step: Callable[..., Any]) -> Callable[[Case, bool], list[NDArray]]:
    """The reference of a case from that of one step.

    Args:
        step: `output, states = step(cell, x_t, states)` in NumPy, float64[rows, ...], of the rows
            that are no padding at that step.
    """

    def reference(case: Case, training: bool) -> list[NDArray]:
        del training
        sizes = keras.tree.flatten(case.cell.state_size)
        states = [np.zeros((len(case.x), size)) for size in sizes]
        outputs = np.zeros((*case.x.shape[:2], case.cell.units))
        for t in range(STEPS):
            outputs[:, t] = outputs[:, t - 1] if t else 0.0
            here = case.valid[:, t]
            if here.any():
                output, new = step(case.cell, case.x[here, t], [s[here] for s in states])
                outputs[here, t] = output
                for state, value in zip(states, new, strict=True):
                    state[here] = value
        return [outputs, *states]

    return reference
