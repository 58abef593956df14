"""Pooling over time that leaves padding out."""

from __future__ import annotations

from typing import Any

import keras

from seqnorm.layers.requirements import check_dense
from seqnorm.ops.masking import of_sequence
from seqnorm.ops.pooling import MODES, pool
from seqnorm.spelling import one_of


@keras.saving.register_keras_serializable(package="seqnorm")
class MaskedPooling(keras.layers.Layer):
    """One vector per sequence: its last valid step, or the mean or maximum of its valid steps.

    Args:
        mode: "last", "mean" or "max".
        **kwargs: `name`, `dtype` of the Keras layer.

    Call arguments:
        x: float[batch, time, features].
        mask: bool[batch, time], True on valid tokens, or [batch, time, ...], where one True makes
            the step valid; None means all.

    Returns:
        float[batch, features]; zeros for a row without a valid token.

    Masking:
        Padding enters nothing, wherever it stands; the result carries no mask.

    Raises:
        ValueError: for an unknown mode.

    Examples:
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
            raise ValueError(f"Unknown `mode`. Received: mode={mode!r}. {one_of(mode, MODES)}")
        self.mode = mode
        self.supports_masking = True

    def call(self, x: Any, mask: Any = None) -> Any:
        """See the class."""
        check_dense(self, x)
        return pool(x, of_sequence(mask), self.mode)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """[batch, time, features] -> [batch, features]."""
        return input_shape[0], input_shape[-1]

    def compute_mask(self, x: Any, mask: Any = None) -> None:
        """Time is gone, and the mask with it."""
        return None

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {**super().get_config(), "mode": self.mode}
