"""Properties of the step: a sequence in pieces, and nothing that is remembered beside the state."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from seqnorm.cells import SiteNorms
from seqnorm.checks.layers import numpy
from seqnorm.normalizers import Context
from seqnorm.testing.agree import agree_all
from seqnorm.testing.case import STEPS, Case
from seqnorm.testing.errors import Disagreement


def chunks(case: Case) -> None:
    """A sequence read in two chunks, the states carried, gives what it gives in one.

    In training too, but for a norm that takes all steps at once (`whole_sequence`).
    """
    for training in case.trainings:
        if training and case.mixes_rows and case.whole_sequence:
            continue
        case.reset()
        states: Any = None
        parts = []
        for chunk in (slice(0, 1), slice(1, STEPS)):
            mask = None if case.mask is None else case.mask[:, chunk]
            part, *states = case.layer(
                case.x[:, chunk], mask=mask, initial_state=states, training=training
            )
            parts.append(numpy(part))
        when = f" in two chunks (training={training})"
        (outputs, *last), moved, _ = case.found(training)
        whole, both = (
            np.where(case.valid[..., None], y, 0) for y in (outputs, np.concatenate(parts, 1))
        )
        found = [both, *map(numpy, states)]
        agree_all(case.names(when), found, [whole, *last], case.dtype, rows=case.x)
        names = [f"statistic {i}{when}" for i in range(len(moved))]
        agree_all(names, case.statistics(), moved, case.dtype)


def pure(case: Case) -> None:
    """A step keeps nothing but the states that it returns.

    It is called twice with the same inputs: it gives the same, and neither a weight nor an
    attribute of cell or norms nor a state that was handed in has changed.
    """
    case.reset()
    cell, batch = case.cell, len(case.x)
    rng = np.random.default_rng(6)
    handed = [rng.normal(size=(batch, n)) for n in keras.tree.flatten(cell.state_size)]
    tensors = [keras.ops.convert_to_tensor(state, case.dtype) for state in handed]
    parts = [cell, *cell.normalizers.values()]
    weights = [(v.path, numpy(v)) for v in cell.variables]
    attributes = [_held(part) for part in parts]
    for training in (False, True):
        first, second = (_step(case, list(tensors), training) for _ in range(2))
        names = ["output", *(f"state {i}" for i in range(case.states))]
        taken = [f"{name} of a step taken twice" for name in names]
        agree_all(taken, second, first, rows=case.x[:, :1])
        for part, before in zip(parts, attributes, strict=True):
            _unchanged(part, before)
        now = [numpy(v) for v in cell.variables]
        agree_all([f"{path} after a step" for path, _ in weights], now, [w for _, w in weights])
        agree_all([f"{name} handed in" for name in names[1:]], list(map(numpy, tensors)), handed)


def _step(case: Case, states: list[Any], training: bool) -> list[Any]:
    """Output and states of the first step."""
    index = np.zeros(1, "int32") if case.layer.time_aware else None
    valid = None if case.mask is None else case.mask[:, :1]
    norm = SiteNorms(case.cell.normalizers, Context(index, valid, training))
    handed = list(states)
    x_t = keras.ops.convert_to_tensor(case.x[:, 0], case.dtype)
    output, new = case.cell.advance(case.cell.project(x_t, norm), handed, norm)
    if len(handed) != len(states) or any(a is not b for a, b in zip(handed, states, strict=True)):
        raise Disagreement("the list of states that a step was given", "changed", "unchanged")
    return [numpy(output), *map(numpy, new)]


def _held(part: Any) -> dict[str, tuple[Any, tuple[Any, ...]]]:
    """Attributes of an object and, of containers, what is in them."""
    return {name: (value, _inside(value)) for name, value in vars(part).items()}


def _inside(value: Any) -> tuple[Any, ...]:
    if isinstance(value, dict):
        return tuple(value.values())
    return tuple(value) if isinstance(value, (list, tuple, set)) else ()


def _unchanged(part: Any, before: dict[str, tuple[Any, tuple[Any, ...]]]) -> None:
    """Raise where an attribute is another than it was; Keras sets some to None at first use."""
    for name, (value, inside) in _held(part).items():
        old, old_inside = before.get(name, (None, ()))
        same = len(inside) == len(old_inside) and all(map(_same, inside, old_inside))
        if not (_same(value, old) and same):
            what = f"the attribute {name!r} of {type(part).__name__} after a step"
            raise Disagreement(what, _short(value), _short(old))


def _same(a: Any, b: Any) -> bool:
    plain = isinstance(a, (bool, int, float, str)) and type(a) is type(b)
    return a is b or (plain and a == b)


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:77] + "..."
