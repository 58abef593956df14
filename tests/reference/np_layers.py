"""The time loop of a recurrent layer over padded sequences, in float64 NumPy.

The loop gives a step nothing but the input at t, the states and one function per norm site, then
keeps the old state of every row whose token is masked. Batch norm at a site is a `BatchNormSite`:
the loop turns it into a function for each step, over the rows that are alive at that step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tests.reference.np_batch_sites import (
    BatchNormSite,
    Step,
    check_sites,
    is_right_padded,
    norm_at,
    sequence_moments,
)
from tests.reference.np_cells import Norm, States
from tests.reference.np_statistics import Array, Moments, stack

Mask = NDArray[np.bool_]


class LayerResult(NamedTuple):
    """What the layer gives back.

    outputs [B, T, H], laid out as Keras does; last [B, H]: the output of each row's last valid
    token in loop order (zeros without one); states: tuple of [B, H]. observed: for every site that
    has a norm, of whatever kind, the moments over the alive rows of what enters it, [T, F],
    [T, F], [T], in loop order. statistics: for batch norm in training, what is to be folded into
    the table: the same [T, ...], or one row [1, ...] if the statistics are those of the sequence.
    """

    outputs: Array
    last: Array
    states: States
    observed: Mapping[str, Moments]
    statistics: Mapping[str, Moments]


def _reading_order(mask: Mask, go_backwards: bool) -> NDArray[np.int64]:
    """int [B, T]: the input position that row b reads at loop step s.

    Backwards, only the valid part is reversed if the mask is right-padded, so that step s is the
    s-th token from the row's last one; any other mask is reversed as a whole, like Keras.
    """
    batch, time = mask.shape
    order = np.zeros((batch, time), int)
    whole = not is_right_padded(mask)
    for b in range(batch):
        length = time if whole else int(mask[b].sum())
        for s in range(time):
            order[b, s] = length - 1 - s if go_backwards and s < length else s
    return order


def run_layer(
    step: Step,
    sequences: ArrayLike,
    initial_states: States,
    norms: Mapping[str, Norm | BatchNormSite] | None = None,
    mask: ArrayLike | None = None,
    *,
    training: bool = True,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
) -> LayerResult:
    """Run `step` over time.

    Args:
        step: step(x_t, states, norms) -> (output [B, H], states); a step of np_cells with weights
            and options bound by functools.partial. output[b] may depend on other rows only
            through batch norm.
        sequences: [B, T, E]. Masked positions may hold anything, NaN too.
        initial_states: tuple of [B, H].
        norms: site -> function, or BatchNormSite.
        mask: bool [B, T], True for a real token; None for all real.
        training: batch norm uses the moments of the batch if True, of its table if False.
        go_backwards: read from the end. Position p of the outputs belongs to input position
            T - 1 - p.
        zero_output_for_mask: outputs at masked positions are 0 instead of the row's previous
            output (0 before its first token). Does not concern `last`.

    Raises:
        ValueError: per-step batch norm with a mask that is not right-padded.
    """
    sequences = np.asarray(sequences, np.float64)
    batch, time = sequences.shape[:2]
    mask = np.ones((batch, time), bool) if mask is None else np.asarray(mask, bool)
    sites = dict(norms or {})
    check_sites(sites, mask)
    order = _reading_order(mask, go_backwards)
    inputs, alive = _in_loop_order(sequences, mask, order)
    whole = sequence_moments(step, inputs, alive, initial_states, sites) if training else {}

    states = tuple(np.asarray(s, np.float64) for s in initial_states)
    last = np.zeros_like(states[0])
    outputs = np.zeros((batch, time, last.shape[1]))
    observed: dict[str, list[Moments]] = {site: [] for site in sites}
    for s in range(time):
        at_step = {
            site: norm_at(norm, s, alive[s], training, whole.get(site), observed[site])
            for site, norm in sites.items()
        }
        output, new_states = step(inputs[s], states, at_step)
        for b in range(batch):
            if alive[s][b]:
                last[b] = output[b]
                outputs[b, time - 1 - order[b, s] if go_backwards else s] = output[b]
        states = _keep_dead_rows(alive[s], new_states, states)
    if not zero_output_for_mask:
        _hold_outputs(outputs, mask[:, ::-1] if go_backwards else mask)

    stacked = {site: stack(steps) for site, steps in observed.items() if steps}
    folded = {
        site: stack([whole[site]]) if site in whole else stacked[site]
        for site, norm in sites.items()
        if training and isinstance(norm, BatchNormSite) and site in stacked
    }
    return LayerResult(outputs, last, states, stacked, folded)


def _in_loop_order(
    sequences: Array, mask: Mask, order: NDArray[np.int64]
) -> tuple[list[Array], list[Mask]]:
    """The inputs [B, E] and the alive rows [B] of every loop step.

    Padding is replaced by zeros here, so that no garbage from it ever reaches a step.
    """
    rows = np.arange(len(order))
    inputs, alive = [], []
    for s in range(order.shape[1]):
        real = mask[rows, order[:, s]]
        inputs.append(np.where(real[:, None], sequences[rows, order[:, s]], 0.0))
        alive.append(real)
    return inputs, alive


def _keep_dead_rows(alive: Mask, new: States, old: States) -> States:
    return tuple(np.where(alive[:, None], n, o) for n, o in zip(new, old, strict=True))


def _hold_outputs(outputs: Array, mask: Mask) -> None:
    """Fill masked positions with the output before them, in the order of the outputs."""
    for b in range(outputs.shape[0]):
        for p in range(1, outputs.shape[1]):
            if not mask[b, p]:
                outputs[b, p] = outputs[b, p - 1]
