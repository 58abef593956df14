"""The states of a call: where it starts, what a stateful layer keeps, what all steps leave."""

from __future__ import annotations

from typing import Any
from typing import Any as NormRNN  # of which these are parts: a name, no import of it

from keras import ops, tree

from seqnorm.layers.requirements import check_states


def initial_states(
    layer: NormRNN, sequences: Any, given: Any, training: bool
) -> tuple[list[list[Any]], Any]:
    """The starting states of each cell in its compute dtype, and the age (or None).

    Args:
        layer: the layer.
        sequences: float[batch, time, features].
        given: the states that were handed in, or None.
        training: whether noise is drawn.
    """
    if given is None and layer.stateful:
        given = _kept(layer)
    if given is None:
        given = layer.get_initial_state(ops.shape(sequences)[0], training)
    states = list(given) if tree.is_nested(given) else [given]
    if layer.time_aware and len(states) == len(layer.state_size) - 1:
        states.append(ops.zeros((ops.shape(sequences)[0], 1), "float32"))
    check_states(layer, states, sequences.shape[0])
    age = ops.convert_to_tensor(states.pop(), "float32") if layer.time_aware else None
    by_cell = states if layer.stacked else [states]
    dtype = layer.compute_dtype
    return [[ops.convert_to_tensor(s, dtype) for s in tree.flatten(each)] for each in by_cell], age


def _kept(layer: NormRNN) -> Any:
    """What a stateful layer kept; of learned states their value now, as long as none was kept."""
    # Copies: torch assigns in place, and the gradient needs the values from before.
    kept = tree.map_structure(ops.copy, layer.states)
    if layer.fresh is None:
        return kept
    flat = tree.flatten(kept)
    learned = tree.flatten(layer.get_initial_state(flat[0].shape[0]))
    fresh = layer.fresh > 0
    now = [ops.where(fresh, ops.cast(a, b.dtype), b) for a, b in zip(learned, flat, strict=True)]
    return tree.pack_sequence_as(kept, now)


def nest(layer: NormRNN, by_cell: list[list[Any]], age: Any) -> list[Any]:
    """The states of each cell and the age (or None) as the layer returns them."""
    nested: list[Any] = [
        states if tree.is_nested(cell.state_size) else states[0]
        for cell, states in zip(layer.cells, by_cell, strict=True)
    ]
    states = nested if layer.stacked else list(tree.flatten(nested))
    return states if age is None else [*states, age]


def keep(layer: NormRNN, states: Any) -> None:
    """Keep the last states for the next batch of a stateful layer."""
    for variable, value in zip(tree.flatten(layer.states), tree.flatten(states), strict=True):
        variable.assign(ops.cast(value, variable.dtype))
    if layer.fresh is not None:
        layer.fresh.assign(0.0)


def shapes_of_all(shapes: Any, steps: int | None) -> Any:
    """The shapes of states of all steps from those of the last ones, nested in lists."""
    if isinstance(shapes, list):
        return [shapes_of_all(shape, steps) for shape in shapes]
    return (shapes[0], steps, shapes[1])
