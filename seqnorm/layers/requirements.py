"""What a recurrent layer and its inputs must be; what is not is refused before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from typing import Any as NormRNN  # of which these are parts: a name, no import of it

import keras
from keras import tree

from seqnorm.cells import NormCell
from seqnorm.ops.pooling import MODES
from seqnorm.ops.replicas import count_replicas
from seqnorm.spelling import one_of

# How far each dtype counts without a gap.
_EXACT = {"bfloat16": 256, "float16": 2048}


def check_cells(cell: Any, cells: Sequence[Any]) -> None:
    """Refuse what would not be run as it is written.

    Args:
        cell: What the layer was given.
        cells: The cells in it.
    """
    if not cells:
        raise ValueError(f"NormRNN needs one cell or more. Received: cell={cell!r}.")
    for each in cells:
        if not isinstance(each, NormCell):
            raise TypeError(
                "NormRNN runs seqnorm's cells, such as NormLSTMCell. "
                f"Received: cell={each!r}. Run other cells in keras.layers.RNN."
            )
    own = [one for one in cells if type(one).call is not NormCell.call]
    stacked = isinstance(cell, keras.layers.StackedRNNCells)
    if stacked and type(cell).call is not keras.layers.StackedRNNCells.call:
        own.append(cell)
    if own:
        raise TypeError(
            "NormRNN takes a cell's `step` through time and never its `call`. Received: "
            f"{type(own[0]).__name__} with a `call` of its own. Override `step`, or use "
            "keras.layers.RNN."
        )


def check_layer(layer: NormRNN) -> None:
    """Refuse what contradicts itself.

    That is an unknown `return_state`, noise at the start of batches that start where others ended,
    cells that compute in another dtype, and a regulariser that would count the age.
    """
    if layer.return_state not in (False, True, "all"):
        raise ValueError(
            "`return_state` must be True, False or 'all', for the states of every step. "
            f"Received: return_state={layer.return_state!r}."
        )
    if layer.stateful and any(cell.init_state == "noise" for cell in layer.cells):
        raise ValueError(
            "A stateful layer starts where the batch before ended, which leaves no place for "
            "noise. Received: stateful=True with init_state='noise'. Use init_state='learned', or "
            "add noise to the states yourself and pass them as `initial_state`."
        )
    differing = [cell for cell in layer.cells if cell.dtype_policy != layer.dtype_policy]
    if differing:
        raise ValueError(
            "NormRNN computes in the dtype of its cells. Received: "
            f"dtype={layer.dtype_policy.name} with a cell of "
            f"dtype={differing[0].dtype_policy.name}. Give layer and cells the same dtype."
        )
    if layer.time_aware and layer.return_state and layer.activity_regularizer is not None:
        raise ValueError(
            "Keras's activity regulariser counts every output, and with batch statistics one of "
            "them is the age. Received: activity_regularizer with return_state=True. Put "
            "keras.layers.ActivityRegularization on the output."
        )


def check_pooling(pooling: str, return_sequences: bool) -> None:
    """Refuse an unknown way to make one vector of the outputs, or one beside all outputs."""
    if pooling not in MODES:
        raise ValueError(
            f"Unknown `pooling`. Received: pooling={pooling!r}. {one_of(pooling, MODES)}"
        )
    if return_sequences and pooling != "last":
        raise ValueError(
            "`pooling` makes one vector of the outputs of all steps, and `return_sequences` asks "
            f"for these. Received: pooling={pooling!r} with return_sequences=True. Leave one of "
            "them out; where both are wanted, put MaskedPooling on the outputs."
        )


def check_dense(layer: keras.layers.Layer, sequences: Any) -> None:
    """Refuse rows of different lengths that nothing has padded yet, as they lie in ragged tensors.

    Args:
        layer: The layer.
        sequences: [batch, time, features].
    """
    advice = None
    if hasattr(sequences, "row_splits"):  # tf.RaggedTensor
        advice = "x.to_tensor(), mask=tf.sequence_mask(x.row_lengths())"
    elif getattr(sequences, "is_nested", False):  # of torch
        advice = "x.to_padded_tensor(0.0), mask=torch.arange(steps) < lengths[:, None]"
    if advice:
        raise TypeError(
            f"{type(layer).__name__} takes padded sequences, [batch, time, features], and a mask. "
            f"Received: {type(sequences).__name__}. Pad them and say how long each is: "
            f"layer({advice})."
        )


def check_replicas(layer: NormRNN, training: bool) -> None:
    """Refuse a loop in which replicas would have to wait for each other at every step.

    TensorFlow's replicas meet outside loops only.
    """
    if not training or layer.unroll:
        return
    norms = [norm for cell in layer.cells for norm in cell.normalizers.values()]
    together = any(getattr(norm, "synchronized", False) for norm in norms)
    replicas = count_replicas() if together else 1
    if replicas > 1:
        raise ValueError(
            "Batch statistics of all replicas need unroll=True: the replicas of tf.distribute "
            "cannot exchange anything inside a loop. Received: synchronized=True, unroll=False in "
            f"{layer.name} with {replicas} replicas. Unroll the layer, or leave synchronized out: "
            "each replica then normalises by its own rows, and the running statistics are those "
            "of all."
        )


def check_call(layer: NormRNN, sequences: Any) -> None:
    """Refuse inputs that the layer cannot run over.

    Args:
        layer: The layer.
        sequences: float[batch, time, features].
    """
    check_dense(layer, sequences)
    batch, steps = sequences.shape[0], sequences.shape[1]
    if steps == 0:
        raise ValueError(
            "NormRNN needs one time step or more. "
            f"Received: sequences.shape={tuple(sequences.shape)}. Leave empty sequences out, "
            "or pad them to one masked step."
        )
    if layer.unroll and steps is None:
        raise ValueError(
            "`unroll=True` needs a static number of steps. "
            f"Received: sequences.shape={tuple(sequences.shape)}. "
            "State the time dimension in keras.Input, or use unroll=False."
        )
    expected = layer._expected_batch_size
    if layer.stateful and None not in (expected, batch) and batch != expected:
        raise ValueError(
            f"A stateful layer needs the batch size it was built with, {expected}. "
            f"Received: sequences.shape={tuple(sequences.shape)}. Drop or pad the last batch."
        )


def check_states(layer: NormRNN, states: Sequence[Any], batch: int | None) -> None:
    """Refuse states of other shapes than the layer has, and an age that is not exact.

    Args:
        layer: The layer.
        states: As many as were given.
        batch: Rows of the batch; None if they are not known.
    """
    given = [tree.flatten(state) for state in states]
    wanted = [tree.flatten(size) for size in layer.state_size]
    if [*map(len, given)] != [*map(len, wanted)] or not all(
        _fits(state, batch, size)
        for state, size in zip(tree.flatten(given), tree.flatten(wanted), strict=True)
    ):
        advice = f"Give one for each, [batch={batch}, size]"
        if layer.stacked:
            advice += ", a list for each cell as in [[h, c], [h, c]]"
        if layer.time_aware:
            advice += "; the last, which may be left out, is the age that the layer returned"
        raise ValueError(
            f"`initial_state` must hold {len(layer.state_size)} states of sizes "
            f"{layer.state_size}. Received: {len(states)} of shapes "
            f"{[[getattr(one, 'shape', one) for one in each] for each in given]}. {advice}."
        )
    if layer.time_aware:
        _check_age(layer, states[-1])


def _check_age(layer: NormRNN, age: Any) -> None:
    """Refuse an age that has lost its exactness: Keras casts states, given or kept by the layer."""
    dtype = keras.backend.standardize_dtype(getattr(age, "dtype", "float32"))
    exact = _EXACT.get(dtype)
    if exact is not None and layer.age_limit > exact:
        raise ValueError(
            f"A carried age must be exact, and {dtype} counts to {exact}. "
            f"Received: max_steps={layer.age_limit}. Lower `max_steps` of the normaliser, "
            "leave the age out, or use float32."
        )


def _fits(state: Any, batch: int | None, size: int) -> bool:
    """Whether a state is [batch, size], as far as both are known."""
    shape: Any = getattr(state, "shape", ())
    if getattr(shape, "rank", 0) is None:
        return True
    return (
        len(shape) == 2
        and shape[-1] in (None, size)
        and (batch is None or shape[0] in (None, batch))
    )
