"""Masks of padded sequences, batch-major: `bool[batch, time]`, True where a token is valid."""

from __future__ import annotations

from typing import Any

from keras import ops


def lengths(mask: Any) -> Any:
    """Number of valid tokens of each row: bool[batch, time] -> int32[batch]."""
    return ops.sum(ops.cast(mask, "int32"), axis=1)


def is_right_padded(mask: Any) -> Any:
    """Whether no valid token follows a padded one in any row: bool[batch, time] -> bool[]."""
    return ops.all(ops.logical_or(mask[:, :-1], ops.logical_not(mask[:, 1:])))


def reverse_valid(x: Any, mask: Any) -> Any:
    """Reverse the valid part of each right-padded row and leave its padding in place.

    Args:
        x: [batch, time, features].
        mask: bool[batch, time], right-padded; None reverses the whole axis.

    Returns:
        [batch, time, features]; applying the function twice gives `x` back.
    """
    if mask is None:
        return ops.flip(x, axis=1)
    batch, time = ops.shape(x)[0], ops.shape(x)[1]
    length = lengths(mask)[:, None]
    t = ops.arange(time, dtype="int32")[None, :]
    source = ops.where(t < length, length - 1 - t, t)
    flat = source + time * ops.arange(batch, dtype="int32")[:, None]
    rows = ops.reshape(x, (-1, x.shape[-1]))
    return ops.reshape(ops.take(rows, ops.reshape(flat, (-1,)), axis=0), ops.shape(x))


def hold(valid: Any, new: Any, old: Any) -> Any:
    """Take `new` on valid rows and `old` on the others; `valid` broadcasts, None means all.

    A selection and not a product: whatever a dead row computed, even NaN, reaches neither the
    value nor, as long as it is finite, the gradient. The dtype is that of `old`: Keras computes
    some operations on float64 in float32 unless its backend is TensorFlow.
    """
    new = ops.cast(new, old.dtype)
    return new if valid is None else ops.where(valid, new, old)


def of_sequence(mask: Any) -> Any:
    """A sequence's mask as [batch, time], from that or [batch, time, ...]; None stays None.

    Of further axes one valid entry makes the step valid, as in Keras 2: over documents as
    [batch, sentences, words] Keras hands the mask of the words up to the layer of the sentences.
    Keras may also hand a list of masks, those of the states after the sequence's.
    """
    mask = mask[0] if isinstance(mask, (list, tuple)) else mask
    if mask is None or len(mask.shape) == 2:
        return mask
    if tuple(mask.shape[2:]) == (1,):
        return mask[..., 0]
    return ops.any(ops.cast(mask, "bool"), axis=tuple(range(2, len(mask.shape))))
