"""Pooling over time that leaves padding out."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from seqnorm.ops.masking import of_sequence
from seqnorm.ops.moments import statistics_dtype

MODES = ("last", "mean", "max")


@keras.saving.register_keras_serializable(package="seqnorm")
class MaskedPooling(keras.layers.Layer):
    """One vector per sequence: its last valid step, or the mean or maximum of its valid steps.

    Args:
        mode: "last", "mean" or "max".
        **kwargs: `name`, `dtype` of the Keras layer.

    Call arguments:
        x: float[batch, time, features].
        mask: bool[batch, time] or [batch, time, 1], True on valid tokens; None means all.

    Returns:
        float[batch, features]; zeros for a row without a valid token.

    Masking:
        Padding enters nothing, wherever it stands; the result carries no mask.

    Raises:
        ValueError: for an unknown mode.

    Example:
        >>> import keras
        >>> from seqnorm import MaskedPooling
        >>> x = keras.ops.array([[[1.0], [5.0], [9.0]]])
        >>> mask = keras.ops.array([[True, True, False]])
        >>> [float(MaskedPooling(mode)(x, mask=mask)[0, 0]) for mode in ("last", "mean", "max")]
        [5.0, 3.0, 5.0]
    """

    def __init__(self, mode: str = "last", **kwargs: Any):
        super().__init__(**kwargs)
        if mode not in MODES:
            raise ValueError(
                f"Unknown `mode`. Received: mode={mode!r}. Choose one of: {', '.join(MODES)}."
            )
        self.mode = mode
        self.supports_masking = True

    def call(self, x: Any, mask: Any = None) -> Any:
        """See the class."""
        mask = of_sequence(mask)
        valid = ops.ones_like(x[..., 0], "bool") if mask is None else ops.cast(mask, "bool")
        some = ops.any(valid, axis=1)[:, None]
        valid = valid[..., None]
        if self.mode == "max":
            return ops.where(some, ops.max(ops.where(valid, x, float("-inf")), axis=1), 0.0)
        if self.mode == "last":
            steps = ops.arange(ops.shape(x)[1], dtype="int32")[None, :, None]
            valid = ops.equal(steps, ops.max(ops.where(valid, steps, -1), axis=1, keepdims=True))
        exact = ops.cast(x, statistics_dtype(x))  # a sum in half precision overflows
        total = ops.sum(ops.where(valid, exact, 0.0), axis=1)
        count = ops.sum(ops.cast(valid, exact.dtype), axis=1)
        return ops.cast(total / ops.maximum(count, 1), x.dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """[batch, time, features] -> [batch, features]."""
        return input_shape[0], input_shape[-1]

    def compute_mask(self, x: Any, mask: Any = None) -> None:
        """Time is gone, and the mask with it."""
        return None

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {**super().get_config(), "mode": self.mode}
